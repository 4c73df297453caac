// WebP, through libvips and libwebp.
#include "media/picture/container_metadata.hpp"
#include "media/picture/vips_decoder.hpp"
#include "media/picture/vips_encoder.hpp"

namespace weir::media {
namespace {

// Chosen by measurement (docs/measurements.md): one step more effort costs several times the time for a tenth of the size.
constexpr int kWebpEffort = 4, kWebpLosslessEffort = 0;

// libwebp always has room for alpha, hence no share of it in what a pixel costs.
constexpr VipsLoading kWebpLoading{.format = Format::webp,
                                   .load = &VipsApi::vips_webpload_source,
                                   .read_container = [](const InputFilePtr& file, int, Metadata& into) -> Status {
                                     read_webp_chunks(*file, into);
                                     return ok();
                                   },
                                   .cost = {.bytes = 9, .deep_bytes = 9, .alpha_share = 0}};

int save_webp(const VipsApi& api, const EncodeJob& job, VipsImage* image, VipsTarget* target) {
  const gboolean lossless = wants_lossless(job), bare = is_bare(*job.metadata);
  return api.vips_webpsave_target(image, target, "lossless", lossless, "effort",
                                  lossless ? kWebpLosslessEffort : kWebpEffort, "Q", lossless ? 75 : job.quality,
                                  "strip", bare, nullptr);
}

// An EXIF block is written with the resolution in it, also when there was none.
constexpr VipsSaving kWebpSaving{.save = save_webp,
                                 .cost = {.bytes = 22, .deep_bytes = 22, .alpha_share = 0},
                                 .lossless_cost = {.bytes = 30, .deep_bytes = 30, .alpha_share = 0},
                                 .exif_reader = &VipsApi::vips_webpload_source};

}  // namespace

Result<DecoderPtr> open_webp(InputFilePtr file, const ReadOptions& options) {
  return open_by_vips(kWebpLoading, std::move(file), options);
}
Status encode_webp(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report) {
  return encode_by_vips(kWebpSaving, job, rows, sink, report);
}
MediaNeed encode_webp_need(const PictureInfo& picture, int quality) {
  return vips_encoder_need(kWebpSaving, picture, quality);
}

}  // namespace weir::media
