#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "nn/program.hpp"

namespace weir::nn::vulkan {

/// Pixels of a tensor: rows top..bottom-1, columns left..right-1.
struct Rect {
  int top = 0, left = 0, bottom = 0, right = 0;
  int height() const { return bottom - top; }
  int width() const { return right - left; }
  bool empty() const { return bottom <= top || right <= left; }
  bool operator==(const Rect&) const = default;
  /// The smallest that holds both.
  Rect joined(const Rect& other) const {
    if (empty()) return other;
    if (other.empty()) return *this;
    return {std::min(top, other.top), std::min(left, other.left), std::max(bottom, other.bottom),
            std::max(right, other.right)};
  }
};
inline Rect full_rect(Extent extent) { return {0, 0, extent.height, extent.width}; }

/// Features lie in vectors of four channels; up to four channels are float32 in any precision.
int vector_count(const ProgramTensor& tensor);
Bytes pixel_bytes(const ProgramTensor& tensor, bool half);
/// The part of input `i` (the residual comes after the inputs) that `out` of an op's output needs: exactly it. `extent` by
/// tensor.
Rect input_rect(const Op& op, std::size_t i, Rect out, const std::vector<Extent>& extent);

/// The tensor that the picture is.
int input_tensor(const Program& program);

/// What is to be made of one tensor.
struct TileOutput {
  int tensor = -1;
  Rect rect;
  bool kept_to_end = true;  ///< to the end of the tile; else it is read as soon as it is made
};

/// One tile of work: which part of every tensor is made so that the goals can be, and where it lies while it is needed.
struct Tile {
  std::vector<TileOutput> outputs;
  std::vector<Rect> regions;           ///< by tensor; empty: not made
  std::vector<std::uint64_t> offsets;  ///< by tensor: bytes from the start of the arena
  Bytes arena_size;                    ///< of all of them, each for as long as it is needed
  Bytes largest_tensor;                ///< of one tensor
  int max_side_px = 0;                 ///< side of a tensor, in pixels
  double max_pixels = 0;               ///< of the tensor with the most
  double multiplications = 0;
};

/// Walks back from the goals. Offsets are multiples of `alignment`.
Tile make_tile(const Program& program, const std::vector<Extent>& extent, std::vector<TileOutput> outputs, bool half,
               std::uint64_t alignment);

}  // namespace weir::nn::vulkan
