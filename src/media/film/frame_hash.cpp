#include "media/film/frame_hash.hpp"

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}
#include <xxhash.h>

#include <memory>

namespace weir::film {
namespace {

struct StateFreer {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};

}  // namespace

std::uint64_t hash_frame(const AVFrame& frame) {
  const std::unique_ptr<XXH3_state_t, StateFreer> state{XXH3_createState()};
  if (!state || XXH3_64bits_reset(state.get()) == XXH_ERROR) return 0;
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
  const int planes = av_pix_fmt_count_planes(format);
  for (int plane = 0; plane < planes; ++plane) {
    const int row_bytes = av_image_get_linesize(format, frame.width, plane);
    const bool is_chroma = plane == 1 || plane == 2;
    const int rows = is_chroma ? AV_CEIL_RSHIFT(frame.height, description->log2_chroma_h) : frame.height;
    for (int y = 0; y < rows; ++y) {
      const std::uint8_t* row = frame.data[plane] + (static_cast<std::ptrdiff_t>(y) * frame.linesize[plane]);
      XXH3_64bits_update(state.get(), row, static_cast<std::size_t>(row_bytes));
    }
  }
  if ((description->flags & AV_PIX_FMT_FLAG_PAL) != 0) XXH3_64bits_update(state.get(), frame.data[1], AVPALETTE_SIZE);
  return XXH3_64bits_digest(state.get());
}

}  // namespace weir::film
