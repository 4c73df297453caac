#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/scratch_file.hpp"
#include "media/encoder.hpp"
#include "media/vips_api.hpp"
#include "media/vips_need.hpp"

namespace weir::media {
namespace {

constexpr int kAvifQuality = 90, kJxlQuality = 95;
constexpr const char* kExifPrefix = "Exif\0";

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

void VipsEncoder::put_metadata(VipsImage* image, WriteReport& report) {
  const auto& metadata = *job_.metadata;
  const auto put = [&](const char* field, const char* name, const Blob& blob) {
    if (blob.empty()) return;
    api_.vips_image_set_blob_copy(image, field, blob.data(), blob.size());
    report.kept.emplace_back(name);
  };
  put(VIPS_META_ICC_NAME, "icc", metadata.icc);
  if (!metadata.exif.empty()) {
    Blob prefixed(6);
    std::memcpy(prefixed.data(), kExifPrefix, 6);
    prefixed.insert(prefixed.end(), metadata.exif.begin(), metadata.exif.end());
    put(VIPS_META_EXIF_NAME, "exif", prefixed);
  }
  put(VIPS_META_XMP_NAME, "xmp", metadata.xmp);
  if (metadata.dots_per_mm_x > 0) report.kept.emplace_back("resolution");
}

int VipsEncoder::save(VipsImage* image, VipsTarget* target) {
  const int quality = job_.quality;
  switch (format_) {
    case Format::webp:
      return api_.vips_webpsave_target(image, target, "lossless", quality < 0, "Q", quality < 0 ? 75 : quality, nullptr);
    case Format::avif:
      return api_.vips_heifsave_target(image, target, "compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "Q",
                                       quality < 0 ? kAvifQuality : quality, "bitdepth", job_.picture.bits == 16 ? 12 : 8,
                                       nullptr);
    case Format::jxl:
      return api_.vips_jxlsave_target(image, target, "Q", quality < 0 ? kJxlQuality : quality, nullptr);
    default:
      return api_.vips_tiffsave_target(image, target, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE, "predictor",
                                       VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, nullptr);
  }
}

Status VipsEncoder::encode(RowSource& rows, WriteReport& report) {
  Pull pull{rows, job_.picture.row_bytes(), job_.picture.width};
  auto image = make_image(pull);
  if (!image) return image.error();
  put_metadata(image->get(), report);
  // TIFF is written with seeks from the start of the file, which a pipe cannot do.
  const bool seekable = ::lseek(sink_.fd(), 0, SEEK_CUR) == 0 && (::fcntl(sink_.fd(), F_GETFL) & O_APPEND) == 0;
  FileDescriptor scratch;
  if (!seekable) {
    auto made = open_scratch_file({});
    if (!made) return made.error();
    scratch = *std::move(made);
  }
  const int fd = seekable ? sink_.fd() : scratch.get();
  {
    const VipsRef<VipsTarget> target{api_, api_.vips_target_new_to_descriptor(fd)};
    if (target.get() == nullptr) return failure("open");
    if (save(image->get(), target.get()) != 0) {
      auto error = failure(std::string{name_of(format_)});
      return pull.state ? Status{std::move(error)} : pull.state;
    }
  }
  if (!seekable) return deliver(fd);
  struct stat about {};
  if (::fstat(fd, &about) == 0) sink_.count_written(static_cast<std::uint64_t>(about.st_size));
  return ok();
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

MediaNeed encode_other_need(const PictureInfo& picture, Format format) { return vips_encoder_need(picture, format); }

}  // namespace weir::media
