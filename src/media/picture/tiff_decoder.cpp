// TIFF, through libtiff: by rows, or by rows of tiles. Colours that need a conversion (CMYK, L*a*b*, YCbCr that is no JPEG)
// go through libvips.
// Source: TIFF 6.0; Adobe, "TIFF Technical Note 3" (floating point); BigTIFF (libtiff's documentation)
#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "media/picture/container_metadata.hpp"
#include "media/picture/decoder.hpp"
#include "media/picture/tiff_file.hpp"
#include "media/picture/tiff_pixels.hpp"

namespace weir::media {
namespace {

constexpr Bytes kTiffLibraryBytes = 8_MiB;  // libtiff and its codecs' libraries, once they are loaded (docs/memory.md)
constexpr Bytes kWorking = 2_MiB;           // buffers that do not grow with the picture
constexpr Bytes kHeaderLimit = 16_MiB;      // of one tag, while only the header is read
constexpr std::uint64_t kMostPieces = kHeaderLimit.count() / 8;  // strips or tiles
constexpr std::uint64_t kMostDecoded = std::uint64_t{1} << 30;   // bytes of a row, or of a tile

/// What decides how a file is read.
struct TiffLayout {
  std::uint16_t photometric = 0, compression = 0, sample_format = 0;
  bool tiled = false;
  std::uint32_t tile_width = 0, tile_height = 0;
  std::uint64_t stored_most = 0;   ///< bytes of the largest strip or tile in the file
  std::uint64_t decoded_most = 0;  ///< of a strip or tile
  std::uint64_t row = 0;           ///< of a row of a plane, or of a tile
};

class TiffDecoder final : public Decoder {
 public:
  TiffDecoder(const TiffApi& api, InputFilePtr file, Damaged damaged)
      : api_{api}, file_{std::move(file)}, damaged_{damaged} {
    info_.format = Format::tiff;
  }

  Status start();
  bool needs_conversion() const { return needs_conversion_; }
  const PictureInfo& info() const override { return info_; }
  int orientation() const override { return orientation_; }
  MetadataPtr metadata() const override { return metadata_; }
  MediaNeed need() const override;
  Status restart() override;
  Status read(std::span<std::byte> rows) override;
  void leave_thread() override { close(); }
  std::vector<Damage> damage() const override;

 private:
  Status read_size(const TiffFile& tiff);
  Status read_colours(const TiffFile& tiff);
  Status read_alpha(const TiffFile& tiff);
  Status read_palette(const TiffFile& tiff);
  Status check_numbers() const;
  Status read_layout(const TiffFile& tiff);
  void read_metadata(const TiffFile& tiff);
  Bytes decoder_bytes() const;
  Status open_planes();
  Status read_row(std::byte* into);
  Status row_or_last(std::byte* into);
  Status read_tiles();
  bool read_tile(int x);
  bool fill_tile(int x, int width, int count);
  void note(std::vector<bool>& rows, int first, int count) const;
  void close();
  Error unsupported(const std::string& what, const std::string& advice) const {
    return file_->error(Errc::unsupported, "tiff: " + what + "; " + advice);
  }
  Error damaged(const TiffFile& tiff) const;

  const TiffApi& api_;
  InputFilePtr file_;
  Damaged damaged_;
  PictureInfo info_;
  TiffForm form_;
  TiffLayout layout_;
  MetadataPtr metadata_;
  int orientation_ = 1;
  int dropped_samples_ = 0;  // of each pixel: neither colours nor alpha
  bool needs_conversion_ = false;
  std::vector<std::unique_ptr<TiffFile>> planes_;  // one reads them all where there are tiles
  std::vector<std::vector<std::byte>> stored_;     // a row, or a tile, of each plane
  std::vector<std::byte> band_;                    // a row of tiles as it is yielded
  std::vector<std::byte> last_row_;                // as it was yielded: stands in for rows that cannot be decoded
  std::vector<bool> bad_rows_;                     // of all passes; empty: none
  std::vector<bool> doubtful_rows_;                // decoded from a strip that then failed
  int bad_until_ = 0;                              // rows before this one belong to a strip that cannot be decoded
  int row_ = 0;
};

Error TiffDecoder::damaged(const TiffFile& tiff) const {
  return tiff.failure(Errc::corrupt, "tiff row " + std::to_string(row_ + 1) + " of " + std::to_string(info_.height) +
                                         ": cannot be decoded; the file is damaged, get it again");
}

Status TiffDecoder::read_size(const TiffFile& tiff) {
  const auto width = tiff.u32(TIFFTAG_IMAGEWIDTH), height = tiff.u32(TIFFTAG_IMAGELENGTH);
  if (width == 0 || height == 0)
    return file_->error(Errc::corrupt, "tiff: no rows or columns; the file is damaged, get it again");
  if (width > static_cast<std::uint32_t>(kMaxSide) || height > static_cast<std::uint32_t>(kMaxSide))
    return file_->error(Errc::unsupported, "is " + std::to_string(width) + "x" + std::to_string(height) +
                                               " pixels; at most 1048576 on a side are read");
  info_.width = static_cast<int>(width);
  info_.height = static_cast<int>(height);
  layout_.compression = tiff.u16(TIFFTAG_COMPRESSION);
  if (api_.TIFFIsCODECConfigured(layout_.compression) == 0)
    return unsupported("compression " + std::to_string(layout_.compression) + " is not read",
                       "save it with LZW, Deflate or none first");
  return ok();
}

// Pictures whose samples are no grey, RGB or palette are left to libvips, where it can.
Status TiffDecoder::read_colours(const TiffFile& tiff) {
  std::uint16_t photometric = 0;
  if (api_.TIFFGetField(tiff.get(), TIFFTAG_PHOTOMETRIC, &photometric) != 1)
    photometric = form_.samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
  layout_.photometric = photometric;
  switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
      form_.inverted = true;
      return ok();
    case PHOTOMETRIC_MINISBLACK:
      return ok();
    case PHOTOMETRIC_RGB:
      return form_.samples >= 3
                 ? ok()
                 : file_->error(Errc::corrupt, "tiff: RGB of " + std::to_string(form_.samples) +
                                                   " samples a pixel; the file is damaged, get it again");
    case PHOTOMETRIC_PALETTE:
      return read_palette(tiff);
    case PHOTOMETRIC_YCBCR:
      if (layout_.compression != COMPRESSION_JPEG)
        return unsupported("YCbCr samples that are not compressed as JPEG are not read", "convert it to RGB first");
      if (form_.samples != 3 || form_.planar) needs_conversion_ = true;
      return ok();
    case PHOTOMETRIC_SEPARATED:
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_LOGL:
    case PHOTOMETRIC_LOGLUV:
      needs_conversion_ = true;
      if (form_.planar)
        return unsupported("CMYK or L*a*b* with each sample in a plane of its own is not read",
                           "convert it to RGB first");
      return ok();
    case PHOTOMETRIC_CFA:
      return unsupported("it holds a camera's raw samples, not a picture", "develop it first");
    default:
      return unsupported("colours of kind " + std::to_string(photometric) + " are not read", "convert it to RGB first");
  }
}

// TIFF 6.0 calls a sample beyond the colours alpha only where ExtraSamples says so. A file that leaves the tag out means
// alpha (GIMP 2.10, ImageMagick 6.9 and libvips 8.14 take it so).
Status TiffDecoder::read_alpha(const TiffFile& tiff) {
  const int colours = layout_.photometric == PHOTOMETRIC_RGB || layout_.photometric == PHOTOMETRIC_YCBCR ? 3 : 1;
  std::uint16_t count = 0, *kinds = nullptr;
  const bool told = api_.TIFFGetField(tiff.get(), TIFFTAG_EXTRASAMPLES, &count, &kinds) == 1 && count > 0;
  const int extra = form_.samples - colours;
  if (extra > 0 && told && kinds[0] == EXTRASAMPLE_ASSOCALPHA) form_.alpha = TiffForm::Alpha::multiplied;
  if (extra > 0 && told && kinds[0] == EXTRASAMPLE_UNASSALPHA) form_.alpha = TiffForm::Alpha::straight;
  if (extra == 1 && !told) form_.alpha = TiffForm::Alpha::straight;
  dropped_samples_ = std::max(0, extra - (form_.alpha == TiffForm::Alpha::none ? 0 : 1));
  form_.colours = info_.colours = form_.palette.empty() ? colours : 3;
  info_.alpha = form_.alpha != TiffForm::Alpha::none;
  return ok();
}

Status TiffDecoder::read_palette(const TiffFile& tiff) {
  std::uint16_t* parts[3] = {};
  if (form_.bits > 16 || api_.TIFFGetField(tiff.get(), TIFFTAG_COLORMAP, &parts[0], &parts[1], &parts[2]) != 1)
    return file_->error(Errc::corrupt,
                        "tiff: a picture of palette colours without a palette; the file is damaged, "
                        "get it again");
  const std::size_t size = std::size_t{1} << form_.bits;
  bool deep = false;
  for (const auto* part : parts) {
    form_.palette.insert(form_.palette.end(), part, part + size);
    deep = deep || std::any_of(part, part + size, [](std::uint16_t value) { return value > 255; });
  }
  // Some programs write entries of 8 bits; libtiff's tools tell them apart in the same way.
  if (deep)
    for (auto& value : form_.palette) value = static_cast<std::uint16_t>((value * 255U + 32767U) / 65535U);
  return ok();
}

Status TiffDecoder::check_numbers() const {
  const auto bits = std::to_string(form_.bits);
  switch (layout_.sample_format) {
    case SAMPLEFORMAT_UINT:
    case SAMPLEFORMAT_VOID:
      if (form_.bits >= 1 && form_.bits <= 32) return ok();
      return unsupported("samples of " + bits + " bits are not read", "convert it to 8- or 16-bit RGB first");
    case SAMPLEFORMAT_IEEEFP:
      if (form_.palette.empty() && (form_.bits == 16 || form_.bits == 32 || form_.bits == 64)) return ok();
      return unsupported("floating point of " + bits + " bits is not read", "convert it to 8- or 16-bit RGB first");
    case SAMPLEFORMAT_INT:
      return unsupported("signed whole numbers do not say which of them are black and white",
                         "convert it to unsigned samples first");
    default:
      return unsupported("complex numbers are no picture", "convert it to 8- or 16-bit RGB first");
  }
}

Status TiffDecoder::read_layout(const TiffFile& tiff) {
  auto* handle = tiff.get();
  layout_.tiled = api_.TIFFIsTiled(handle) != 0;
  const auto count = layout_.tiled ? api_.TIFFNumberOfTiles(handle) : api_.TIFFNumberOfStrips(handle);
  if (count > kMostPieces)
    return unsupported(std::to_string(count) + " strips or tiles are more than are read",
                       "save it with larger ones first");
  for (std::uint32_t i = 0; i < count; ++i) {
    int problem = 0;
    layout_.stored_most = std::max(layout_.stored_most, api_.TIFFGetStrileByteCountWithErr(handle, i, &problem));
  }
  layout_.stored_most = std::min(layout_.stored_most, file_->size());
  if (layout_.tiled) {
    layout_.tile_width = tiff.u32(TIFFTAG_TILEWIDTH);
    layout_.tile_height = tiff.u32(TIFFTAG_TILELENGTH);
    layout_.decoded_most = api_.TIFFTileSize64(handle);
    layout_.row = api_.TIFFTileRowSize64(handle);
  } else {
    layout_.decoded_most = api_.TIFFStripSize64(handle);
    layout_.row = api_.TIFFScanlineSize64(handle);
  }
  const auto least = layout_.tiled ? layout_.decoded_most : layout_.row;
  if (count == 0 || least == 0 || layout_.row == 0 || (layout_.tiled && layout_.tile_width == 0))
    return file_->error(Errc::corrupt, "tiff: strips or tiles of no size; the file is damaged, get it again");
  if (least > kMostDecoded || layout_.tile_width > kMostDecoded || layout_.tile_height > kMostDecoded)
    return unsupported("a row or tile of " + std::to_string(least) + " bytes is more than is read",
                       "save it in smaller pieces first");
  return ok();
}

void TiffDecoder::read_metadata(const TiffFile& tiff) {
  auto found = std::make_shared<Metadata>();
  const auto blob = [&](std::uint32_t tag, const char* name) {
    std::uint32_t size = 0;
    void* data = nullptr;
    if (api_.TIFFGetField(tiff.get(), tag, &size, &data) != 1 || data == nullptr) return Blob{};
    if (size > kMostMetadata) {
      leave_out(*found, name, "takes more than 4 MiB");
      return Blob{};
    }
    const auto* first = static_cast<const std::byte*>(data);
    return Blob(first, first + size);
  };
  found->icc = blob(TIFFTAG_ICCPROFILE, "icc");
  found->xmp = blob(TIFFTAG_XMLPACKET, "xmp");
  float x = 0, y = 0;
  const auto unit = tiff.u16(TIFFTAG_RESOLUTIONUNIT);
  if (unit != RESUNIT_NONE && api_.TIFFGetField(tiff.get(), TIFFTAG_XRESOLUTION, &x) == 1 &&
      api_.TIFFGetField(tiff.get(), TIFFTAG_YRESOLUTION, &y) == 1 && x > 0 && y > 0) {
    const double mm = unit == RESUNIT_CENTIMETER ? 10 : 25.4;
    found->dots_per_mm_x = static_cast<double>(x) / mm;
    found->dots_per_mm_y = static_cast<double>(y) / mm;
  }
  const int orientation = tiff.u16(TIFFTAG_ORIENTATION);
  orientation_ = orientation >= 1 && orientation <= 8 ? orientation : 1;
  if (dropped_samples_ > 0)
    leave_out(*found, "extra samples", std::to_string(dropped_samples_) + " a pixel, which are not alpha");
  if (const int pages = api_.TIFFNumberOfDirectories(tiff.get()); pages > 1)
    leave_out(*found, "pages", "the first of " + std::to_string(pages));
  read_tiff_tags(*file_, *found);
  settle(*found);
  metadata_ = std::move(found);
}

Status TiffDecoder::start() {
  auto tiff = TiffFile::open(api_, file_, kHeaderLimit);
  if (!tiff) return tiff.error();
  if (auto size = read_size(**tiff); !size) return size;
  form_.bits = (*tiff)->u16(TIFFTAG_BITSPERSAMPLE);
  form_.samples = (*tiff)->u16(TIFFTAG_SAMPLESPERPIXEL);
  form_.planar = form_.samples > 1 && (*tiff)->u16(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE;
  layout_.sample_format = (*tiff)->u16(TIFFTAG_SAMPLEFORMAT);
  if (layout_.sample_format == SAMPLEFORMAT_IEEEFP) form_.number = TiffForm::Number::real;
  if (form_.samples < 1) return damaged(**tiff);
  if (auto colours = read_colours(**tiff); !colours) return colours;
  if (needs_conversion_ && (*tiff)->too_large())
    return unsupported("CMYK, L*a*b* or YCbCr with a tag of more than 16 MiB is not read",
                       "take its metadata out first");
  if (needs_conversion_) return ok();
  if (layout_.compression == COMPRESSION_JBIG) {  // libtiff decodes it by whole strips only
    needs_conversion_ = true;
    return ok();
  }
  if (auto numbers = check_numbers(); !numbers) return numbers;
  if (auto alpha = read_alpha(**tiff); !alpha) return alpha;
  info_.bits = form_.yielded_bits();
  if (layout_.photometric == PHOTOMETRIC_YCBCR)
    api_.TIFFSetField((*tiff)->get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  if (auto layout = read_layout(**tiff); !layout) return layout;
  read_metadata(**tiff);
  return ok();
}

Status TiffDecoder::open_planes() {
  const auto planes = static_cast<std::size_t>(form_.planes());
  for (std::size_t i = 0; i < (layout_.tiled ? 1 : planes); ++i) {
    auto opened = TiffFile::open(api_, file_, std::max(kHeaderLimit, decoder_bytes()));
    if (!opened) return opened.error();
    if (layout_.photometric == PHOTOMETRIC_YCBCR)
      api_.TIFFSetField((*opened)->get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    planes_.push_back(*std::move(opened));
  }
  const TiffLayout before = layout_;
  if (auto layout = read_layout(*planes_[0]); !layout) return layout;
  if (planes_[0]->u32(TIFFTAG_IMAGEWIDTH) != static_cast<std::uint32_t>(info_.width) || before.row != layout_.row ||
      before.decoded_most != layout_.decoded_most)
    return file_->error(Errc::io, "has changed while it was read; run again");
  stored_.assign(planes, std::vector<std::byte>(layout_.tiled ? layout_.decoded_most : layout_.row));
  const auto band_rows = std::min<std::uint64_t>(layout_.tile_height, static_cast<std::uint64_t>(info_.height));
  if (layout_.tiled) band_.resize(info_.row_bytes() * band_rows);
  return ok();
}

void TiffDecoder::close() {
  planes_.clear();
  stored_.clear();
  band_ = {};
}

Status TiffDecoder::restart() {
  close();
  row_ = 0;
  bad_until_ = 0;
  last_row_.clear();
  return ok();
}

void TiffDecoder::note(std::vector<bool>& rows, int first, int count) const {
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

// A strip that fails is not read on: what a codec makes of the rest of it is not what was written.
Status TiffDecoder::row_or_last(std::byte* into) {
  const auto row_bytes = info_.row_bytes();
  const bool skipped = row_ < bad_until_;
  auto got = skipped ? ok() : read_row(into);
  if (got && !skipped) {
    if (damaged_ == Damaged::use) last_row_.assign(into, into + row_bytes);
    return ok();
  }
  if (damaged_ == Damaged::refuse || last_row_.empty()) return got;
  if (!skipped) {
    const auto strip = std::max<std::uint32_t>(1, planes_[0]->u32(TIFFTAG_ROWSPERSTRIP));
    const std::uint64_t start = static_cast<std::uint64_t>(row_) / strip * strip;
    bad_until_ = static_cast<int>(std::min<std::uint64_t>(start + strip, static_cast<std::uint64_t>(info_.height)));
    note(bad_rows_, row_, bad_until_ - row_);
    // What a codec made of the strip before it gave up may be wrong already.
    const bool coded = layout_.compression != COMPRESSION_NONE && static_cast<std::uint64_t>(row_) > start;
    if (coded) note(doubtful_rows_, static_cast<int>(start), row_ - static_cast<int>(start));
  }
  std::memcpy(into, last_row_.data(), row_bytes);
  return ok();
}

Status TiffDecoder::read_row(std::byte* into) {
  const std::byte* rows[4] = {};
  for (std::size_t i = 0; i < planes_.size(); ++i) {
    if (api_.TIFFReadScanline(planes_[i]->get(), stored_[i].data(), static_cast<std::uint32_t>(row_),
                              static_cast<std::uint16_t>(i)) != 1)
      return damaged(*planes_[i]);
    rows[i] = stored_[i].data();
  }
  convert_tiff_pixels(form_, std::span{rows}.first(planes_.size()), info_.width, into);
  return ok();
}

bool TiffDecoder::read_tile(int x) {
  for (std::size_t i = 0; i < stored_.size(); ++i)
    if (api_.TIFFReadTile(planes_[0]->get(), stored_[i].data(), static_cast<std::uint32_t>(x),
                          static_cast<std::uint32_t>(row_), 0, static_cast<std::uint16_t>(i)) < 0)
      return false;
  return true;
}

// A tile that cannot be decoded: the row above it is repeated, in the first row of tiles the column to its left. False for
// the first tile of all, which has neither.
bool TiffDecoder::fill_tile(int x, int width, int count) {
  const auto pixel = static_cast<std::size_t>(info_.channels() * info_.bits / 8);
  const auto left = static_cast<std::size_t>(x) * pixel;
  if (last_row_.empty() && x == 0) return false;
  for (int y = 0; y < count; ++y) {
    std::byte* const row = band_.data() + static_cast<std::size_t>(y) * info_.row_bytes();
    if (!last_row_.empty()) {
      std::memcpy(row + left, last_row_.data() + left, static_cast<std::size_t>(width) * pixel);
      continue;
    }
    for (int i = 0; i < width; ++i)
      std::memcpy(row + left + static_cast<std::size_t>(i) * pixel, row + left - pixel, pixel);
  }
  return true;
}

// All tiles of the row of tiles that starts with row_, as they are yielded.
Status TiffDecoder::read_tiles() {
  const int tile_width = static_cast<int>(layout_.tile_width);
  const int count = std::min(static_cast<int>(layout_.tile_height), info_.height - row_);
  const auto pixel = static_cast<std::size_t>(info_.channels() * info_.bits / 8);
  for (int x = 0; x < info_.width; x += tile_width) {
    const int width = std::min(tile_width, info_.width - x);
    if (!read_tile(x)) {
      if (damaged_ == Damaged::refuse || !fill_tile(x, width, count)) return damaged(*planes_[0]);
      note(bad_rows_, row_, count);
      continue;
    }
    for (int y = 0; y < count; ++y) {
      const std::byte* rows[4] = {};
      for (std::size_t i = 0; i < stored_.size(); ++i)
        rows[i] = stored_[i].data() + static_cast<std::size_t>(y) * layout_.row;
      convert_tiff_pixels(
          form_, std::span{rows}.first(stored_.size()), width,
          band_.data() + static_cast<std::size_t>(y) * info_.row_bytes() + static_cast<std::size_t>(x) * pixel);
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
      if (auto got = row_or_last(rows.data() + at); !got) return got;
      continue;
    }
    const auto in_band = static_cast<std::uint32_t>(row_) % layout_.tile_height;
    if (in_band == 0)
      if (auto got = read_tiles(); !got) return got;
    std::memcpy(rows.data() + at, band_.data() + in_band * row_bytes, row_bytes);
    if (damaged_ == Damaged::use && in_band + 1 == layout_.tile_height)
      last_row_.assign(rows.begin() + static_cast<std::ptrdiff_t>(at),
                       rows.begin() + static_cast<std::ptrdiff_t>(at + row_bytes));
  }
  return ok();
}

// What libtiff holds for one strip or tile: its bytes as stored, and where a codec works on the whole of it or looks back
// far, about twice what they decode to.
Bytes TiffDecoder::decoder_bytes() const {
  Bytes sum{layout_.stored_most + (layout_.stored_most >> 2)};
  switch (layout_.compression) {
    case COMPRESSION_LZMA:
    case COMPRESSION_ZSTD:
    case COMPRESSION_WEBP:
    case COMPRESSION_LERC:
    case COMPRESSION_JPEG:
      return sum + Bytes{layout_.decoded_most} * 2;
    default:
      return sum;
  }
}

// docs/memory.md
MediaNeed TiffDecoder::need() const {
  const auto planes = static_cast<std::uint64_t>(form_.planes());
  MediaNeed sum{kTiffLibraryBytes + kWorking, Bytes{}, kTiffLibraryBytes};
  sum.ram += decoder_bytes() * (layout_.tiled ? 1 : planes) + Bytes{info_.row_bytes()} * 4;
  sum.ram += Bytes{layout_.tiled ? layout_.decoded_most : layout_.row * 2} * planes;
  if (layout_.tiled)
    sum.ram += Bytes{info_.row_bytes()} *
               std::min<std::uint64_t>(layout_.tile_height, static_cast<std::uint64_t>(info_.height));
  return sum.ram += Bytes{metadata_->bytes()} * 3, sum;
}

}  // namespace

Result<DecoderPtr> open_tiff(InputFilePtr file, const ReadOptions& options) {
  auto api = TiffApi::get();
  if (!api) return file->error(api.error().code, "tiff " + api.error().what);
  auto decoder = std::make_unique<TiffDecoder>(**api, file, options.damaged);
  if (auto started = decoder->start(); !started) return started.error();
  if (decoder->needs_conversion()) return open_other(std::move(file), Format::tiff, options);
  return DecoderPtr{std::move(decoder)};
}

}  // namespace weir::media
