// Decodes PNG files with libspng, row by row, or for an interlaced picture all rows into a temporary file. A damaged
// file is decoded again through a PngRepairer.
#include <spng.h>

#include <cstring>
#include <optional>
#include <string>

#include "base/scratch_file.hpp"
#include "media/picture/adam7.hpp"
#include "media/picture/decoder.hpp"
#include "media/picture/png_chunks.hpp"
#include "media/picture/png_repairer.hpp"

namespace weir::media {
namespace {

// Limit for libspng in bytes, after decompression: for one chunk, and also for the sum of the chunks that it keeps.
constexpr std::size_t kChunkLimit = 2 * kMaxMetadataBytes;

struct FreeSpng {
  void operator()(spng_ctx* ctx) const noexcept { spng_ctx_free(ctx); }
};
using SpngPtr = std::unique_ptr<spng_ctx, FreeSpng>;

/// The colour types of the PNG header.
enum ColourType : std::uint8_t { kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgba = 6 };

/// How a file is read. If a mode fails and DamagePolicy::use is set, the decoder tries the next mode.
/// strict     the file as it is
/// repaired   through a PngRepairer
/// unchecked  through a PngRepairer, without a check of the checksum of all pixel data (Adler-32, RFC 1950)
enum class ReadMode { strict, repaired, unchecked };

class PngDecoder final : public Decoder {
 public:
  PngDecoder(InputFilePtr file, ReadOptions options) : file_{std::move(file)}, options_{std::move(options)} {}

  Status open();
  MediaNeed need() const override;
  Status restart() override;
  Status read(std::span<std::byte> rows) override;
  std::vector<Damage> damage() const override;

 private:
  Status open_context();
  Status open_picture();
  // Reads the next bytes of the file for libspng; returns false at the end or after a failure.
  bool feed(std::span<std::byte> into);
  bool try_next_mode(const Status& failed);
  Status check_end();
  Status begin_rows_in_any_mode();
  Status read_row_in_any_mode(Status failed, std::byte* into);
  Status skip_rows(int count);
  void record_doubt();
  Status read_header();
  void read_metadata();
  Status begin_rows();
  Status gather_passes();
  Status read_row(std::byte* into);
  Error failure(int code, const std::string& place) const;

  InputFilePtr file_;
  ReadOptions options_;
  std::optional<InputCursor> input_;  // reads the file in strict mode; otherwise empty
  std::uint64_t bytes_read_ = 0;      // number of bytes read from input_
  std::uint64_t pixels_offset_ = 0;   // byte offset of the latest chunk of pixel data; only in strict mode
  // all rows are decoded, but the file ends inside the last chunk of pixel data
  bool pixels_truncated_ = false;
  std::optional<PngRepairer> repairer_;    // reads the file in the other modes; otherwise empty
  ReadMode read_mode_ = ReadMode::strict;  // never returns to an earlier mode, not even at restart()
  bool ignored_checksum_ = false;          // a row was decoded only because the checksum of all pixels was ignored
  int first_doubtful_row_ = -1;            // first row that a fault found by repairer_ may affect; -1: none
  std::string doubt_reason_;               // reason for first_doubtful_row_
  std::string strict_error_;               // reason why strict mode failed; empty: it did not fail
  std::optional<Damage> low_detail_;       // set if pixels of an interlaced picture are missing
  SpngPtr spng_;
  int spng_format_ = 0;              // format of the rows that libspng returns
  bool transparent_colour_ = false;  // the file declares transparent colours (chunk tRNS)
  bool interlaced_ = false;
  bool started_ = false;                      // decoding of rows has started
  int row_ = 0;                               // index of the next row
  std::optional<ScratchFile> gathered_rows_;  // all rows of an interlaced picture, once they are decoded
};

Error PngDecoder::failure(int code, const std::string& place) const {
  if (input_ && input_->failure()) return *input_->failure();
  if (repairer_ && repairer_->failure()) return *repairer_->failure();
  if (code == SPNG_EMEM) return file_->error(Errc::over_budget, place + ": no memory; raise --ram");
  if (code == SPNG_EUSER_WIDTH || code == SPNG_EUSER_HEIGHT)
    return file_->error(Errc::unsupported, place + ": wider or higher than 1048576 pixels; cut it into pieces");
  if (code == SPNG_ECHUNK_LIMITS)
    return file_->error(Errc::unsupported, place + ": its profile or texts take more than " +
                                               std::to_string(kChunkLimit >> 20) + " MiB; take them out first");
  const bool ends_early = code == SPNG_EOF || code == SPNG_IO_EOF || (repairer_ && repairer_->ends_early());
  const std::string what = ends_early ? "the file ends too early" : spng_strerror(code);
  return file_->error(Errc::corrupt, place + ": " + what + "; the file is damaged, get it again");
}

Status PngDecoder::open_context() {
  spng_.reset(spng_ctx_new(read_mode_ == ReadMode::unchecked ? SPNG_CTX_IGNORE_ADLER32 : 0));
  input_.reset();
  repairer_.reset();
  bytes_read_ = 0;
  if (read_mode_ == ReadMode::strict) {
    input_.emplace(file_);
  } else {
    auto repairer = PngRepairer::open(file_);
    if (!repairer) return repairer.error();
    repairer_.emplace(*std::move(repairer));
  }
  if (!spng_) return file_->error(Errc::over_budget, "PNG: no memory; raise --ram");
  spng_set_image_limits(spng_.get(), kMaxSide, kMaxSide);
  spng_set_chunk_limits(spng_.get(), kChunkLimit, kChunkLimit);
  spng_set_crc_action(spng_.get(), SPNG_CRC_ERROR, SPNG_CRC_DISCARD);
  const auto feed = [](spng_ctx*, void* user, void* into, std::size_t count) -> int {
    auto& self = *static_cast<PngDecoder*>(user);
    if (self.feed({static_cast<std::byte*>(into), count})) return 0;
    const bool failed = self.input_ ? self.input_->failure().has_value() : self.repairer_->failure().has_value();
    return failed ? SPNG_IO_ERROR : SPNG_IO_EOF;
  };
  if (const int code = spng_set_png_stream(spng_.get(), feed, this)) return failure(code, "PNG");
  return ok();
}

bool PngDecoder::feed(std::span<std::byte> into) {
  if (repairer_) return repairer_->read(into);
  if (!input_->read(into)) return false;
  // libspng reads the length and type of a chunk together, in eight bytes.
  if (into.size() == 8 && std::memcmp(into.data() + 4, "IDAT", 4) == 0) pixels_offset_ = bytes_read_;
  bytes_read_ += into.size();
  return true;
}

/// Checks the last chunk of pixel data after the last row, because libspng does not read its checksum.
Status PngDecoder::check_end() {
  if (read_mode_ == ReadMode::strict) return PngRepairer::check_chunk(file_, pixels_offset_);
  pixels_truncated_ = pixels_truncated_ || repairer_->has_truncated_pixels();
  return ok();
}

Status PngDecoder::read_header() {
  spng_ihdr header{};
  if (const int code = spng_get_ihdr(spng_.get(), &header)) return failure(code, "PNG header");
  spng_trns transparent{};
  const int code = spng_get_trns(spng_.get(), &transparent);
  if (code != 0 && code != SPNG_ECHUNKAVAIL) return failure(code, "PNG header");
  transparent_colour_ = code == 0;
  interlaced_ = header.interlace_method != 0;
  const bool is_grey = header.color_type == kGrey || header.color_type == kGreyAlpha;
  const bool is_16_bit = header.bit_depth == 16;
  info_.width = static_cast<int>(header.width);
  info_.height = static_cast<int>(header.height);
  info_.colours = is_grey ? 1 : 3;
  info_.alpha = transparent_colour_ || header.color_type == kGreyAlpha || header.color_type == kRgba;
  info_.bits = is_16_bit ? 16 : 8;
  info_.format = Format::png;
  // SPNG_FMT_PNG keeps the channels and bits of the file, in the byte order of the machine. libspng has no other format
  // for 16-bit RGB and grey.
  if (header.color_type == kGrey) {
    spng_format_ = is_16_bit ? (transparent_colour_ ? SPNG_FMT_GA16 : SPNG_FMT_PNG)
                             : (transparent_colour_ ? SPNG_FMT_GA8 : SPNG_FMT_G8);
  } else if (header.color_type == kGreyAlpha || header.color_type == kRgba) {
    spng_format_ = SPNG_FMT_PNG;
  } else if (transparent_colour_) {
    spng_format_ = is_16_bit ? SPNG_FMT_RGBA16 : SPNG_FMT_RGBA8;
  } else {
    spng_format_ = is_16_bit ? SPNG_FMT_PNG : SPNG_FMT_RGB8;
  }
  return ok();
}

// Damaged or missing metadata is no error.
void PngDecoder::read_metadata() {
  auto found = std::make_shared<Metadata>();
  const auto to_blob = [](const void* data, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(data);
    return Blob(first, first + size);
  };
  if (spng_iccp profile{}; spng_get_iccp(spng_.get(), &profile) == 0)
    found->icc = to_blob(profile.profile, profile.profile_len);
  read_png_chunks(*file_, *found);
  orientation_ = normalize_metadata(*found);
  metadata_ = std::move(found);
}

Status PngDecoder::open_picture() {
  if (auto opened = open_context(); !opened) return opened;
  return read_header();
}

Status PngDecoder::open() {
  if (options_.damaged == DamagePolicy::use && !PngRepairer::has_valid_lengths(*file_)) read_mode_ = ReadMode::repaired;
  auto opened = open_picture();
  while (!opened && try_next_mode(opened)) opened = open_picture();
  if (!opened) return opened;
  read_metadata();
  return ok();
}

Status PngDecoder::restart() {
  row_ = 0;
  if (!started_ || gathered_rows_) return ok();
  started_ = false;
  return open_context();
}

/// Switches to the next mode after the failure `failed`. Returns false if no mode is left or none can help.
bool PngDecoder::try_next_mode(const Status& failed) {
  if (options_.damaged == DamagePolicy::refuse || failed.error().code != Errc::corrupt ||
      read_mode_ == ReadMode::unchecked)
    return false;
  if (read_mode_ == ReadMode::strict) strict_error_ = extract_reason(failed.error().what, file_->name());
  read_mode_ = read_mode_ == ReadMode::strict ? ReadMode::repaired : ReadMode::unchecked;
  return true;
}

std::vector<Damage> PngDecoder::damage() const {
  std::vector<Damage> all;
  if (first_doubtful_row_ >= 0)
    all.push_back({Damage::Kind::doubtful, first_doubtful_row_, info_.height - first_doubtful_row_, doubt_reason_});
  else if (ignored_checksum_)
    all.push_back({Damage::Kind::doubtful, 0, info_.height, "the checksum of all pixels is wrong"});
  else if (pixels_truncated_ && !low_detail_)
    all.push_back({Damage::Kind::doubtful, 0, info_.height, "the file ends too early"});
  else if (!strict_error_.empty() && !low_detail_)
    all.push_back({Damage::Kind::doubtful, 0, info_.height, strict_error_});
  if (low_detail_) all.push_back(*low_detail_);
  return all;
}

/// Records the first fault that repairer_ found. The fault may affect the current row and all rows after it, or in an
/// interlaced picture all rows.
void PngDecoder::record_doubt() {
  if (!repairer_ || repairer_->first_fault().empty() || first_doubtful_row_ >= 0) return;
  first_doubtful_row_ = interlaced_ ? 0 : row_;
  doubt_reason_ = repairer_->first_fault();
}

Status PngDecoder::begin_rows() {
  started_ = true;
  const int flags = SPNG_DECODE_PROGRESSIVE | (transparent_colour_ ? SPNG_DECODE_TRNS : 0);
  if (const int code = spng_decode_image(spng_.get(), nullptr, 0, spng_format_, flags)) return failure(code, "PNG");
  return interlaced_ ? gather_passes() : ok();
}

/// Opens the file again in the current mode and decodes the `count` rows that an earlier mode already delivered.
Status PngDecoder::skip_rows(int count) {
  if (auto opened = open_context(); !opened) return opened;
  if (auto begun = begin_rows(); !begun) return begun;
  const auto row = std::make_unique_for_overwrite<std::byte[]>(info_.row_bytes());
  for (row_ = 0; row_ < count; ++row_)
    if (auto got = read_row(row.get()); !got) return got;
  return ok();
}

// libspng returns SPNG_EOI (end of the picture), not 0, with the last row.
Status PngDecoder::read_row(std::byte* into) {
  const int code = spng_decode_row(spng_.get(), into, info_.row_bytes());
  record_doubt();
  const bool is_last_row = row_ + 1 == info_.height;
  if (code == 0 || (code == SPNG_EOI && is_last_row)) return is_last_row ? check_end() : ok();
  return failure(code, "PNG row " + std::to_string(row_ + 1) + " of " + std::to_string(info_.height));
}

// Decodes an interlaced picture into gathered_rows_. Its pixels are stored in seven passes (Adam7); up to four passes
// add pixels to a row.
Status PngDecoder::gather_passes() {
  auto scratch = ScratchFile::create(options_.spill_folder);
  if (!scratch) return scratch.error();
  const auto row = std::make_unique_for_overwrite<std::byte[]>(info_.row_bytes());
  const std::span pixels{row.get(), info_.row_bytes()};
  Adam7Progress progress;
  for (;;) {
    spng_row_info next{};
    if (const int code = spng_get_row_info(spng_.get(), &next)) {
      if (code == SPNG_EOI) break;
      return failure(code, "PNG");
    }
    progress = {next.pass, static_cast<int>(next.row_num)};
    const auto offset = std::uint64_t{next.row_num} * pixels.size();
    // The row must contain the pixels of the earlier passes, because libspng adds those of this pass.
    if (auto before = scratch->read_at(offset, pixels); !before) return before;
    const int code = spng_decode_row(spng_.get(), pixels.data(), pixels.size());
    record_doubt();
    if (code != 0 && code != SPNG_EOI) {
      Status failed = failure(code, "PNG pass " + std::to_string(next.pass + 1) + " of 7");
      const bool can_fill = options_.damaged == DamagePolicy::use && failed.error().code == Errc::corrupt &&
                            read_mode_ == ReadMode::unchecked && !progress.is_empty();
      if (!can_fill) return failed;
      if (auto filled = fill_missing_adam7_pixels(*scratch, info_, progress); !filled) return filled;
      const int good_rows = progress.complete_rows();
      low_detail_ = Damage{Damage::Kind::low_detail, good_rows, info_.height - good_rows,
                           extract_reason(failed.error().what, file_->name())};
      break;
    }
    if (auto after = scratch->write_at(offset, pixels); !after) return after;
    if (code == SPNG_EOI) break;
  }
  if (!low_detail_)
    if (auto checked = check_end(); !checked) return checked;
  gathered_rows_ = *std::move(scratch);
  spng_.reset();
  return ok();
}

/// Starts decoding. After a failure it tries the next mode until none is left.
Status PngDecoder::begin_rows_in_any_mode() {
  auto begun = begin_rows();
  while (!begun && try_next_mode(begun)) {
    begun = open_context();
    if (begun) begun = begin_rows();
    ignored_checksum_ =
        ignored_checksum_ || (begun && interlaced_ && read_mode_ == ReadMode::unchecked && !low_detail_);
  }
  return begun;
}

/// Decodes row row_ in the next modes after the current mode failed with `failed`.
Status PngDecoder::read_row_in_any_mode(Status failed, std::byte* into) {
  while (!failed && try_next_mode(failed)) {
    const int failed_row = row_;
    failed = skip_rows(failed_row);
    row_ = failed_row;
    if (failed) failed = read_row(into);
    ignored_checksum_ = ignored_checksum_ || (failed && read_mode_ == ReadMode::unchecked);
  }
  return failed;
}

Status PngDecoder::read(std::span<std::byte> rows) {
  if (!started_)
    if (auto begun = begin_rows_in_any_mode(); !begun) return begun;
  const auto row_bytes = info_.row_bytes();
  if (gathered_rows_) {
    if (auto got = gathered_rows_->read_at(static_cast<std::uint64_t>(row_) * row_bytes, rows); !got) return got;
    row_ += static_cast<int>(rows.size() / row_bytes);
    return ok();
  }
  for (std::size_t at = 0; at < rows.size(); at += row_bytes, ++row_) {
    auto got = read_row(rows.data() + at);
    if (!got) got = read_row_in_any_mode(std::move(got), rows.data() + at);
    if (!got) return got;
  }
  return ok();
}

MediaNeed PngDecoder::need() const {
  // Two rows as stored, one output row, the window of zlib, and the memory of libspng, as measured (docs/memory.md).
  // The metadata is held twice.
  const auto row = Bytes{info_.row_bytes()};
  const auto metadata_bytes = Bytes{metadata_->bytes()};
  MediaNeed sum{row * 4 + metadata_bytes * 2 + 1_MiB, Bytes{}};
  if (interlaced_) sum.disk = row * static_cast<std::uint64_t>(info_.height);
  return sum;
}

}  // namespace

Result<DecoderPtr> open_png(InputFilePtr file, const ReadOptions& options) {
  auto decoder = std::make_unique<PngDecoder>(std::move(file), options);
  if (auto opened = decoder->open(); !opened) return opened.error();
  return DecoderPtr{std::move(decoder)};
}

}  // namespace weir::media
