// JPEG XL, through libvips and libjxl.
#include "media/picture/jxl_container.hpp"
#include "media/picture/jxl_metadata.hpp"
#include "media/picture/vips_decoder.hpp"
#include "media/picture/vips_encoder.hpp"

namespace weir::media {
namespace {

// Chosen by measurement (docs/measurements.md): one step more effort costs several times the time for a tenth of the size.
constexpr int kJxlEffort = 5, kJxlLosslessEffort = 3;

constexpr VipsLoader kJxlLoader{.format = Format::jxl,
                                .load = &VipsApi::vips_jxlload_source,
                                .read_container_metadata = [](const InputFilePtr& file, int,
                                                              Metadata& into) { return read_jxl_metadata(file, into); },
                                .cost = {.bytes_at_8_bits = 7, .bytes_at_16_bits = 25}};

int save_jxl(const VipsApi& api, const EncodeJob& job, VipsImage* image, VipsTarget* target) {
  // A lossy file is stored in a colour space of its own; only a lossless one gives the profile back as it was.
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
