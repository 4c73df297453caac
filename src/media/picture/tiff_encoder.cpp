// Writes TIFF files with libvips and libtiff. libvips 8.14 does not write EXIF and IPTC tags, so add_tiff_tags() adds
// them to the finished file.
#include "media/picture/tiff_extra_tags.hpp"
#include "media/picture/tiff_tree.hpp"
#include "media/picture/vips_encoder.hpp"

namespace weir::media {
namespace {

Status add_tiff_metadata(int fd, const Metadata& metadata, const std::string& name, WriteReport& report) {
  if (metadata.exif.empty() && metadata.iptc.empty()) return ok();
  auto added = add_tiff_tags(fd, metadata, name);
  // unsupported: the tags do not fit; the file is complete without them
  if (!added && added.error().code != Errc::unsupported) return added;
  const auto report_result = [&](const Blob& blob, const char* data_name) {
    if (blob.empty()) return;
    if (added)
      report.kept.emplace_back(data_name);
    else
      report.lost.push_back(std::string{data_name} + " (the tiff file is too large for it)");
  };
  report_result(metadata.exif, "exif");
  auto tree = read_tiff_tree(metadata.exif);
  if (added && tree && tree->has_next) report.lost.emplace_back("thumbnail of exif (tiff has no place for it)");
  if (const auto unread = tree ? remove_unread_tags(*tree) : std::vector<std::uint16_t>{}; added && !unread.empty())
    report.lost.push_back("exif tags (too large for tiff:" + list_tag_numbers(unread) + ")");
  report_result(metadata.iptc, "iptc");
  return ok();
}

constexpr VipsSaver kTiffSaver{.save =
                                   [](const VipsApi& api, const EncodeJob&, VipsImage* image, VipsTarget* target) {
                                     return api.vips_tiffsave_target(image, target, "compression",
                                                                     VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE, "predictor",
                                                                     VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, nullptr);
                                   },
                               .passes_exif = false,
                               .add_tags = add_tiff_metadata};

}  // namespace

Status encode_tiff(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report) {
  return encode_with_vips(kTiffSaver, job, rows, sink, report);
}
MediaNeed encode_tiff_need(const PictureInfo& picture, int quality) {
  return vips_encoder_need(kTiffSaver, picture, quality);
}

}  // namespace weir::media
