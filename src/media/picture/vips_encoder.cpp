#include "media/picture/vips_encoder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/scratch_file.hpp"
#include "media/picture/tiff_tree.hpp"

namespace weir::media {
namespace {

using ImageRef = VipsRef<VipsImage>;

/// The rows that generate_rows() passes to libvips, and the position in them.
struct RowCursor {
  RowSource& rows;
  std::size_t row_bytes;
  int width;
  int next_row = 0;
  Status status = ok();  // first error
};

// The callback of libvips that makes the rows of a region. libvips calls it from the top down, because it uses one
// thread and thin strips.
int generate_rows(VipsRegion* out, void*, void* user, void*, gboolean*) {
  auto& cursor = *static_cast<RowCursor*>(user);
  const auto& area = out->valid;
  if (cursor.status && (area.left != 0 || area.width != cursor.width || area.top != cursor.next_row))
    cursor.status = Error{Errc::unsupported, "libvips requested rows out of order"};
  for (int i = 0; i < area.height && cursor.status; ++i, ++cursor.next_row)
    cursor.status = cursor.rows.read({region_row(out, area.top + i), cursor.row_bytes});
  return cursor.status ? 0 : -1;
}

class VipsEncoder {
 public:
  VipsEncoder(const VipsApi& api, const VipsSaver& saver, const EncodeJob& job, ByteSink& sink)
      : api_{api}, saver_{saver}, job_{job}, sink_{sink} {}
  ~VipsEncoder() { api_.vips_thread_shutdown(); }
  VipsEncoder(const VipsEncoder&) = delete;
  VipsEncoder& operator=(const VipsEncoder&) = delete;

  Status encode(RowSource& rows, WriteReport& report);

 private:
  // Makes a picture of libvips whose rows come from generate_rows().
  Result<ImageRef> make_image(RowCursor& cursor);
  void put_metadata(VipsImage* image, WriteReport& report);
  Status save_to(int fd, VipsImage* image, const RowCursor& cursor);
  Status add_missing_metadata(int fd, WriteReport& report);
  void report_dropped_tags(int fd, WriteReport& report);
  Status copy_to_sink(int fd);
  // Makes an error from the messages of libvips. `place` is the step that failed, for the text.
  Error failure(const std::string& place) const {
    return Error{Errc::io, sink_.name() + ": " + place + ": " + api_.take_error()};
  }

  std::string_view format_name() const { return name_of(job_.picture.format); }

  const VipsApi& api_;
  const VipsSaver& saver_;
  const EncodeJob& job_;
  ByteSink& sink_;
};

Result<ImageRef> VipsEncoder::make_image(RowCursor& cursor) {
  const auto& picture = job_.picture;
  const bool is_16_bit = picture.bits == 16, is_grey = picture.colours == 1;
  ImageRef image{api_, api_.vips_image_new()};
  const auto type = is_grey ? (is_16_bit ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W)
                            : (is_16_bit ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB);
  const auto& metadata = *job_.metadata;
  const bool has_resolution = metadata.dots_per_mm_x > 0;
  api_.vips_image_init_fields(image.get(), picture.width, picture.height, picture.channels(),
                              is_16_bit ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR, VIPS_CODING_NONE, type,
                              has_resolution ? metadata.dots_per_mm_x : 1.0,
                              has_resolution ? metadata.dots_per_mm_y : 1.0);
  if (api_.vips_image_pipelinev(image.get(), VIPS_DEMAND_STYLE_THINSTRIP, nullptr) != 0 ||
      api_.vips_image_generate(image.get(), nullptr, generate_rows, nullptr, &cursor, nullptr) != 0)
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
  put(VIPS_META_XMP_NAME, "xmp", metadata.xmp);
  if (saver_.passes_exif)
    put(VIPS_META_EXIF_NAME, "exif", metadata.exif.empty() ? Blob{} : add_exif_prefix(metadata.exif));
  if (metadata.dots_per_mm_x <= 0) return;
  if (saver_.resolution_needs_exif && !exif_has_resolution(metadata.exif))
    report.lost.push_back(
        fmt::format("resolution ({} has no place for it but exif, and there is none)", format_name()));
  else
    report.kept.emplace_back("resolution");
}

Status VipsEncoder::save_to(int fd, VipsImage* image, const RowCursor& cursor) {
  const VipsRef<VipsTarget> target{api_, api_.vips_target_new_to_descriptor(fd)};
  if (target.get() == nullptr) return failure("open");
  if (saver_.save(api_, job_, image, target.get()) == 0) return ok();
  auto error = failure(std::string{format_name()});
  return cursor.status ? Status{std::move(error)} : cursor.status;
}

// Reads the EXIF block of the finished file again and reports the tags that are missing in it.
void VipsEncoder::report_dropped_tags(int fd, WriteReport& report) {
  const auto& exif = job_.metadata->exif;
  if (exif.empty() || saver_.exif_reader == nullptr) return;
  const VipsRef<VipsSource> source{api_, api_.vips_source_new_from_descriptor(fd)};
  VipsImage* loaded = nullptr;
  const int problem = (api_.*saver_.exif_reader)(source.get(), &loaded, nullptr);
  if (problem != 0) (void)api_.take_error();  // clears the messages; all tags are then reported as missing
  const ImageRef image{api_, loaded};
  const void* data = nullptr;
  std::size_t size = 0;
  if (problem == 0 && api_.vips_image_get_typeof(loaded, VIPS_META_EXIF_NAME) == api_.vips_blob_get_type())
    (void)api_.vips_image_get_blob(loaded, VIPS_META_EXIF_NAME, &data, &size);
  const auto written = strip_exif_prefix({static_cast<const std::byte*>(data), size});
  const auto missing = find_missing_tags(exif, written);
  if (missing.empty()) return;
  report.lost.push_back(fmt::format("exif tags (not written into {}:{})", format_name(), list_tag_numbers(missing)));
}

/// Adds the metadata that libvips did not write, and reports dropped tags.
Status VipsEncoder::add_missing_metadata(int fd, WriteReport& report) {
  if (saver_.add_tags != nullptr)
    if (auto added = saver_.add_tags(fd, *job_.metadata, sink_.name(), report); !added) return added;
  report_dropped_tags(fd, report);
  return ok();
}

// libvips writes directly into the output if possible. Otherwise it writes into an unnamed temporary file, which is
// then copied. It uses the temporary file for: a pipe, where libvips cannot seek; a file that is not at its start or
// is opened to append; an output that must be read again but is not readable; and JPEG XL with EXIF or XMP, which come
// before the pixels.
Status VipsEncoder::encode(RowSource& rows, WriteReport& report) {
  RowCursor cursor{rows, job_.picture.row_bytes(), job_.picture.width};
  auto image = make_image(cursor);
  if (!image) return image.error();
  put_metadata(image->get(), report);
  const bool needs_boxes =
      saver_.write_with_boxes != nullptr && (!job_.metadata->exif.empty() || !job_.metadata->xmp.empty());
  const int flags = ::fcntl(sink_.fd(), F_GETFL);
  const bool is_at_start = ::lseek(sink_.fd(), 0, SEEK_CUR) == 0 && (flags & O_APPEND) == 0;
  const bool is_readable = (flags & O_ACCMODE) == O_RDWR;  // needed to add or check tags in the finished file
  const bool has_tags = !job_.metadata->exif.empty() || !job_.metadata->iptc.empty();
  if (is_at_start && !needs_boxes && (is_readable || !has_tags)) {
    if (auto saved = save_to(sink_.fd(), image->get(), cursor); !saved) return saved;
    if (auto finished = add_missing_metadata(sink_.fd(), report); !finished) return finished;
    struct stat attributes {};
    if (::fstat(sink_.fd(), &attributes) == 0) sink_.add_written_bytes(static_cast<std::uint64_t>(attributes.st_size));
    return ok();
  }
  auto scratch = open_scratch_file({});
  if (!scratch) return scratch.error();
  if (auto saved = save_to(scratch->get(), image->get(), cursor); !saved) return saved;
  if (auto finished = add_missing_metadata(scratch->get(), report); !finished) return finished;
  return needs_boxes ? saver_.write_with_boxes(scratch->get(), *job_.metadata, sink_) : copy_to_sink(scratch->get());
}

Status VipsEncoder::copy_to_sink(int fd) {
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

bool has_no_vips_metadata(const Metadata& metadata) {
  return metadata.icc.empty() && metadata.exif.empty() && metadata.xmp.empty() && metadata.dots_per_mm_x <= 0;
}

Status encode_with_vips(const VipsSaver& saver, const EncodeJob& job, RowSource& rows, ByteSink& sink,
                        WriteReport& report) {
  auto api = VipsApi::get();
  if (!api)
    return Error{api.error().code,
                 fmt::format("{}: {} {}", sink.name(), name_of(job.picture.format), api.error().what)};
  return VipsEncoder{**api, saver, job, sink}.encode(rows, report);
}

MediaNeed vips_encoder_need(const VipsSaver& saver, const PictureInfo& picture, int quality) {
  auto sum = vips_need(picture, quality < 0 ? saver.default_quality_cost : saver.cost);
  // 256: rows that libvips holds; fitted to measurements (docs/memory.md)
  sum.ram += Bytes{picture.row_bytes()} * 256;
  return sum;
}

}  // namespace weir::media
