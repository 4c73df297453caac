// JPEG XL, through libvips and libjxl.
#include "media/picture/jxl_container.hpp"
#include "media/picture/jxl_metadata.hpp"
#include "media/picture/vips_decoder.hpp"
#include "media/picture/vips_encoder.hpp"

namespace weir::media {
namespace {

// Chosen by measurement (docs/measurements.md): one step more effort costs several times the time for a tenth of the size.
constexpr int kJxlEffort = 5, kJxlLosslessEffort = 3;

constexpr VipsLoading kJxlLoading{
    .format = Format::jxl,
    .load = &VipsApi::vips_jxlload_source,
    .read_container = [](const InputFilePtr& file, int, Metadata& into) { return read_jxl_metadata(file, into); },
    .cost = {.bytes = 7, .deep_bytes = 25}};

int save_jxl(const VipsApi& api, const EncodeJob& job, VipsImage* image, VipsTarget* target) {
  // A lossy file is stored in a colour space of its own; only a lossless one gives the profile back as it was.
  const gboolean lossless = wants_lossless(job);
  return api.vips_jxlsave_target(image, target, "lossless", lossless, "effort",
                                 lossless ? kJxlLosslessEffort : kJxlEffort, "Q", lossless ? 100 : job.quality,
                                 nullptr);
}

constexpr VipsSaving kJxlSaving{.save = save_jxl,
                                .cost = {.bytes = 60, .deep_bytes = 66},
                                .lossless_cost = {.bytes = 76, .deep_bytes = 84},
                                .resolution_needs_exif = true,
                                .put_with_boxes = put_jxl_with_boxes};

}  // namespace

Result<DecoderPtr> open_jxl(InputFilePtr file, const ReadOptions& options) {
  return open_by_vips(kJxlLoading, std::move(file), options);
}
Status encode_jxl(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report) {
  return encode_by_vips(kJxlSaving, job, rows, sink, report);
}
MediaNeed encode_jxl_need(const PictureInfo& picture, int quality) {
  return vips_encoder_need(kJxlSaving, picture, quality);
}

}  // namespace weir::media
