// JPEG XL files: libvips and libjxl read and write them.
#include "media/picture/jxl_container.hpp"
#include "media/picture/jxl_metadata.hpp"
#include "media/picture/vips_decoder.hpp"
#include "media/picture/vips_encoder.hpp"

namespace weir::media {
namespace {

// The values are chosen by measurement (docs/measurements.md): with the next higher effort, encoding takes several
// times as long and the file becomes only a tenth smaller.
constexpr int kJxlEffort = 5, kJxlLosslessEffort = 3;

constexpr VipsLoader kJxlLoader{.format = Format::jxl,
                                .load = &VipsApi::vips_jxlload_source,
                                .read_container_metadata = [](const InputFilePtr& file, int,
                                                              Metadata& into) { return read_jxl_metadata(file, into); },
                                .cost = {.bytes_at_8_bits = 7, .bytes_at_16_bits = 25}};

int save_jxl(const VipsApi& api, const EncodeJob& job, VipsImage* image, VipsTarget* target) {
  // A lossy file is stored in a different colour space; only a lossless file returns the profile unchanged.
  const gboolean lossless = is_lossless_job(job);
  return api.vips_jxlsave_target(image, target, "lossless", lossless, "effort",
                                 lossless ? kJxlLosslessEffort : kJxlEffort, "Q", lossless ? 100 : job.quality,
                                 nullptr);
}

constexpr VipsSaver kJxlSaver{.save = save_jxl,
                              .cost = {.bytes_at_8_bits = 60, .bytes_at_16_bits = 66},
                              .default_quality_cost = {.bytes_at_8_bits = 76, .bytes_at_16_bits = 84},
                              .resolution_needs_exif = true,
                              .write_with_boxes = write_jxl_with_metadata};

}  // namespace

Result<DecoderPtr> open_jxl(InputFilePtr file, const ReadOptions& options) {
  return open_with_vips(kJxlLoader, std::move(file), options);
}
Status encode_jxl(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report) {
  return encode_with_vips(kJxlSaver, job, rows, sink, report);
}
MediaNeed encode_jxl_need(const PictureInfo& picture, int quality) {
  return vips_encoder_need(kJxlSaver, picture, quality);
}

}  // namespace weir::media
