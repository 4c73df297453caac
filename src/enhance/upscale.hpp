#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/picture.hpp"
#include "nn/network.hpp"

namespace weir::enhance {

enum class Precision { automatic, exact };
enum class Sync { exact, fast };

/// How a picture is to be enlarged; no files in it.
struct UpscaleSettings {
  double scale = 0;       ///< wanted scale; 0: the network's own
  int width = 0;          ///< wanted width; 0: from scale
  int height = 0;         ///< wanted height; 0: from scale or from width
  Bytes ram;              ///< the line for the whole process
  std::filesystem::path spill_folder;
  Bytes spill_limit;      ///< zero: no spilling
  int threads = 1;        ///< at least 1
  Precision precision = Precision::automatic;
  Sync sync = Sync::exact;
  bool tta = false;
};

/// One line of the plan: what needs how much.
struct PlanPart {
  std::string name;  ///< "program", "weights", "rings", "stored rows", "decoder", "encoder", ...
  Bytes ram;
  Bytes disk;
};

/// Everything decided before the first row: computed from headers alone. A value.
struct UpscalePlan {
  int input_width = 0, input_height = 0;
  int output_width = 0, output_height = 0;    ///< of the file
  int network_runs = 1;                       ///< 1 or 2
  bool resized = false;                       ///< after the network
  std::string precision;                      ///< "int16" or "float32"; what `auto` became
  std::string instruction_set;                ///< "avx512_vnni", "avx2", "neon", "plain"
  int band_height = 0;                        ///< rows per step
  int strip_width = 0;                        ///< columns per strip; the whole width if there is one strip
  int strip_halo = 0;                         ///< columns that a strip repeats on a side
  int passes = 1;
  std::vector<PlanPart> parts;
  Bytes ram;                                  ///< the sum
  Bytes disk;
  double multiplications = 0;                 ///< as direct convolution, recomputation and halos included
  std::chrono::duration<double> expected_time{};
};

/// Called from the thread that runs the picture, at most every few milliseconds of work; must return quickly.
struct Progress {
  double fraction = 0;  ///< 0..1 of the multiplications
  double pixels = 0;    ///< output pixels finished, all passes weighted
};
using ProgressCallback = std::function<void(const Progress&)>;

struct UpscaleReport {
  media::WriteReport file;
  std::vector<std::string> events;  ///< "band at row 512 repeated in float32", ...
};

/// Errors: over_budget with the numbers when the smallest plan is above settings.ram; invalid_argument when the scale
/// cannot be had; unsupported.
Result<UpscalePlan> plan_upscale(const nn::Network& network, const media::PictureInfo& picture,
                                 const media::MediaNeed& decoder, const media::WriteOptions& output,
                                 const UpscaleSettings& settings);

/// Reads all of `reader`, writes all of `writer`'s rows; the caller calls writer.finish(). The rows handed to the writer
/// have the extent of `rows_extent(...)`.
/// Errors: cancelled (stop requested), corrupt or io (from the reader and writer), unsupported.
struct UpscaleJob {
  const nn::Network& network;
  const UpscalePlan& plan;
  const UpscaleSettings& settings;
  media::PictureReader& reader;
  media::PictureWriter& writer;
  ProgressCallback progress;  ///< may be empty
  std::stop_token stop;
};
Result<std::vector<std::string>> upscale(const UpscaleJob& job);

/// What the writer will be given for this picture: the network's extent before the final resize.
media::PictureInfo rows_info(const nn::Network& network, const media::PictureInfo& picture,
                             const UpscaleSettings& settings);
/// The extent of the file.
struct FinalSize { int width = 0, height = 0; };
Result<FinalSize> final_size(const nn::Network& network, const media::PictureInfo& picture, const UpscaleSettings& settings);

}  // namespace weir::enhance
