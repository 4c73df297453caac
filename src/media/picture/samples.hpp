#pragma once

#include <memory>

#include "media/picture/picture.hpp"
#include "media/picture/row_source.hpp"

namespace weir::media {

/// Rows of `from` turned into rows of `to`, which has the same size: 16 bits are rounded to 8, and alpha that `to` lacks
/// is flattened onto white.
std::unique_ptr<RowSource> adapt_rows(RowSource& rows, const PictureInfo& from, const PictureInfo& to);

}  // namespace weir::media
