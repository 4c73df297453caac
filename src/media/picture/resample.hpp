#pragma once

#include <memory>

#include "media/picture/picture.hpp"
#include "media/picture/row_source.hpp"

namespace weir::media {

/// Returns a row source that resizes the picture from `rows` to width x height pixels. `rows` must outlive the
/// result.
///
/// Each output sample is a weighted sum of input samples (taps). The weights are those of a Lanczos kernel with three
/// lobes on each side, which is stretched when the picture shrinks. The sums are calculated in linear light, with
/// colours weighted by alpha. The sRGB curve is used for all pictures, also for those with another curve in their ICC
/// profile. The taps are summed in a fixed order, first along rows and then along columns, so that the result does not
/// depend on how many rows are read at a time.
/// from    format of `rows`
/// Errors  those of `rows`
/// Cost    time O(width * (from.height * taps along a row + height * taps along a column)); memory
///         resample_memory_need()
/// Source  Duchon, "Lanczos Filtering in One and Two Dimensions", J. Appl. Meteorology 18 (1979); the curve from
///         IEC 61966-2-1
std::unique_ptr<RowSource> resample_rows(RowSource& rows, const PictureInfo& from, int width, int height);

/// Returns the memory that the result of resample_rows() with the same arguments takes.
Bytes resample_memory_need(const PictureInfo& from, int width, int height);

}  // namespace weir::media
