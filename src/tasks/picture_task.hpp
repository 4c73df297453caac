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

/// The scale that a network must give to reach the wanted size of a picture; 0 if no size is wanted.
double required_scale(const enhance::UpscaleSettings& settings, int width, int height);

/// One picture of a worklist.
struct PictureItem {
  media::PictureSource source;
  std::filesystem::path output;               ///< "-": standard output
  media::Format format = media::Format::png;  ///< of the output
  std::optional<Error> problem;               ///< known before the work: no such file, a folder that cannot be listed
};

/// The network for a wanted scale; 0 asks for the network's own scale. Networks are read once and shared.
/// Errors: those of the search and of nn::load_network.
using NetworkSource = std::function<Result<std::shared_ptr<const nn::Network>>(double scale)>;

/// The same, made ready to run. Errors: those of NetworkSource and of enhance::Upscaler::create.
using UpscalerSource = std::function<Result<std::shared_ptr<enhance::PictureUpscaler>>(double scale)>;

/// Makes each network ready once and keeps the one used last.
UpscalerSource make_upscaler_source(NetworkSource networks, enhance::UpscaleSettings settings);

/// What holds for every picture of a worklist.
struct PictureSettings {
  enhance::UpscaleSettings upscale;
  int quality = -1;
  bool overwrite = false;
  media::DamagePolicy damaged = media::DamagePolicy::use;
  bool dry_run = false;  ///< stop after the plan; nothing is written
  UpscalerSource upscalers;
};

enum class ItemStatus { done, planned, failed, interrupted };
std::string_view name_of(ItemStatus status);  ///< "done", "planned", ...

/// What became of one picture. What was not reached is empty.
struct PictureResult {
  ItemStatus status = ItemStatus::failed;
  std::optional<Error> error;   ///< set unless done or planned
  bool internal_error = false;  ///< the error is a fault of ours, not of the picture
  std::optional<media::PictureInfo> input_info;
  std::shared_ptr<enhance::PictureUpscaler> upscaler;
  std::optional<enhance::UpscalePlan> plan;
  media::WriteReport write_report;
  std::vector<std::string> damage;  ///< of the input, of which the rest was used
  std::vector<std::string> events;
  std::chrono::duration<double> total_time{};
  std::chrono::duration<double> read_wait{};   ///< that the network waited for rows of the input
  std::chrono::duration<double> write_wait{};  ///< that it waited for the output's encoder and disk
  Bytes peak_ram;                              ///< the most memory that the process has held so far
};

struct PictureCallbacks {
  enhance::ProgressCallback progress;  ///< may be empty
  std::stop_token stop;
};

/// Enlarges one picture: header, network, plan, rows, rename. Never throws; an output appears whole or not at all.
PictureResult upscale_picture(const PictureItem& item, const PictureSettings& settings,
                              const PictureCallbacks& callbacks);

}  // namespace weir::tasks
