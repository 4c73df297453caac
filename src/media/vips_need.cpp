#include "media/vips_need.hpp"

#include <algorithm>

namespace weir::media {
namespace {

constexpr Bytes kLibrary = 34_MiB;  // libvips, its hundred libraries and its modules, once they are loaded

std::uint64_t pixels(const PictureInfo& picture) {
  return static_cast<std::uint64_t>(picture.width) * static_cast<std::uint64_t>(picture.height);
}

}  // namespace

MediaNeed vips_decoder_need(const PictureInfo& picture, std::uint32_t strip_rows) {
  MediaNeed sum{kLibrary, Bytes{}};
  sum.ram += Bytes{pixels(picture)} * 16 + Bytes{picture.row_bytes()} * strip_rows;
  return sum;
}

MediaNeed vips_encoder_need(const PictureInfo& picture, Format) {
  return {kLibrary + Bytes{pixels(picture)} * 40, Bytes{}};
}

}  // namespace weir::media
