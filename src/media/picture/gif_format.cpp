// GIF, through libvips and libnsgif.
#include "media/picture/container_metadata.hpp"
#include "media/picture/vips_decoder.hpp"

namespace weir::media {
namespace {

constexpr VipsLoading kGifLoading{.format = Format::gif,
                                  .load = &VipsApi::vips_gifload_source,
                                  .read_container = [](const InputFilePtr& file, int, Metadata& into) -> Status {
                                    read_gif_blocks(file, into);
                                    return ok();
                                  },
                                  .cost = {.bytes = 10, .deep_bytes = 10},
                                  .missing_is_transparent = true};

}  // namespace

Result<DecoderPtr> open_gif(InputFilePtr file, const ReadOptions& options) {
  return open_by_vips(kGifLoading, std::move(file), options);
}

}  // namespace weir::media
