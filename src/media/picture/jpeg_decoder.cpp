// Decodes JPEG files with libjpeg-turbo, row by row. libvips decodes files with CMYK samples.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "media/picture/decoder.hpp"
#include "media/picture/jpeg_error_handler.hpp"
#include "media/picture/jpeg_markers.hpp"
#include "media/picture/jpeg_segments.hpp"
#include "media/picture/jpeg_source.hpp"
#include "media/picture/vips_decoder.hpp"

namespace weir::media {
namespace {

constexpr int kMaxTruncations = 4;  // largest number of calls of truncate_before_failure() when decoding starts
// start of some warnings of libjpeg; a Damage is about corrupt data anyway, so the text for the user omits it
constexpr std::string_view kCorruptPrefix = "Corrupt JPEG data: ";
constexpr int kMaxScans = 500;  // a malicious progressive file may have thousands of scans

// libjpeg saves the segments of an ICC profile (APP2); read_jpeg_segments() reads the others
constexpr std::array kSavedMarkers = {JPEG_APP0 + 2};

class JpegDecoder final : public Decoder {
 public:
  JpegDecoder(InputFilePtr file, ReadOptions options)
      : file_{std::move(file)}, options_{std::move(options)}, source_{file_} {}
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;
  ~JpegDecoder() override { jpeg_destroy_decompress(&codec_); }

  Status open();
  bool needs_conversion() const { return needs_conversion_; }
  /// Checks a file that libvips will decode, because libvips fills missing data without a report. Does not check a file
  /// of several scans, because that would take the memory of the whole picture.
  /// Errors: corrupt, if the file ends before one complete row of blocks; io.
  Status check_first_row();
  MediaNeed need() const override;
  Status restart() override;
  Status read(std::span<std::byte> rows) override;
  std::vector<Damage> damage() const override;

 private:
  // longjmp() skips destructors, so each call of libjpeg that can fail is in a small function without objects that have
  // one: open_codec(), start_decompress(), read_row() and read_profile(). They return false if libjpeg reported an
  // error; failure() then returns it.
  bool open_codec();
  Status reopen();
  Status start_rows();
  bool start_decompress();
  bool lacks_scans() const;
  bool uses_damaged_files() const { return options_.damaged == DamagePolicy::use; }
  bool has_several_scans() const;
  bool has_no_pixels() const;
  Error make_early_end_error() const;
  bool read_row(std::byte* into);
  void choose_skipped_segments();
  bool is_skipped(int marker) const;
  bool read_profile(JOCTET*& profile, unsigned& size);
  void read_metadata();
  Error failure() const;

  InputFilePtr file_;
  ReadOptions options_;
  jpeg_decompress_struct codec_{};
  JpegSource source_;
  jpeg_progress_mgr progress_{};
  JpegErrorHandler errors_;
  // for each of kSavedMarkers: its segments are too large and are not saved
  std::array<bool, kSavedMarkers.size()> skipped_{};
  bool needs_conversion_ = false;  // the samples are CMYK; libvips must decode them
  bool started_ = false;           // decoding of rows has started
  bool lacks_scans_ = false;       // the file ends between two scans
  std::string truncation_reason_;  // reason for truncate_before_failure(); empty: it was not called
};

Error JpegDecoder::failure() const {
  if (const auto failed = source_.failure()) return *failed;
  const std::string what = errors_.message;
  if (errors_.base.msg_code == 0) return file_->error(Errc::corrupt, "JPEG: damaged; get it again");
  // Without its first letter, the word is found in upper and in lower case.
  if (what.find("nsupported") != std::string::npos)
    return file_->error(Errc::unsupported, "JPEG: " + what + "; convert it to PNG first");
  if (info_.height == 0)
    return file_->error(Errc::corrupt, "JPEG header: " + what + "; the file is damaged, get it again");
  return file_->error(Errc::corrupt, "JPEG row " + std::to_string(codec_.output_scanline + 1) + " of " +
                                         std::to_string(info_.height) + ": " + what +
                                         "; the file is damaged, get it again");
}

bool JpegDecoder::open_codec() {
  if (setjmp(errors_.return_point) != 0) return false;
  jpeg_create_decompress(&codec_);
  // libjpeg calls this function regularly while it decodes.
  progress_.progress_monitor = [](j_common_ptr codec) {
    auto* decoder = reinterpret_cast<j_decompress_ptr>(codec);
    if (decoder->input_scan_number <= kMaxScans) return;
    auto* errors = reinterpret_cast<JpegErrorHandler*>(codec->err);
    errors->base.msg_code = 1;  // not 0, so that failure() uses the message
    std::snprintf(errors->message, sizeof errors->message, "more than %d scans", kMaxScans);
    std::longjmp(errors->return_point, 1);
  };
  codec_.progress = &progress_;
  source_.start(codec_);
  for (const int marker : kSavedMarkers)
    if (!is_skipped(marker)) jpeg_save_markers(&codec_, marker, 0xffff);
  jpeg_read_header(&codec_, TRUE);
  return true;
}

// If the segments with the same marker take too much memory together, all of them are skipped.
void JpegDecoder::choose_skipped_segments() {
  for (std::size_t i = 0; i < kSavedMarkers.size(); ++i)
    skipped_[i] = count_jpeg_saved_bytes(file_, kSavedMarkers[i], kMaxMetadataBytes) > kMaxMetadataBytes;
}

bool JpegDecoder::is_skipped(int marker) const {
  const auto index = std::find(kSavedMarkers.begin(), kSavedMarkers.end(), marker) - kSavedMarkers.begin();
  return skipped_[static_cast<std::size_t>(index)];
}

bool JpegDecoder::read_profile(JOCTET*& profile, unsigned& size) {
  if (setjmp(errors_.return_point) != 0) return false;
  return jpeg_read_icc_profile(&codec_, &profile, &size) != 0;
}

void JpegDecoder::read_metadata() {
  auto found = std::make_shared<Metadata>();
  JOCTET* profile = nullptr;
  unsigned size = 0;
  if (read_profile(profile, size)) {
    const auto* first = reinterpret_cast<const std::byte*>(profile);
    found->icc.assign(first, first + size);
    std::free(profile);  // NOLINT(cppcoreguidelines-no-malloc): libjpeg requires free()
  }
  if (is_skipped(JPEG_APP0 + 2)) record_omission(*found, "icc", "its segments take more than 4 MiB");
  read_jpeg_segments(*file_, *found);
  if (codec_.saw_JFIF_marker && codec_.density_unit > 0) {
    const double per_mm = codec_.density_unit == 1 ? 1 / 25.4 : 0.1;  // dots per inch or per cm
    found->dots_per_mm_x = codec_.X_density * per_mm;
    found->dots_per_mm_y = codec_.Y_density * per_mm;
  }
  orientation_ = normalize_metadata(*found);
  metadata_ = std::move(found);
}

Status JpegDecoder::open() {
  errors_.install(codec_.err);
  choose_skipped_segments();
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

// Opens the file again at its start. Keeps the damage that errors_ recorded, because it is the same each time the file
// is decoded.
Status JpegDecoder::reopen() {
  started_ = false;
  errors_.base.msg_code = 0;
  jpeg_destroy_decompress(&codec_);
  codec_ = {};
  codec_.err = &errors_.base;
  if (!open_codec()) return failure();
  return ok();
}

bool JpegDecoder::start_decompress() {
  if (setjmp(errors_.return_point) != 0) return false;
  codec_.out_color_space = info_.colours == 1 ? JCS_GRAYSCALE : needs_conversion_ ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&codec_);
  return true;
}

/// Returns whether scans are missing. If an end marker was added between two scans, libjpeg reports no warning.
bool JpegDecoder::lacks_scans() const {
  if (!source_.has_added_end_marker()) return false;
  for (int i = 0; i < codec_.num_components; ++i) {
    if (codec_.comp_info[i].quant_table == nullptr) return true;  // null: no scan of this component was read
    if (codec_.coef_bits == nullptr) continue;
    for (int k = 0; k < DCTSIZE2; ++k)
      if (codec_.coef_bits[i][k] != 0) return true;  // -1: the coefficient is missing; above 0: number of missing bits
  }
  return false;
}

Error JpegDecoder::make_early_end_error() const {
  return file_->error(Errc::corrupt, "JPEG: the file ends too early; the file is damaged, get it again");
}

bool JpegDecoder::has_several_scans() const {
  return codec_.progressive_mode != FALSE || jpeg_has_multiple_scans(const_cast<j_decompress_ptr>(&codec_)) != FALSE;
}

/// Returns whether the data ends before one complete row of blocks of the first scan.
bool JpegDecoder::has_no_pixels() const {
  return errors_.last_missing_data && errors_.last_missing_data->first_row == 0 &&
         errors_.last_missing_data->scan_number <= 1;
}

// Starts the decoding of rows. If that fails because the data are damaged, and damaged files are used, tries again with
// only the data before the damage. Errors: those of failure(); corrupt, if the file has no complete row of blocks.
Status JpegDecoder::start_rows() {
  started_ = true;
  bool begun = start_decompress();
  Status first_result = begun ? ok() : Status{failure()};
  const bool can_truncate = !first_result && uses_damaged_files() && first_result.error().code == Errc::corrupt;
  for (int tries = 0; !begun && can_truncate && tries < kMaxTruncations && source_.truncate_before_failure(); ++tries) {
    if (auto again = reopen(); !again) return first_result;
    started_ = true;
    begun = start_decompress();
    if (begun) truncation_reason_ = extract_reason(first_result.error().what, file_->name());
  }
  if (!begun) return first_result;
  lacks_scans_ = has_several_scans() && lacks_scans();
  if (has_no_pixels()) return failure();
  if (uses_damaged_files() || !(errors_.is_damaged() || lacks_scans_)) return ok();
  return errors_.is_damaged() ? failure() : make_early_end_error();
}

Status JpegDecoder::check_first_row() {
  if (has_several_scans() || !start_decompress()) return ok();
  const auto samples =
      static_cast<std::size_t>(codec_.output_width) * static_cast<std::size_t>(codec_.output_components);
  const auto row = std::make_unique_for_overwrite<std::byte[]>(samples);
  (void)read_row(row.get());  // libvips reports all other errors
  if (auto failed = source_.failure()) return *std::move(failed);
  return has_no_pixels() && source_.has_added_end_marker() ? Status{failure()} : ok();
}

// Returns false if libjpeg reported an error, or if its warnings mean that the row must not be used.
bool JpegDecoder::read_row(std::byte* into) {
  if (setjmp(errors_.return_point) != 0) return false;
  auto* row = reinterpret_cast<JSAMPROW>(into);
  jpeg_read_scanlines(&codec_, &row, 1);
  return uses_damaged_files() ? !has_no_pixels() : !errors_.is_damaged();
}

Status JpegDecoder::read(std::span<std::byte> rows) {
  if (!started_)
    if (auto begun = start_rows(); !begun) return begun;
  const auto row_bytes = info_.row_bytes();
  for (std::size_t at = 0; at < rows.size(); at += row_bytes)
    if (!read_row(rows.data() + at)) return failure();
  return ok();
}

/// libjpeg fills missing data: in a picture of one scan with grey, in a picture of several scans with the data of the
/// earlier scans.
std::vector<Damage> JpegDecoder::damage() const {
  using Kind = Damage::Kind;
  std::vector<Damage> all;
  if (!uses_damaged_files() || (!errors_.is_damaged() && !lacks_scans_)) return all;
  std::string_view warning = errors_.first_warning_text;
  if (warning.starts_with(kCorruptPrefix)) warning.remove_prefix(kCorruptPrefix.size());
  const std::string missing_reason = !truncation_reason_.empty()      ? truncation_reason_
                                     : source_.has_added_end_marker() ? "the file ends early"
                                                                      : "the pixel data ends early";
  if (has_several_scans()) {
    const std::string scan =
        errors_.first_warning ? ", in scan " + std::to_string(errors_.first_warning->scan_number) : ", between scans";
    const bool lacks_data = lacks_scans_ || (errors_.last_missing_data && source_.has_added_end_marker());
    all.push_back({lacks_data ? Kind::low_detail : Kind::doubtful, 0, info_.height,
                   (lacks_data ? missing_reason : std::string{warning}) + scan});
    return all;
  }
  // Colour of lower resolution is interpolated from the neighbouring rows of blocks, so the damage starts one row
  // earlier.
  const auto first_damaged_row = [&](const JpegErrorHandler::DecodePosition& position) {
    return std::clamp(position.first_row - (codec_.max_v_samp_factor > 1 ? 1 : 0), 0, info_.height - 1);
  };
  const int first_doubtful = first_damaged_row(*errors_.first_warning);
  // If the file has restart markers, the decoder can continue at the next one, unless the file ends. Otherwise the rest
  // is missing.
  const bool rest_is_missing =
      errors_.last_missing_data && (source_.has_added_end_marker() || codec_.restart_interval == 0);
  const int first_missing = rest_is_missing ? first_damaged_row(*errors_.last_missing_data) : info_.height;
  if (first_doubtful < first_missing)
    all.push_back({Kind::doubtful, first_doubtful, first_missing - first_doubtful, std::string{warning}});
  if (rest_is_missing) all.push_back({Kind::filled, first_missing, info_.height - first_missing, missing_reason});
  return all;
}

// The formula is explained in docs/memory.md. libjpeg holds all coefficients (two bytes each) of a file of several
// scans.
MediaNeed JpegDecoder::need() const {
  const auto metadata_bytes = metadata_->bytes();
  MediaNeed sum{Bytes{info_.row_bytes()} * 20 + Bytes{metadata_bytes} * 2 + 1280_KiB, Bytes{}};
  if (!codec_.progressive_mode && !jpeg_has_multiple_scans(const_cast<j_decompress_ptr>(&codec_))) return sum;
  for (int i = 0; i < codec_.num_components; ++i) {
    const auto& component = codec_.comp_info[i];
    const auto blocks_x = component.width_in_blocks + static_cast<JDIMENSION>(component.h_samp_factor);
    const auto blocks_y = component.height_in_blocks + static_cast<JDIMENSION>(component.v_samp_factor);
    sum.ram += Bytes{std::uint64_t{blocks_x} * blocks_y} * (DCTSIZE2 * sizeof(JCOEF));
  }
  return sum;
}

/// The loader for CMYK files, which libvips decodes.
constexpr VipsLoader kCmykLoader{
    .format = Format::jpg,
    .load = &VipsApi::vips_jpegload_source,
    .read_container_metadata = [](const InputFilePtr& file, int, Metadata& into) -> Status {
      read_jpeg_segments(*file, into);
      return ok();
    },
    .cost = {.bytes_at_8_bits = 12, .bytes_at_16_bits = 12},
    .streams = true};

/// Returns whether the EXIF and XMP segments, the ICC segments or the Photoshop segments are too large for libvips,
/// which holds all of them in memory.
bool has_too_much_metadata(const InputFilePtr& file) {
  const auto is_too_large = [&](int marker) {
    return count_jpeg_saved_bytes(file, marker, kMaxMetadataBytes) > kMaxMetadataBytes;
  };
  return is_too_large(JPEG_APP0 + 1) || is_too_large(JPEG_APP0 + 2) || is_too_large(JPEG_APP0 + 13);
}

}  // namespace

Result<DecoderPtr> open_jpeg(InputFilePtr file, const ReadOptions& options) {
  auto decoder = std::make_unique<JpegDecoder>(file, options);
  if (auto opened = decoder->open(); !opened) return opened.error();
  if (decoder->needs_conversion() && has_too_much_metadata(file))
    return file->error(Errc::unsupported,
                       "JPEG: CMYK with more than 4 MiB of metadata is not read; take the metadata out "
                       "or convert it to PNG first");
  if (decoder->needs_conversion() && options.damaged == DamagePolicy::use)
    if (auto usable = decoder->check_first_row(); !usable) return usable.error();
  if (decoder->needs_conversion()) return open_with_vips(kCmykLoader, std::move(file), options);
  return DecoderPtr{std::move(decoder)};
}

}  // namespace weir::media
