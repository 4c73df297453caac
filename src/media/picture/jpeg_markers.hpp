#pragma once

#include <cstddef>
#include <cstdio>

#include <jpeglib.h>  // after the two above, which it needs

#include <string>
#include <string_view>
#include <vector>

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

/// How the segments begin that carry XMP (XMP specification part 3, "JPEG") and IPTC-NAA (in an image resource).
inline constexpr std::string_view kJpegXmp{"http://ns.adobe.com/xap/1.0/\0", 29};
inline constexpr std::string_view kJpegPhotoshop{"Photoshop 3.0\0", 14};

/// Bytes that libjpeg holds if it saves all segments of a kind that stand in front of the pixels; the count stops beyond
/// `most`.
std::uint64_t count_jpeg_saved_bytes(const InputFilePtr& file, int marker, std::uint64_t limit);

/// The segment (without its marker and length; APP1, IPTC's APP13) that carries an EXIF block or the like; empty if it does not
/// fit into the 65,533 bytes of a segment.
Blob make_jpeg_exif_segment(const Blob& exif);
Blob make_jpeg_xmp_segment(const Blob& xmp);
Blob make_jpeg_iptc_segment(const Blob& iptc);

}  // namespace weir::media
