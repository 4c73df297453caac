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

// The part of a JPEG file before the pixels consists of segments. A segment has a marker (two bytes, such as APP1), a
// length (two bytes) and content.

/// The first bytes of the content of a segment with XMP. Source: XMP specification part 3, "JPEG".
inline constexpr std::string_view kJpegXmp{"http://ns.adobe.com/xap/1.0/\0", 29};
/// The first bytes of the content of a segment with Photoshop's image resources, which contain IPTC.
inline constexpr std::string_view kJpegPhotoshop{"Photoshop 3.0\0", 14};

/// Returns the number of bytes that libjpeg would hold in memory if it saved all segments with this marker that come
/// before the pixels. Stops counting when the sum exceeds `limit`.
/// marker  second byte of the marker, such as 0xe1 for APP1
std::uint64_t count_jpeg_saved_bytes(const InputFilePtr& file, int marker, std::uint64_t limit);

// These functions make the content of a segment, for a marker that the caller writes: APP1 for EXIF and XMP, APP13 for
// IPTC. The result is empty if it would exceed the 65,533 bytes that a segment can contain.
Blob make_jpeg_exif_segment(const Blob& exif);
Blob make_jpeg_xmp_segment(const Blob& xmp);
Blob make_jpeg_iptc_segment(const Blob& iptc);

}  // namespace weir::media
