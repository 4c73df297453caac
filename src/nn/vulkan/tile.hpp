#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "nn/program.hpp"

namespace weir::nn::vulkan {

/// A rectangle of pixels of a tensor: rows top..bottom-1, columns left..right-1.
struct Rect {
  int top = 0, left = 0, bottom = 0, right = 0;
  int height() const { return bottom - top; }
  int width() const { return right - left; }
  bool empty() const { return bottom <= top || right <= left; }
  bool operator==(const Rect&) const = default;
  /// Returns the smallest rectangle that contains both.
  Rect joined(const Rect& other) const {
    if (empty()) return other;
    if (other.empty()) return *this;
    return {std::min(top, other.top), std::min(left, other.left), std::max(bottom, other.bottom),
            std::max(right, other.right)};
  }
};
/// Returns the rectangle of the whole extent.
inline Rect full_rect(Extent extent) { return {0, 0, extent.height, extent.width}; }

/// Returns the number of vectors of four channels that store one pixel of a tensor.
int vector_count(const ProgramTensor& tensor);
/// Returns the memory of one pixel of a tensor. Features are float16 if `half` is true; planar tensors (pictures) are
/// always float32.
Bytes pixel_bytes(const ProgramTensor& tensor, bool half);
/// Returns the part of input `i` that is needed to compute the part `out` of the op's output. The residual is the input
/// with the index op.inputs.size(). `extents` has the extent of each tensor.
Rect input_rect(const Op& op, std::size_t i, Rect out, const std::vector<Extent>& extents);

/// Returns the index of the tensor that has the input picture; -1 if the program reads none.
int input_tensor(const Program& program);

/// A part of one tensor that a tile must compute.
struct TileOutput {
  int tensor = -1;  ///< index of the tensor
  Rect rect;
  bool kept_to_end = true;  ///< true: stays in the arena until all ops of the tile have run; false: until its last use
};

/// One tile of work: the part of each tensor that must be computed to get the outputs, and its place in the arena, the
/// buffer with all tensors of the tile. A tensor has its place only while it is needed; then others reuse the memory.
struct Tile {
  std::vector<TileOutput> outputs;
  std::vector<Rect> regions;           ///< by tensor: the part that is computed; empty: none
  std::vector<std::uint64_t> offsets;  ///< by tensor: the place of its part, in bytes from the start of the arena
  Bytes arena_size;                    ///< size of the arena
  Bytes largest_tensor;                ///< size of the largest part of a tensor
  int max_side_px = 0;                 ///< longest side of a part
  double max_pixels = 0;               ///< largest number of pixels of a part
  double multiplications = 0;          ///< number of multiplications of all ops of the tile
};

/// Plans a tile: finds the parts of all tensors that its outputs need, from the last op to the first. Offsets are
/// multiples of `alignment` bytes. `extents` has the extent of each tensor.
Tile make_tile(const Program& program, const std::vector<Extent>& extents, std::vector<TileOutput> outputs, bool half,
               std::uint64_t alignment);

}  // namespace weir::nn::vulkan
