#include "media/picture/vips_need.hpp"

namespace weir::media {
namespace {

constexpr Bytes kVipsLibraryBytes = 33_MiB;  // memory of libvips, its hundred libraries and its modules
constexpr Bytes kVipsBuffers = 3_MiB;        // buffers that do not grow with the picture

}  // namespace

MediaNeed vips_need(const PictureInfo& picture, const PixelCost& cost) {
  MediaNeed sum{kVipsLibraryBytes + kVipsBuffers, Bytes{}, kVipsLibraryBytes};
  const auto pixels = static_cast<std::uint64_t>(picture.width) * static_cast<std::uint64_t>(picture.height);
  const auto colours = pixels * (picture.bits == 16 ? cost.bytes_at_16_bits : cost.bytes_at_8_bits);
  sum.ram += Bytes{colours};
  if (picture.alpha && cost.alpha_divisor > 0) sum.ram += Bytes{colours / cost.alpha_divisor};
  return sum;
}

}  // namespace weir::media
