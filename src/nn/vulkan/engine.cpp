#include "nn/vulkan/engine.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

#include "compute/vulkan/kernel_proof.hpp"
#include "nn/vulkan/picture_run.hpp"
#include "nn/vulkan/session.hpp"
#include "nn/vulkan/tile_speed.hpp"

namespace weir::nn::vulkan {

namespace {

using compute::vulkan::DeviceInfo;
using compute::vulkan::DeviceKind;
using compute::vulkan::Heap;
using compute::vulkan::MemoryKind;

/// Tiles beyond this side gain nothing: the halo is a few percent of them.
constexpr int kMostTile = 2048;
/// A software device computes in the caches of a processor.
constexpr int kMostSoftwareTile = 256;

/// A picture to measure with: a slope, so that no check takes its result for a fault.
class SlopeRows final : public InputRows {
 public:
  Status begin() override { return ok(); }
  Status fill(const PlanarRows& rows) override {
    for (int i = 0; i < rows.count; ++i) {
      for (int c = 0; c < rows.planes; ++c) {
        float* to = rows.row[static_cast<std::size_t>(i)] + c * rows.plane_stride;
        for (int x = 0; x < rows.width; ++x) to[x] = static_cast<float>((x + rows.first + i + 40 * c) % 256) / 255.0F;
      }
    }
    return ok();
  }
};

class DeviceEngine final : public Engine {
 public:
  DeviceEngine(const Graph& graph, const Program& program, std::shared_ptr<compute::vulkan::Instance> instance,
               const DeviceInfo& device, const EngineSettings& settings)
      : graph_{graph}, program_{program}, instance_{std::move(instance)}, info_{device}, settings_{settings} {}

  Status open() {
    weights_ = {};
    session_.reset();
    auto opened = Session::open(instance_, info_, settings_);
    if (!opened) return opened.error();
    session_ = *std::move(opened);
    return prove_matrices();
  }

  /// Matrix kernels are used only where they have shown, on this device, that they make what the plain one makes.
  Status prove_matrices() {
    matrices_ = false;
    if (!info_.cooperative_matrix || settings_.precision == DevicePrecision::float32) return ok();
    auto agree = compute::vulkan::kernels_agree(session_->pool(), session_->stream(), "conv_hh", "conv3x3_matrix");
    if (!agree) return agree.error();
    matrices_ = *agree;
    if (!matrices_)
      warning_ = fmt::format("{}: its matrix kernels do not agree with the plain ones, which are used", info_.name);
    return ok();
  }

  std::string device_name() const override { return fmt::format("{} ({})", info_.name, info_.driver); }

  DeviceLimits limits(Bytes host) const override {
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

  Result<DevicePlan> plan(Extent input, Bytes host, Transfer transfer) override {
    const bool half = half_by_default();
    auto largest = plan_with(input, host, {.half = half, .transfer = transfer, .tile = settings_.tile});
    const bool chooses = settings_.tile == 0 && (info_.kind != DeviceKind::software || settings_.measure_software);
    if (!largest || !chooses) return largest;
    DevicePlan fastest = *largest;
    for (const int side : kMeasuredSides) {
      if (side >= largest->tile) break;
      const auto smaller = plan_with(input, host, {.half = half, .transfer = transfer, .tile = side});
      if (smaller && expected_seconds(*smaller, speeds()) < expected_seconds(fastest, speeds())) fastest = *smaller;
    }
    return fastest;
  }

  Status run(const DevicePlan& plan, Orientation orientation, InputRows& input, const EngineOutput& output,
             const RunControl& control, int& next_row, std::vector<std::string>& events) override {
    next_row = 0;
    if (!warning_.empty()) events.push_back(std::exchange(warning_, {}));
    DevicePlan now = plan;
    auto status = attempt(now, orientation, input, output, control, next_row);
    for (int step = 0; step < kSteps && !status && is_fault(status.error()) && !settings_.strict; ++step) {
      if (!mend(step, status.error(), now, events)) continue;
      ++counts_.repeats;
      status = attempt(now, orientation, input, output, control, next_row);
    }
    if (!status && is_fault(status.error()) && !settings_.strict) ++counts_.given_up;
    return status;
  }

  EngineCounts counts() const override { return counts_; }

  EngineMemory memory() const override {
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

  void cleanup() override {
    if (session_) session_->pool().cleanup();
  }

 private:
  static constexpr int kSteps = 3;

  static bool is_fault(const Error& error) {
    return error.code == Errc::over_budget || error.code == Errc::device_lost || error.code == Errc::bad_values;
  }

  bool usable() const { return session_ != nullptr && session_->good(); }

  bool half_by_default() const {
    if (settings_.precision != DevicePrecision::automatic)
      return settings_.precision == DevicePrecision::float16 && info_.half_storage;
    return info_.half_storage && info_.kind != DeviceKind::software;
  }

  Result<DevicePlan> plan_with(Extent input, Bytes host, TileWish wish) const {
    wish.most = info_.kind == DeviceKind::software ? kMostSoftwareTile : kMostTile;
    return plan_tiles(graph_, program_, input, wish, limits(host));
  }
  /// In the stead of a plan that met a fault. What the host has was counted with the first.
  Result<DevicePlan> plan_again(const DevicePlan& plan, bool half, int tile) const {
    return plan_with(plan.input, Bytes{~std::uint64_t{0}}, {.half = half, .transfer = plan.transfer, .tile = tile});
  }

  /// What the device has free for this process, as it says now, less a margin for what others begin meanwhile.
  Bytes free_memory() const {
    Bytes most;
    for (const Heap& heap : compute::vulkan::read_heaps(info_.handle, info_.memory_budget)) {
      if (!heap.device_local) continue;
      const Bytes ours = session_ ? std::min(session_->device_line().charged(), heap.used) : Bytes{};
      const Bytes free = heap.budget - heap.used + ours;
      most = std::max(most, free - std::min(Bytes{free.count() / 16}, 256_MiB));
    }
    return most;
  }

  /// The step after a fault. False if this one can change nothing.
  bool mend(int step, const Error& fault, DevicePlan& plan, std::vector<std::string>& events) {
    const bool reopen = !usable();
    std::string how;
    if (step == 0) {
      const int half_tile = std::min(plan.tile, std::max(plan.input.height, plan.input.width)) / 2;
      if (half_tile < kLeastTile) return false;
      auto smaller = plan_again(plan, plan.half, half_tile);
      if (!smaller) return false;
      plan = *std::move(smaller);
      ++counts_.smaller;
      how = fmt::format("repeated with tiles of {} pixels", half_tile);
    } else if (step == 1) {
      if (!plan.half) return false;
      auto wider = plan_again(plan, false, plan.tile);
      if (!wider) return false;
      plan = *std::move(wider);
      ++counts_.wider;
      how = "repeated in float32";
    } else {
      how = "repeated after the device was opened anew";
    }
    if (reopen || step == 2) {
      ++counts_.reopened;
      if (reopen && step != 2) how += ", the device opened anew";
      if (auto opened = open(); !opened) how += fmt::format(" (which failed: {})", opened.error().what);
    }
    events.push_back(fmt::format("{}: {}", fault.what, how));
    return true;
  }

  /// Measured when first asked for, on pictures of one tile; some seconds at most, for larger tiles are not tried once a
  /// run takes long.
  const std::vector<TileSpeed>& speeds() {
    if (speeds_known_) return speeds_;
    speeds_known_ = true;
    const std::uint64_t key = speed_key();
    speeds_ = recall_speeds(speed_folder(), key);
    if (!speeds_.empty()) return speeds_;
    constexpr double kLong = 1;  // seconds
    const EngineCounts before = counts_;
    double took = 0;
    for (const int side : kMeasuredSides) {
      if (took > kLong || !measure(side, took)) break;
    }
    counts_ = before;
    remember_speeds(speed_folder(), key, speeds_);
    return speeds_;
  }

  /// False if it cannot be run; nothing is said of it, for the picture itself will tell.
  bool measure(int side, double& took) {
    // So that a network without padding has something left of the smallest tile, its border comes on top.
    constexpr int kBorder = 64;
    const TileWish wish{.half = half_by_default(), .transfer = {true, true}, .tile = 2 * side};
    const auto plan = plan_with({side + kBorder, side + kBorder}, Bytes{~std::uint64_t{0}}, wish);
    if (!plan || !plan->one_tile) return false;
    SlopeRows input;
    for (const bool counts : {false, true}) {  // the first run compiles kernels
      const auto start = std::chrono::steady_clock::now();
      int rows = 0;
      const EngineOutput nowhere{{}, [](const ByteRows&) { return ok(); }};
      if (!attempt(*plan, {}, input, nowhere, {}, rows)) return false;
      took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (counts) speeds_.push_back({side, plan->multiplications / std::max(took, 1e-9)});
    }
    return true;
  }

  std::uint64_t speed_key() const {
    constexpr int kVersion = 1;  // of the kernels: raise it to measure again
    std::string text = fmt::format("{} {} {} {} {} {} {}", kVersion, info_.uuid, info_.name, info_.driver,
                                   half_by_default(), matrices_, program_.ops.size());
    for (const Op& op : program_.ops)
      text += fmt::format(" {}:{}:{}", static_cast<int>(op.kind),
                          program_.tensors[static_cast<std::size_t>(op.output)].channels, op.multiplications);
    return XXH3_64bits(text.data(), text.size());
  }

  Status attempt(const DevicePlan& plan, Orientation orientation, InputRows& input, const EngineOutput& output,
                 const RunControl& control, int& next_row) {
    if (!usable()) {
      // A picture before this one met the fault, or opening it again did.
      if (auto opened = open(); !opened) return Error{Errc::device_lost, opened.error().what};
    }
    const Bytes line = limits({}).memory;
    session_->device_line().set_limit(line);
    if (auto loaded = load_weights(plan.half, orientation); !loaded) return loaded;
    ++counts_.tiles;
    PictureRun run{graph_, program_, plan, *session_, packed_, weights_, matrices_};
    return run.run(input, output, control, next_row, next_row);
  }

  Status load_weights(bool half, Orientation orientation) {
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

  const Graph& graph_;
  const Program& program_;
  std::shared_ptr<compute::vulkan::Instance> instance_;
  DeviceInfo info_;
  EngineSettings settings_;
  EngineCounts counts_;
  DeviceWeights packed_;
  std::unique_ptr<Session> session_;
  compute::vulkan::Buffer weights_;  // after the session: it goes before
  std::array<bool, 4> loaded_{};
  bool matrices_ = false;
  std::string warning_;
  std::vector<TileSpeed> speeds_;
  bool speeds_known_ = false;
};

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(const Graph& graph, const Program& program,
                                               std::shared_ptr<compute::vulkan::Instance> instance,
                                               const DeviceInfo& device, const EngineSettings& settings) {
  auto engine = std::make_unique<DeviceEngine>(graph, program, std::move(instance), device, settings);
  if (auto opened = engine->open(); !opened) return opened.error();
  return std::unique_ptr<Engine>{std::move(engine)};
}

}  // namespace weir::nn::vulkan
