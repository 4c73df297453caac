#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/scratch_file.hpp"
#include "media/encoder.hpp"
#include "media/jxl_boxes.hpp"
#include "media/vips_api.hpp"
#include "media/vips_need.hpp"

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
// was none), and TIFF has tags for all but EXIF. JPEG XL gets boxes of ours afterwards.
void VipsEncoder::put_metadata(VipsImage* image, WriteReport& report) {
  const auto& metadata = *job_.metadata;
  const auto put = [&](const char* field, const char* name, const Blob& blob) {
    if (blob.empty()) return;
    api_.vips_image_set_blob_copy(image, field, blob.data(), blob.size());
    report.kept.emplace_back(name);
  };
  put(VIPS_META_ICC_NAME, "icc", metadata.icc);
  put(VIPS_META_XMP_NAME, "xmp", metadata.xmp);
  if (format_ == Format::tiff) {
    if (!metadata.exif.empty()) report.lost.emplace_back("exif (not written into tiff; use png)");
  } else {
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

// TIFF is written with seeks from the start of the file, which a pipe cannot do, and the boxes of JPEG XL stand in front
// of what libvips writes: then the file passes through one without a name.
Status VipsEncoder::encode(RowSource& rows, WriteReport& report) {
  Pull pull{rows, job_.picture.row_bytes(), job_.picture.width};
  auto image = make_image(pull);
  if (!image) return image.error();
  put_metadata(image->get(), report);
  const bool boxes = format_ == Format::jxl && (!job_.metadata->exif.empty() || !job_.metadata->xmp.empty());
  const bool from_start = ::lseek(sink_.fd(), 0, SEEK_CUR) == 0 && (::fcntl(sink_.fd(), F_GETFL) & O_APPEND) == 0;
  if (from_start && !boxes) {
    if (auto saved = save_to(sink_.fd(), image->get(), pull); !saved) return saved;
    struct stat about {};
    if (::fstat(sink_.fd(), &about) == 0) sink_.count_written(static_cast<std::uint64_t>(about.st_size));
    return ok();
  }
  auto scratch = open_scratch_file({});
  if (!scratch) return scratch.error();
  if (auto saved = save_to(scratch->get(), image->get(), pull); !saved) return saved;
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
