// Implements include/weir/upscale.hpp with enhance::PictureUpscaler.
#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "api/problem.hpp"
#include "api/row_adapters.hpp"
#include "base/system_cpus.hpp"
#include "base/system_memory.hpp"
#include "base/text.hpp"
#include "base/threads.hpp"
#include "base/version.hpp"
#include "enhance/picture_upscaler.hpp"
#include "nn/network.hpp"
#include "nn/vulkan/gpu.hpp"
#include "weir/upscale.hpp"

namespace weir {

struct Upscaler::State {
  std::shared_ptr<const nn::Network> network;
  std::shared_ptr<enhance::PictureUpscaler> upscaler;  ///< made for the options of the last call
  std::shared_ptr<const nn::vulkan::Gpu> gpu;          ///< the GPU of these options; null: the CPU
  UpscaleOptions options;
};

namespace {

using api::to_problem;

/// Calls `work`. Converts an exception to a problem, because no exception may leave the library.
template <class T, class Work>
Expected<T> guarded(Work work) {
  try {
    return work();
  } catch (const std::exception& problem) {
    if (const auto resource_error = resource_error_of(problem)) return to_problem(*resource_error);
    return Problem{Problem::Code::fault, fmt::format("an internal error of weir: {}", problem.what())};
  }
}

constexpr int kMaxSide = 1 << 20;  // pixels; the same limit as for picture files

Status check(const PictureShape& shape) {
  const auto is_side = [](int side) { return side >= 1 && side <= kMaxSide; };
  if (is_side(shape.width) && is_side(shape.height) && shape.channels >= 1 && shape.channels <= 4 &&
      (shape.bits == 8 || shape.bits == 16))
    return ok();
  return Error{
      Errc::invalid_argument,
      fmt::format("a picture of {}x{} with {} channels of {} bits is not supported; it must have 1 to 4 channels of 8 "
                  "or 16 bits, and sides of 1 to {} pixels",
                  shape.width, shape.height, shape.channels, shape.bits, kMaxSide)};
}

Status check(const UpscaleOptions& options) {
  if (!(options.scale >= 0) || options.width < 0 || options.height < 0 || options.threads < 0)
    return Error{Errc::invalid_argument, "scale, width, height and threads must not be below 0"};
  if (options.threads > kMaxThreads)
    return Error{Errc::invalid_argument,
                 fmt::format("threads is {}; it must be at most {}", options.threads, kMaxThreads)};
  if (options.device.starts_with("cpu:"))
    return Error{
        Errc::invalid_argument,
        fmt::format("device '{}': processors cannot be chosen here; set device to 'cpu', and bind the calling thread "
                    "to processors before the call",
                    printable(options.device))};
  return ok();
}

/// Converts a shape of 1 to 4 channels: an even number of channels includes alpha.
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
  settings.tta = options.tta;
  settings.device_settings.memory = Bytes{options.vram_bytes};
  settings.device_settings.strict = options.strict_device;
  return settings;
}

/// A run that is prepared and has not yet read a row.
struct PreparedRun {
  media::PictureInfo input;
  std::shared_ptr<enhance::PictureUpscaler> upscaler;
  media::WriteOptions output;
  enhance::UpscalePlan plan;
};

bool is_gpu(const std::string& device) { return !device.empty() && device != "cpu"; }

/// Makes an upscaler for these options and stores it in state.upscaler. Opens the GPU again only if the options name
/// another device.
Status replace_upscaler(Upscaler::State& state, const UpscaleOptions& options, enhance::UpscaleSettings settings) {
  state.upscaler = nullptr;
  if (!is_gpu(options.device)) {
    state.gpu = nullptr;
  } else if (state.gpu == nullptr || state.options.device != options.device) {
    auto gpu = nn::vulkan::find_gpu(options.device);
    if (!gpu) return gpu.error();
    state.gpu = *std::move(gpu);
  }
  settings.gpu = state.gpu;
  auto created = enhance::PictureUpscaler::create(state.network, settings);
  if (!created) return created.error();
  state.upscaler = *std::move(created);
  state.options = options;
  return ok();
}

/// Checks the arguments, makes a new upscaler if the options differ from those of the last call, and plans the run.
/// `given` is null if the Upscaler object was moved from.
Result<PreparedRun> prepare(Upscaler::State* given, const PictureShape& shape, const UpscaleOptions& options) {
  if (given == nullptr) return Error{Errc::invalid_argument, "this Upscaler object was moved from"};
  Upscaler::State& state = *given;
  if (auto good = check(shape); !good) return good.error();
  if (auto good = check(options); !good) return good.error();
  const enhance::UpscaleSettings settings = to_settings(options);
  PreparedRun prepared{.input = to_info(shape), .upscaler = {}, .output = {}, .plan = {}};
  const auto size = enhance::final_size(*state.network, prepared.input, settings);
  if (!size) return size.error();
  if (!state.upscaler || state.options != options) {
    if (auto ready = replace_upscaler(state, options, settings); !ready) return ready.error();
  }
  prepared.upscaler = state.upscaler;
  prepared.output.row_format = enhance::rows_info(*state.network, prepared.input, settings);
  prepared.output.final_width = size->width;
  prepared.output.final_height = size->height;
  auto plan = prepared.upscaler->plan(prepared.input, {}, prepared.output);
  if (!plan) return plan.error();
  prepared.plan = *std::move(plan);
  return prepared;
}

UpscaleEstimate to_estimate(const PreparedRun& prepared) {
  const enhance::UpscalePlan& plan = prepared.plan;
  UpscaleEstimate estimate;
  estimate.output = {.width = plan.output_width,
                     .height = plan.output_height,
                     .channels = prepared.output.row_format.channels(),
                     .bits = prepared.output.row_format.bits};
  estimate.ram_bytes = plan.ram.count();
  estimate.disk_bytes = plan.disk.count();
  for (const auto& part : plan.parts)
    estimate.parts.push_back({part.name, part.ram.count(), part.disk.count(), part.device_memory.count()});
  estimate.vram_bytes = plan.device_memory.count();
  estimate.device = plan.device_name;
  estimate.tile = plan.tile;
  estimate.precision = plan.precision;
  estimate.instruction_set = plan.instruction_set;
  estimate.band_height = plan.band_height;
  estimate.strip_width = plan.strip_width;
  estimate.passes = plan.passes;
  estimate.expected_seconds = plan.expected_time.count();
  return estimate;
}

/// Runs a prepared run, and waits until the sink has received all rows. Returns the messages of PictureUpscaler::run().
Result<std::vector<std::string>> enlarge(const PreparedRun& prepared, RowSource& source, RowSink& sink,
                                         const Upscaler::Progress& progress, std::stop_token stop) {
  api::SourceReader reader{prepared.input, source};
  api::SinkWriter writer{prepared.output, sink};
  enhance::ProgressCallback on_progress;
  if (progress) on_progress = [&](const enhance::Progress& now) { progress(now.fraction); };
  auto events = prepared.upscaler->run({prepared.plan, reader, writer, on_progress, std::move(stop)});
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
        std::make_unique<State>(State{std::make_shared<const nn::Network>(*std::move(network)), {}, {}, {}})};
  });
}

Expected<Upscaler> Upscaler::parse(std::string_view param_text, std::span<const std::byte> bin) {
  return guarded<Upscaler>([&]() -> Expected<Upscaler> {
    auto network = nn::parse_network(param_text, bin, "network");
    if (!network) return to_problem(network.error());
    return Upscaler{
        std::make_unique<State>(State{std::make_shared<const nn::Network>(*std::move(network)), {}, {}, {}})};
  });
}

int Upscaler::scale() const { return state_ ? state_->network->family.scale : 0; }
std::string Upscaler::family() const { return state_ ? state_->network->family.name : std::string{}; }

Expected<UpscaleEstimate> Upscaler::plan(const PictureShape& input, const UpscaleOptions& options) {
  return guarded<UpscaleEstimate>([&]() -> Expected<UpscaleEstimate> {
    const auto prepared = prepare(state_.get(), input, options);
    if (!prepared) return to_problem(prepared.error());
    return to_estimate(*prepared);
  });
}

Expected<UpscaleReport> Upscaler::run(const PictureShape& input, const UpscaleOptions& options, RowSource& source,
                                      RowSink& sink, const Progress& progress, std::stop_token stop) {
  return guarded<UpscaleReport>([&]() -> Expected<UpscaleReport> {
    const auto prepared = prepare(state_.get(), input, options);
    if (!prepared) return to_problem(prepared.error());
    auto events = enlarge(*prepared, source, sink, progress, std::move(stop));
    if (!events) return to_problem(events.error());
    if (state_->gpu != nullptr && state_->gpu->software_by_default)
      events->insert(events->begin(),
                     fmt::format("no GPU here: {} is a software device, slower than the CPU", state_->gpu->info.name));
    return UpscaleReport{*std::move(events)};
  });
}

Expected<UpscaleReport> Upscaler::run(const PictureShape& input, const UpscaleOptions& options,
                                      std::span<const PlaneView> planes, std::span<const MutablePlane> output,
                                      const Progress& progress, std::stop_token stop) {
  const auto channels = static_cast<std::size_t>(std::max(input.channels, 0));
  if (planes.size() != channels || output.size() != channels)
    return Problem{Problem::Code::invalid_argument,
                   fmt::format("{} channels need as many planes; there are {} input and {} output planes", channels,
                               planes.size(), output.size())};
  const auto is_null = [](const auto& plane) { return plane.samples == nullptr; };
  if (std::any_of(planes.begin(), planes.end(), is_null) || std::any_of(output.begin(), output.end(), is_null))
    return Problem{Problem::Code::invalid_argument, "a plane is a null pointer"};
  const auto estimate = plan(input, options);
  if (!estimate) return estimate.problem();
  api::PlaneSource source{input, planes};
  api::PlaneSink sink{estimate->output, output};
  return run(input, options, source, sink, progress, std::move(stop));
}

std::string_view version() { return kVersion; }

}  // namespace weir
