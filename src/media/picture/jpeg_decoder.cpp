#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "media/picture/decoder.hpp"
#include "media/picture/jpeg_errors.hpp"
#include "media/picture/jpeg_markers.hpp"
#include "media/picture/jpeg_segments.hpp"
#include "media/picture/jpeg_source.hpp"
#include "media/picture/vips_decoder.hpp"

namespace weir::media {
namespace {

constexpr int kMostCuts = 4;  // of a file that cannot be decoded to its end
constexpr std::string_view kCorrupt = "Corrupt JPEG data: ";
constexpr int kMaxScans = 500;  // a hostile progressive file asks for thousands of passes over the picture

constexpr std::array kSaved = {JPEG_APP0 + 2};  // the pieces of an ICC profile; other segments are read from the file

class JpegDecoder final : public Decoder {
 public:
  JpegDecoder(InputFilePtr file, ReadOptions options)
      : file_{std::move(file)}, options_{std::move(options)}, source_{file_} {}
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;
  ~JpegDecoder() override { jpeg_destroy_decompress(&codec_); }

  Status start();
  bool needs_conversion() const { return needs_conversion_; }
  /// Before another decoder reads the file, which fills what is missing and does not tell. Errors: corrupt, if the file ends
  /// before one row of blocks. (Of a file of several scans that is not looked for: it would take the picture's memory.)
  Status check_first_row();
  MediaNeed need() const override;
  Status restart() override;
  Status read(std::span<std::byte> rows) override;
  std::vector<Damage> damage() const override;

 private:
  bool open_codec();
  Status reopen();
  Status begin();
  bool begin_rows();
  bool lacks_scans() const;
  bool tolerant() const { return options_.damaged == Damaged::use; }
  bool has_scans() const;
  bool has_nothing() const;
  Error ends_early() const;
  bool read_row(std::byte* into);
  void count_segments();
  bool left_out(int marker) const;
  bool read_profile(JOCTET*& profile, unsigned& size);
  void read_metadata();
  Error failure() const;

  InputFilePtr file_;
  ReadOptions options_;
  jpeg_decompress_struct codec_{};
  JpegSource source_;
  jpeg_progress_mgr progress_{};
  JpegErrors errors_;
  std::array<bool, kSaved.size()> left_out_{};  // of kSaved
  bool needs_conversion_ = false;               // CMYK
  bool started_ = false;
  bool lacks_scans_ = false;  // the file ends between two of them
  std::string cut_why_;       // why source_ ends before the end of the file
};

Error JpegDecoder::failure() const {
  if (const auto failed = source_.failure()) return *failed;
  const std::string what = errors_.message;
  if (errors_.base.msg_code == 0) return file_->error(Errc::corrupt, "JPEG: damaged; get it again");
  if (what.find("nsupported") != std::string::npos)
    return file_->error(Errc::unsupported, "JPEG: " + what + "; convert it to PNG first");
  if (info_.height == 0)
    return file_->error(Errc::corrupt, "JPEG header: " + what + "; the file is damaged, get it again");
  return file_->error(Errc::corrupt, "JPEG row " + std::to_string(codec_.output_scanline + 1) + " of " +
                                         std::to_string(info_.height) + ": " + what +
                                         "; the file is damaged, get it again");
}

bool JpegDecoder::open_codec() {
  if (setjmp(errors_.jump) != 0) return false;
  jpeg_create_decompress(&codec_);
  progress_.progress_monitor = [](j_common_ptr codec) {
    auto* decoder = reinterpret_cast<j_decompress_ptr>(codec);
    if (decoder->input_scan_number <= kMaxScans) return;
    auto* errors = reinterpret_cast<JpegErrors*>(codec->err);
    errors->base.msg_code = 1;
    std::snprintf(errors->message, sizeof errors->message, "more than %d scans", kMaxScans);
    std::longjmp(errors->jump, 1);
  };
  codec_.progress = &progress_;
  source_.start(codec_);
  for (const int marker : kSaved)
    if (!left_out(marker)) jpeg_save_markers(&codec_, marker, 0xffff);
  jpeg_read_header(&codec_, TRUE);
  return true;
}

// Segments of a kind that take too much together are not saved.
void JpegDecoder::count_segments() {
  for (std::size_t i = 0; i < kSaved.size(); ++i)
    left_out_[i] = jpeg_saved_bytes(file_, kSaved[i], kMostMetadata) > kMostMetadata;
}

bool JpegDecoder::left_out(int marker) const {
  return left_out_[static_cast<std::size_t>(std::find(kSaved.begin(), kSaved.end(), marker) - kSaved.begin())];
}

bool JpegDecoder::read_profile(JOCTET*& profile, unsigned& size) {
  if (setjmp(errors_.jump) != 0) return false;
  return jpeg_read_icc_profile(&codec_, &profile, &size) != 0;
}

void JpegDecoder::read_metadata() {
  auto found = std::make_shared<Metadata>();
  JOCTET* profile = nullptr;
  unsigned size = 0;
  if (read_profile(profile, size)) {
    const auto* first = reinterpret_cast<const std::byte*>(profile);
    found->icc.assign(first, first + size);
    std::free(profile);  // NOLINT(cppcoreguidelines-no-malloc): libjpeg's contract
  }
  if (left_out(JPEG_APP0 + 2)) leave_out(*found, "icc", "its segments take more than 4 MiB");
  read_jpeg_segments(*file_, *found);
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
  count_segments();
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

Status JpegDecoder::restart() { return started_ ? reopen() : ok(); }

// What was found wrong is kept: every pass comes to the same.
Status JpegDecoder::reopen() {
  started_ = false;
  errors_.base.msg_code = 0;
  jpeg_destroy_decompress(&codec_);
  codec_ = {};
  codec_.err = &errors_.base;
  if (!open_codec()) return failure();
  return ok();
}

bool JpegDecoder::begin_rows() {
  if (setjmp(errors_.jump) != 0) return false;
  codec_.out_color_space = info_.colours == 1 ? JCS_GRAYSCALE : needs_conversion_ ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&codec_);
  return true;
}

/// Of a file whose end was made up between two scans, which libjpeg takes for its end.
bool JpegDecoder::lacks_scans() const {
  if (!source_.at_end()) return false;
  for (int i = 0; i < codec_.num_components; ++i) {
    if (codec_.comp_info[i].quant_table == nullptr) return true;  // it is taken over when the first scan begins
    if (codec_.coef_bits == nullptr) continue;
    for (int k = 0; k < DCTSIZE2; ++k)
      if (codec_.coef_bits[i][k] != 0) return true;  // -1: nothing of it was there; else the bits that are missing
  }
  return false;
}

Error JpegDecoder::ends_early() const {
  return file_->error(Errc::corrupt, "JPEG: the file ends too early; the file is damaged, get it again");
}

bool JpegDecoder::has_scans() const {
  return codec_.progressive_mode != FALSE || jpeg_has_multiple_scans(const_cast<j_decompress_ptr>(&codec_)) != FALSE;
}

/// Not one row of blocks was there.
bool JpegDecoder::has_nothing() const {
  return errors_.missing && errors_.missing->row == 0 && errors_.missing->scan <= 1;
}

Status JpegDecoder::begin() {
  started_ = true;
  bool begun = begin_rows();
  Status first = begun ? ok() : Status{failure()};
  const bool mendable = !first && tolerant() && first.error().code == Errc::corrupt;
  for (int tries = 0; !begun && mendable && tries < kMostCuts && source_.cut_before_failure(); ++tries) {
    if (auto again = reopen(); !again) return first;
    started_ = true;
    begun = begin_rows();
    if (begun) cut_why_ = reason_of(first.error().what, file_->name());
  }
  if (!begun) return first;
  lacks_scans_ = has_scans() && lacks_scans();
  if (has_nothing()) return failure();
  if (tolerant() || !(errors_.damaged() || lacks_scans_)) return ok();
  return errors_.damaged() ? failure() : ends_early();
}

Status JpegDecoder::check_first_row() {
  if (has_scans() || !begin_rows()) return ok();
  const auto samples =
      static_cast<std::size_t>(codec_.output_width) * static_cast<std::size_t>(codec_.output_components);
  const auto row = std::make_unique_for_overwrite<std::byte[]>(samples);
  (void)read_row(row.get());  // what is wrong beside is the other decoder's to tell
  return has_nothing() && source_.at_end() ? Status{failure()} : ok();
}

bool JpegDecoder::read_row(std::byte* into) {
  if (setjmp(errors_.jump) != 0) return false;
  auto* row = reinterpret_cast<JSAMPROW>(into);
  jpeg_read_scanlines(&codec_, &row, 1);
  return tolerant() ? !has_nothing() : !errors_.damaged();
}

Status JpegDecoder::read(std::span<std::byte> rows) {
  if (!started_)
    if (auto begun = begin(); !begun) return begun;
  const auto row_bytes = info_.row_bytes();
  for (std::size_t at = 0; at < rows.size(); at += row_bytes)
    if (!read_row(rows.data() + at)) return failure();
  return ok();
}

/// libjpeg fills what is missing: in a picture of one scan with the last colour that was there, in one of several with
/// what the scans before say.
std::vector<Damage> JpegDecoder::damage() const {
  using Kind = Damage::Kind;
  std::vector<Damage> all;
  if (!tolerant() || (!errors_.damaged() && !lacks_scans_)) return all;
  std::string_view why = errors_.why;
  if (why.starts_with(kCorrupt)) why.remove_prefix(kCorrupt.size());
  const std::string early = !cut_why_.empty()  ? cut_why_
                            : source_.at_end() ? "the file ends early"
                                               : "its pixel data end early";
  if (has_scans()) {
    const std::string scan = errors_.wrong ? ", in scan " + std::to_string(errors_.wrong->scan) : ", between scans";
    const bool lacks = lacks_scans_ || (errors_.missing && source_.at_end());
    all.push_back({lacks ? Kind::coarse : Kind::doubtful, 0, info_.height, (lacks ? early : std::string{why}) + scan});
    return all;
  }
  // Colour of half the rows is taken from the rows of blocks on both sides.
  const auto first_of = [&](const JpegErrors::Place& place) {
    return std::clamp(place.row - (codec_.max_v_samp_factor > 1 ? 1 : 0), 0, info_.height - 1);
  };
  const int wrong = first_of(*errors_.wrong);
  // With restart markers the decoder finds its place again, unless the file is over.
  const bool rest = errors_.missing && (source_.at_end() || codec_.restart_interval == 0);
  const int missing = rest ? first_of(*errors_.missing) : info_.height;
  if (wrong < missing) all.push_back({Kind::doubtful, wrong, missing - wrong, std::string{why}});
  if (rest) all.push_back({Kind::filled, missing, info_.height - missing, early});
  return all;
}

// docs/memory.md. A progressive file is held as coefficients, two bytes each, in whole blocks of all components.
MediaNeed JpegDecoder::need() const {
  const auto held = metadata_->bytes();
  MediaNeed sum{Bytes{info_.row_bytes()} * 20 + Bytes{held} * 2 + 1280_KiB, Bytes{}};
  if (!codec_.progressive_mode && !jpeg_has_multiple_scans(const_cast<j_decompress_ptr>(&codec_))) return sum;
  for (int i = 0; i < codec_.num_components; ++i) {
    const auto& part = codec_.comp_info[i];
    const auto blocks_x = part.width_in_blocks + static_cast<JDIMENSION>(part.h_samp_factor);
    const auto blocks_y = part.height_in_blocks + static_cast<JDIMENSION>(part.v_samp_factor);
    sum.ram += Bytes{std::uint64_t{blocks_x} * blocks_y} * (DCTSIZE2 * sizeof(JCOEF));
  }
  return sum;
}

/// CMYK, which may be progressive, is left to libvips.
constexpr VipsLoading kCmykLoading{.format = Format::jpg,
                                   .load = &VipsApi::vips_jpegload_source,
                                   .read_container = [](const InputFilePtr& file, int, Metadata& into) -> Status {
                                     read_jpeg_segments(*file, into);
                                     return ok();
                                   },
                                   .cost = {.bytes = 12, .deep_bytes = 12},
                                   .streams = true};

/// libvips saves all metadata of a file that is left to it.
bool holds_too_much(const InputFilePtr& file) {
  const auto saved = [&](int marker) { return jpeg_saved_bytes(file, marker, kMostMetadata) > kMostMetadata; };
  return saved(JPEG_APP0 + 1) || saved(JPEG_APP0 + 2) || saved(JPEG_APP0 + 13);
}

}  // namespace

Result<DecoderPtr> open_jpeg(InputFilePtr file, const ReadOptions& options) {
  auto decoder = std::make_unique<JpegDecoder>(file, options);
  if (auto started = decoder->start(); !started) return started.error();
  if (decoder->needs_conversion() && holds_too_much(file))
    return file->error(Errc::unsupported,
                       "JPEG: CMYK with more than 4 MiB of metadata is not read; take the metadata out "
                       "or convert it to PNG first");
  if (decoder->needs_conversion() && options.damaged == Damaged::use)
    if (auto usable = decoder->check_first_row(); !usable) return usable.error();
  if (decoder->needs_conversion()) return open_by_vips(kCmykLoading, std::move(file), options);
  return DecoderPtr{std::move(decoder)};
}

}  // namespace weir::media
