#include <cstring>
#include <optional>
#include <string>

#include "media/decoder.hpp"
#include "media/jpeg_errors.hpp"
#include "media/jpeg_markers.hpp"

namespace weir::media {
namespace {

constexpr int kMaxScans = 500;  // a hostile progressive file asks for thousands of passes over the picture

class JpegDecoder final : public Decoder {
 public:
  JpegDecoder(InputFilePtr file, ReadOptions options) : file_{std::move(file)}, options_{std::move(options)} {}
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;
  ~JpegDecoder() override { jpeg_destroy_decompress(&codec_); }

  Status start();
  bool needs_conversion() const { return needs_conversion_; }
  const PictureInfo& info() const override { return info_; }
  int orientation() const override { return orientation_; }
  MetadataPtr metadata() const override { return metadata_; }
  MediaNeed need() const override;
  Status restart() override;
  Status read(std::span<std::byte> rows) override;

 private:
  bool open_codec();
  bool begin_rows();
  bool read_row(std::byte* into);
  void install_source();
  void read_metadata();
  Error failure() const;

  InputFilePtr file_;
  ReadOptions options_;
  std::optional<InputCursor> input_;
  jpeg_decompress_struct codec_{};
  jpeg_source_mgr source_{};
  jpeg_progress_mgr progress_{};
  JpegErrors errors_;
  PictureInfo info_;
  MetadataPtr metadata_;
  int orientation_ = 1;
  bool needs_conversion_ = false;  // CMYK
  bool started_ = false;
  bool at_end_ = false;  // of the bytes: an end marker was made up
};

Error JpegDecoder::failure() const {
  if (input_ && input_->failure()) return *input_->failure();
  const std::string what = errors_.message;
  if (errors_.base.msg_code == 0) return file_->error(Errc::corrupt, "JPEG: damaged; get it again");
  if (what.find("nsupported") != std::string::npos)
    return file_->error(Errc::unsupported, "JPEG: " + what + "; convert it to PNG first");
  return file_->error(Errc::corrupt, "JPEG row " + std::to_string(codec_.output_scanline + 1) + " of " +
                                         std::to_string(info_.height) + ": " + what +
                                         "; the file is damaged, get it again");
}

// At the end of the bytes an end marker is put: if pixels are still missing the decoder warns (JWRN_HIT_MARKER), and
// if only the marker was missing nothing is lost.
void JpegDecoder::install_source() {
  source_.init_source = [](j_decompress_ptr) {};
  source_.term_source = [](j_decompress_ptr) {};
  source_.resync_to_restart = jpeg_resync_to_restart;
  source_.fill_input_buffer = [](j_decompress_ptr codec) -> boolean {
    static constexpr JOCTET kEnd[] = {0xff, JPEG_EOI};
    auto& self = *static_cast<JpegDecoder*>(codec->client_data);
    const auto piece = self.input_->next_piece();
    self.at_end_ = piece.empty();
    codec->src->next_input_byte = piece.empty() ? kEnd : reinterpret_cast<const JOCTET*>(piece.data());
    codec->src->bytes_in_buffer = piece.empty() ? sizeof kEnd : piece.size();
    return TRUE;
  };
  source_.skip_input_data = [](j_decompress_ptr codec, long count) {
    auto* source = codec->src;
    auto left = static_cast<std::size_t>(count > 0 ? count : 0);
    while (left > source->bytes_in_buffer) {
      left -= source->bytes_in_buffer;
      source->fill_input_buffer(codec);
      if (static_cast<JpegDecoder*>(codec->client_data)->at_end_) return;
    }
    source->next_input_byte += left;
    source->bytes_in_buffer -= left;
  };
  codec_.src = &source_;
}

bool JpegDecoder::open_codec() {
  if (setjmp(errors_.jump) != 0) return false;
  jpeg_create_decompress(&codec_);
  codec_.client_data = this;
  progress_.progress_monitor = [](j_common_ptr codec) {
    auto* decoder = reinterpret_cast<j_decompress_ptr>(codec);
    if (decoder->input_scan_number <= kMaxScans) return;
    auto* errors = reinterpret_cast<JpegErrors*>(codec->err);
    errors->base.msg_code = 1;
    std::snprintf(errors->message, sizeof errors->message, "more than %d scans", kMaxScans);
    std::longjmp(errors->jump, 1);
  };
  codec_.progress = &progress_;
  source_.bytes_in_buffer = 0;
  install_source();
  jpeg_save_markers(&codec_, JPEG_APP0 + 1, 0xffff);
  jpeg_save_markers(&codec_, JPEG_APP0 + 2, 0xffff);
  jpeg_read_header(&codec_, TRUE);
  return true;
}

void JpegDecoder::read_metadata() {
  auto found = std::make_shared<Metadata>();
  collect_jpeg_markers(codec_.marker_list, *found);
  if (codec_.saw_JFIF_marker && codec_.density_unit > 0) {
    const double per_mm = codec_.density_unit == 1 ? 1 / 25.4 : 0.1;  // dots per inch, or per cm
    found->dots_per_mm_x = codec_.X_density * per_mm;
    found->dots_per_mm_y = codec_.Y_density * per_mm;
  }
  orientation_ = settle(*found);
  metadata_ = std::move(found);
}

Status JpegDecoder::start() {
  errors_.install(codec_.err);
  input_.emplace(file_);
  if (!open_codec()) return failure();
  info_.width = static_cast<int>(codec_.image_width);
  info_.height = static_cast<int>(codec_.image_height);
  info_.colours = codec_.jpeg_color_space == JCS_GRAYSCALE ? 1 : 3;
  info_.format = Format::jpg;
  needs_conversion_ = codec_.jpeg_color_space != JCS_GRAYSCALE && codec_.jpeg_color_space != JCS_YCbCr &&
                      codec_.jpeg_color_space != JCS_RGB;
  read_metadata();
  return ok();
}

Status JpegDecoder::restart() {
  if (!started_) return ok();
  started_ = false;
  at_end_ = false;
  errors_.damaged = false;
  jpeg_destroy_decompress(&codec_);
  codec_ = {};
  codec_.err = &errors_.base;
  input_.emplace(file_);
  if (!open_codec()) return failure();
  return ok();
}

bool JpegDecoder::begin_rows() {
  if (setjmp(errors_.jump) != 0) return false;
  codec_.out_color_space = info_.colours == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&codec_);
  return true;
}

bool JpegDecoder::read_row(std::byte* into) {
  if (setjmp(errors_.jump) != 0) return false;
  auto* row = reinterpret_cast<JSAMPROW>(into);
  jpeg_read_scanlines(&codec_, &row, 1);
  return !errors_.damaged;
}

Status JpegDecoder::read(std::span<std::byte> rows) {
  if (!started_) {
    started_ = true;
    if (!begin_rows() || errors_.damaged) return failure();
  }
  const auto row_bytes = info_.row_bytes();
  for (std::size_t at = 0; at < rows.size(); at += row_bytes)
    if (!read_row(rows.data() + at)) return failure();
  return ok();
}

// docs/memory.md. A progressive file is held as coefficients, two bytes each, in whole blocks of all components.
MediaNeed JpegDecoder::need() const {
  const auto held = metadata_->icc.size() + metadata_->exif.size() + metadata_->xmp.size();
  MediaNeed sum{Bytes{info_.row_bytes()} * 20 + Bytes{held} * 2 + 1_MiB, Bytes{}};
  if (!codec_.progressive_mode && !jpeg_has_multiple_scans(const_cast<j_decompress_ptr>(&codec_))) return sum;
  for (int i = 0; i < codec_.num_components; ++i) {
    const auto& part = codec_.comp_info[i];
    const auto blocks_x = part.width_in_blocks + static_cast<JDIMENSION>(part.h_samp_factor);
    const auto blocks_y = part.height_in_blocks + static_cast<JDIMENSION>(part.v_samp_factor);
    sum.ram += Bytes{std::uint64_t{blocks_x} * blocks_y} * (DCTSIZE2 * sizeof(JCOEF));
  }
  return sum;
}

}  // namespace

Result<DecoderPtr> open_jpeg(InputFilePtr file, const ReadOptions& options) {
  auto decoder = std::make_unique<JpegDecoder>(file, options);
  if (auto started = decoder->start(); !started) return started.error();
  if (decoder->needs_conversion()) return open_other(std::move(file), Format::jpg, options);
  return DecoderPtr{std::move(decoder)};
}

}  // namespace weir::media
