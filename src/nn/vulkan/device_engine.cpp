#include "nn/vulkan/device_engine.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compute/vulkan/faults.hpp"
#include "compute/vulkan/kernel_proof.hpp"
#include "nn/vulkan/picture_run.hpp"

namespace weir::nn::vulkan {

namespace {

using compute::vulkan::DeviceKind;
using compute::vulkan::Heap;
using compute::vulkan::MemoryKind;

/// Tiles beyond this side gain nothing: the halo is a few percent of them.
constexpr int kMostTile = 2048;
/// A software device computes in the caches of a processor.
constexpr int kMostSoftwareTile = 256;

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
  return prove_matrices();
}

/// Matrix kernels are used only where they have shown, on this device, that they make what the plain one makes.
Status DeviceEngine::prove_matrices() {
  matrices_ = false;
  if (!info_.cooperative_matrix || settings_.precision == DevicePrecision::float32) return ok();
  auto agree = compute::vulkan::kernels_agree(session_->pool(), session_->stream(), "conv_hh", "conv3x3_matrix");
  if (!agree) return agree.error();
  matrices_ = *agree;
  if (!matrices_)
    warning_ = fmt::format("{}: its matrix kernels do not agree with the plain ones, which are used", info_.name);
  return ok();
}

std::string DeviceEngine::device_name() const { return fmt::format("{} ({})", info_.name, info_.driver); }

DeviceLimits DeviceEngine::limits(Bytes host) const {
  DeviceLimits limits;
  limits.memory = free_memory();
  if (settings_.memory != Bytes{}) limits.memory = std::min(limits.memory, settings_.memory);
  limits.host = host;
  limits.range = info_.largest_range;
  limits.allocation = info_.largest_allocation;
  limits.shared_staging = session_ == nullptr || session_->device().is_device_local(compute::vulkan::Where::upload);
  limits.copies = session_ != nullptr && session_->copies() != nullptr;
  limits.in_host = info_.kind == DeviceKind::software;
  return limits;
}

/// What the device has free for this process, as it says now, less a margin for what others begin meanwhile.
Bytes DeviceEngine::free_memory() const {
  Bytes most;
  std::vector<Heap> heaps = compute::vulkan::read_heaps(info_.handle, info_.memory_budget);
  if (settings_.faults != nullptr) settings_.faults->heaps(heaps);
  for (const Heap& heap : heaps) {
    if (!heap.device_local) continue;
    const Bytes ours = session_ ? std::min(session_->device_line().charged(), heap.used) : Bytes{};
    const Bytes free = heap.budget - heap.used + ours;
    most = std::max(most, free - std::min(Bytes{free.count() / 16}, 256_MiB));
  }
  return most;
}

bool DeviceEngine::half_by_default() const {
  if (settings_.precision != DevicePrecision::automatic)
    return settings_.precision == DevicePrecision::float16 && info_.half_storage;
  return info_.half_storage && info_.kind != DeviceKind::software;
}

Result<DevicePlan> DeviceEngine::plan_with(Extent input, Bytes host, TileWish wish) const {
  wish.most = info_.kind == DeviceKind::software ? kMostSoftwareTile : kMostTile;
  return plan_tiles(graph_, program_, input, wish, limits(host));
}

Result<DevicePlan> DeviceEngine::plan(Extent input, Bytes host, Transfer transfer) {
  const bool half = half_by_default();
  auto largest = plan_with(input, host, {.half = half, .transfer = transfer, .tile = settings_.tile});
  const bool measures = info_.kind != DeviceKind::software || settings_.measure_software;
  // How much a submission may hold goes by the speed, if it was ever measured, also where the side of tiles is given.
  if (measures && settings_.tile != 0 && speeds_.empty()) speeds_ = recall_speeds(speed_folder(), speed_key());
  if (!largest || !measures || settings_.tile != 0) return largest;
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
  if (!usable()) {
    // A picture before this one met the fault, or opening it again did.
    if (auto opened = open(); !opened) return Error{Errc::device_lost, opened.error().what};
  }
  const Bytes line = limits({}).memory;
  session_->device_line().set_limit(line);
  session_->stream().set_max_multiplications(most_of_submission(speeds_));
  if (auto loaded = load_weights(plan.half, orientation); !loaded) return loaded;
  ++counts_.tiles;
  PictureRun run{graph_, program_, plan, *session_, packed_, weights_, matrices_};
  return run.run(input, output, control, next_row);
}

Status DeviceEngine::load_weights(bool half, Orientation orientation) {
  const std::array wanted{half, orientation.transpose, orientation.mirror_rows, orientation.mirror_columns};
  if (weights_ && wanted == loaded_) return ok();
  weights_ = {};
  packed_ = pack_for_device(graph_, program_, half, orientation);
  auto loaded = session_->upload(packed_.bytes, MemoryKind::weights);
  packed_.bytes = {};
  if (!loaded) return loaded.error();
  weights_ = *std::move(loaded);
  loaded_ = wanted;
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
    return session_->device_line().peak(kind) + session_->host_line().peak(kind);
  };
  memory.weights = peak(MemoryKind::weights);
  memory.activations = peak(MemoryKind::activations);
  memory.staging = peak(MemoryKind::staging);
  memory.parameters = peak(MemoryKind::parameters);
  memory.driver = session_->device().used_memory();
  return memory;
}

}  // namespace weir::nn::vulkan
