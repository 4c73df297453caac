#pragma once

// What the files of the recorder share: words as kernels/vulkan/interface.glsl has them.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "nn/vulkan/tile.hpp"

namespace weir::nn::vulkan {

inline std::size_t at(int i) { return static_cast<std::size_t>(i); }
inline std::uint32_t word(int n) { return static_cast<std::uint32_t>(n); }
/// x below y, 16 bits each; see kernels/vulkan/interface.glsl.
inline std::uint32_t pair(int x, int y) { return (word(x) & 0xFFFFU) | (word(y) << 16); }
inline std::uint32_t size_of(const Rect& rect) { return pair(rect.width(), rect.height()); }
inline std::uint32_t groups(int n, int per_group) { return word((n + per_group - 1) / per_group); }

inline std::vector<std::uint32_t> constants(std::initializer_list<int> values) {
  std::vector<std::uint32_t> words;
  for (const int value : values) words.push_back(word(value));
  return words;
}

/// A rectangle of a tensor.
struct RectPush {
  std::uint32_t offset = 0, width = 0, extent = 0;
};

}  // namespace weir::nn::vulkan
