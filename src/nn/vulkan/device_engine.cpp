#include "nn/vulkan/device_engine.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compute/vulkan/fault_injector.hpp"
#include "compute/vulkan/kernel_comparison.hpp"
#include "nn/vulkan/tiled_run.hpp"

namespace weir::nn::vulkan {

namespace {

using compute::vulkan::DeviceKind;
using compute::vulkan::Heap;
using compute::vulkan::MemoryKind;

/// Largest side of a tile that the engine chooses, in input pixels. Larger tiles would gain nothing, because the halo
/// (the margin that adjacent tiles compute twice) is only a few percent of tiles of this size.
constexpr int kMaxTile = 2048;
/// The same for a software device: its tiles should fit into the caches of the processor.
constexpr int kMaxSoftwareTile = 256;

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(const Graph& graph, const Program& program,
                                               std::shared_ptr<compute::vulkan::Instance> instance,
                                               const compute::vulkan::DeviceInfo& device,
                                               const EngineSettings& settings) {
  auto engine = std::make_unique<DeviceEngine>(graph, program, std::move(instance), device, settings);
  if (auto opened = engine->open(); !opened) return opened.error();
  return std::unique_ptr<Engine>{std::move(engine)};
}

Status DeviceEngine::open() {
  weights_ = {};
  session_.reset();
  auto opened = Session::open(instance_, info_, settings_);
  if (!opened) return opened.error();
  session_ = *std::move(opened);
  return test_matrix_kernels();
}

Status DeviceEngine::test_matrix_kernels() {
  use_matrices_ = false;
  if (!info_.has_cooperative_matrix || settings_.precision == DevicePrecision::float32) return ok();
  auto agree = compute::vulkan::kernels_agree(session_->pool(), session_->stream(), "conv_hh", "conv3x3_matrix");
  if (!agree) return agree.error();
  use_matrices_ = *agree;
  if (!use_matrices_)
    warning_ = fmt::format("{}: its matrix kernels and plain kernels differ in their results; the plain ones are used",
                           info_.name);
  return ok();
}

std::string DeviceEngine::device_name() const { return fmt::format("{} ({})", info_.name, info_.driver); }

DeviceLimits DeviceEngine::limits(Bytes host) const {
  DeviceLimits limits;
  limits.device_memory = free_memory();
  if (settings_.memory != Bytes{}) limits.device_memory = std::min(limits.device_memory, settings_.memory);
  limits.host_memory = host;
  limits.max_buffer_range = info_.max_buffer_range;
  limits.max_allocation = info_.max_allocation;
  limits.staging_on_device =
      session_ == nullptr || session_->device().is_device_local(compute::vulkan::MemoryUsage::upload);
  limits.can_copy_tiles = session_ != nullptr && session_->copy_stream() != nullptr;
  limits.shares_host_memory = info_.kind == DeviceKind::software;
  return limits;
}

/// Takes the device-local heap with the most free memory. Memory that this engine has allocated counts as free. The
/// margin for other processes is a sixteenth of the free memory, but at most 256 MiB.
Bytes DeviceEngine::free_memory() const {
  Bytes most_free;
  std::vector<Heap> heaps = compute::vulkan::read_heaps(info_.handle, info_.has_memory_budget);
  if (settings_.faults != nullptr) settings_.faults->adjust_heaps(heaps);
  for (const Heap& heap : heaps) {
    if (!heap.device_local) continue;
    const Bytes own_use = session_ ? std::min(session_->device_limit().charged(), heap.used) : Bytes{};
    const Bytes free = heap.budget - heap.used + own_use;
    most_free = std::max(most_free, free - std::min(Bytes{free.count() / 16}, 256_MiB));
  }
  return most_free;
}

bool DeviceEngine::half_by_default() const {
  if (settings_.precision != DevicePrecision::automatic)
    return settings_.precision == DevicePrecision::float16 && info_.has_half_storage;
  return info_.has_half_storage && info_.kind != DeviceKind::software;
}

Result<DevicePlan> DeviceEngine::plan_with(Extent input, Bytes host, TilePlanRequest request) const {
  request.max_tile = info_.kind == DeviceKind::software ? kMaxSoftwareTile : kMaxTile;
  return plan_tiles(graph_, program_, input, request, limits(host));
}

Result<DevicePlan> DeviceEngine::plan(Extent input, Bytes host, TransferFormat transfer) {
  const bool half = half_by_default();
  auto largest = plan_with(input, host, {.half = half, .transfer = transfer, .tile = settings_.tile});
  const bool uses_speeds = info_.kind != DeviceKind::software || settings_.measure_software;
  // If the settings give the side of the tiles, nothing is measured, but a cached speed still sets the size of
  // submissions.
  if (uses_speeds && settings_.tile != 0 && speeds_.empty()) speeds_ = load_speeds(speed_folder(), speed_key());
  if (!largest || !uses_speeds || settings_.tile != 0) return largest;
  // Among the measured sides and the largest possible one, takes the side with the shortest expected time.
  DevicePlan fastest = *largest;
  for (const int side : kMeasuredSides) {
    if (side >= largest->tile) break;
    const auto smaller = plan_with(input, host, {.half = half, .transfer = transfer, .tile = side});
    if (smaller && expected_seconds(*smaller, speeds()) < expected_seconds(fastest, speeds())) fastest = *smaller;
  }
  return fastest;
}

Status DeviceEngine::attempt(const DevicePlan& plan, Orientation orientation, InputRows& input,
                             const EngineOutput& output, const RunControl& control, int& next_row) {
  if (!is_usable()) {
    // An earlier run has failed on the device, or an attempt to open the device again has failed.
    if (auto opened = open(); !opened) return Error{Errc::device_lost, opened.error().what};
  }
  const Bytes limit = limits({}).device_memory;
  session_->device_limit().set_limit(limit);
  session_->stream().set_max_multiplications(max_submission_multiplications(speeds_));
  if (auto loaded = load_weights(plan.half, orientation); !loaded) return loaded;
  ++counts_.attempts;
  TiledRun run{graph_, program_, plan, *session_, packed_weights_, weights_, use_matrices_};
  return run.run(input, output, control, next_row);
}

Status DeviceEngine::load_weights(bool half, Orientation orientation) {
  const std::array requested_form{half, orientation.transpose, orientation.mirror_rows, orientation.mirror_columns};
  if (weights_ && requested_form == loaded_form_) return ok();
  weights_ = {};
  packed_weights_ = pack_for_device(graph_, program_, half, orientation);
  auto loaded = session_->upload(packed_weights_.bytes, MemoryKind::weights);
  packed_weights_.bytes = {};  // frees the copy on the host
  if (!loaded) return loaded.error();
  weights_ = *std::move(loaded);
  loaded_form_ = requested_form;
  return ok();
}

EngineMemory DeviceEngine::memory() const {
  EngineMemory memory;
  if (!session_) return memory;
  const auto statistics = session_->pool().statistics();
  memory.allocated = statistics.allocated;
  memory.idle = statistics.idle;
  memory.peak = statistics.peak;
  memory.hits = statistics.hits;
  memory.misses = statistics.misses;
  const auto peak = [&](MemoryKind kind) {
    return session_->device_limit().peak_in_use(kind) + session_->host_limit().peak_in_use(kind);
  };
  memory.weights = peak(MemoryKind::weights);
  memory.activations = peak(MemoryKind::activations);
  memory.staging = peak(MemoryKind::staging);
  memory.parameters = peak(MemoryKind::parameters);
  memory.driver_reported = session_->device().used_memory();
  return memory;
}

}  // namespace weir::nn::vulkan
