#include <spng.h>

#include <cstring>
#include <optional>
#include <string>

#include "base/scratch_file.hpp"
#include "media/decoder.hpp"

namespace weir::media {
namespace {

constexpr std::size_t kChunkLimit = std::size_t{64} << 20;     // a profile or text of more is refused
constexpr std::string_view kXmpKeyword = "XML:com.adobe.xmp";  // XMP specification part 3, "PNG"

struct FreeSpng {
  void operator()(spng_ctx* ctx) const noexcept { spng_ctx_free(ctx); }
};
using SpngPtr = std::unique_ptr<spng_ctx, FreeSpng>;

enum ColourType : std::uint8_t { kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgba = 6 };

class PngDecoder final : public Decoder {
 public:
  PngDecoder(InputFilePtr file, ReadOptions options) : file_{std::move(file)}, options_{std::move(options)} {}

  Status start();
  const PictureInfo& info() const override { return info_; }
  int orientation() const override { return orientation_; }
  MetadataPtr metadata() const override { return metadata_; }
  MediaNeed need() const override;
  Status restart() override;
  Status read(std::span<std::byte> rows) override;

 private:
  Status open_context();
  Status read_header();
  void read_metadata();
  Status begin_rows();
  Status gather_passes();
  Status next_row(std::byte* into);
  Error failure(int code, const std::string& where) const;

  InputFilePtr file_;
  ReadOptions options_;
  std::optional<InputCursor> input_;
  SpngPtr spng_;
  PictureInfo info_;
  MetadataPtr metadata_;
  int orientation_ = 1;
  int spng_format_ = 0;
  bool transparent_colour_ = false;  // a tRNS chunk
  bool interlaced_ = false;
  bool started_ = false;                 // rows were begun
  int row_ = 0;                          // the next one
  std::optional<ScratchFile> gathered_;  // all rows of an interlaced picture
};

Error PngDecoder::failure(int code, const std::string& where) const {
  if (input_ && input_->failure()) return *input_->failure();
  if (code == SPNG_EMEM) return file_->error(Errc::over_budget, where + ": no memory; raise --ram");
  if (code == SPNG_EUSER_WIDTH || code == SPNG_EUSER_HEIGHT)
    return file_->error(Errc::unsupported, where + ": wider or higher than 1048576 pixels; cut it into pieces");
  const std::string what = code == SPNG_EOF || code == SPNG_IO_EOF ? "the file ends too early" : spng_strerror(code);
  return file_->error(Errc::corrupt, where + ": " + what + "; the file is damaged, get it again");
}

Status PngDecoder::open_context() {
  spng_.reset(spng_ctx_new(0));
  input_.emplace(file_);
  if (!spng_) return file_->error(Errc::over_budget, "PNG: no memory; raise --ram");
  spng_set_image_limits(spng_.get(), kMaxSide, kMaxSide);
  spng_set_chunk_limits(spng_.get(), kChunkLimit, kChunkLimit);
  spng_set_crc_action(spng_.get(), SPNG_CRC_ERROR, SPNG_CRC_DISCARD);
  const auto feed = [](spng_ctx*, void* user, void* into, std::size_t count) -> int {
    auto& cursor = *static_cast<InputCursor*>(user);
    if (cursor.take({static_cast<std::byte*>(into), count})) return 0;
    return cursor.failure() ? SPNG_IO_ERROR : SPNG_IO_EOF;
  };
  if (const int code = spng_set_png_stream(spng_.get(), feed, &*input_)) return failure(code, "PNG");
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
  const bool grey = header.color_type == kGrey || header.color_type == kGreyAlpha;
  const bool deep = header.bit_depth == 16;
  info_.width = static_cast<int>(header.width);
  info_.height = static_cast<int>(header.height);
  info_.colours = grey ? 1 : 3;
  info_.alpha = transparent_colour_ || header.color_type == kGreyAlpha || header.color_type == kRgba;
  info_.bits = deep ? 16 : 8;
  info_.format = Format::png;
  // SPNG_FMT_PNG is the file's own layout in the machine's byte order; it is the only one for 16-bit RGB and grey.
  if (header.color_type == kGrey) {
    spng_format_ = deep ? (transparent_colour_ ? SPNG_FMT_GA16 : SPNG_FMT_PNG)
                        : (transparent_colour_ ? SPNG_FMT_GA8 : SPNG_FMT_G8);
  } else if (header.color_type == kGreyAlpha || header.color_type == kRgba) {
    spng_format_ = SPNG_FMT_PNG;
  } else if (transparent_colour_) {
    spng_format_ = deep ? SPNG_FMT_RGBA16 : SPNG_FMT_RGBA8;
  } else {
    spng_format_ = deep ? SPNG_FMT_PNG : SPNG_FMT_RGB8;
  }
  return ok();
}

// Metadata that is damaged or missing is no reason to refuse a picture.
void PngDecoder::read_metadata() {
  auto found = std::make_shared<Metadata>();
  const auto bytes = [](const void* data, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(data);
    return Blob(first, first + size);
  };
  if (spng_iccp profile{}; spng_get_iccp(spng_.get(), &profile) == 0)
    found->icc = bytes(profile.profile, profile.profile_len);
  if (spng_exif exif{}; spng_get_exif(spng_.get(), &exif) == 0)
    found->exif = exif_body(std::as_bytes(std::span{exif.data, exif.length}));
  if (spng_phys size{}; spng_get_phys(spng_.get(), &size) == 0 && size.unit_specifier == 1) {
    found->dots_per_mm_x = size.ppu_x / 1000.0;
    found->dots_per_mm_y = size.ppu_y / 1000.0;
  }
  std::uint32_t count = 0;
  if (spng_get_text(spng_.get(), nullptr, &count) == 0 && count > 0) {
    std::vector<spng_text> texts(count);
    if (spng_get_text(spng_.get(), texts.data(), &count) == 0)
      for (const auto& text : texts)
        if (text.keyword == kXmpKeyword) found->xmp = bytes(text.text, text.length);
  }
  orientation_ = settle(*found);
  metadata_ = std::move(found);
}

Status PngDecoder::start() {
  if (auto opened = open_context(); !opened) return opened;
  if (auto header = read_header(); !header) return header;
  read_metadata();
  return ok();
}

Status PngDecoder::restart() {
  row_ = 0;
  if (!started_ || gathered_) return ok();
  started_ = false;
  return open_context();
}

Status PngDecoder::begin_rows() {
  started_ = true;
  const int flags = SPNG_DECODE_PROGRESSIVE | (transparent_colour_ ? SPNG_DECODE_TRNS : 0);
  if (const int code = spng_decode_image(spng_.get(), nullptr, 0, spng_format_, flags)) return failure(code, "PNG");
  return interlaced_ ? gather_passes() : ok();
}

Status PngDecoder::next_row(std::byte* into) {
  const int code = spng_decode_row(spng_.get(), into, info_.row_bytes());
  if (code == 0 || (code == SPNG_EOI && row_ + 1 == info_.height)) return ok();
  return failure(code, "PNG row " + std::to_string(row_ + 1) + " of " + std::to_string(info_.height));
}

// Adam7 visits a row up to four times, filling in more of its pixels each time.
Status PngDecoder::gather_passes() {
  auto scratch = ScratchFile::create(options_.spill);
  if (!scratch) return scratch.error();
  const auto row = std::make_unique_for_overwrite<std::byte[]>(info_.row_bytes());
  const std::span pixels{row.get(), info_.row_bytes()};
  for (;;) {
    spng_row_info next{};
    if (const int code = spng_get_row_info(spng_.get(), &next)) {
      if (code == SPNG_EOI) break;
      return failure(code, "PNG");
    }
    const auto offset = std::uint64_t{next.row_num} * pixels.size();
    if (auto before = scratch->read_at(offset, pixels); !before) return before;
    const int code = spng_decode_row(spng_.get(), pixels.data(), pixels.size());
    if (code != 0 && code != SPNG_EOI) return failure(code, "PNG pass " + std::to_string(next.pass + 1) + " of 7");
    if (auto after = scratch->write_at(offset, pixels); !after) return after;
    if (code == SPNG_EOI) break;
  }
  gathered_ = *std::move(scratch);
  spng_.reset();
  return ok();
}

Status PngDecoder::read(std::span<std::byte> rows) {
  if (!started_)
    if (auto begun = begin_rows(); !begun) return begun;
  const auto row_bytes = info_.row_bytes();
  if (gathered_) {
    if (auto got = gathered_->read_at(static_cast<std::uint64_t>(row_) * row_bytes, rows); !got) return got;
    row_ += static_cast<int>(rows.size() / row_bytes);
    return ok();
  }
  for (std::size_t at = 0; at < rows.size(); at += row_bytes, ++row_)
    if (auto got = next_row(rows.data() + at); !got) return got;
  return ok();
}

MediaNeed PngDecoder::need() const {
  // docs/memory.md: two rows as stored, one as yielded, zlib's window and libspng's own; the metadata is held twice.
  const auto row = Bytes{info_.row_bytes()};
  const auto held = Bytes{metadata_->icc.size() + metadata_->exif.size() + metadata_->xmp.size()};
  MediaNeed sum{row * 4 + held * 2 + 768_KiB, Bytes{}};
  if (interlaced_) sum.disk = row * static_cast<std::uint64_t>(info_.height);
  return sum;
}

}  // namespace

Result<DecoderPtr> open_png(InputFilePtr file, const ReadOptions& options) {
  auto decoder = std::make_unique<PngDecoder>(std::move(file), options);
  if (auto started = decoder->start(); !started) return started.error();
  return DecoderPtr{std::move(decoder)};
}

}  // namespace weir::media
