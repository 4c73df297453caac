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

/// Checks the tiles of a result as they arrive from the device, in the order of list_tiles(). When a row of tiles is
/// complete, passes it on to the output as rows of the full width. Not thread-safe.
class ResultBand {
 public:
  /// `extent` is that of the result. `samples`: the result is 8-bit samples, not planes. Rows before row
  /// `next_row` were passed on already and are skipped; `next_row` is updated with the rows that are passed on. `output` and `next_row` must outlive this
  /// object.
  ResultBand(Extent extent, bool samples, const EngineOutput& output, int& next_row)
      : extent_{extent}, is_samples_{samples}, output_{output}, next_row_{next_row} {}

  /// Adds the tile at `rect`, in the layout that Recorder::write_planes() or write_samples() writes. `range` is the
  /// range of the input picture's colours at the same place. The output may change the memory of `tile`.
  /// Errors: bad_values; those of the output.
  Status add_tile(const Rect& rect, std::byte* tile, const ColourRange& range);

 private:
  Status add_planes(const Rect& rect, float* tile, const ColourRange& range);
  Status add_samples(const Rect& rect, const std::byte* tile, const ColourRange& range);
  Status emit_planes(Rect rect, float* planes);
  Status emit_samples(int top, int bottom, const std::uint8_t* samples, std::size_t row_bytes);
  /// Calls emit(first row, count) for a few rows at a time, so that the output can stop early and needs little memory.
  template <class Emit>
  Status emit_in_chunks(int top, int bottom, Emit&& emit);

  Extent extent_;
  bool is_samples_;
  const EngineOutput& output_;
  int& next_row_;
  std::vector<float> planes_;          // [3][h][w] of a row of tiles; unused if one tile has the full width
  std::vector<std::uint8_t> samples_;  // [h][w][3] of a row of tiles; unused if one tile has the full width
  std::vector<bool> non_uniform_;      // for each pixel row of the row of tiles: it has several colours
};

}  // namespace weir::nn::vulkan
