#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "compute/kernels/kernels.hpp"
#include "media/picture/picture.hpp"
#include "nn/network.hpp"
#include "nn/vulkan/engine.hpp"

namespace weir::nn::vulkan {
struct Gpu;
}  // namespace weir::nn::vulkan

namespace weir::enhance {

struct RunPlan;

enum class Precision { automatic, exact };

/// How a picture is to be enlarged; no files in it.
struct UpscaleSettings {
  double scale = 0;  ///< wanted scale; 0: the network's own
  int width = 0;     ///< wanted width; 0: from scale
  int height = 0;    ///< wanted height; 0: from scale or from width
  Bytes ram;         ///< the line for the whole process
  std::filesystem::path spill_folder;
  Bytes spill_limit;  ///< zero: no spilling
  int threads = 1;    ///< at least 1
  Precision precision = Precision::automatic;
  bool tta = false;
  std::shared_ptr<const nn::vulkan::Gpu> gpu;  ///< null: the processors alone
  nn::vulkan::EngineSettings device_settings;  ///< how the GPU is to be used
};

/// One line of the plan: what needs how much.
struct PlanPart {
  std::string name;  ///< "program", "weights", "rings", "stored rows", "decoder", "encoder", ...
  Bytes ram;
  Bytes disk;
  Bytes device_memory{};  ///< memory of the GPU
};

/// Everything decided before the first row: computed from headers alone. A value.
struct UpscalePlan {
  int input_width = 0, input_height = 0;
  int output_width = 0, output_height = 0;  ///< of the file
  int network_runs = 1;                     ///< 1 or 2
  bool resized = false;                     ///< after the network
  std::string precision;                    ///< "int16" or "float32"; what `auto` became
  std::string instruction_set;              ///< "avx512_vnni", "avx2", "neon", "plain"
  int band_height = 0;                      ///< rows per step
  int strip_width = 0;                      ///< columns per strip; the whole width if there is one strip
  int strip_halo = 0;                       ///< columns that a strip repeats on a side
  std::string device_name = "cpu";          ///< or a GPU's name and driver
  int tile = 0;                             ///< side of a GPU's tiles in pixels of the input; 0: none
  int passes = 1;
  std::vector<PlanPart> parts;
  Bytes ram;  ///< the sum
  Bytes disk;
  Bytes device_memory;
  double multiplications = 0;  ///< as direct convolution, recomputation and halos included
  std::chrono::duration<double> expected_time{};
  std::shared_ptr<const RunPlan> run_plan;  ///< the plan's inside, for Upscaler::run
};

/// Called from the thread that runs the picture, at most every few milliseconds of work; must return quickly.
struct Progress {
  double fraction = 0;  ///< 0..1 of the multiplications
  double pixels = 0;    ///< output pixels finished, all passes weighted
};
using ProgressCallback = std::function<void(const Progress&)>;

/// What a GPU did so far, for metrics.
struct DeviceReport {
  std::string name;
  nn::vulkan::EngineCounts counts;
  nn::vulkan::EngineMemory memory;
};

/// What one picture is read from and written to.
struct UpscaleJob {
  const UpscalePlan& plan;
  media::PictureReader& reader;
  media::PictureWriter& writer;
  ProgressCallback progress;  ///< may be empty
  std::stop_token stop;
};

/// One network made ready for pictures of any size: its weights in the order of the machine's kernels, its threads.
/// Made once, used for picture after picture. Not thread-safe; it uses threads of its own.
class PictureUpscaler {
 public:
  /// The network must not change afterwards. Of the settings, all but the wanted size hold for every picture.
  /// `kernels` null: the fastest of this machine. Errors: unsupported, naming the layer.
  static Result<std::unique_ptr<PictureUpscaler>> create(std::shared_ptr<const nn::Network> network,
                                                         const UpscaleSettings& settings,
                                                         const compute::Kernels* kernels = nullptr);
  virtual ~PictureUpscaler() = default;

  virtual const nn::Network& network() const = 0;
  /// Errors: over_budget with the numbers when the smallest plan is above settings.ram; invalid_argument when the scale
  /// cannot be had; unsupported.
  virtual Result<UpscalePlan> plan(const media::PictureInfo& picture, const media::MediaNeed& decoder,
                                   const media::WriteOptions& output) = 0;
  /// Empty if no GPU was asked for.
  virtual std::optional<DeviceReport> device_report() const = 0;
  /// Reads all of the picture, writes all of its rows (their extent is that of rows_info()); the caller calls
  /// writer.finish(). Returns what should be told: "rows from 512 on were repeated in float32: ...".
  /// Errors: cancelled; corrupt or io (from the reader and the writer); over_budget; bad_values when the network's
  /// values are no numbers, or its picture one colour, in float32 too.
  virtual Result<std::vector<std::string>> run(const UpscaleJob& job) = 0;
};

/// What the writer will be given for this picture: the network's extent before the final resize.
media::PictureInfo rows_info(const nn::Network& network, const media::PictureInfo& picture,
                             const UpscaleSettings& settings);
/// How often the network is applied: 1, or 2 when once is not enough.
int network_runs(const nn::Network& network, const media::PictureInfo& picture, const UpscaleSettings& settings);
/// The extent of the file.
struct FinalSize {
  int width = 0, height = 0;
};
Result<FinalSize> final_size(const nn::Network& network, const media::PictureInfo& picture,
                             const UpscaleSettings& settings);

}  // namespace weir::enhance
