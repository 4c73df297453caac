// Which tiles a plan cuts a picture into, and what each is to make.

#include <algorithm>
#include <set>

#include "nn/vulkan/device_plan.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

std::vector<Rect> kinds_of(const std::vector<Rect>& tiles) {
  std::set<int> tops, lefts;
  for (const Rect& tile : tiles) {
    tops.insert(tile.top);
    lefts.insert(tile.left);
  }
  const auto few = [](const std::set<int>& all) {
    constexpr std::size_t kEnds = 20;
    std::set<int> some;
    std::size_t i = 0;
    for (const int place : all) {
      if (i < kEnds || i + kEnds >= all.size()) some.insert(place);
      ++i;
    }
    return some;
  };
  const std::set<int> some_tops = few(tops), some_lefts = few(lefts);
  std::vector<Rect> kinds;
  for (const Rect& tile : tiles) {
    if (some_tops.contains(tile.top) && some_lefts.contains(tile.left)) kinds.push_back(tile);
  }
  return kinds;
}

std::vector<Goal> goals_of(const Program& program, const DevicePlan& plan, const DevicePass& pass, Rect rect) {
  std::vector<Goal> goals;
  if (pass.statistic >= 0) {
    goals.push_back({pass.tensor, rect, false});
  } else if (!shuffles_to_samples(program, plan.transfer)) {
    goals.push_back({pass.tensor, rect});
  } else {
    const Op& shuffle = program.ops[at(program.tensors[at(pass.tensor)].producer)];
    for (std::size_t i = 0; i < shuffle.inputs.size(); ++i) {
      const int from = shuffle.inputs[i].tensor;
      goals.push_back({from, needed(shuffle, i, rect, plan.extent)});
    }
  }
  if (pass.statistic < 0 && plan.transfer.base_scale > 0)
    goals.push_back({input_tensor(program), base_under(plan.transfer, rect)});
  if (!plan.one_tile) return goals;
  for (const Statistic& statistic : program.statistics)
    goals.push_back({statistic.source.tensor, whole(plan.extent[at(statistic.source.tensor)]), false});
  return goals;
}

std::vector<Rect> tiles_of(const DevicePlan& plan, const DevicePass& pass, int first_row) {
  const Extent extent = plan.extent[at(pass.tensor)];
  std::vector<Rect> tiles;
  // On the grid that was planned, whatever the first row: a tile elsewhere may need more memory.
  for (int top = first_row / pass.tile_height * pass.tile_height; top < extent.height; top += pass.tile_height) {
    for (int left = 0; left < extent.width; left += pass.tile_width) {
      tiles.push_back(
          {top, left, std::min(top + pass.tile_height, extent.height), std::min(left + pass.tile_width, extent.width)});
    }
  }
  return tiles;
}

}  // namespace weir::nn::vulkan
