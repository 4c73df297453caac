#pragma once

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

// These functions read metadata that libvips or libtiff, which decode the files, do not report, such as comments and
// colour information. Data that weir does not copy to an output, such as further frames, is recorded with
// record_omission(). The functions never decode samples. They skip damaged parts without an error, because the decoder
// reports damage. They never replace an ICC profile, EXIF, XMP or IPTC block that `into` already has. The memory that
// they take is limited.

/// Reads the comments, XMP and the ICC profile of a GIF file. Records as omissions: comments, XMP packets and profiles
/// of more than about kMaxTextBytes, further frames, texts over the picture, unknown extensions and data after the
/// picture.
/// Source: CompuServe, GIF89a specification; XMP specification part 3, "GIF".
/// Cost: reads the file once up to its end marker.
void read_gif_blocks(const InputFilePtr& file, Metadata& into);

/// Records as omissions: further frames of a WebP file, chunks that libvips does not read (such as C2PA, data about the
/// origin of the picture), chunks with a profile, EXIF or XMP that `into` lacks, although libvips has read the file,
/// and data after the end of the RIFF container that the chunks are in.
/// Source: WebP Container Specification, "RIFF file format", "Extended file format".
void read_webp_chunks(const InputFile& file, Metadata& into);

/// Reads the XMP packet of a HEIF or AVIF file, and the colour space of the main picture if `into` has no ICC profile.
/// Records as omissions: further pictures and frames, auxiliary pictures (such as depth and gain maps, but not alpha,
/// which is decoded with the picture), thumbnails, HDR display data (boxes "clli" and "mdcv"), C2PA (data about the
/// origin of the picture), unknown items, and unknown boxes at the top level of the file.
/// Source: ISO/IEC 14496-12:2020, 8; ISO/IEC 23008-12:2017, 6 and 9; ISO/IEC 23000-22 (auxiliary pictures).
void read_heif_boxes(const InputFile& file, Metadata& into);

/// Reads the tags of the first page of a TIFF file: IPTC, the chromaticities of the primaries and of white, the tags
/// that EXIF defines too, and the texts that Windows adds. The tags of the last two kinds become an EXIF block,
/// together with the EXIF and GPS directories of the page. Records all other tags as omissions, except those that
/// describe the samples or are read elsewhere (resolution, XMP, ICC).
/// Source: TIFF 6.0; EXIF 2.3, 4.6; Adobe, "TIFF Technical Notes" (Photoshop's tags)
void read_tiff_tags(const InputFile& file, Metadata& into);

}  // namespace weir::media
