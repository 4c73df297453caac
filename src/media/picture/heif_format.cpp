// AVIF and HEIF files: libvips and libheif read both and write AVIF. Both formats have the same container.
#include "media/picture/container_metadata.hpp"
#include "media/picture/vips_decoder.hpp"
#include "media/picture/vips_encoder.hpp"

namespace weir::media {
namespace {

// Default quality, and effort. The effort is chosen by measurement (docs/measurements.md): with the next higher one,
// encoding takes several times as long and the file becomes only a tenth smaller.
constexpr int kAvifQuality = 90, kAvifEffort = 1;

Status read_boxes(const InputFilePtr& file, int, Metadata& into) {
  read_heif_boxes(*file, into);
  return ok();
}

// Alpha is a separate picture in the file. In AVIF files it takes more memory than one more sample, as measured.
constexpr VipsLoader kAvifLoader{.format = Format::avif,
                                 .load = &VipsApi::vips_heifload_source,
                                 .read_container_metadata = read_boxes,
                                 .cost = {.bytes_at_8_bits = 17, .bytes_at_16_bits = 30, .alpha_divisor = 2}};
constexpr VipsLoader kHeifLoader{.format = Format::heif,
                                 .load = &VipsApi::vips_heifload_source,
                                 .read_container_metadata = read_boxes,
                                 .cost = {.bytes_at_8_bits = 17, .bytes_at_16_bits = 30}};

int save_avif(const VipsApi& api, const EncodeJob& job, VipsImage* image, VipsTarget* target) {
  // Without the option `strip` libvips writes an EXIF block, even if the picture has no metadata.
  const gboolean strip_all = has_no_vips_metadata(*job.metadata);
  // AV1 has at most 12 bits per sample.
  return api.vips_heifsave_target(image, target, "compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "Q",
                                  job.quality < 0 ? kAvifQuality : job.quality, "effort", kAvifEffort, "bitdepth",
                                  job.picture.bits == 16 ? 12 : 8, "strip", strip_all, nullptr);
}

constexpr VipsSaver kAvifSaver{
    .save = save_avif,
    .cost = {.bytes_at_8_bits = 46, .bytes_at_16_bits = 60, .alpha_divisor = 2},
    .default_quality_cost = {.bytes_at_8_bits = 46, .bytes_at_16_bits = 60, .alpha_divisor = 2},
    .exif_reader = &VipsApi::vips_heifload_source};

}  // namespace

Result<DecoderPtr> open_avif(InputFilePtr file, const ReadOptions& options) {
  return open_with_vips(kAvifLoader, std::move(file), options);
}
Result<DecoderPtr> open_heif(InputFilePtr file, const ReadOptions& options) {
  return open_with_vips(kHeifLoader, std::move(file), options);
}
Status encode_avif(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report) {
  return encode_with_vips(kAvifSaver, job, rows, sink, report);
}
MediaNeed encode_avif_need(const PictureInfo& picture, int quality) {
  return vips_encoder_need(kAvifSaver, picture, quality);
}

}  // namespace weir::media
