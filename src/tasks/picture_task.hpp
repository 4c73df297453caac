#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "enhance/picture_upscaler.hpp"
#include "media/picture/picture.hpp"
#include "nn/network.hpp"

namespace weir::tasks {

/// Returns the scale by which a picture of this width and height in pixels must be enlarged. If the settings give a
/// width or a height of the result, this is the smallest scale with which the result is at least as wide and as high.
/// Otherwise it is settings.scale; 0: the scale of the network is used.
double required_scale(const enhance::UpscaleSettings& settings, int width, int height);

/// One picture of a list, and its output.
struct PictureItem {
  media::PictureSource source;
  std::filesystem::path output;               ///< "-": standard output
  media::Format format = media::Format::png;  ///< format of the output
  std::optional<Error> problem;  ///< found before the work starts: no such file, a folder that cannot be listed
};

/// Returns the network for enlarging by `scale`; 0: a network of any scale. Errors: those of choosing the network and
/// of nn::load_network.
using NetworkSource = std::function<Result<std::shared_ptr<const nn::Network>>(double scale)>;

/// Returns the upscaler (a network that is prepared to run) for enlarging by `scale`; 0: one of any scale. Errors:
/// those of NetworkSource and of enhance::PictureUpscaler::create.
using UpscalerSource = std::function<Result<std::shared_ptr<enhance::PictureUpscaler>>(double scale)>;

/// Makes an UpscalerSource that prepares a network when it is requested, and keeps only the upscaler that it returned
/// last.
UpscalerSource make_upscaler_source(NetworkSource networks, enhance::UpscaleSettings settings);

/// Settings of all pictures of a list.
struct PictureSettings {
  enhance::UpscaleSettings upscale;
  int quality = -1;        ///< quality for lossy formats, 1 to 100; -1: the format's default
  bool overwrite = false;  ///< replace an existing output
  media::DamagePolicy damaged = media::DamagePolicy::use;  ///< how damaged inputs are handled
  bool dry_run = false;                                    ///< stop after planning; nothing is written
  UpscalerSource upscalers;                                ///< returns the upscaler for each picture
};

/// How the work on a picture ended. `planned`: a dry run ended without an error; `interrupted`: by a stop request.
enum class ItemStatus { done, planned, failed, interrupted };
std::string_view name_of(ItemStatus status);  ///< "done", "planned", ...

/// The result of one picture. Fields of steps that were not reached keep their defaults.
struct PictureResult {
  ItemStatus status = ItemStatus::failed;
  std::optional<Error> error;   ///< set unless the status is done or planned
  bool internal_error = false;  ///< the error is a defect of weir
  std::optional<media::PictureInfo> input_info;
  std::shared_ptr<enhance::PictureUpscaler> upscaler;  ///< the upscaler that PictureSettings::upscalers returned
  std::optional<enhance::UpscalePlan> plan;
  media::WriteReport write_report;
  std::vector<std::string> damage;             ///< descriptions of the damages of an input whose intact part was used
  std::vector<std::string> events;             ///< messages of PictureUpscaler::run, such as a fallback to the CPU
  std::chrono::duration<double> total_time{};  ///< time of the whole call, the two waits included
  std::chrono::duration<double> read_wait{};   ///< time that the network waited for rows of the input
  std::chrono::duration<double> write_wait{};  ///< time that the network waited for the output's encoder and disk
  Bytes peak_ram;                              ///< largest resident memory of the process so far
};

/// Progress callback and stop request of one picture.
struct PictureCallbacks {
  enhance::ProgressCallback progress;  ///< may be empty
  std::stop_token stop;
};

/// Enlarges one picture: reads its header, chooses the network, plans the memory and the tiles, and, unless this is a
/// dry run, writes the output. Never throws. An output file appears complete or not at all.
PictureResult upscale_picture(const PictureItem& item, const PictureSettings& settings,
                              const PictureCallbacks& callbacks);

}  // namespace weir::tasks
