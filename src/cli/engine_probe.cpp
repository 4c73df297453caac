#include "cli/engine_probe.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>

#include <nlohmann/json.hpp>

#include "cli/defaults.hpp"
#include "cli/model_folders.hpp"
#include "device/child_probe.hpp"
#include "enhance/picture_upscaler.hpp"
#include "media/picture/picture.hpp"
#include "nn/vulkan/gpu.hpp"
#include "tasks/network_cache.hpp"

namespace weir::cli {
namespace {

using SortedJson = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr char kNetwork[] = "weir-2x";          // the network that comes with weir
constexpr std::chrono::seconds kTimeLimit{60};  // of the child process that does the probe
constexpr int kSmallSide = 128;                 // width and height of the small picture, in pixels
constexpr int kLargeSide = 512;                 // width and height of the large picture, in pixels
constexpr double kMaxSeconds = 1.0;             // the large picture is not enlarged if this is expected to take longer

/// A square picture with a pattern of squares and a gradient, so that no part of it has only one colour.
class GeneratedPicture final : public media::PictureReader {
 public:
  explicit GeneratedPicture(int side) : info_{.width = side, .height = side} {}
  const media::PictureInfo& info() const override { return info_; }
  media::MetadataPtr metadata() const override { return nullptr; }
  media::MediaNeed need() const override { return {}; }
  Status read(std::span<std::byte> rows) override {
    for (std::size_t at = 0; at < rows.size(); at += info_.row_bytes(), ++row_)
      for (std::size_t i = 0; i < info_.row_bytes(); ++i) rows[at + i] = sample(static_cast<int>(i), row_);
    return ok();
  }
  Status rewind() override {
    row_ = 0;
    return ok();
  }

 private:
  /// `column`: index of the sample in its row, in which each pixel has three samples (red, green, blue).
  static std::byte sample(int column, int row) {
    constexpr int kSquareSide = 8;  // pixels
    const int square = (column / (3 * kSquareSide) + row / kSquareSide) % 2 == 0 ? 40 : 180;
    return static_cast<std::byte>(square + (column + 2 * row) % 64);
  }
  media::PictureInfo info_;
  int row_ = 0;
};

/// Discards all rows.
class DiscardingWriter final : public media::PictureWriter {
 public:
  Status write(std::span<const std::byte>) override { return ok(); }
  Result<media::WriteReport> finish() override { return media::WriteReport{}; }
};

/// Enlarges one generated picture. Errors: those of PictureUpscaler::plan and PictureUpscaler::run.
Result<EngineProbe> enlarge(enhance::PictureUpscaler& upscaler, const enhance::UpscaleSettings& settings, int side) {
  GeneratedPicture reader{side};
  DiscardingWriter writer;
  media::WriteOptions output;
  output.row_format = enhance::rows_info(upscaler.network(), reader.info(), settings);
  output.final_width = output.row_format.width;
  output.final_height = output.row_format.height;
  const auto plan = upscaler.plan(reader.info(), {}, output);
  if (!plan) return plan.error();
  const auto start = Clock::now();
  if (auto done = upscaler.run({.plan = *plan, .reader = reader, .writer = writer, .progress = {}, .stop = {}}); !done)
    return done.error();
  const std::chrono::duration<double> duration = Clock::now() - start;
  const double megapixels = 1e-6 * output.final_width * output.final_height;
  return EngineProbe{.megapixels_per_second = megapixels / std::max(duration.count(), 1e-6),
                     .seconds = duration.count(),
                     .threads = settings.threads,
                     .network = kNetwork,
                     .precision = plan->precision,
                     .instruction_set = plan->instruction_set,
                     .device = plan->device_name,
                     .planned_memory = plan->ram};
}

/// Does the work of probe_engine(), in the child process.
Result<EngineProbe> probe_in_this_process(const Arguments& args, const Environment& environment,
                                          const std::string& gpu) {
  auto network_cache = tasks::NetworkCache::open(
      {.model = {}, .name = kNetwork, .noise = {}, .folders = model_search_folders(args, environment)});
  if (!network_cache) return network_cache.error();
  auto network = network_cache->load(0);
  if (!network) return network.error();
  enhance::UpscaleSettings settings;
  settings.ram = effective_ram(args);
  settings.threads = effective_threads(args);
  settings.device_settings.strict = true;
  if (!gpu.empty()) {
    auto found = nn::vulkan::find_gpu(gpu);
    if (!found) return found.error();
    settings.gpu = *std::move(found);
  }
  auto upscaler = enhance::PictureUpscaler::create(*std::move(network), settings);
  if (!upscaler) return upscaler.error();
  // The small picture starts threads, fills caches, and gives the expected time of the large one.
  auto small_probe = enlarge(**upscaler, settings, kSmallSide);
  constexpr double kPixelRatio = static_cast<double>(kLargeSide) / kSmallSide * kLargeSide / kSmallSide;
  if (!small_probe || small_probe->seconds * kPixelRatio > kMaxSeconds) return small_probe;
  return enlarge(**upscaler, settings, kLargeSide);
}

std::string to_json(const Result<EngineProbe>& probe) {
  const SortedJson json =
      probe ? SortedJson{{"speed", probe->megapixels_per_second},
                         {"seconds", probe->seconds},
                         {"threads", probe->threads},
                         {"network", probe->network},
                         {"precision", probe->precision},
                         {"instruction_set", probe->instruction_set},
                         {"device", probe->device},
                         {"memory", probe->planned_memory.count()}}
            : SortedJson{{"error", probe.error().what}, {"code", static_cast<int>(probe.error().code)}};
  return json.dump(-1, ' ', false, SortedJson::error_handler_t::replace);
}

/// Parses the text that the child process wrote.
Result<EngineProbe> from_json(const std::string& text) {
  const SortedJson json = SortedJson::parse(text);
  if (json.contains("error"))
    return Error{static_cast<Errc>(json.at("code").get<int>()), json.at("error").get<std::string>()};
  return EngineProbe{.megapixels_per_second = json.at("speed"),
                     .seconds = json.at("seconds"),
                     .threads = json.at("threads"),
                     .network = json.at("network"),
                     .precision = json.at("precision"),
                     .instruction_set = json.at("instruction_set"),
                     .device = json.at("device"),
                     .planned_memory = Bytes{json.at("memory").get<std::uint64_t>()}};
}

}  // namespace

Result<EngineProbe> probe_engine(const Arguments& args, const Environment& environment, const std::string& gpu) {
  const auto text =
      device::run_in_child([&] { return to_json(probe_in_this_process(args, environment, gpu)); }, kTimeLimit, {});
  if (!text) return text.error();
  return from_json(*text);
}

}  // namespace weir::cli
