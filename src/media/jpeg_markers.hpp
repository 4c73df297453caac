#pragma once

#include <cstddef>
#include <cstdio>

#include <jpeglib.h>  // after the two above, which it needs

#include <string>
#include <vector>

#include "media/metadata.hpp"

namespace weir::media {

/// Fills icc from saved APP2 segments. An ICC profile with missing or doubled pieces is dropped.
void collect_jpeg_markers(jpeg_saved_marker_ptr first, Metadata& into);

/// The segment (without its marker and length; APP1, IPTC's APP13) that carries an EXIF block or the like; empty if it does not
/// fit into the 65,533 bytes of a segment.
Blob jpeg_exif_segment(const Blob& exif);
Blob jpeg_xmp_segment(const Blob& xmp);
Blob jpeg_iptc_segment(const Blob& iptc);

}  // namespace weir::media
