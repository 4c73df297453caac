#pragma once

#include "media/picture/metadata.hpp"
#include "media/picture/picture.hpp"

namespace weir::media {

/// Returns the part of `given` that an output file of the format stored.format can store.
/// - Members, and entries of `texts`, that the format cannot store are not in the result and are listed in report.lost.
///   The same applies to an ICC profile that is not for the colours of the picture, grey or RGB.
/// - The omissions of `given`, which the decoder recorded, are listed in report.lost and are not in the result.
/// - For formats that cannot store ColourInfo, the colour information becomes an ICC profile where that is possible;
///   sRGB needs none. Both cases are listed in report.kept, all others in report.lost. If `given` has an ICC profile
///   too, ColourInfo::cicp takes precedence over it; other colour information is dropped and not listed, because the
///   profile is more precise.
/// The encoder adds the members of the result to report.kept when it writes them.
/// given   null results in empty metadata
/// stored  format of the picture in the output; stored.format must be writable
MetadataPtr fit_metadata(const MetadataPtr& given, const PictureInfo& stored, WriteReport& report);

}  // namespace weir::media
