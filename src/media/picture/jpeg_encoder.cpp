// Writes JPEG files with libjpeg-turbo, row by row, and their metadata as segments in front of the pixels.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "media/picture/encoder.hpp"
#include "media/picture/jpeg_error_handler.hpp"
#include "media/picture/jpeg_markers.hpp"

namespace weir::media {
namespace {

constexpr int kDefaultQuality = 95;
constexpr int kFullColourQuality = 90;  // from this quality on colour is stored at full resolution
constexpr std::size_t kOutputBufferBytes = std::size_t{32} << 10;  // size of the buffer between libjpeg and the sink

/// Encodes one picture. longjmp() skips destructors, so each call of libjpeg that can fail is in a small function
/// without objects that have one. These functions return false if libjpeg reported an error; failure() then returns it.
class JpegEncoder {
 public:
  JpegEncoder(const EncodeJob& job, ByteSink& sink) : job_{job}, sink_{sink} {}
  JpegEncoder(const JpegEncoder&) = delete;
  JpegEncoder& operator=(const JpegEncoder&) = delete;
  ~JpegEncoder() { jpeg_destroy_compress(&codec_); }

  Status encode(RowSource& rows, WriteReport& report);

 private:
  bool start_compress();
  // Makes libjpeg write into out_, and out_ into sink_.
  void install_sink();
  bool put_segment(int marker, const Blob& data);
  bool put_profile(const Blob& icc);
  bool put_row(std::byte* row);
  bool finish_compress();
  void put_metadata(WriteReport& report);
  Error failure() const;

  const EncodeJob& job_;
  ByteSink& sink_;
  Status sink_status_ = ok();  // first error of sink_; libjpeg continues after it, encode() returns it
  jpeg_compress_struct codec_{};
  jpeg_destination_mgr target_{};
  JpegErrorHandler errors_;
  std::unique_ptr<std::byte[]> out_ = std::make_unique_for_overwrite<std::byte[]>(kOutputBufferBytes);
};

Error JpegEncoder::failure() const {
  if (!sink_status_) return sink_status_.error();
  return Error{Errc::io, sink_.name() + ": JPEG: " + errors_.message};
}

void JpegEncoder::install_sink() {
  target_.init_destination = [](j_compress_ptr codec) {
    auto& self = *static_cast<JpegEncoder*>(codec->client_data);
    codec->dest->next_output_byte = reinterpret_cast<JOCTET*>(self.out_.get());
    codec->dest->free_in_buffer = kOutputBufferBytes;
  };
  target_.empty_output_buffer = [](j_compress_ptr codec) -> boolean {
    auto& self = *static_cast<JpegEncoder*>(codec->client_data);
    if (self.sink_status_) self.sink_status_ = self.sink_.put({self.out_.get(), kOutputBufferBytes});
    codec->dest->next_output_byte = reinterpret_cast<JOCTET*>(self.out_.get());
    codec->dest->free_in_buffer = kOutputBufferBytes;
    return TRUE;
  };
  target_.term_destination = [](j_compress_ptr codec) {
    auto& self = *static_cast<JpegEncoder*>(codec->client_data);
    if (self.sink_status_)
      self.sink_status_ = self.sink_.put({self.out_.get(), kOutputBufferBytes - codec->dest->free_in_buffer});
  };
  codec_.dest = &target_;
}

bool JpegEncoder::start_compress() {
  errors_.install(codec_.err);
  if (setjmp(errors_.return_point) != 0) return false;
  jpeg_create_compress(&codec_);
  codec_.client_data = this;
  install_sink();
  codec_.image_width = static_cast<JDIMENSION>(job_.picture.width);
  codec_.image_height = static_cast<JDIMENSION>(job_.picture.height);
  codec_.input_components = job_.picture.colours;
  codec_.in_color_space = job_.picture.colours == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&codec_);
  const int quality = job_.quality < 0 ? kDefaultQuality : job_.quality;
  jpeg_set_quality(&codec_, quality, TRUE);
  if (quality >= kFullColourQuality) codec_.comp_info[0].h_samp_factor = codec_.comp_info[0].v_samp_factor = 1;
  if (job_.metadata->dots_per_mm_x > 0) {
    const auto per_inch = [](double per_mm) {
      return static_cast<UINT16>(std::lround(std::clamp(per_mm * 25.4, 1.0, 65535.0)));
    };
    codec_.density_unit = 1;
    codec_.X_density = per_inch(job_.metadata->dots_per_mm_x);
    codec_.Y_density = per_inch(job_.metadata->dots_per_mm_y);
  }
  jpeg_start_compress(&codec_, TRUE);
  return true;
}

bool JpegEncoder::put_segment(int marker, const Blob& data) {
  if (data.empty()) return false;
  if (setjmp(errors_.return_point) != 0) return false;
  jpeg_write_marker(&codec_, marker, reinterpret_cast<const JOCTET*>(data.data()), static_cast<unsigned>(data.size()));
  return true;
}

bool JpegEncoder::put_profile(const Blob& icc) {
  if (setjmp(errors_.return_point) != 0) return false;
  jpeg_write_icc_profile(&codec_, reinterpret_cast<const JOCTET*>(icc.data()), static_cast<unsigned>(icc.size()));
  return true;
}

void JpegEncoder::put_metadata(WriteReport& report) {
  const auto& metadata = *job_.metadata;
  // 65519: bytes of a profile in one segment; 255 segments, because one byte counts them
  constexpr std::size_t kProfileLimit = std::size_t{255} * 65519;
  const auto report_result = [&](bool kept, const char* name, const char* limit) {
    if (kept)
      report.kept.emplace_back(name);
    else
      report.lost.push_back(std::string{name} + " (" + limit + ")");
  };
  if (!metadata.exif.empty())
    report_result(put_segment(JPEG_APP0 + 1, make_jpeg_exif_segment(metadata.exif)), "exif",
                  "JPEG holds at most 64 KiB of it");
  if (!metadata.xmp.empty())
    report_result(put_segment(JPEG_APP0 + 1, make_jpeg_xmp_segment(metadata.xmp)), "xmp",
                  "JPEG holds at most 64 KiB of it");
  if (!metadata.icc.empty())
    report_result(metadata.icc.size() <= kProfileLimit && put_profile(metadata.icc), "icc",
                  "JPEG holds at most 16 MiB of it");
  if (!metadata.iptc.empty())
    report_result(put_segment(JPEG_APP0 + 13, make_jpeg_iptc_segment(metadata.iptc)), "iptc",
                  "JPEG holds at most 64 KiB of it");
  for (const TextEntry& text : metadata.texts) {
    const auto bytes = std::as_bytes(std::span{text.value});
    (void)put_segment(JPEG_COM, Blob(bytes.begin(), bytes.end()));  // an empty comment is not written
  }
  if (!metadata.texts.empty()) report.kept.emplace_back("text");
  if (metadata.dots_per_mm_x > 0) report.kept.emplace_back("resolution");
}

bool JpegEncoder::put_row(std::byte* row) {
  if (setjmp(errors_.return_point) != 0) return false;
  auto* samples = reinterpret_cast<JSAMPROW>(row);
  jpeg_write_scanlines(&codec_, &samples, 1);
  return true;
}

bool JpegEncoder::finish_compress() {
  if (setjmp(errors_.return_point) != 0) return false;
  jpeg_finish_compress(&codec_);
  return true;
}

Status JpegEncoder::encode(RowSource& rows, WriteReport& report) {
  if (!start_compress()) return failure();
  put_metadata(report);
  const auto row = std::make_unique_for_overwrite<std::byte[]>(job_.picture.row_bytes());
  for (int y = 0; y < job_.picture.height; ++y) {
    if (auto got = rows.read({row.get(), job_.picture.row_bytes()}); !got) return got;
    if (!put_row(row.get()) || !sink_status_) return failure();
  }
  if (!finish_compress() || !sink_status_) return failure();
  return sink_.flush();
}

}  // namespace

Status encode_jpeg(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report) {
  return JpegEncoder{job, sink}.encode(rows, report);
}

MediaNeed encode_jpeg_need(const PictureInfo& picture, int /*quality*/) {
  return {Bytes{picture.row_bytes()} * 28 + 1280_KiB, Bytes{}};
}

}  // namespace weir::media
