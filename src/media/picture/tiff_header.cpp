#include "media/picture/tiff_header.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "media/picture/container_metadata.hpp"
#include "media/picture/decoder.hpp"
#include "media/picture/samples.hpp"

namespace weir::media {
namespace {

constexpr std::uint64_t kMostPieces = kTiffHeaderLimit.count() / 8;  // strips or tiles
constexpr std::uint64_t kMostDecoded = std::uint64_t{1} << 30;       // bytes of a row, or of a tile

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
  Status check_numbers() const;
  void read_metadata();
  Error unsupported(const std::string& what, const std::string& advice) const {
    return tiff_unsupported(file_, what, advice);
  }

  const TiffApi& api_;
  const InputFile& file_;
  const TiffFile& tiff_;
  TiffHeader header_;
  PictureInfo& info_ = header_.info;
  TiffForm& form_ = header_.form;
  TiffLayout& layout_ = header_.layout;
  int dropped_samples_ = 0;  // of each pixel: neither colours nor alpha
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

// Pictures whose samples are no grey, RGB or palette are left to libvips, where it can.
Status HeaderReader::read_colours() {
  std::uint16_t photometric = 0;
  if (api_.TIFFGetField(tiff_.get(), TIFFTAG_PHOTOMETRIC, &photometric) != 1)
    photometric = form_.samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
  layout_.photometric = photometric;
  switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
      form_.inverted = true;
      return ok();
    case PHOTOMETRIC_MINISBLACK:
      return ok();
    case PHOTOMETRIC_RGB:
      return form_.samples >= 3 ? ok()
                                : file_.error(Errc::corrupt, "tiff: RGB of " + std::to_string(form_.samples) +
                                                                 " samples a pixel; the file is damaged, get it again");
    case PHOTOMETRIC_PALETTE:
      return read_palette();
    case PHOTOMETRIC_YCBCR:
      if (layout_.compression != COMPRESSION_JPEG)
        return unsupported("YCbCr samples that are not compressed as JPEG are not read", "convert it to RGB first");
      if (form_.samples != 3 || form_.planar) header_.needs_conversion = true;
      return ok();
    case PHOTOMETRIC_SEPARATED:
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_LOGL:
    case PHOTOMETRIC_LOGLUV:
      header_.needs_conversion = true;
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
void HeaderReader::read_alpha() {
  const int colours = layout_.photometric == PHOTOMETRIC_RGB || layout_.photometric == PHOTOMETRIC_YCBCR ? 3 : 1;
  std::uint16_t count = 0, *kinds = nullptr;
  const bool told = api_.TIFFGetField(tiff_.get(), TIFFTAG_EXTRASAMPLES, &count, &kinds) == 1 && count > 0;
  const int extra = form_.samples - colours;
  if (extra > 0 && told && kinds[0] == EXTRASAMPLE_ASSOCALPHA) form_.alpha = TiffForm::Alpha::multiplied;
  if (extra > 0 && told && kinds[0] == EXTRASAMPLE_UNASSALPHA) form_.alpha = TiffForm::Alpha::straight;
  if (extra == 1 && !told) form_.alpha = TiffForm::Alpha::straight;
  dropped_samples_ = std::max(0, extra - (form_.alpha == TiffForm::Alpha::none ? 0 : 1));
  form_.colours = info_.colours = form_.palette.empty() ? colours : 3;
  info_.alpha = form_.alpha != TiffForm::Alpha::none;
}

Status HeaderReader::read_palette() {
  std::uint16_t* parts[3] = {};
  if (form_.bits > 16 || api_.TIFFGetField(tiff_.get(), TIFFTAG_COLORMAP, &parts[0], &parts[1], &parts[2]) != 1)
    return file_.error(Errc::corrupt,
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
    for (auto& value : form_.palette) value = to_8_bits(value);
  return ok();
}

Status HeaderReader::check_numbers() const {
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

void HeaderReader::read_metadata() {
  auto found = std::make_shared<Metadata>();
  const auto blob = [&](std::uint32_t tag, const char* name) {
    std::uint32_t size = 0;
    void* data = nullptr;
    if (api_.TIFFGetField(tiff_.get(), tag, &size, &data) != 1 || data == nullptr) return Blob{};
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
  const auto unit = tiff_.u16(TIFFTAG_RESOLUTIONUNIT);
  if (unit != RESUNIT_NONE && api_.TIFFGetField(tiff_.get(), TIFFTAG_XRESOLUTION, &x) == 1 &&
      api_.TIFFGetField(tiff_.get(), TIFFTAG_YRESOLUTION, &y) == 1 && x > 0 && y > 0) {
    const double mm = unit == RESUNIT_CENTIMETER ? 10 : 25.4;
    found->dots_per_mm_x = static_cast<double>(x) / mm;
    found->dots_per_mm_y = static_cast<double>(y) / mm;
  }
  const int orientation = tiff_.u16(TIFFTAG_ORIENTATION);
  header_.orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
  if (dropped_samples_ > 0)
    leave_out(*found, "extra samples", std::to_string(dropped_samples_) + " a pixel, which are not alpha");
  if (const int pages = api_.TIFFNumberOfDirectories(tiff_.get()); pages > 1)
    leave_out(*found, "pages", "the first of " + std::to_string(pages));
  read_tiff_tags(file_, *found);
  settle(*found);
  header_.metadata = std::move(found);
}

Result<TiffHeader> HeaderReader::read() {
  info_.format = Format::tiff;
  if (auto size = read_size(); !size) return size.error();
  form_.bits = tiff_.u16(TIFFTAG_BITSPERSAMPLE);
  form_.samples = tiff_.u16(TIFFTAG_SAMPLESPERPIXEL);
  form_.planar = form_.samples > 1 && tiff_.u16(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE;
  layout_.sample_format = tiff_.u16(TIFFTAG_SAMPLEFORMAT);
  if (layout_.sample_format == SAMPLEFORMAT_IEEEFP) form_.number = TiffForm::Number::real;
  if (form_.samples < 1) return tiff_row_failure(tiff_, 0, info_.height);
  if (auto colours = read_colours(); !colours) return colours.error();
  if (header_.needs_conversion && tiff_.too_large())
    return unsupported("CMYK, L*a*b* or YCbCr with a tag of more than 16 MiB is not read",
                       "take its metadata out first");
  // libtiff decodes JBIG by whole strips only
  header_.needs_conversion = header_.needs_conversion || layout_.compression == COMPRESSION_JBIG;
  if (header_.needs_conversion) return std::move(header_);
  if (auto numbers = check_numbers(); !numbers) return numbers.error();
  read_alpha();
  info_.bits = form_.yielded_bits();
  if (layout_.photometric == PHOTOMETRIC_YCBCR)
    api_.TIFFSetField(tiff_.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  if (auto pieces = read_tiff_pieces(api_, file_, tiff_, layout_); !pieces) return pieces.error();
  read_metadata();
  return std::move(header_);
}

}  // namespace

Result<TiffHeader> read_tiff_header(const TiffApi& api, const InputFile& file, const TiffFile& tiff) {
  return HeaderReader{api, file, tiff}.read();
}

Status read_tiff_pieces(const TiffApi& api, const InputFile& file, const TiffFile& tiff, TiffLayout& layout) {
  auto* handle = tiff.get();
  layout.tiled = api.TIFFIsTiled(handle) != 0;
  const auto count = layout.tiled ? api.TIFFNumberOfTiles(handle) : api.TIFFNumberOfStrips(handle);
  if (count > kMostPieces)
    return tiff_unsupported(file, std::to_string(count) + " strips or tiles are more than are read",
                            "save it with larger ones first");
  for (std::uint32_t i = 0; i < count; ++i) {
    int problem = 0;
    layout.stored_most = std::max(layout.stored_most, api.TIFFGetStrileByteCountWithErr(handle, i, &problem));
  }
  layout.stored_most = std::min(layout.stored_most, file.size());
  if (layout.tiled) {
    layout.tile_width = tiff.u32(TIFFTAG_TILEWIDTH);
    layout.tile_height = tiff.u32(TIFFTAG_TILELENGTH);
    layout.decoded_most = api.TIFFTileSize64(handle);
    layout.row = api.TIFFTileRowSize64(handle);
  } else {
    layout.decoded_most = api.TIFFStripSize64(handle);
    layout.row = api.TIFFScanlineSize64(handle);
  }
  const auto least = layout.tiled ? layout.decoded_most : layout.row;
  if (count == 0 || least == 0 || layout.row == 0 || (layout.tiled && layout.tile_width == 0))
    return file.error(Errc::corrupt, "tiff: strips or tiles of no size; the file is damaged, get it again");
  if (least > kMostDecoded || layout.tile_width > kMostDecoded || layout.tile_height > kMostDecoded)
    return tiff_unsupported(file, "a row or tile of " + std::to_string(least) + " bytes is more than is read",
                            "save it in smaller pieces first");
  return ok();
}

Error tiff_row_failure(const TiffFile& tiff, int row, int height) {
  return tiff.failure(Errc::corrupt, "tiff row " + std::to_string(row + 1) + " of " + std::to_string(height) +
                                         ": cannot be decoded; the file is damaged, get it again");
}

}  // namespace weir::media
