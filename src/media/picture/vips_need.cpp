#include "media/picture/vips_need.hpp"

namespace weir::media {
namespace {

constexpr Bytes kVipsLibraryBytes = 33_MiB;  // libvips, its hundred libraries and its modules, once they are loaded
constexpr Bytes kWorking = 3_MiB;            // buffers that do not grow with the picture

std::uint64_t pixels(const PictureInfo& picture) {
  return static_cast<std::uint64_t>(picture.width) * static_cast<std::uint64_t>(picture.height);
}

// Bytes a pixel, of colour alone.
std::uint64_t decoder_bytes(const PictureInfo& picture) {
  const bool deep = picture.bits == 16;
  switch (picture.format) {
    case Format::webp:
      return 9;
    case Format::avif:
    case Format::heif:
      return deep ? 30 : 17;
    case Format::jxl:
      return deep ? 25 : 7;
    case Format::gif:
      return 10;
    case Format::jpg:
      return 12;  // CMYK, which may be progressive
    default:
      return 0;
  }
}

std::uint64_t encoder_bytes(const PictureInfo& picture, bool lossless) {
  const bool deep = picture.bits == 16;
  switch (picture.format) {
    case Format::webp:
      return lossless ? 30 : 22;
    case Format::avif:
      return deep ? 60 : 46;
    case Format::jxl:
      return lossless ? (deep ? 84 : 76) : (deep ? 66 : 60);
    default:
      return 0;
  }
}

// Alpha is one more plane beside three, in AVIF one more picture; libwebp always has room for it.
Bytes with_alpha(std::uint64_t bytes, const PictureInfo& picture) {
  if (!picture.alpha || picture.format == Format::webp) return Bytes{bytes};
  return Bytes{bytes + bytes / (picture.format == Format::avif ? 2 : 3)};
}

}  // namespace

MediaNeed vips_decoder_need(const PictureInfo& picture, std::uint64_t file_size, std::uint32_t strip_rows) {
  MediaNeed sum{kVipsLibraryBytes + kWorking, Bytes{}, kVipsLibraryBytes};
  sum.ram += with_alpha(pixels(picture) * decoder_bytes(picture), picture);
  const auto row = Bytes{picture.row_bytes()};
  if (picture.format == Format::tiff) {
    // A strip as it is stored and as it is decoded.
    const auto height = static_cast<std::uint32_t>(picture.height);
    sum.ram += row * (strip_rows == 0 || strip_rows > height ? height : strip_rows) * 2;
  } else {
    sum.ram += Bytes{file_size};
  }
  sum.ram += row * 64;
  return sum;
}

MediaNeed vips_encoder_need(const PictureInfo& picture, int quality) {
  MediaNeed sum{kVipsLibraryBytes + kWorking, Bytes{}, kVipsLibraryBytes};
  sum.ram += with_alpha(pixels(picture) * encoder_bytes(picture, quality < 0), picture);
  sum.ram += Bytes{picture.row_bytes()} * 256;
  return sum;
}

}  // namespace weir::media
