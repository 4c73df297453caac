#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/scratch_file.hpp"
#include "media/picture/encoder.hpp"
#include "media/picture/jxl_container.hpp"
#include "media/picture/tiff_extra_tags.hpp"
#include "media/picture/tiff_tree.hpp"
#include "media/picture/vips_api.hpp"
#include "media/picture/vips_need.hpp"

namespace weir::media {
namespace {

// Chosen by measurement (docs/measurements.md): one step more effort costs several times the time for a tenth of the size.
constexpr int kAvifQuality = 90, kAvifEffort = 1;
constexpr int kJxlEffort = 5, kJxlLosslessEffort = 3;
constexpr int kWebpEffort = 4, kWebpLosslessEffort = 0;

using ImageRef = VipsRef<VipsImage>;

/// What the callback of libvips needs to fetch the next rows.
struct Pull {
  RowSource& rows;
  std::size_t row_bytes;
  int width;
  int next = 0;
  Status state = ok();
};

// Called in order, from the top down, because libvips was given one thread and thin strips.
int generate(VipsRegion* out, void*, void* user, void*, gboolean*) {
  auto& pull = *static_cast<Pull*>(user);
  const auto& area = out->valid;
  if (pull.state && (area.left != 0 || area.width != pull.width || area.top != pull.next))
    pull.state = Error{Errc::unsupported, "libvips asked for rows out of order"};
  for (int i = 0; i < area.height && pull.state; ++i, ++pull.next)
    pull.state = pull.rows.read({region_row(out, area.top + i), pull.row_bytes});
  return pull.state ? 0 : -1;
}

class VipsEncoder {
 public:
  VipsEncoder(const VipsApi& api, const EncodeJob& job, Format format, ByteSink& sink)
      : api_{api}, job_{job}, format_{format}, sink_{sink} {}
  ~VipsEncoder() { api_.vips_thread_shutdown(); }
  VipsEncoder(const VipsEncoder&) = delete;
  VipsEncoder& operator=(const VipsEncoder&) = delete;

  Status encode(RowSource& rows, WriteReport& report);

 private:
  Result<ImageRef> make_image(Pull& pull);
  void put_metadata(VipsImage* image, WriteReport& report);
  int save(VipsImage* image, VipsTarget* target);
  Status save_to(int fd, VipsImage* image, const Pull& pull);
  Status finish_tiff(int fd, WriteReport& report);
  void tell_dropped_tags(int fd, WriteReport& report);
  Status deliver(int fd);
  Error failure(const std::string& where) const {
    return Error{Errc::io, sink_.name() + ": " + where + ": " + api_.take_error()};
  }

  const VipsApi& api_;
  const EncodeJob& job_;
  Format format_;
  ByteSink& sink_;
};

Result<ImageRef> VipsEncoder::make_image(Pull& pull) {
  const auto& picture = job_.picture;
  const bool deep = picture.bits == 16, grey = picture.colours == 1;
  ImageRef image{api_, api_.vips_image_new()};
  const auto type = grey ? (deep ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W)
                         : (deep ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB);
  const auto& metadata = *job_.metadata;
  const bool sized = metadata.dots_per_mm_x > 0;
  api_.vips_image_init_fields(image.get(), picture.width, picture.height, picture.channels(),
                              deep ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR, VIPS_CODING_NONE, type,
                              sized ? metadata.dots_per_mm_x : 1.0, sized ? metadata.dots_per_mm_y : 1.0);
  if (api_.vips_image_pipelinev(image.get(), VIPS_DEMAND_STYLE_THINSTRIP, nullptr) != 0 ||
      api_.vips_image_generate(image.get(), nullptr, generate, nullptr, &pull, nullptr) != 0)
    return failure("prepare");
  return image;
}

// What libvips 8.14 does with each: an EXIF block is written to WebP and AVIF, with the resolution in it (also when there
// was none), and TIFF gets its tags for EXIF and IPTC from us. JPEG XL gets boxes of ours afterwards.
void VipsEncoder::put_metadata(VipsImage* image, WriteReport& report) {
  const auto& metadata = *job_.metadata;
  const auto put = [&](const char* field, const char* name, const Blob& blob) {
    if (blob.empty()) return;
    api_.vips_image_set_blob_copy(image, field, blob.data(), blob.size());
    report.kept.emplace_back(name);
  };
  put(VIPS_META_ICC_NAME, "icc", metadata.icc);
  put(VIPS_META_XMP_NAME, "xmp", metadata.xmp);
  if (format_ != Format::tiff) {  // which gets it afterwards, by finish_tiff()
    put(VIPS_META_EXIF_NAME, "exif", metadata.exif.empty() ? Blob{} : exif_with_prefix(metadata.exif));
  }
  if (metadata.dots_per_mm_x <= 0) return;
  if (format_ == Format::jxl && !exif_has_resolution(metadata.exif))
    report.lost.emplace_back("resolution (jxl has no place for it but exif, and there is none)");
  else
    report.kept.emplace_back("resolution");
}

int VipsEncoder::save(VipsImage* image, VipsTarget* target) {
  const int quality = job_.quality;
  const gboolean lossless = quality < 0;  // where the format has it
  const auto& metadata = *job_.metadata;
  const gboolean bare =
      metadata.icc.empty() && metadata.exif.empty() && metadata.xmp.empty() && metadata.dots_per_mm_x <= 0;
  switch (format_) {
    case Format::webp:
      return api_.vips_webpsave_target(image, target, "lossless", lossless, "effort",
                                       lossless ? kWebpLosslessEffort : kWebpEffort, "Q", lossless ? 75 : quality,
                                       "strip", bare, nullptr);
    case Format::avif:
      return api_.vips_heifsave_target(image, target, "compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "Q",
                                       quality < 0 ? kAvifQuality : quality, "effort", kAvifEffort, "bitdepth",
                                       job_.picture.bits == 16 ? 12 : 8, "strip", bare, nullptr);
    case Format::jxl:
      // A lossy file is stored in a colour space of its own; only a lossless one gives the profile back as it was.
      return api_.vips_jxlsave_target(image, target, "lossless", lossless, "effort",
                                      lossless ? kJxlLosslessEffort : kJxlEffort, "Q", lossless ? 100 : quality,
                                      nullptr);
    default:
      return api_.vips_tiffsave_target(image, target, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE, "predictor",
                                       VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, nullptr);
  }
}

Status VipsEncoder::save_to(int fd, VipsImage* image, const Pull& pull) {
  const VipsRef<VipsTarget> target{api_, api_.vips_target_new_to_descriptor(fd)};
  if (target.get() == nullptr) return failure("open");
  if (save(image, target.get()) == 0) return ok();
  auto error = failure(std::string{name_of(format_)});
  return pull.state ? Status{std::move(error)} : pull.state;
}

// libvips hands EXIF to libexif, which drops tags that it does not know: what came into the file is read again.
void VipsEncoder::tell_dropped_tags(int fd, WriteReport& report) {
  const auto& exif = job_.metadata->exif;
  if (exif.empty() || (format_ != Format::webp && format_ != Format::avif)) return;
  const VipsRef<VipsSource> source{api_, api_.vips_source_new_from_descriptor(fd)};
  VipsImage* loaded = nullptr;
  const int problem = format_ == Format::webp ? api_.vips_webpload_source(source.get(), &loaded, nullptr)
                                              : api_.vips_heifload_source(source.get(), &loaded, nullptr);
  if (problem != 0) (void)api_.take_error();
  const ImageRef image{api_, loaded};
  const void* data = nullptr;
  std::size_t size = 0;
  if (problem == 0 && api_.vips_image_get_typeof(loaded, VIPS_META_EXIF_NAME) == api_.vips_blob_get_type())
    (void)api_.vips_image_get_blob(loaded, VIPS_META_EXIF_NAME, &data, &size);
  const auto written = exif_body({static_cast<const std::byte*>(data), size});
  const auto missing = missing_tags(exif, written);
  if (missing.empty()) return;
  std::string names;
  constexpr std::size_t kMostNamed = 8;
  for (std::size_t i = 0; i < std::min(missing.size(), kMostNamed); ++i) names += fmt::format(" {:#06x}", missing[i]);
  const std::string more = missing.size() > kMostNamed ? fmt::format(" and {} more", missing.size() - kMostNamed) : "";
  report.lost.push_back(fmt::format("exif tags (not written into {}:{}{})", name_of(format_), names, more));
}

Status VipsEncoder::finish_tiff(int fd, WriteReport& report) {
  const auto& metadata = *job_.metadata;
  if (format_ != Format::tiff || (metadata.exif.empty() && metadata.iptc.empty())) return ok();
  auto added = add_tiff_tags(fd, metadata, sink_.name());
  if (!added && added.error().code != Errc::unsupported) return added;
  const auto tell = [&](const Blob& blob, const char* what) {
    if (blob.empty()) return;
    if (added)
      report.kept.emplace_back(what);
    else
      report.lost.push_back(std::string{what} + " (the tiff file is too large for it)");
  };
  tell(metadata.exif, "exif");
  const auto tree = read_tiff_tree(metadata.exif);
  if (added && tree && tree->followed) report.lost.emplace_back("thumbnail of exif (tiff has no place for it)");
  tell(metadata.iptc, "iptc");
  return ok();
}

// TIFF is written with seeks from the start of the file, which a pipe cannot do, and the boxes of JPEG XL stand in front
// of what libvips writes: then the file passes through one without a name.
Status VipsEncoder::encode(RowSource& rows, WriteReport& report) {
  Pull pull{rows, job_.picture.row_bytes(), job_.picture.width};
  auto image = make_image(pull);
  if (!image) return image.error();
  put_metadata(image->get(), report);
  const bool boxes = format_ == Format::jxl && (!job_.metadata->exif.empty() || !job_.metadata->xmp.empty());
  const int flags = ::fcntl(sink_.fd(), F_GETFL);
  const bool from_start = ::lseek(sink_.fd(), 0, SEEK_CUR) == 0 && (flags & O_APPEND) == 0;
  const bool readable = (flags & O_ACCMODE) == O_RDWR;  // tags are added to what was written, or looked for in it
  const bool tags = !job_.metadata->exif.empty() || !job_.metadata->iptc.empty();
  if (from_start && !boxes && (readable || !tags)) {
    if (auto saved = save_to(sink_.fd(), image->get(), pull); !saved) return saved;
    if (auto added = finish_tiff(sink_.fd(), report); !added) return added;
    tell_dropped_tags(sink_.fd(), report);
    struct stat about {};
    if (::fstat(sink_.fd(), &about) == 0) sink_.count_written(static_cast<std::uint64_t>(about.st_size));
    return ok();
  }
  auto scratch = open_scratch_file({});
  if (!scratch) return scratch.error();
  if (auto saved = save_to(scratch->get(), image->get(), pull); !saved) return saved;
  if (auto added = finish_tiff(scratch->get(), report); !added) return added;
  tell_dropped_tags(scratch->get(), report);
  return boxes ? put_jxl_with_boxes(scratch->get(), *job_.metadata, sink_) : deliver(scratch->get());
}

Status VipsEncoder::deliver(int fd) {
  std::byte piece[16384];
  for (off_t at = 0;;) {
    const auto got = ::pread(fd, piece, sizeof piece, at);
    if (got < 0) return Error{Errc::io, sink_.name() + ": " + errno_text(errno)};
    if (got == 0) return sink_.flush();
    if (auto put = sink_.put({piece, static_cast<std::size_t>(got)}); !put) return put;
    at += got;
  }
}

}  // namespace

Status encode_other(const EncodeJob& job, Format format, RowSource& rows, ByteSink& sink, WriteReport& report) {
  auto api = VipsApi::get();
  if (!api) return Error{api.error().code, sink.name() + ": " + std::string{name_of(format)} + " " + api.error().what};
  return VipsEncoder{**api, job, format, sink}.encode(rows, report);
}

MediaNeed encode_other_need(const PictureInfo& picture, int quality) { return vips_encoder_need(picture, quality); }

}  // namespace weir::media
