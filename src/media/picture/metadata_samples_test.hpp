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
Samples png_with(const Samples& before, const Samples& behind = {});
/// A segment with its marker and length.
Samples jpeg_segment(int marker, std::string_view body);
/// The same picture as JPEG, with further segments behind JFIF's and bytes behind the end.
Samples jpeg_with(const Samples& segments, std::string_view behind = {});
/// A TIFF block of one directory with ASCII values: EXIF's, or MPF's with one number (tag 0xb001).
std::string exif_with(int orientation, std::string_view make);
/// With a text of Windows, a maker's private tag, a directory below with a maker note and newer tags, and a thumbnail.
std::string rich_exif();
std::string mpf_of(int pictures);
/// An image resource of Photoshop with IPTC: title and one keyword.
std::string photoshop_iptc();
Samples iptc_records();
Samples animated_webp(int frames);
Samples pages_tiff(int pages, bool tags);
Samples gif_with(std::string_view comment);

struct Sample {
  std::string name;  ///< of the file, with its extension
  Samples bytes;
  std::string lost;  ///< a word that `lost` of an output to PNG has; empty: nothing is lost there
};
/// One of each kind of thing that a picture can say of itself or hold beside itself.
std::vector<Sample> metadata_samples();

}  // namespace weir::media::test
