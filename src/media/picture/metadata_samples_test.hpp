#pragma once

// Small pictures with metadata, for the tests of kept and lost metadata.

#include <string>
#include <string_view>
#include <vector>

#include "media/picture/picture_samples_test.hpp"

namespace weir::media::test {

/// Makes a PNG chunk: length, type, data and checksum.
Samples png_chunk(std::string_view type, std::string_view body);
/// Makes a PNG file of 24 x 18 pixels, 8-bit RGB, with additional chunks before and after (`behind`) the pixels.
Samples png_with_chunks(const Samples& before, const Samples& behind = {});
/// Makes a JPEG segment: marker, length and content. `marker` is the second byte of the marker.
Samples jpeg_segment(int marker, std::string_view body);
/// Makes a JPEG file of the same size, with additional segments after the JFIF segment, and the bytes `behind` after
/// the end marker.
Samples jpeg_with_segments(const Samples& segments, std::string_view behind = {});
/// Makes an EXIF block with the orientation and the name of a camera maker.
std::string make_exif_block(int orientation, std::string_view make);
/// Makes an EXIF block with rare data: a title as Windows writes it, a private tag of a camera maker, a subdirectory
/// with a maker note and newer tags, and a thumbnail.
std::string make_rich_exif_block();
/// Makes an MPF block (index of a JPEG file with several pictures) that contains only the number of pictures (tag
/// 0xb001).
std::string make_mpf_block(int pictures);
/// Makes the content of a JPEG segment with an image resource of Photoshop that contains iptc_records().
std::string photoshop_iptc();
Samples iptc_records();  ///< IPTC records: title and one keyword
Samples webp_with_frames(int frames);
Samples tiff_with_pages(int pages, bool tags);  ///< `tags`: with EXIF tags and IPTC
Samples gif_with_comment(std::string_view comment);

struct MetadataSample {
  std::string name;  ///< file name with its extension
  Samples bytes;
  std::string expected_loss;  ///< word that WriteReport::lost of a PNG output must contain; empty: nothing is lost
};
/// Makes one sample for each kind of metadata and additional data that a picture file can have.
std::vector<MetadataSample> metadata_samples();

}  // namespace weir::media::test
