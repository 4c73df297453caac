#pragma once

// Drawn pictures, and files that our own writers do not make, for the tests of this folder.

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
/// Smooth shades with a few edges, the same every time.
Samples draw_rows(const PictureInfo& picture);

struct LoadedPicture {
  PictureInfo info;
  Samples rows;
  MetadataPtr metadata;
};
Result<LoadedPicture> load(const std::filesystem::path& path, int rows_at_once = 7);
Result<WriteReport> save(const std::filesystem::path& path, const WriteOptions& options, const Samples& rows);
WriteOptions options_for(Format format, const PictureInfo& rows, MetadataPtr metadata = nullptr);

/// The largest difference of two samples of the same form.
int largest_difference(const PictureInfo& picture, const Samples& a, const Samples& b);

Blob make_exif(int orientation);  ///< little-endian; orientation and a maker's name
Blob make_xmp();
Blob make_icc(bool grey);  ///< a small working profile: sRGB primaries with gamma 2.2, or grey
std::shared_ptr<Metadata> make_metadata(bool grey, int orientation = 1);

void write_test_file(const std::filesystem::path& path, const void* data, std::size_t size);
void write_test_file(const std::filesystem::path& path, const Samples& bytes);
Samples read_test_file(const std::filesystem::path& path);

Samples interlaced_png(const PictureInfo& picture, const Samples& rows);
Samples palette_png(int width, int height, int bits);  ///< index x + y; colour i is (i * 40, 255 - i * 40, i * 20)
Samples grey_png(int width, int height, int bits);     ///< 1, 2 or 4 bits: value (x + y) modulo 2^bits
Samples progressive_jpeg(const PictureInfo& picture, const Samples& rows);
Samples cmyk_jpeg(int width, int height);  ///< all (0, 255, 255, 0) as Adobe stores it: pure cyan
Samples bitmap(int width, int height, int depth, bool top_down);  ///< pixel (x, y) is (8x, 8y, 64), as exact as it can
Samples animated_gif(int width, int height);                      ///< first frame red, second blue

}  // namespace weir::media::test
