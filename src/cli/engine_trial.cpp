#include "cli/engine_trial.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>

#include <nlohmann/json.hpp>

#include "cli/defaults.hpp"
#include "cli/model_folders.hpp"
#include "device/child_probe.hpp"
#include "enhance/upscale.hpp"
#include "media/picture/picture.hpp"
#include "nn/vulkan/gpu.hpp"
#include "tasks/network_shelf.hpp"

namespace weir::cli {
namespace {

using TrialJson = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr char kNetwork[] = "weir-2x";
constexpr std::chrono::seconds kDeadline{60};
constexpr int kSmall = 128;
constexpr int kLarge = 512;
constexpr double kMostSeconds = 1.0;  // a large picture is tried where it is expected to take less

/// A square picture of squares with a slope over them: no band of it is one colour.
class DrawnReader final : public media::PictureReader {
 public:
  explicit DrawnReader(int side) : info_{.width = side, .height = side} {}
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
  static std::byte sample(int column, int row) {
    const int square = (column / 24 + row / 8) % 2 == 0 ? 40 : 180;
    return static_cast<std::byte>(square + (column + 2 * row) % 64);
  }
  media::PictureInfo info_;
  int row_ = 0;
};

/// Takes rows and keeps none.
class NoWriter final : public media::PictureWriter {
 public:
  Status write(std::span<const std::byte>) override { return ok(); }
  Result<media::WriteReport> finish() override { return media::WriteReport{}; }
};

/// Enlarges one drawn picture. Errors: those of Upscaler::plan and Upscaler::run.
Result<EngineTrial> enlarge(enhance::Upscaler& upscaler, const enhance::UpscaleSettings& settings, int side) {
  DrawnReader reader{side};
  NoWriter writer;
  media::WriteOptions output;
  output.rows = enhance::rows_info(upscaler.network(), reader.info(), settings);
  output.final_width = output.rows.width;
  output.final_height = output.rows.height;
  const auto plan = upscaler.plan(reader.info(), {}, output);
  if (!plan) return plan.error();
  const auto start = Clock::now();
  if (auto done = upscaler.run({*plan, reader, writer, {}, {}}); !done) return done.error();
  const std::chrono::duration<double> took = Clock::now() - start;
  const double megapixels = 1e-6 * output.final_width * output.final_height;
  return EngineTrial{.megapixels_per_second = megapixels / std::max(took.count(), 1e-6),
                     .seconds = took.count(),
                     .threads = settings.threads,
                     .network = kNetwork,
                     .precision = plan->precision,
                     .instruction_set = plan->instruction_set,
                     .device = plan->device,
                     .memory = plan->ram};
}

Result<EngineTrial> try_here(const Arguments& args, const Environment& environment, const std::string& gpu) {
  auto shelf = tasks::NetworkShelf::open({{}, kNetwork, {}, search_folders(args, environment)});
  if (!shelf) return shelf.error();
  auto network = shelf->get(0);
  if (!network) return network.error();
  enhance::UpscaleSettings settings;
  settings.ram = effective_ram(args);
  settings.threads = effective_threads(args);
  settings.device.strict = true;
  if (!gpu.empty()) {
    auto found = nn::vulkan::find_gpu(gpu);
    if (!found) return found.error();
    settings.gpu = *std::move(found);
  }
  auto upscaler = enhance::Upscaler::create(*std::move(network), settings);
  if (!upscaler) return upscaler.error();
  auto first = enlarge(**upscaler, settings, kSmall);  // starts threads, fills caches, tells what to expect
  constexpr double kTimes = static_cast<double>(kLarge) / kSmall * kLarge / kSmall;
  if (!first || first->seconds * kTimes > kMostSeconds) return first;
  return enlarge(**upscaler, settings, kLarge);
}

std::string to_json(const Result<EngineTrial>& trial) {
  const TrialJson json = trial
                             ? TrialJson{{"speed", trial->megapixels_per_second},
                                         {"seconds", trial->seconds},
                                         {"threads", trial->threads},
                                         {"network", trial->network},
                                         {"precision", trial->precision},
                                         {"instruction_set", trial->instruction_set},
                                         {"device", trial->device},
                                         {"memory", trial->memory.count()}}
                             : TrialJson{{"error", trial.error().what}, {"code", static_cast<int>(trial.error().code)}};
  return json.dump(-1, ' ', false, TrialJson::error_handler_t::replace);
}

/// The text that our own child wrote.
Result<EngineTrial> from_json(const std::string& text) {
  const TrialJson json = TrialJson::parse(text);
  if (json.contains("error"))
    return Error{static_cast<Errc>(json.at("code").get<int>()), json.at("error").get<std::string>()};
  return EngineTrial{.megapixels_per_second = json.at("speed"),
                     .seconds = json.at("seconds"),
                     .threads = json.at("threads"),
                     .network = json.at("network"),
                     .precision = json.at("precision"),
                     .instruction_set = json.at("instruction_set"),
                     .device = json.at("device"),
                     .memory = Bytes{json.at("memory").get<std::uint64_t>()}};
}

}  // namespace

Result<EngineTrial> try_engine(const Arguments& args, const Environment& environment, const std::string& gpu) {
  const auto text = device::run_in_child([&] { return to_json(try_here(args, environment, gpu)); }, kDeadline, {});
  if (!text) return text.error();
  return from_json(*text);
}

}  // namespace weir::cli
