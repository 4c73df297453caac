// GIF files: libvips and libnsgif read them.
#include "media/picture/container_metadata.hpp"
#include "media/picture/vips_decoder.hpp"

namespace weir::media {
namespace {

constexpr VipsLoader kGifLoader{.format = Format::gif,
                                .load = &VipsApi::vips_gifload_source,
                                .read_container_metadata = [](const InputFilePtr& file, int, Metadata& into) -> Status {
                                  read_gif_blocks(file, into);
                                  return ok();
                                },
                                .cost = {.bytes_at_8_bits = 10, .bytes_at_16_bits = 10},
                                .missing_pixels_are_transparent = true};

}  // namespace

Result<DecoderPtr> open_gif(InputFilePtr file, const ReadOptions& options) {
  return open_with_vips(kGifLoader, std::move(file), options);
}

}  // namespace weir::media
