// Decodes TIFF files with libtiff, row by row or one row of tiles at a time. libvips decodes files that need a
// conversion (TiffHeader::needs_conversion).
// Source: TIFF 6.0; Adobe, "TIFF Technical Note 3" (floating point); BigTIFF (libtiff's documentation)
#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "media/picture/container_metadata.hpp"
#include "media/picture/decoder.hpp"
#include "media/picture/tiff_file.hpp"
#include "media/picture/tiff_header.hpp"
#include "media/picture/tiff_pixels.hpp"
#include "media/picture/tiff_strips.hpp"
#include "media/picture/vips_decoder.hpp"

namespace weir::media {
namespace {

constexpr Bytes kTiffLibraryBytes = 8_MiB;  // libtiff and its codec libraries, loaded (docs/memory.md)
constexpr Bytes kTiffBuffers = 2_MiB;       // buffers that do not grow with the picture

class TiffDecoder final : public Decoder {
 public:
  TiffDecoder(const TiffApi& api, InputFilePtr file, TiffHeader header, DamagePolicy damaged)
      : api_{api},
        file_{std::move(file)},
        damaged_{damaged},
        format_{std::move(header.pixel_format)},
        layout_{header.layout} {
    info_ = header.info;
    orientation_ = header.orientation;
    metadata_ = std::move(header.metadata);
  }
  MediaNeed need() const override;
  Status restart() override;
  Status read(std::span<std::byte> rows) override;
  void release_thread_resources() override { close(); }
  std::vector<Damage> damage() const override;
  std::vector<std::string> losses() const override {
    return has_clipped_ ? std::vector<std::string>{"sample values outside of 0 to 1 (clipped)"}
                        : std::vector<std::string>{};
  }

 private:
  Bytes decoder_bytes() const;
  Status open_planes();
  Status read_row(std::byte* into);
  Status read_or_repeat_row(std::byte* into);
  Status read_tiles();
  // Decodes the tile at column x of the row of tiles that starts with row_ into stored_samples_. Returns false if
  // libtiff reported an error.
  bool read_tile(int x);
  bool fill_tile(int x, int width, int count);
  // Sets rows[first] and the following values, `count` together, to true.
  void mark_rows(std::vector<bool>& rows, int first, int count) const;
  void close();
  Error make_row_error(const TiffFile& tiff) const { return make_tiff_row_error(tiff, row_, info_.height); }

  const TiffApi& api_;
  InputFilePtr file_;
  DamagePolicy damaged_;
  TiffPixelFormat format_;
  TiffLayout layout_;
  std::vector<std::unique_ptr<TiffFile>> planes_;       // one open file per plane; with tiles one for all planes
  std::vector<std::vector<std::byte>> stored_samples_;  // a row or a tile of each plane
  std::vector<std::byte> band_;                         // a row of tiles, decoded and converted
  // last good row, which replaces rows that cannot be decoded; empty: none yet
  std::vector<std::byte> last_row_;
  std::vector<bool> bad_rows_;       // rows that could not be decoded so far; restart() keeps them; empty: none
  std::vector<bool> doubtful_rows_;  // rows decoded from a strip that failed later
  bool has_clipped_ = false;         // a floating-point sample was outside of 0 to 1; restart() keeps it
  int bad_strip_end_ = 0;            // first row after the last strip that cannot be decoded; 0: none yet
  int row_ = 0;                      // index of the next row
};

Status TiffDecoder::open_planes() {
  const auto planes = static_cast<std::size_t>(format_.planes());
  for (std::size_t i = 0; i < (layout_.tiled ? 1 : planes); ++i) {
    auto opened = TiffFile::open(api_, file_, std::max(kTiffHeaderLimit, decoder_bytes()));
    if (!opened) return opened.error();
    if (layout_.photometric == PHOTOMETRIC_YCBCR)
      api_.TIFFSetField((*opened)->get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    planes_.push_back(*std::move(opened));
  }
  // The file was opened again, so its tags are compared with those that were read first.
  const TiffLayout header_layout = layout_;
  if (auto read_again = read_tiff_layout(api_, *file_, *planes_[0], layout_); !read_again) return read_again;
  if (planes_[0]->u32(TIFFTAG_IMAGEWIDTH) != static_cast<std::uint32_t>(info_.width) ||
      header_layout.row_bytes != layout_.row_bytes || header_layout.max_decoded_bytes != layout_.max_decoded_bytes)
    return file_->error(Errc::io, "has changed while it was read; run again");
  stored_samples_.assign(planes, std::vector<std::byte>(layout_.tiled ? layout_.max_decoded_bytes : layout_.row_bytes));
  const auto band_rows = std::min<std::uint64_t>(layout_.tile_height, static_cast<std::uint64_t>(info_.height));
  if (layout_.tiled) band_.resize(info_.row_bytes() * band_rows);
  return ok();
}

void TiffDecoder::close() {
  planes_.clear();
  stored_samples_.clear();
  band_ = {};
}

Status TiffDecoder::restart() {
  close();
  row_ = 0;
  bad_strip_end_ = 0;
  last_row_.clear();
  return ok();
}

void TiffDecoder::mark_rows(std::vector<bool>& rows, int first, int count) const {
  rows.resize(static_cast<std::size_t>(info_.height));
  std::fill_n(rows.begin() + first, std::min(count, info_.height - first), true);
}

std::vector<Damage> TiffDecoder::damage() const {
  std::vector<Damage> all;
  const auto add = [&](const std::vector<bool>& rows, Damage::Kind kind) {
    for (auto at = std::find(rows.begin(), rows.end(), true); at != rows.end();) {
      const auto end = std::find(at, rows.end(), false);
      all.push_back({kind, static_cast<int>(at - rows.begin()), static_cast<int>(end - at),
                     layout_.tiled ? "tiles cannot be decoded" : "strips cannot be decoded"});
      at = std::find(end, rows.end(), true);
    }
  };
  add(bad_rows_, Damage::Kind::filled);
  add(doubtful_rows_, Damage::Kind::doubtful);
  return all;
}

// Decodes the next row, or repeats the last good row. After a failure the rest of the strip is skipped, because the
// codec would deliver wrong rows.
Status TiffDecoder::read_or_repeat_row(std::byte* into) {
  const auto row_bytes = info_.row_bytes();
  const bool is_skipped_row = row_ < bad_strip_end_;
  auto got = is_skipped_row ? ok() : read_row(into);
  if (got && !is_skipped_row) {
    if (damaged_ == DamagePolicy::use) last_row_.assign(into, into + row_bytes);
    return ok();
  }
  if (damaged_ == DamagePolicy::refuse || last_row_.empty()) return got;
  if (!got && got.error().code != Errc::corrupt) return got;  // a failed read is no damage
  if (!is_skipped_row) {
    const auto rows_per_strip = std::max<std::uint32_t>(1, planes_[0]->u32(TIFFTAG_ROWSPERSTRIP));
    const std::uint64_t strip_start = static_cast<std::uint64_t>(row_) / rows_per_strip * rows_per_strip;
    bad_strip_end_ = static_cast<int>(
        std::min<std::uint64_t>(strip_start + rows_per_strip, static_cast<std::uint64_t>(info_.height)));
    mark_rows(bad_rows_, row_, bad_strip_end_ - row_);
    // The rows that the codec decoded before the failure may be wrong too.
    const bool is_doubtful = layout_.compression != COMPRESSION_NONE && static_cast<std::uint64_t>(row_) > strip_start;
    if (is_doubtful) mark_rows(doubtful_rows_, static_cast<int>(strip_start), row_ - static_cast<int>(strip_start));
  }
  std::memcpy(into, last_row_.data(), row_bytes);
  return ok();
}

Status TiffDecoder::read_row(std::byte* into) {
  const std::byte* rows[4] = {};
  for (std::size_t i = 0; i < planes_.size(); ++i) {
    if (api_.TIFFReadScanline(planes_[i]->get(), stored_samples_[i].data(), static_cast<std::uint32_t>(row_),
                              static_cast<std::uint16_t>(i)) != 1)
      return make_row_error(*planes_[i]);
    rows[i] = stored_samples_[i].data();
  }
  has_clipped_ |= convert_tiff_pixels(format_, std::span{rows}.first(planes_.size()), info_.width, into);
  return ok();
}

bool TiffDecoder::read_tile(int x) {
  for (std::size_t i = 0; i < stored_samples_.size(); ++i)
    if (api_.TIFFReadTile(planes_[0]->get(), stored_samples_[i].data(), static_cast<std::uint32_t>(x),
                          static_cast<std::uint32_t>(row_), 0, static_cast<std::uint16_t>(i)) < 0)
      return false;
  return true;
}

// Fills a tile that cannot be decoded: repeats the pixel row above the tile, or in the first row of tiles the pixel
// column to the left of the tile. Returns false for the first tile, which has neither.
// x             left column of the tile
// width, count  columns and rows of the tile inside the picture
bool TiffDecoder::fill_tile(int x, int width, int count) {
  const auto pixel_bytes = static_cast<std::size_t>(info_.channels() * info_.bits / 8);
  const auto left_offset = static_cast<std::size_t>(x) * pixel_bytes;  // byte offset of the tile in a row
  if (last_row_.empty() && x == 0) return false;
  for (int y = 0; y < count; ++y) {
    std::byte* const row = band_.data() + static_cast<std::size_t>(y) * info_.row_bytes();
    if (!last_row_.empty()) {
      std::memcpy(row + left_offset, last_row_.data() + left_offset, static_cast<std::size_t>(width) * pixel_bytes);
      continue;
    }
    for (int i = 0; i < width; ++i)
      std::memcpy(row + left_offset + static_cast<std::size_t>(i) * pixel_bytes, row + left_offset - pixel_bytes,
                  pixel_bytes);
  }
  return true;
}

// Decodes and converts all tiles of the row of tiles that starts with row_.
Status TiffDecoder::read_tiles() {
  const int tile_width = static_cast<int>(layout_.tile_width);
  const int count = std::min(static_cast<int>(layout_.tile_height), info_.height - row_);
  const auto pixel_bytes = static_cast<std::size_t>(info_.channels() * info_.bits / 8);
  for (int x = 0; x < info_.width; x += tile_width) {
    const int width = std::min(tile_width, info_.width - x);
    if (!read_tile(x)) {
      auto error = make_row_error(*planes_[0]);  // a failed read (Errc::io) is no damage
      if (damaged_ == DamagePolicy::refuse || error.code != Errc::corrupt || !fill_tile(x, width, count)) return error;
      mark_rows(bad_rows_, row_, count);
      continue;
    }
    for (int y = 0; y < count; ++y) {
      const std::byte* rows[4] = {};
      for (std::size_t i = 0; i < stored_samples_.size(); ++i)
        rows[i] = stored_samples_[i].data() + static_cast<std::size_t>(y) * layout_.row_bytes;
      has_clipped_ |= convert_tiff_pixels(
          format_, std::span{rows}.first(stored_samples_.size()), width,
          band_.data() + static_cast<std::size_t>(y) * info_.row_bytes() + static_cast<std::size_t>(x) * pixel_bytes);
    }
  }
  return ok();
}

Status TiffDecoder::read(std::span<std::byte> rows) {
  if (planes_.empty())
    if (auto opened = open_planes(); !opened) return opened;
  const auto row_bytes = info_.row_bytes();
  for (std::size_t at = 0; at < rows.size(); at += row_bytes, ++row_) {
    if (!layout_.tiled) {
      if (auto got = read_or_repeat_row(rows.data() + at); !got) return got;
      continue;
    }
    const auto row_in_band = static_cast<std::uint32_t>(row_) % layout_.tile_height;
    if (row_in_band == 0)
      if (auto got = read_tiles(); !got) return got;
    std::memcpy(rows.data() + at, band_.data() + row_in_band * row_bytes, row_bytes);
    if (damaged_ == DamagePolicy::use && row_in_band + 1 == layout_.tile_height)
      last_row_.assign(rows.begin() + static_cast<std::ptrdiff_t>(at),
                       rows.begin() + static_cast<std::ptrdiff_t>(at + row_bytes));
  }
  return ok();
}

// Returns an upper bound of the memory of libtiff for one strip or tile: its stored bytes and a quarter more; and twice
// its decoded size for codecs that work on the whole strip or have a large window.
Bytes TiffDecoder::decoder_bytes() const {
  Bytes sum{layout_.max_stored_bytes + (layout_.max_stored_bytes >> 2)};
  switch (layout_.compression) {
    case COMPRESSION_LZMA:
    case COMPRESSION_ZSTD:
    case COMPRESSION_WEBP:
    case COMPRESSION_LERC:
    case COMPRESSION_JPEG:
      return sum + Bytes{layout_.max_decoded_bytes} * 2;
    default:
      return sum;
  }
}

// The formula is explained in docs/memory.md.
MediaNeed TiffDecoder::need() const {
  const auto planes = static_cast<std::uint64_t>(format_.planes());
  MediaNeed sum{kTiffLibraryBytes + kTiffBuffers, Bytes{}, kTiffLibraryBytes};
  sum.ram += decoder_bytes() * (layout_.tiled ? 1 : planes) + Bytes{info_.row_bytes()} * 4;
  sum.ram += Bytes{layout_.tiled ? layout_.max_decoded_bytes : layout_.row_bytes * 2} * planes;
  if (layout_.tiled)
    sum.ram += Bytes{info_.row_bytes()} *
               std::min<std::uint64_t>(layout_.tile_height, static_cast<std::uint64_t>(info_.height));
  return sum.ram += Bytes{metadata_->bytes()} * 3, sum;
}

/// The loader for files with TiffHeader::needs_conversion.
constexpr VipsLoader kConvertedTiffLoader{
    .format = Format::tiff,
    .load = &VipsApi::vips_tiffload_source,
    .read_container_metadata = [](const InputFilePtr& file, int pages, Metadata& into) -> Status {
      if (pages > 1) record_omission(into, "pages", "the first of " + std::to_string(pages));
      read_tiff_tags(*file, into);
      return ok();
    },
    .cost = {},
    .streams = true,
    .read_rows_per_strip = read_tiff_rows_per_strip};

Result<TiffHeader> read_header(const TiffApi& api, const InputFilePtr& file) {
  const auto tiff = TiffFile::open(api, file, kTiffHeaderLimit);
  if (!tiff) return tiff.error();
  return read_tiff_header(api, *file, **tiff);
}

}  // namespace

Result<DecoderPtr> open_tiff(InputFilePtr file, const ReadOptions& options) {
  auto api = TiffApi::get();
  if (!api) return file->error(api.error().code, "tiff " + api.error().what);
  auto header = read_header(**api, file);
  if (!header) return header.error();
  if (header->needs_conversion) return open_with_vips(kConvertedTiffLoader, std::move(file), options);
  return DecoderPtr{std::make_unique<TiffDecoder>(**api, std::move(file), *std::move(header), options.damaged)};
}

}  // namespace weir::media
