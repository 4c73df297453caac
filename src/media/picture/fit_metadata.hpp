#pragma once

#include "media/picture/metadata.hpp"
#include "media/picture/picture.hpp"

namespace weir::media {

/// What a file of `stored.format`, which can be written, can say of `given` (null: nothing): members that the format has no
/// place for are empty, and told in report.lost, as is all that the decoder left out. Colour that only PNG can say becomes an
/// ICC profile. Encoders write what is there; carriable() tells in report.kept of colour alone.
MetadataPtr fit_metadata(const MetadataPtr& given, const PictureInfo& stored, WriteReport& report);

}  // namespace weir::media
