#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "api/problem.hpp"
#include "api/row_adapters.hpp"
#include "base/system_cpus.hpp"
#include "base/system_memory.hpp"
#include "base/version.hpp"
#include "enhance/upscale.hpp"
#include "nn/network.hpp"
#include "weir/upscale.hpp"

namespace weir {

struct Upscaler::State {
  std::shared_ptr<const nn::Network> network;
  std::shared_ptr<enhance::Upscaler> ready;  ///< for the options of the last call
  UpscaleOptions options;
};

namespace {

using api::to_problem;

/// Nothing thrown leaves the library.
template <class T, class Work>
Expected<T> guarded(Work work) {
  try {
    return work();
  } catch (const std::exception& problem) {
    return Problem{Problem::Code::fault, fmt::format("a fault of weir: {}", problem.what())};
  }
}

Status check(const PictureShape& shape, const UpscaleOptions& options) {
  const bool good = shape.width >= 1 && shape.height >= 1 && shape.channels >= 1 && shape.channels <= 4 &&
                    (shape.bits == 8 || shape.bits == 16);
  if (!good)
    return Error{
        Errc::invalid_argument,
        fmt::format("a picture of {}x{} with {} channels of {} bits: 1 to 4 channels of 8 or 16 bits can be enlarged",
                    shape.width, shape.height, shape.channels, shape.bits)};
  if (!(options.scale >= 0) || options.width < 0 || options.height < 0 || options.threads < 0)
    return Error{Errc::invalid_argument, "scale, width, height and threads must not be below 0"};
  return ok();
}

media::PictureInfo to_info(const PictureShape& shape) {
  return {.width = shape.width,
          .height = shape.height,
          .colours = shape.channels < 3 ? 1 : 3,
          .alpha = shape.channels % 2 == 0,
          .bits = shape.bits,
          .format = media::Format::png};
}

enhance::UpscaleSettings to_settings(const UpscaleOptions& options) {
  enhance::UpscaleSettings settings;
  settings.scale = options.scale;
  settings.width = options.width;
  settings.height = options.height;
  settings.ram = options.ram_bytes > 0 ? Bytes{options.ram_bytes} : Bytes{available_memory().count() / 2};
  settings.spill_folder = options.spill_folder;
  settings.spill_limit = options.spill_folder.empty() ? Bytes{} : Bytes{options.spill_bytes};
  settings.threads = options.threads > 0 ? options.threads : usable_threads(allowed_cpus().size(), cpu_quota());
  settings.precision = options.exact_precision ? enhance::Precision::exact : enhance::Precision::automatic;
  settings.sync = options.fast_sync ? enhance::Sync::fast : enhance::Sync::exact;
  settings.tta = options.tta;
  return settings;
}

/// All that is decided before the first row.
struct Prepared {
  media::PictureInfo input;
  std::shared_ptr<enhance::Upscaler> upscaler;
  media::WriteOptions output;
  enhance::UpscalePlan plan;
};

Result<Prepared> prepare(Upscaler::State& state, const PictureShape& shape, const UpscaleOptions& options) {
  if (auto good = check(shape, options); !good) return good.error();
  const enhance::UpscaleSettings settings = to_settings(options);
  Prepared prepared{.input = to_info(shape), .upscaler = {}, .output = {}, .plan = {}};
  const auto size = enhance::final_size(*state.network, prepared.input, settings);
  if (!size) return size.error();
  if (!state.ready || state.options != options) {
    auto ready = enhance::Upscaler::create(state.network, settings);
    if (!ready) return ready.error();
    state.ready = *std::move(ready);
    state.options = options;
  }
  prepared.upscaler = state.ready;
  prepared.output.rows = enhance::rows_info(*state.network, prepared.input, settings);
  prepared.output.final_width = size->width;
  prepared.output.final_height = size->height;
  auto plan = prepared.upscaler->plan(prepared.input, {}, prepared.output);
  if (!plan) return plan.error();
  prepared.plan = *std::move(plan);
  return prepared;
}

UpscaleEstimate to_estimate(const Prepared& prepared) {
  const enhance::UpscalePlan& plan = prepared.plan;
  UpscaleEstimate estimate;
  estimate.output = {.width = plan.output_width,
                     .height = plan.output_height,
                     .channels = prepared.output.rows.channels(),
                     .bits = prepared.output.rows.bits};
  estimate.ram_bytes = plan.ram.count();
  estimate.disk_bytes = plan.disk.count();
  for (const auto& part : plan.parts) estimate.parts.push_back({part.name, part.ram.count(), part.disk.count()});
  estimate.precision = plan.precision;
  estimate.instruction_set = plan.instruction_set;
  estimate.band_height = plan.band_height;
  estimate.strip_width = plan.strip_width;
  estimate.passes = plan.passes;
  estimate.expected_seconds = plan.expected_time.count();
  return estimate;
}

Result<std::vector<std::string>> enlarge(const Prepared& prepared, RowSource& source, RowSink& sink,
                                         const Upscaler::Progress& progress, std::stop_token stop) {
  api::SourceReader reader{prepared.input, source};
  api::SinkWriter writer{prepared.output, sink};
  enhance::ProgressCallback tell;
  if (progress) tell = [&](const enhance::Progress& at) { progress(at.fraction); };
  auto events = prepared.upscaler->run({prepared.plan, reader, writer, tell, std::move(stop)});
  if (!events) return events.error();
  if (auto finished = writer.finish(); !finished) return finished.error();
  return events;
}

}  // namespace

Upscaler::Upscaler(std::unique_ptr<State> state) : state_{std::move(state)} {}
Upscaler::Upscaler(Upscaler&&) noexcept = default;
Upscaler& Upscaler::operator=(Upscaler&&) noexcept = default;
Upscaler::~Upscaler() = default;

Expected<Upscaler> Upscaler::load(const std::string& param_path) {
  return guarded<Upscaler>([&]() -> Expected<Upscaler> {
    auto network = nn::load_network(param_path);
    if (!network) return to_problem(network.error());
    return Upscaler{
        std::make_unique<State>(State{std::make_shared<const nn::Network>(*std::move(network)), nullptr, {}})};
  });
}

Expected<Upscaler> Upscaler::parse(std::string_view param, std::span<const std::byte> bin) {
  return guarded<Upscaler>([&]() -> Expected<Upscaler> {
    auto network = nn::parse_network(param, bin, "network");
    if (!network) return to_problem(network.error());
    return Upscaler{
        std::make_unique<State>(State{std::make_shared<const nn::Network>(*std::move(network)), nullptr, {}})};
  });
}

int Upscaler::scale() const { return state_->network->family.scale; }
std::string Upscaler::family() const { return state_->network->family.name; }

Expected<UpscaleEstimate> Upscaler::plan(const PictureShape& input, const UpscaleOptions& options) {
  return guarded<UpscaleEstimate>([&]() -> Expected<UpscaleEstimate> {
    const auto prepared = prepare(*state_, input, options);
    if (!prepared) return to_problem(prepared.error());
    return to_estimate(*prepared);
  });
}

Expected<UpscaleReport> Upscaler::run(const PictureShape& input, const UpscaleOptions& options, RowSource& source,
                                      RowSink& sink, const Progress& progress, std::stop_token stop) {
  return guarded<UpscaleReport>([&]() -> Expected<UpscaleReport> {
    const auto prepared = prepare(*state_, input, options);
    if (!prepared) return to_problem(prepared.error());
    auto events = enlarge(*prepared, source, sink, progress, std::move(stop));
    if (!events) return to_problem(events.error());
    return UpscaleReport{*std::move(events)};
  });
}

Expected<UpscaleReport> Upscaler::run(const PictureShape& input, const UpscaleOptions& options,
                                      std::span<const PlaneView> planes, std::span<const MutablePlane> output,
                                      const Progress& progress, std::stop_token stop) {
  const auto channels = static_cast<std::size_t>(std::max(input.channels, 0));
  if (planes.size() != channels || output.size() != channels)
    return Problem{Problem::Code::invalid_argument, fmt::format("{} channels need as many planes: {} in, {} out",
                                                                channels, planes.size(), output.size())};
  const auto estimate = plan(input, options);
  if (!estimate) return estimate.problem();
  api::PlaneSource source{input, planes};
  api::PlaneSink sink{estimate->output, output};
  return run(input, options, source, sink, progress, std::move(stop));
}

std::string_view version() { return kVersion; }

}  // namespace weir
