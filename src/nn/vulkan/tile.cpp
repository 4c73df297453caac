#include "nn/vulkan/tile.hpp"

#include <map>
#include <utility>

#include "base/round_up.hpp"
#include "compute/kernels/kernels.hpp"
#include "nn/row_schedule.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

namespace {

/// Allocates ranges of an arena, always in the lowest gap that is large enough; the arena grows if no gap is.
class ArenaAllocator {
 public:
  /// Returns the offset of the new range.
  std::uint64_t allocate(std::uint64_t size) {
    for (auto gap = gaps_.begin(); gap != gaps_.end(); ++gap) {
      if (gap->second < size) continue;
      const std::uint64_t offset = gap->first;
      const std::uint64_t rest = gap->second - size;
      gaps_.erase(gap);
      if (rest > 0) gaps_.emplace(offset + size, rest);
      return offset;
    }
    std::uint64_t offset = end_;
    if (const auto last = last_gap(); last != gaps_.end()) {
      offset = last->first;
      gaps_.erase(last);
    }
    end_ = offset + size;
    return offset;
  }

  /// Makes a range free again, and joins it with the gaps next to it.
  void release(std::uint64_t offset, std::uint64_t size) {
    auto next = gaps_.lower_bound(offset);
    if (next != gaps_.end() && next->first == offset + size) {
      size += next->second;
      next = gaps_.erase(next);
    }
    if (next != gaps_.begin()) {
      const auto previous = std::prev(next);
      if (previous->first + previous->second == offset) {
        previous->second += size;
        return;
      }
    }
    gaps_.emplace(offset, size);
  }

  std::uint64_t end() const { return end_; }

 private:
  /// Returns the gap at the end of the arena, which can be extended; gaps_.end() if there is none.
  std::map<std::uint64_t, std::uint64_t>::iterator last_gap() {
    if (gaps_.empty()) return gaps_.end();
    const auto last = std::prev(gaps_.end());
    return last->first + last->second == end_ ? last : gaps_.end();
  }

  std::map<std::uint64_t, std::uint64_t> gaps_;  // offset -> size
  std::uint64_t end_ = 0;
};

/// Calls visit(input index, view) for every input of an op; the residual comes last.
template <class Visit>
void for_each_view(const Op& op, Visit&& visit) {
  for (std::size_t i = 0; i < op.inputs.size(); ++i) visit(i, op.inputs[i]);
  if (op.epilogue.has_residual) visit(op.inputs.size(), op.epilogue.residual);
}

/// Sets the regions and the multiplications of the tile. Goes through the ops from the last to the first: when it
/// reaches an op, all ops that read its output have already added the part that they need.
void find_regions(const Program& program, const std::vector<Extent>& extents, Tile& tile) {
  for (const TileOutput& output : tile.outputs)
    tile.regions[to_index(output.tensor)] = tile.regions[to_index(output.tensor)].joined(output.rect);
  for (auto op = program.ops.rbegin(); op != program.ops.rend(); ++op) {
    const Rect out = tile.regions[to_index(op->output)];
    if (out.empty()) continue;
    for_each_view(*op, [&](std::size_t i, const TensorView& view) {
      Rect& region = tile.regions[to_index(view.tensor)];
      region = region.joined(input_rect(*op, i, out, extents));
    });
    tile.multiplications += op->multiplications * out.height() * out.width();
  }
}

}  // namespace

int vector_count(const ProgramTensor& tensor) { return (tensor.channels + 3) / 4; }

Bytes pixel_bytes(const ProgramTensor& tensor, bool half) {
  return Bytes{static_cast<std::uint64_t>(vector_count(tensor)) * (half && !tensor.planar ? 8 : 16)};
}

int input_tensor(const Program& program) {
  for (const Op& op : program.ops) {
    if (op.kind == OpKind::input) return op.output;
  }
  return -1;
}

Rect input_rect(const Op& op, std::size_t i, Rect out, const std::vector<Extent>& extents) {
  const Extent in_extent = extents[to_index((i == op.inputs.size() ? op.epilogue.residual : op.inputs[i]).tensor)];
  const Extent out_extent = extents[to_index(op.output)];
  const RowRange rows = needed_input_rows(op, i, {out.top, out.bottom}, {in_extent.height, out_extent.height});
  const RowRange columns =
      needed_input_rows(op, i, {out.left, out.right}, {in_extent.width, out_extent.width, /*is_columns=*/true});
  return {rows.first, columns.first, rows.end, columns.end};
}

Tile make_tile(const Program& program, const std::vector<Extent>& extents, std::vector<TileOutput> outputs, bool half,
               std::uint64_t alignment) {
  Tile tile;
  tile.outputs = std::move(outputs);
  tile.regions.resize(program.tensors.size());
  tile.offsets.resize(program.tensors.size());
  find_regions(program, extents, tile);

  // By tensor: index of the last op that reads it, after which its memory is free again; -1: it is not freed.
  std::vector<int> last_use(program.tensors.size(), -1);
  for (std::size_t o = 0; o < program.ops.size(); ++o) {
    if (tile.regions[to_index(program.ops[o].output)].empty()) continue;
    for_each_view(program.ops[o],
                  [&](std::size_t, const TensorView& view) { last_use[to_index(view.tensor)] = static_cast<int>(o); });
  }
  for (const TileOutput& kept : tile.outputs) {
    if (kept.kept_to_end) last_use[to_index(kept.tensor)] = static_cast<int>(program.ops.size());
  }

  // In the order in which the device runs the ops: allocates the output of each, then frees the inputs that no later op
  // reads.
  ArenaAllocator allocator;
  std::vector<std::uint64_t> sizes(program.tensors.size());
  for (std::size_t o = 0; o < program.ops.size(); ++o) {
    const int output = program.ops[o].output;
    const Rect& region = tile.regions[to_index(output)];
    if (region.empty()) continue;
    const Bytes bytes = pixel_bytes(program.tensors[to_index(output)], half) *
                        static_cast<std::uint64_t>(region.height()) * static_cast<std::uint64_t>(region.width());
    sizes[to_index(output)] = round_up(bytes.count(), alignment);
    tile.largest_tensor = std::max(tile.largest_tensor, bytes);
    tile.max_side_px = std::max({tile.max_side_px, region.height(), region.width()});
    tile.max_pixels = std::max(tile.max_pixels, static_cast<double>(region.height()) * region.width());
    tile.offsets[to_index(output)] = allocator.allocate(sizes[to_index(output)]);
    for_each_view(program.ops[o], [&](std::size_t, const TensorView& view) {
      if (last_use[to_index(view.tensor)] != static_cast<int>(o)) return;
      last_use[to_index(view.tensor)] = -1;  // an op may have the same input twice, but it is freed once
      allocator.release(tile.offsets[to_index(view.tensor)], sizes[to_index(view.tensor)]);
    });
  }
  tile.arena_size = Bytes{allocator.end()};
  return tile;
}

}  // namespace weir::nn::vulkan
