#pragma once

// What the files recorder*.cpp share, above all conversions to the 32-bit words of push constants and specialisation
// constants. compute/kernels/vulkan/interface.glsl has the functions that unpack pairs from these words.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "nn/vulkan/tile.hpp"

namespace weir::nn::vulkan {

/// Converts an index, which must not be negative.
inline std::size_t to_index(int i) { return static_cast<std::size_t>(i); }
/// Returns the bits of `n`, which may be negative (two's complement).
inline std::uint32_t to_word(int n) { return static_cast<std::uint32_t>(n); }
/// Packs x into the lower and y into the upper 16 bits of a word.
inline std::uint32_t pack_pair(int x, int y) { return (to_word(x) & 0xFFFFU) | (to_word(y) << 16); }
/// Packs width and height of a rectangle in the same way.
inline std::uint32_t pack_size(const Rect& rect) { return pack_pair(rect.width(), rect.height()); }
/// Returns the number of groups of `per_group` elements that cover `n` elements.
inline std::uint32_t group_count(int n, int per_group) { return to_word((n + per_group - 1) / per_group); }

/// Converts the values of specialisation constants to words.
inline std::vector<std::uint32_t> to_words(std::initializer_list<int> values) {
  std::vector<std::uint32_t> words;
  for (const int value : values) words.push_back(to_word(value));
  return words;
}

/// Push constants of the kernels that read a rectangle of a tensor (planes_out.comp, mean_add.comp).
struct RectPush {
  std::uint32_t packed_offset = 0;  ///< pack_pair(x, y) of the rectangle's first pixel in the source
  std::uint32_t source_width = 0;   ///< width of the source in pixels
  std::uint32_t packed_size = 0;    ///< pack_size() of the rectangle
};

}  // namespace weir::nn::vulkan
