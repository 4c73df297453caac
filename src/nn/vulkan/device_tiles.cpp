// Lists the tiles of a plan, and what each of them must compute.

#include <algorithm>
#include <set>

#include "nn/vulkan/device_plan.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

std::vector<Rect> representative_tiles(const std::vector<Rect>& tiles) {
  std::set<int> tops, lefts;
  for (const Rect& tile : tiles) {
    tops.insert(tile.top);
    lefts.insert(tile.left);
  }
  const auto keep_ends = [](const std::set<int>& all) {
    constexpr std::size_t kKeptAtEachEnd = 20;
    std::set<int> kept;
    std::size_t i = 0;
    for (const int position : all) {
      if (i < kKeptAtEachEnd || i + kKeptAtEachEnd >= all.size()) kept.insert(position);
      ++i;
    }
    return kept;
  };
  const std::set<int> kept_tops = keep_ends(tops), kept_lefts = keep_ends(lefts);
  std::vector<Rect> representatives;
  for (const Rect& tile : tiles) {
    if (kept_tops.contains(tile.top) && kept_lefts.contains(tile.left)) representatives.push_back(tile);
  }
  return representatives;
}

std::vector<TileOutput> tile_outputs(const Program& program, const DevicePlan& plan, const DevicePass& pass,
                                     Rect rect) {
  std::vector<TileOutput> outputs;
  if (pass.mean_index >= 0) {
    outputs.push_back(
        {pass.tensor, rect, /*kept_to_end=*/false});  // computed by the last op of the tile, so nothing overwrites it
  } else if (!shuffle_makes_samples(program, plan.transfer)) {
    outputs.push_back({pass.tensor, rect});
  } else {
    // shuffle_samples.comp computes the result from the inputs of the last op, a pixel shuffle.
    const Op& shuffle = program.ops[to_index(program.tensors[to_index(pass.tensor)].producer)];
    for (std::size_t i = 0; i < shuffle.inputs.size(); ++i) {
      const int source = shuffle.inputs[i].tensor;
      outputs.push_back({source, input_rect(shuffle, i, rect, plan.extents)});
    }
  }
  if (pass.mean_index < 0 && plan.transfer.base_scale > 0)
    outputs.push_back({input_tensor(program), base_rect(plan.transfer, rect)});
  if (!plan.one_tile) return outputs;
  // The mean is computed directly after its tensor (Recorder::record_tile()), so the tensor is not kept to the end.
  for (const ChannelMeans& mean : program.means)
    outputs.push_back(
        {mean.source.tensor, full_rect(plan.extents[to_index(mean.source.tensor)]), /*kept_to_end=*/false});
  return outputs;
}

std::vector<Rect> list_tiles(const DevicePlan& plan, const DevicePass& pass, int first_row) {
  const Extent extent = plan.extents[to_index(pass.tensor)];
  std::vector<Rect> tiles;
  // Tiles stay on the planned grid for any first row, because a tile at another place may need more memory.
  for (int top = first_row / pass.tile_height * pass.tile_height; top < extent.height; top += pass.tile_height) {
    for (int left = 0; left < extent.width; left += pass.tile_width) {
      tiles.push_back(
          {top, left, std::min(top + pass.tile_height, extent.height), std::min(left + pass.tile_width, extent.width)});
    }
  }
  return tiles;
}

}  // namespace weir::nn::vulkan
