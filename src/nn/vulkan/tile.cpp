#include "nn/vulkan/tile.hpp"

#include <map>
#include <utility>

#include "base/round_up.hpp"
#include "compute/kernels/kernels.hpp"
#include "nn/schedule.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

namespace {

/// Hands out places in a row of bytes, the lowest that is free first.
class Places {
 public:
  std::uint64_t take(std::uint64_t size) {
    for (auto gap = gaps_.begin(); gap != gaps_.end(); ++gap) {
      if (gap->second < size) continue;
      const std::uint64_t at = gap->first;
      const std::uint64_t rest = gap->second - size;
      gaps_.erase(gap);
      if (rest > 0) gaps_.emplace(at + size, rest);
      return at;
    }
    std::uint64_t at = end_;
    if (const auto last = last_gap(); last != gaps_.end()) {
      at = last->first;
      gaps_.erase(last);
    }
    end_ = at + size;
    return at;
  }

  void give(std::uint64_t at, std::uint64_t size) {
    auto next = gaps_.lower_bound(at);
    if (next != gaps_.end() && next->first == at + size) {
      size += next->second;
      next = gaps_.erase(next);
    }
    if (next != gaps_.begin()) {
      const auto before = std::prev(next);
      if (before->first + before->second == at) {
        before->second += size;
        return;
      }
    }
    gaps_.emplace(at, size);
  }

  std::uint64_t end() const { return end_; }

 private:
  /// The gap at the very end, which may be made longer.
  std::map<std::uint64_t, std::uint64_t>::iterator last_gap() {
    if (gaps_.empty()) return gaps_.end();
    const auto last = std::prev(gaps_.end());
    return last->first + last->second == end_ ? last : gaps_.end();
  }

  std::map<std::uint64_t, std::uint64_t> gaps_;  // size by place
  std::uint64_t end_ = 0;
};

/// Calls visit(input number, view) for every input of an op, the residual last.
template <class Visit>
void for_each_input(const Op& op, Visit&& visit) {
  for (std::size_t i = 0; i < op.inputs.size(); ++i) visit(i, op.inputs[i]);
  if (op.epilogue.has_residual) visit(op.inputs.size(), op.epilogue.residual);
}

void find_regions(const Program& program, const std::vector<Extent>& extent, Tile& tile) {
  for (const Goal& goal : tile.goals) tile.region[at(goal.tensor)] = tile.region[at(goal.tensor)].joined(goal.rect);
  for (auto op = program.ops.rbegin(); op != program.ops.rend(); ++op) {
    const Rect out = tile.region[at(op->output)];
    if (out.empty()) continue;
    for_each_input(*op, [&](std::size_t i, const View& view) {
      Rect& region = tile.region[at(view.tensor)];
      region = region.joined(needed(*op, i, out, extent));
    });
    tile.multiplications += op->multiplications * out.height() * out.width();
  }
}

}  // namespace

int vectors_of(const Tensor& tensor) { return (tensor.channels + 3) / 4; }

Bytes pixel_bytes(const Tensor& tensor, bool half) {
  return Bytes{static_cast<std::uint64_t>(vectors_of(tensor)) * (half && !tensor.planar ? 8 : 16)};
}

int input_tensor(const Program& program) {
  for (const Op& op : program.ops) {
    if (op.kind == OpKind::input) return op.output;
  }
  return -1;
}

Rect needed(const Op& op, std::size_t i, Rect out, const std::vector<Extent>& extent) {
  const Extent from = extent[at((i == op.inputs.size() ? op.epilogue.residual : op.inputs[i]).tensor)];
  const Extent to = extent[at(op.output)];
  const Rows down = rows_read(op, i, {out.top, out.bottom}, {from.height, to.height});
  const Rows across = rows_read(op, i, {out.left, out.right}, {from.width, to.width, true});
  return {down.first, across.first, down.last, across.last};
}

Tile make_tile(const Program& program, const std::vector<Extent>& extent, std::vector<Goal> goals, bool half,
               std::uint64_t alignment) {
  Tile tile;
  tile.goals = std::move(goals);
  tile.region.resize(program.tensors.size());
  tile.offset.resize(program.tensors.size());
  find_regions(program, extent, tile);

  std::vector<int> last_use(program.tensors.size(), -1);
  for (std::size_t o = 0; o < program.ops.size(); ++o) {
    if (tile.region[at(program.ops[o].output)].empty()) continue;
    for_each_input(program.ops[o],
                   [&](std::size_t, const View& view) { last_use[at(view.tensor)] = static_cast<int>(o); });
  }
  for (const Goal& goal : tile.goals) {
    if (goal.stays) last_use[at(goal.tensor)] = static_cast<int>(program.ops.size());
  }

  Places places;
  std::vector<std::uint64_t> size(program.tensors.size());
  for (std::size_t o = 0; o < program.ops.size(); ++o) {
    const int t = program.ops[o].output;
    const Rect& region = tile.region[at(t)];
    if (region.empty()) continue;
    const Bytes bytes = pixel_bytes(program.tensors[at(t)], half) * static_cast<std::uint64_t>(region.height()) *
                        static_cast<std::uint64_t>(region.width());
    size[at(t)] = round_up(bytes.count(), alignment);
    tile.largest = std::max(tile.largest, bytes);
    tile.longest = std::max({tile.longest, region.height(), region.width()});
    tile.pixels = std::max(tile.pixels, static_cast<double>(region.height()) * region.width());
    tile.offset[at(t)] = places.take(size[at(t)]);
    for_each_input(program.ops[o], [&](std::size_t, const View& view) {
      if (last_use[at(view.tensor)] != static_cast<int>(o)) return;
      last_use[at(view.tensor)] = -1;  // named twice: given back once
      places.give(tile.offset[at(view.tensor)], size[at(view.tensor)]);
    });
  }
  tile.arena = Bytes{places.end()};
  return tile;
}

}  // namespace weir::nn::vulkan
