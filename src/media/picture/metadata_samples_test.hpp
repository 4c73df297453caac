#pragma once

// Small pictures that say things about themselves, for the tests of what is kept and what is told as lost.

#include <string>
#include <string_view>
#include <vector>

#include "media/picture/picture_samples_test.hpp"

namespace weir::media::test {

/// A chunk with its length and check sum.
Samples png_chunk(std::string_view type, std::string_view body);
/// An 8-bit RGB picture of 24 x 18 with further chunks before and behind the pixels.
Samples png_with_chunks(const Samples& before, const Samples& behind = {});
/// A segment with its marker and length.
Samples jpeg_segment(int marker, std::string_view body);
/// The same picture as JPEG, with further segments behind JFIF's and bytes behind the end.
Samples jpeg_with_segments(const Samples& segments, std::string_view behind = {});
/// A TIFF block of one directory with ASCII values: EXIF's, or MPF's with one number (tag 0xb001).
std::string make_exif_block(int orientation, std::string_view make);
/// With a text of Windows, a maker's private tag, a directory below with a maker note and newer tags, and a thumbnail.
std::string make_rich_exif_block();
std::string make_mpf_block(int pictures);
/// An image resource of Photoshop with IPTC: title and one keyword.
std::string photoshop_iptc();
Samples iptc_records();
Samples webp_with_frames(int frames);
Samples tiff_with_pages(int pages, bool tags);
Samples gif_with_comment(std::string_view comment);

struct MetadataSample {
  std::string name;  ///< of the file, with its extension
  Samples bytes;
  std::string expected_loss;  ///< a word that `lost` of an output to PNG has; empty: nothing is lost there
};
/// One of each kind of thing that a picture can say of itself or hold beside itself.
std::vector<MetadataSample> metadata_samples();

}  // namespace weir::media::test
