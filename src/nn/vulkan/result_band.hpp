#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "nn/rows.hpp"
#include "nn/value_check.hpp"
#include "nn/vulkan/engine.hpp"
#include "nn/vulkan/tile.hpp"

namespace weir::nn::vulkan {

/// Judges the tiles of a result as they come back from a device, row of tiles by row of tiles, and passes them on as rows
/// as wide as the picture. Not thread-safe.
class ResultBand {
 public:
  /// `next_row` follows what was passed on; rows before it are not passed on again. All must outlive it.
  ResultBand(Extent extent, bool samples, const EngineOutput& output, int& next_row)
      : extent_{extent}, is_samples_{samples}, output_{output}, next_row_{next_row} {}

  /// The tile at `rect`, as the recorder's read_back laid it; changed by what takes the rows.
  /// Errors: bad_values; those of the output.
  Status add_tile(const Rect& rect, std::byte* tile, const ColourRange& range);

 private:
  Status add_planes(const Rect& rect, float* tile, const ColourRange& range);
  Status add_samples(const Rect& rect, const std::byte* tile, const ColourRange& range);
  Status emit_planes(Rect rect, float* planes);
  Status emit_samples(int top, int bottom, const std::uint8_t* samples, std::size_t row_bytes);
  /// Calls emit(first row, count) for a few rows at a time: the taker is quicker to stop, and needs less of its own.
  template <class Emit>
  Status emit_in_chunks(int top, int bottom, Emit&& emit);

  Extent extent_;
  bool is_samples_;
  const EngineOutput& output_;
  int& next_row_;
  std::vector<float> planes_;          // [3][h][w] of a row of tiles, where one tile is not as wide as the picture
  std::vector<std::uint8_t> samples_;  // [h][w][3] of it
  std::vector<bool> non_uniform_;      // by row of it
};

}  // namespace weir::nn::vulkan
