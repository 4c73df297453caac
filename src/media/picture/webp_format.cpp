// WebP files: libvips and libwebp read and write them.
#include "media/picture/container_metadata.hpp"
#include "media/picture/vips_decoder.hpp"
#include "media/picture/vips_encoder.hpp"

namespace weir::media {
namespace {

// The values are chosen by measurement (docs/measurements.md): with the next higher effort, encoding takes several
// times as long and the file becomes only a tenth smaller.
constexpr int kWebpEffort = 4, kWebpLosslessEffort = 0;

// libwebp always allocates memory for alpha, so alpha adds nothing to the cost of a pixel.
constexpr VipsLoader kWebpLoader{
    .format = Format::webp,
    .load = &VipsApi::vips_webpload_source,
    .read_container_metadata = [](const InputFilePtr& file, int, Metadata& into) -> Status {
      read_webp_chunks(*file, into);
      return ok();
    },
    .cost = {.bytes_at_8_bits = 9, .bytes_at_16_bits = 9, .alpha_divisor = 0}};

int save_webp(const VipsApi& api, const EncodeJob& job, VipsImage* image, VipsTarget* target) {
  // Without the option `strip` libvips writes an EXIF block, even if the picture has no metadata.
  const gboolean lossless = is_lossless_job(job), strip_all = has_no_vips_metadata(*job.metadata);
  // Without loss "Q" is not a quality: libwebp takes it as one more effort setting.
  return api.vips_webpsave_target(image, target, "lossless", lossless, "effort",
                                  lossless ? kWebpLosslessEffort : kWebpEffort, "Q", lossless ? 75 : job.quality,
                                  "strip", strip_all, nullptr);
}

constexpr VipsSaver kWebpSaver{
    .save = save_webp,
    .cost = {.bytes_at_8_bits = 22, .bytes_at_16_bits = 22, .alpha_divisor = 0},
    .default_quality_cost = {.bytes_at_8_bits = 30, .bytes_at_16_bits = 30, .alpha_divisor = 0},
    .exif_reader = &VipsApi::vips_webpload_source};

}  // namespace

Result<DecoderPtr> open_webp(InputFilePtr file, const ReadOptions& options) {
  return open_with_vips(kWebpLoader, std::move(file), options);
}
Status encode_webp(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report) {
  return encode_with_vips(kWebpSaver, job, rows, sink, report);
}
MediaNeed encode_webp_need(const PictureInfo& picture, int quality) {
  return vips_encoder_need(kWebpSaver, picture, quality);
}

}  // namespace weir::media
