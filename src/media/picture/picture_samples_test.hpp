#pragma once

// Drawn pictures, and files that weir's writers do not make, for the tests of this folder.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "media/picture/metadata.hpp"
#include "media/picture/picture.hpp"

namespace weir::media::test {

using Samples = std::vector<std::byte>;

PictureInfo make_picture_info(int width, int height, int colours, bool alpha, int bits);
/// Draws smooth shades with a few edges; the result is always the same.
Samples draw_rows(const PictureInfo& picture);

struct LoadedPicture {
  PictureInfo info;
  Samples rows;
  MetadataPtr metadata;
};
/// Reads a whole picture, `rows_at_once` rows per call of read().
Result<LoadedPicture> load(const std::filesystem::path& path, int rows_at_once = 7);
/// Writes all rows into a file.
Result<WriteReport> save(const std::filesystem::path& path, const WriteOptions& options, const Samples& rows);
/// Returns options to write rows of the format `rows` as a file of `format`.
WriteOptions options_for(Format format, const PictureInfo& rows, MetadataPtr metadata = nullptr);

/// Returns the largest difference between the samples of two pictures of the same format.
int largest_difference(const PictureInfo& picture, const Samples& a, const Samples& b);

Blob make_exif(int orientation);  ///< little-endian, with the orientation and the name of a camera maker
Blob make_xmp();
Blob make_icc(bool grey);  ///< small valid profile with gamma 2.2: sRGB primaries, or grey
std::shared_ptr<Metadata> make_metadata(bool grey, int orientation = 1);

void write_test_file(const std::filesystem::path& path, const void* data, std::size_t size);
void write_test_file(const std::filesystem::path& path, const Samples& bytes);
Samples read_test_file(const std::filesystem::path& path);

Samples interlaced_png(const PictureInfo& picture, const Samples& rows);
/// pixel (x, y) has the index (x + y) modulo 2^bits; colour i is (i * 40, 255 - i * 40, i * 20)
Samples palette_png(int width, int height, int bits);
/// bits: 1, 2 or 4; pixel (x, y) has the value (x + y) modulo 2^bits
Samples grey_png(int width, int height, int bits);
Samples progressive_jpeg(const PictureInfo& picture, const Samples& rows);
Samples cmyk_jpeg(int width, int height);  ///< all pixels (0, 255, 255, 0) as Adobe stores them: pure cyan
/// pixel (x, y) is about (8x, 8y, 64); with depth 8 it is (8x, 0, 64)
Samples bitmap(int width, int height, int depth, bool top_down);
Samples animated_gif(int width, int height);  ///< first frame red, second blue

}  // namespace weir::media::test
