#include "nn/vulkan/device_plan.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "compute/vulkan/pool.hpp"
#include "nn/vulkan/device_weights.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

namespace {

using compute::vulkan::Pool;

constexpr std::array kSides{4096, 3072, 2048, 1536, 1024, 768, 512, 384, 256, 192, 128, 96, 64, 48, 32, kLeastTile};

int scaled(int tile, int out, int in) {
  return std::max(1, static_cast<int>((static_cast<long long>(tile) * out + in - 1) / in));
}

/// What kernels count with: places of pixels are numbers of 16 bits with a sign, and the sums of a mean have room for
/// 65536 groups of 1024 pixels.
constexpr int kLongest = 32767;
constexpr double kMostPixels = 65536.0 * 1024 / 2;

struct Most {
  Bytes arena, upload, download, largest;
  int input_rows = 0;
  int longest = 0;
  double pixels = 0;
};

class Planner {
 public:
  Planner(const Graph& graph, const Program& program, const DeviceLimits& limits)
      : graph_{graph}, program_{program}, limits_{limits}, input_{input_tensor(program)} {}

  Status prepare(Extent input, bool half, Transfer transfer) {
    const auto extents = infer_extents(graph_, input);
    if (!extents) return extents.error();
    base_.input = input;
    base_.half = half;
    base_.transfer = transfer;
    for (const Tensor& tensor : program_.tensors) base_.extent.push_back((*extents)[at(tensor.blob)]);
    const DeviceWeights weights = layout_weights(graph_, program_, half);
    if (const Bytes largest{weights.largest()}; largest > limits_.range) {
      return Error{Errc::unsupported, fmt::format("a layer's weights take {}; the device reads {} at most as one",
                                                  to_text(largest), to_text(limits_.range))};
    }
    base_.weights = Pool::size_class(Bytes{weights.size});
    base_.parameters = Pool::size_class(Bytes{layout_parameters(program_, graph_, base_.extent).size});
    return ok();
  }

  /// With copies where there is something to overlap them with.
  DevicePlan plan(int tile, bool copies) {
    DevicePlan plan = base_;
    plan.tile = tile;
    plan.one_tile = tile >= std::max(plan.input.height, plan.input.width);
    if (!plan.one_tile) {
      for (std::size_t s = 0; s < program_.statistics.size(); ++s)
        plan.passes.push_back(pass_for(plan, static_cast<int>(s), program_.statistics[s].source.tensor));
    }
    plan.passes.push_back(pass_for(plan, -1, program_.output));
    Most most;
    for (const DevicePass& pass : plan.passes) measure(plan, pass, most);
    plan.arena = most.arena;
    plan.upload = most.upload;
    plan.download = most.download;
    const Bytes tiles =
        (Pool::size_class(plan.upload) + Pool::size_class(plan.download)) * std::uint64_t{kTilesUnderWay};
    plan.copies = copies && !plan.one_tile;
    plan.activations = Pool::size_class(plan.arena) + (plan.copies ? tiles : Bytes{});
    plan.staging = std::max(tiles, Pool::size_class(std::min(std::max(plan.weights, plan.parameters), kUploadPiece)));
    most_ = most;
    const DevicePass& last = plan.passes.back();
    const Extent out = plan.extent[at(program_.output)];
    const bool several = last.tile_width < out.width;
    const auto rows_of = [](int rows, int width, std::size_t each) {
      return Bytes{static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(width) * 3 * each};
    };
    const std::size_t each = plan.transfer.result_samples ? 1 : sizeof(float);
    plan.rows = rows_of(most.input_rows, plan.input.width, sizeof(float)) +
                (several ? rows_of(std::min(last.tile_height, out.height), out.width, each) : Bytes{});
    plan.lead = most.input_rows + plan.tile;
    return plan;
  }

  bool fits(const DevicePlan& plan) const {
    return plan.device(limits_) <= limits_.memory && plan.host(limits_) <= limits_.host &&
           most_.largest <= limits_.range && most_.longest <= kLongest && most_.pixels <= kMostPixels &&
           Pool::size_class(plan.arena) <= limits_.allocation && plan.upload <= limits_.range &&
           plan.download <= limits_.range && plan.weights <= limits_.allocation;
  }

 private:
  static DevicePass pass_for(const DevicePlan& plan, int statistic, int tensor) {
    const Extent extent = plan.extent[at(tensor)];
    if (plan.one_tile) return {statistic, tensor, extent.height, extent.width};
    return {statistic, tensor, scaled(plan.tile, extent.height, plan.input.height),
            scaled(plan.tile, extent.width, plan.input.width)};
  }

  void measure(DevicePlan& plan, const DevicePass& pass, Most& most) const {
    const std::vector<Rect> tiles = tiles_of(plan, pass);
    const std::vector<Rect> kinds = kinds_of(tiles);
    double multiplications = 0;
    double area = 0;
    for (const Rect& rect : kinds) {
      const Tile tile = make_tile(program_, plan.extent, goals_of(program_, plan, pass, rect), plan.half,
                                  compute::vulkan::kSliceAlignment);
      most.arena = std::max(most.arena, tile.arena);
      most.largest = std::max(most.largest, tile.largest);
      most.longest = std::max(most.longest, tile.longest);
      most.pixels = std::max(most.pixels, tile.pixels);
      most.upload = std::max(most.upload, upload_bytes(tile.region[at(input_)], plan.transfer.input_samples));
      if (pass.statistic < 0)
        most.download = std::max(most.download, download_bytes(rect, plan.transfer.result_samples));
      most.input_rows = std::max(most.input_rows, tile.region[at(input_)].height());
      multiplications += tile.multiplications;
      area += static_cast<double>(rect.height()) * rect.width();
    }
    const Extent extent = plan.extent[at(pass.tensor)];
    plan.multiplications += multiplications / area * extent.height * extent.width;
  }

  const Graph& graph_;
  const Program& program_;
  const DeviceLimits& limits_;
  int input_;
  DevicePlan base_;
  Most most_;
};

Error refusal(const DevicePlan& plan, const DeviceLimits& limits) {
  return {Errc::over_budget,
          fmt::format("{}x{} needs {} of the device and {} of the host with tiles of {} pixels; there are {} and {}",
                      plan.input.width, plan.input.height, to_text(plan.device(limits)), to_text(plan.host(limits)),
                      plan.tile, to_text(limits.memory), to_text(limits.host))};
}

}  // namespace

Result<DevicePlan> plan_tiles(const Graph& graph, const Program& program, Extent input, const TileWish& wish,
                              const DeviceLimits& limits) {
  Planner planner{graph, program, limits};
  if (auto prepared = planner.prepare(input, wish.half, wish.transfer); !prepared) return prepared.error();
  const auto fitting = [&](int tile) -> std::optional<DevicePlan> {
    if (limits.copies) {
      if (DevicePlan plan = planner.plan(tile, true); planner.fits(plan)) return plan;
    }
    if (DevicePlan plan = planner.plan(tile, false); planner.fits(plan)) return plan;
    return std::nullopt;
  };
  const int longest = std::max(input.height, input.width);
  std::vector<int> sides;
  if (wish.tile > 0) {
    sides.push_back(wish.tile);
  } else {
    if (wish.most == 0 || wish.most >= longest) sides.push_back(longest);
    for (const int side : kSides) {
      if (side < longest && (wish.most == 0 || side <= wish.most)) sides.push_back(side);
    }
  }
  for (const int side : sides) {
    if (auto plan = fitting(side)) return *std::move(plan);
  }
  return refusal(planner.plan(wish.tile > 0 ? wish.tile : std::min(kLeastTile, longest), false), limits);
}

}  // namespace weir::nn::vulkan
