#pragma once

#include <memory>

#include "media/picture/picture.hpp"
#include "media/picture/row_source.hpp"

namespace weir::media {

/// Rows of `from` resized to width x height, pulled as needed.
///
/// A Lanczos kernel of three lobes, widened when shrinking, in linear light (the sRGB curve stands for the picture's own,
/// whose profile is not touched), with colour weighted by alpha. One number per axis and output sample, summed in fixed
/// order: the result does not depend on how many rows are read at a time.
/// Cost    O(height * width * taps); resample_memory() of float rows
/// Source  Duchon, "Lanczos Filtering in One and Two Dimensions", J. Appl. Meteorology 18 (1979); the curve from
///         IEC 61966-2-1
std::unique_ptr<RowSource> resample_rows(RowSource& rows, const PictureInfo& from, int width, int height);

Bytes resample_memory_need(const PictureInfo& from, int width, int height);

}  // namespace weir::media
