#include "nn/vulkan/device_plan.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "compute/vulkan/buffer_pool.hpp"
#include "nn/vulkan/device_weights.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

namespace {

using compute::vulkan::BufferPool;

/// Sides of tiles to try, in input pixels, largest first.
constexpr std::array kCandidateSides{4096, 3072, 2048, 1536, 1024, 768, 512, 384,
                                     256,  192,  128,  96,   64,   48,  32,  kMinTile};

/// Converts the side of a tile from input pixels to pixels of a tensor, rounded up. The sizes are the heights, or the
/// widths, of tensor and input.
int scale_side(int side, int tensor_size, int input_size) {
  return std::max(1, static_cast<int>((static_cast<long long>(side) * tensor_size + input_size - 1) / input_size));
}

// Limits of the kernels: coordinates of pixels are signed 16-bit numbers. The sums of a mean (mean_add.comp) have room
// for 65536 groups of 1024 pixels; half of that leaves room for groups that are not full.
constexpr int kMaxSidePx = 32767;
constexpr double kMaxPixels = 65536.0 * 1024 / 2;

/// The largest values of all tiles of a plan.
struct Maxima {
  Bytes arena, upload, download, largest_tensor;
  int input_rows = 0;
  int max_side_px = 0;
  double max_pixels = 0;
};

/// Computes plans for one picture with tiles of any side. prepare() must be called first.
class Planner {
 public:
  Planner(const Graph& graph, const Program& program, const DeviceLimits& limits)
      : graph_{graph}, program_{program}, limits_{limits}, input_{input_tensor(program)} {}

  /// Computes the fields of the plans that do not depend on the tiles. Errors: those of infer_extents(); unsupported if
  /// a layer's weights are too large.
  Status prepare(Extent input, bool half, TransferFormat transfer) {
    const auto extents = infer_extents(graph_, input);
    if (!extents) return extents.error();
    common_.input = input;
    common_.half = half;
    common_.transfer = transfer;
    for (const ProgramTensor& tensor : program_.tensors) common_.extents.push_back((*extents)[to_index(tensor.blob)]);
    const DeviceWeights weights = layout_weights(graph_, program_, half);
    if (const Bytes largest{weights.largest_range()}; largest > limits_.max_buffer_range) {
      return Error{Errc::unsupported,
                   fmt::format("a layer's weights take {}; a kernel of this device can access at most {}",
                               to_text(largest), to_text(limits_.max_buffer_range))};
    }
    common_.weights = BufferPool::size_class(Bytes{weights.size});
    common_.parameters = BufferPool::size_class(Bytes{layout_picture_tables(program_, graph_, common_.extents).size});
    return ok();
  }

  /// Returns the plan for this side of tiles; fits() returns whether it is within the limits. If `copies` is true,
  /// tiles are copied to and from the device, unless there is only one: then no computation could run at the same time.
  DevicePlan plan(int tile, bool copies) {
    DevicePlan plan = common_;
    plan.tile = tile;
    plan.one_tile = tile >= std::max(plan.input.height, plan.input.width);
    if (!plan.one_tile) {
      for (std::size_t i = 0; i < program_.means.size(); ++i)
        plan.passes.push_back(make_pass(plan, static_cast<int>(i), program_.means[i].source.tensor));
    }
    plan.passes.push_back(make_pass(plan, -1, program_.output));
    Maxima maxima;
    for (const DevicePass& pass : plan.passes) evaluate_pass(plan, pass, maxima);
    plan.arena_size = maxima.arena;
    plan.upload = maxima.upload;
    plan.download = maxima.download;
    const Bytes tile_buffers =
        (BufferPool::size_class(plan.upload) + BufferPool::size_class(plan.download)) * std::uint64_t{kTilesInFlight};
    plan.copies_tiles = copies && !plan.one_tile;
    plan.activations = BufferPool::size_class(plan.arena_size) + (plan.copies_tiles ? tile_buffers : Bytes{});
    // Weights and tables are uploaded before the tile buffers are allocated, so both need not fit at the same time.
    plan.staging =
        std::max(tile_buffers, BufferPool::size_class(std::min(std::max(plan.weights, plan.parameters), kUploadChunk)));
    maxima_ = maxima;
    const DevicePass& last = plan.passes.back();
    const Extent out = plan.extents[to_index(program_.output)];
    // The host keeps the input rows of a row of tiles (InputBand). If a row has several tiles, it also collects their
    // result rows (ResultBand). Both have three colours.
    const bool splits_rows = last.tile_width < out.width;
    const auto row_bytes = [](int rows, int width, std::size_t value_size) {
      return Bytes{static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(width) * 3 * value_size};
    };
    const std::size_t value_size = plan.transfer.result_samples ? 1 : sizeof(float);
    plan.row_memory =
        row_bytes(maxima.input_rows, plan.input.width, sizeof(float)) +
        (splits_rows ? row_bytes(std::min(last.tile_height, out.height), out.width, value_size) : Bytes{});
    plan.read_ahead_rows = maxima.input_rows + plan.tile;
    return plan;
  }

  /// Returns whether the plan is within all limits. It must be the result of the last call of plan().
  bool fits(const DevicePlan& plan) const {
    return plan.device_memory(limits_) <= limits_.device_memory && plan.host_memory(limits_) <= limits_.host_memory &&
           maxima_.largest_tensor <= limits_.max_buffer_range && maxima_.max_side_px <= kMaxSidePx &&
           maxima_.max_pixels <= kMaxPixels && BufferPool::size_class(plan.arena_size) <= limits_.max_allocation &&
           plan.upload <= limits_.max_buffer_range && plan.download <= limits_.max_buffer_range &&
           plan.weights <= limits_.max_allocation;
  }

 private:
  /// Returns the pass that computes `tensor` in tiles of plan.tile input pixels. `mean_index` is as in DevicePass.
  static DevicePass make_pass(const DevicePlan& plan, int mean_index, int tensor) {
    const Extent extent = plan.extents[to_index(tensor)];
    if (plan.one_tile) return {mean_index, tensor, extent.height, extent.width};
    return {mean_index, tensor, scale_side(plan.tile, extent.height, plan.input.height),
            scale_side(plan.tile, extent.width, plan.input.width)};
  }

  /// Updates `maxima` with the tiles of a pass, and adds the multiplications of the pass to the plan. Examines only
  /// representative tiles, because a large picture has many.
  void evaluate_pass(DevicePlan& plan, const DevicePass& pass, Maxima& maxima) const {
    const std::vector<Rect> tiles = list_tiles(plan, pass);
    const std::vector<Rect> representatives = representative_tiles(tiles);
    double multiplications = 0;
    double area = 0;
    for (const Rect& rect : representatives) {
      const Tile tile = make_tile(program_, plan.extents, tile_outputs(program_, plan, pass, rect), plan.half,
                                  compute::vulkan::kSliceAlignment);
      maxima.arena = std::max(maxima.arena, tile.arena_size);
      maxima.largest_tensor = std::max(maxima.largest_tensor, tile.largest_tensor);
      maxima.max_side_px = std::max(maxima.max_side_px, tile.max_side_px);
      maxima.max_pixels = std::max(maxima.max_pixels, tile.max_pixels);
      maxima.upload =
          std::max(maxima.upload, upload_bytes(tile.regions[to_index(input_)], plan.transfer.input_samples));
      if (pass.mean_index < 0)
        maxima.download = std::max(maxima.download, download_bytes(rect, plan.transfer.result_samples));
      maxima.input_rows = std::max(maxima.input_rows, tile.regions[to_index(input_)].height());
      multiplications += tile.multiplications;
      area += static_cast<double>(rect.height()) * rect.width();
    }
    const Extent extent = plan.extents[to_index(pass.tensor)];
    // Other tiles are assumed to need as many multiplications per pixel as the representatives.
    plan.multiplications += multiplications / area * extent.height * extent.width;
  }

  const Graph& graph_;
  const Program& program_;
  const DeviceLimits& limits_;
  int input_;
  DevicePlan common_;  // the fields of a plan that do not depend on the tiles
  Maxima maxima_;      // of the last plan
};

/// Returns the error for a plan that does not fit.
Error does_not_fit_error(const DevicePlan& plan, const DeviceLimits& limits) {
  const Bytes device = plan.device_memory(limits), host = plan.host_memory(limits);
  if (device <= limits.device_memory && host <= limits.host_memory) {
    return {Errc::unsupported, fmt::format("{}x{}: tiles of {} pixels are larger than a kernel of this device can "
                                           "compute",
                                           plan.input.width, plan.input.height, plan.tile)};
  }
  return {Errc::over_budget,
          fmt::format("{}x{} needs {} on the device and {} on the host with tiles of {} pixels; available: {} and {}",
                      plan.input.width, plan.input.height, to_text(device), to_text(host), plan.tile,
                      to_text(limits.device_memory), to_text(limits.host_memory))};
}

}  // namespace

Result<DevicePlan> plan_tiles(const Graph& graph, const Program& program, Extent input, const TilePlanRequest& request,
                              const DeviceLimits& limits) {
  Planner planner{graph, program, limits};
  if (auto prepared = planner.prepare(input, request.half, request.transfer); !prepared) return prepared.error();
  // Returns the plan for this side, if one fits: preferably one that copies tiles. Without copies it needs less memory.
  const auto plan_if_fits = [&](int tile) -> std::optional<DevicePlan> {
    if (limits.can_copy_tiles) {
      if (DevicePlan plan = planner.plan(tile, /*copies=*/true); planner.fits(plan)) return plan;
    }
    if (DevicePlan plan = planner.plan(tile, /*copies=*/false); planner.fits(plan)) return plan;
    return std::nullopt;
  };
  const int longest_side = std::max(input.height, input.width);
  std::vector<int> sides;  // the sides to try, in this order
  if (request.tile > 0) {
    sides.push_back(request.tile);
  } else {
    if (request.max_tile == 0 || request.max_tile >= longest_side) sides.push_back(longest_side);
    for (const int side : kCandidateSides) {
      if (side < longest_side && (request.max_tile == 0 || side <= request.max_tile)) sides.push_back(side);
    }
  }
  for (const int side : sides) {
    if (auto plan = plan_if_fits(side)) return *std::move(plan);
  }
  return does_not_fit_error(
      planner.plan(request.tile > 0 ? request.tile : std::min(kMinTile, longest_side), /*copies=*/false), limits);
}

}  // namespace weir::nn::vulkan
