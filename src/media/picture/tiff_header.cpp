#include "media/picture/tiff_header.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "media/picture/container_metadata.hpp"
#include "media/picture/decoder.hpp"
#include "media/picture/row_converter.hpp"

namespace weir::media {
namespace {

constexpr std::uint64_t kMaxStripsOrTiles = kTiffHeaderLimit.count() / 8;  // libtiff allocates 8 bytes for each
constexpr std::uint64_t kMaxDecodedBytes = std::uint64_t{1} << 30;  // largest size of a row or of a tile, in bytes

Error tiff_unsupported(const InputFile& file, const std::string& what, const std::string& advice) {
  return file.error(Errc::unsupported, "tiff: " + what + "; " + advice);
}

class HeaderReader {
 public:
  HeaderReader(const TiffApi& api, const InputFile& file, const TiffFile& tiff) : api_{api}, file_{file}, tiff_{tiff} {}
  Result<TiffHeader> read();

 private:
  Status read_size();
  Status read_colours();
  void read_alpha();
  Status read_palette();
  Status check_sample_format() const;
  void read_metadata();
  Error unsupported(const std::string& what, const std::string& advice) const {
    return tiff_unsupported(file_, what, advice);
  }

  const TiffApi& api_;
  const InputFile& file_;
  const TiffFile& tiff_;
  TiffHeader header_;
  PictureInfo& info_ = header_.info;
  TiffPixelFormat& format_ = header_.pixel_format;
  TiffLayout& layout_ = header_.layout;
  int dropped_samples_ = 0;  // number of samples per pixel that are neither colour nor alpha
};

Status HeaderReader::read_size() {
  const auto width = tiff_.u32(TIFFTAG_IMAGEWIDTH), height = tiff_.u32(TIFFTAG_IMAGELENGTH);
  if (width == 0 || height == 0)
    return file_.error(Errc::corrupt, "tiff: no rows or columns; the file is damaged, get it again");
  if (width > static_cast<std::uint32_t>(kMaxSide) || height > static_cast<std::uint32_t>(kMaxSide))
    return file_.error(Errc::unsupported, "is " + std::to_string(width) + "x" + std::to_string(height) +
                                              " pixels; at most 1048576 on a side are read");
  info_.width = static_cast<int>(width);
  info_.height = static_cast<int>(height);
  layout_.compression = tiff_.u16(TIFFTAG_COMPRESSION);
  if (api_.TIFFIsCODECConfigured(layout_.compression) == 0)
    return unsupported("compression " + std::to_string(layout_.compression) + " is not read",
                       "save it with LZW, Deflate or none first");
  return ok();
}

// Pictures whose samples are not grey, RGB or palette indices are left to libvips, if it can decode them.
Status HeaderReader::read_colours() {
  std::uint16_t photometric = 0;
  if (api_.TIFFGetField(tiff_.get(), TIFFTAG_PHOTOMETRIC, &photometric) != 1)
    photometric = format_.samples_per_pixel >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
  layout_.photometric = photometric;
  switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
      format_.zero_is_white = true;
      return ok();
    case PHOTOMETRIC_MINISBLACK:
      return ok();
    case PHOTOMETRIC_RGB:
      return format_.samples_per_pixel >= 3
                 ? ok()
                 : file_.error(Errc::corrupt, "tiff: RGB of " + std::to_string(format_.samples_per_pixel) +
                                                  " samples a pixel; the file is damaged, get it again");
    case PHOTOMETRIC_PALETTE:
      return read_palette();
    case PHOTOMETRIC_YCBCR:
      if (layout_.compression != COMPRESSION_JPEG)
        return unsupported("YCbCr samples that are not compressed as JPEG are not read", "convert it to RGB first");
      if (format_.samples_per_pixel != 3 || format_.planar) header_.needs_conversion = true;
      return ok();
    case PHOTOMETRIC_SEPARATED:
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_LOGL:
    case PHOTOMETRIC_LOGLUV:
      header_.needs_conversion = true;
      if (format_.planar)
        return unsupported("CMYK or L*a*b* with each sample in a plane of its own is not read",
                           "convert it to RGB first");
      return ok();
    case PHOTOMETRIC_CFA:
      return unsupported("it holds a camera's raw samples, not a picture", "develop it first");
    default:
      return unsupported("photometric interpretation " + std::to_string(photometric) + " is not read",
                         "convert it to RGB first");
  }
}

// In TIFF 6.0 an extra sample is alpha only if the tag ExtraSamples declares it. In files without that tag a single
// extra sample is alpha too, as in GIMP 2.10, ImageMagick 6.9 and libvips 8.14.
void HeaderReader::read_alpha() {
  const int colours = layout_.photometric == PHOTOMETRIC_RGB || layout_.photometric == PHOTOMETRIC_YCBCR ? 3 : 1;
  std::uint16_t count = 0, *kinds = nullptr;  // number of extra samples, and the kind of each
  const bool has_tag = api_.TIFFGetField(tiff_.get(), TIFFTAG_EXTRASAMPLES, &count, &kinds) == 1 && count > 0;
  const int extra = format_.samples_per_pixel - colours;
  if (extra > 0 && has_tag && kinds[0] == EXTRASAMPLE_ASSOCALPHA) format_.alpha = TiffPixelFormat::Alpha::premultiplied;
  if (extra > 0 && has_tag && kinds[0] == EXTRASAMPLE_UNASSALPHA) format_.alpha = TiffPixelFormat::Alpha::straight;
  if (extra == 1 && !has_tag) format_.alpha = TiffPixelFormat::Alpha::straight;
  dropped_samples_ = std::max(0, extra - (format_.alpha == TiffPixelFormat::Alpha::none ? 0 : 1));
  format_.colours = info_.colours = format_.palette.empty() ? colours : 3;
  info_.alpha = format_.alpha != TiffPixelFormat::Alpha::none;
}

Status HeaderReader::read_palette() {
  std::uint16_t* channels[3] = {};
  if (format_.bits_per_sample > 16 ||
      api_.TIFFGetField(tiff_.get(), TIFFTAG_COLORMAP, &channels[0], &channels[1], &channels[2]) != 1)
    return file_.error(Errc::corrupt,
                       "tiff: a picture of palette colours without a palette; the file is damaged, "
                       "get it again");
  const std::size_t size = std::size_t{1} << format_.bits_per_sample;
  bool has_16_bit_entries = false;
  for (const auto* channel : channels) {
    format_.palette.insert(format_.palette.end(), channel, channel + size);
    has_16_bit_entries =
        has_16_bit_entries || std::any_of(channel, channel + size, [](std::uint16_t value) { return value > 255; });
  }
  // Some programs write entries of 8 bits instead of 16; then no value exceeds 255. The tools of libtiff use the same
  // rule.
  if (has_16_bit_entries)
    for (auto& value : format_.palette) value = to_8_bits(value);
  return ok();
}

Status HeaderReader::check_sample_format() const {
  const auto bits = std::to_string(format_.bits_per_sample);
  switch (layout_.sample_format) {
    case SAMPLEFORMAT_UINT:
    case SAMPLEFORMAT_VOID:
      if (format_.bits_per_sample >= 1 && format_.bits_per_sample <= 32) return ok();
      return unsupported("samples of " + bits + " bits are not read", "convert it to 8- or 16-bit RGB first");
    case SAMPLEFORMAT_IEEEFP:
      if (format_.palette.empty() &&
          (format_.bits_per_sample == 16 || format_.bits_per_sample == 32 || format_.bits_per_sample == 64))
        return ok();
      return unsupported("floating point of " + bits + " bits is not read", "convert it to 8- or 16-bit RGB first");
    case SAMPLEFORMAT_INT:
      return unsupported("signed samples are not read, because their black and white are undefined",
                         "convert it to unsigned samples first");
    default:
      return unsupported("samples that are complex numbers are not read", "convert it to 8- or 16-bit RGB first");
  }
}

void HeaderReader::read_metadata() {
  auto found = std::make_shared<Metadata>();
  const auto blob = [&](std::uint32_t tag, const char* name) {
    std::uint32_t size = 0;
    void* data = nullptr;
    if (api_.TIFFGetField(tiff_.get(), tag, &size, &data) != 1 || data == nullptr) return Blob{};
    if (size > kMaxMetadataBytes) {
      record_omission(*found, name, "takes more than 4 MiB");
      return Blob{};
    }
    const auto* first = static_cast<const std::byte*>(data);
    return Blob(first, first + size);
  };
  found->icc = blob(TIFFTAG_ICCPROFILE, "icc");
  found->xmp = blob(TIFFTAG_XMLPACKET, "xmp");
  float x = 0, y = 0;
  const auto unit = tiff_.u16(TIFFTAG_RESOLUTIONUNIT);
  if (unit != RESUNIT_NONE && api_.TIFFGetField(tiff_.get(), TIFFTAG_XRESOLUTION, &x) == 1 &&
      api_.TIFFGetField(tiff_.get(), TIFFTAG_YRESOLUTION, &y) == 1 && x > 0 && y > 0) {
    const double unit_mm = unit == RESUNIT_CENTIMETER ? 10 : 25.4;
    found->dots_per_mm_x = static_cast<double>(x) / unit_mm;
    found->dots_per_mm_y = static_cast<double>(y) / unit_mm;
  }
  const int orientation = tiff_.u16(TIFFTAG_ORIENTATION);
  header_.orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
  if (dropped_samples_ > 0)
    record_omission(*found, "extra samples", std::to_string(dropped_samples_) + " a pixel, which are not alpha");
  if (const int pages = api_.TIFFNumberOfDirectories(tiff_.get()); pages > 1)
    record_omission(*found, "pages", "the first of " + std::to_string(pages));
  read_tiff_tags(file_, *found);
  normalize_metadata(*found);
  header_.metadata = std::move(found);
}

Result<TiffHeader> HeaderReader::read() {
  info_.format = Format::tiff;
  if (auto size = read_size(); !size) return size.error();
  format_.bits_per_sample = tiff_.u16(TIFFTAG_BITSPERSAMPLE);
  format_.samples_per_pixel = tiff_.u16(TIFFTAG_SAMPLESPERPIXEL);
  format_.planar = format_.samples_per_pixel > 1 && tiff_.u16(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE;
  layout_.sample_format = tiff_.u16(TIFFTAG_SAMPLEFORMAT);
  if (layout_.sample_format == SAMPLEFORMAT_IEEEFP) format_.sample_type = TiffPixelFormat::SampleType::floating_point;
  if (format_.samples_per_pixel < 1) return make_tiff_row_error(tiff_, 0, info_.height);
  if (auto colours = read_colours(); !colours) return colours.error();
  if (header_.needs_conversion && tiff_.has_skipped_tags())
    return unsupported("CMYK, L*a*b* or YCbCr with a tag of more than 16 MiB is not read",
                       "take its metadata out first");
  // libtiff decodes JBIG only in whole strips, not row by row.
  header_.needs_conversion = header_.needs_conversion || layout_.compression == COMPRESSION_JBIG;
  if (header_.needs_conversion) return std::move(header_);
  if (auto checked = check_sample_format(); !checked) return checked.error();
  read_alpha();
  info_.bits = format_.output_bits();
  if (layout_.photometric == PHOTOMETRIC_YCBCR)
    api_.TIFFSetField(tiff_.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  if (auto layout = read_tiff_layout(api_, file_, tiff_, layout_); !layout) return layout.error();
  read_metadata();
  return std::move(header_);
}

}  // namespace

Result<TiffHeader> read_tiff_header(const TiffApi& api, const InputFile& file, const TiffFile& tiff) {
  return HeaderReader{api, file, tiff}.read();
}

Status read_tiff_layout(const TiffApi& api, const InputFile& file, const TiffFile& tiff, TiffLayout& layout) {
  auto* handle = tiff.get();
  layout.tiled = api.TIFFIsTiled(handle) != 0;
  const auto count = layout.tiled ? api.TIFFNumberOfTiles(handle) : api.TIFFNumberOfStrips(handle);
  if (count > kMaxStripsOrTiles)
    return tiff_unsupported(
        file, std::to_string(count) + " strips or tiles are above the limit of " + std::to_string(kMaxStripsOrTiles),
        "save it with larger ones first");
  for (std::uint32_t i = 0; i < count; ++i) {
    int problem = 0;
    layout.max_stored_bytes = std::max(layout.max_stored_bytes, api.TIFFGetStrileByteCountWithErr(handle, i, &problem));
  }
  layout.max_stored_bytes = std::min(layout.max_stored_bytes, file.size());
  if (layout.tiled) {
    layout.tile_width = tiff.u32(TIFFTAG_TILEWIDTH);
    layout.tile_height = tiff.u32(TIFFTAG_TILELENGTH);
    layout.max_decoded_bytes = api.TIFFTileSize64(handle);
    layout.row_bytes = api.TIFFTileRowSize64(handle);
  } else {
    layout.max_decoded_bytes = api.TIFFStripSize64(handle);
    layout.row_bytes = api.TIFFScanlineSize64(handle);
  }
  const auto unit_bytes = layout.tiled ? layout.max_decoded_bytes : layout.row_bytes;
  if (count == 0 || unit_bytes == 0 || layout.row_bytes == 0 || (layout.tiled && layout.tile_width == 0))
    return file.error(Errc::corrupt, "tiff: strips or tiles of no size; the file is damaged, get it again");
  if (unit_bytes > kMaxDecodedBytes || layout.tile_width > kMaxDecodedBytes || layout.tile_height > kMaxDecodedBytes)
    return tiff_unsupported(file,
                            "a row or tile of " + std::to_string(unit_bytes) + " bytes is above the limit of 1 GiB",
                            "save it in smaller pieces first");
  return ok();
}

Error make_tiff_row_error(const TiffFile& tiff, int row, int height) {
  return tiff.failure(Errc::corrupt, "tiff row " + std::to_string(row + 1) + " of " + std::to_string(height) +
                                         ": cannot be decoded; the file is damaged, get it again");
}

}  // namespace weir::media
