// Tests of many kinds of TIFF files, written with libtiff: the reader returns the drawn values, or refuses the file
// with the right reason.
#include <gtest/gtest.h>
#include <tiffio.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "folder.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/picture_samples_test.hpp"

namespace weir::media {
namespace {

using test::load;
using test::Samples;
using weir::test::Folder;

/// The kind of TIFF file that a test draws. The value of a floating-point sample is an integer divided by 1000.
struct Drawing {
  std::string name;
  std::string mode = "w";  // mode for TIFFOpen: 8 means BigTIFF, b means big-endian
  int bits = 8, samples = 3;
  std::uint16_t photometric = PHOTOMETRIC_RGB, sample_format = SAMPLEFORMAT_UINT;
  std::uint16_t compression = COMPRESSION_NONE, predictor = 1;
  bool planar = false;
  std::uint32_t tile_width = 0, tile_height = 0, strip_rows = 7;
  std::vector<std::uint16_t> extra_samples = {};
  int width = 83, height = 45;
  int first_thousandth = 0;  // added to the thousandths of floating-point samples
};

void PrintTo(const Drawing& drawing, std::ostream* out) { *out << drawing.name; }

std::uint32_t integer_sample_at(const Drawing& drawing, int x, int y, int sample) {
  const auto value = static_cast<std::uint32_t>(x * 37 + y * 11 + sample * 71) * 2654435761U;
  return drawing.bits == 32 ? value : value >> (32 - drawing.bits);
}

int thousandths_of_sample(const Drawing& drawing, int x, int y, int sample) {
  return (x * 7 + y * 5 + sample * 211) % 1001 + drawing.first_thousandth;
}

void put_sample(const Drawing& drawing, Samples& row, std::size_t index, int x, int y, int sample) {
  const auto bytes = static_cast<std::size_t>(drawing.bits) / 8;
  if (drawing.sample_format == SAMPLEFORMAT_IEEEFP) {
    const double value = thousandths_of_sample(drawing, x, y, sample) / 1000.0;
    const auto small = static_cast<float>(value);
    std::memcpy(row.data() + index * bytes, bytes == 8 ? static_cast<const void*>(&value) : &small, bytes);
    return;
  }
  const auto value = integer_sample_at(drawing, x, y, sample);
  if (drawing.bits >= 8 && drawing.bits % 8 == 0) {  // byte order of this machine, which is little-endian
    std::memcpy(row.data() + index * bytes, &value, bytes);
    return;
  }
  const auto depth = static_cast<std::size_t>(drawing.bits);
  for (std::size_t i = 0; i < depth; ++i)
    if ((value >> (depth - 1 - i) & 1) != 0) row[(index * depth + i) / 8] |= std::byte(0x80 >> (index * depth + i) % 8);
}

/// Returns the stored samples of an area: of one plane, or interleaved.
Samples stored_samples(const Drawing& drawing, int left, int top, int width, int height, int plane) {
  const int per_pixel = drawing.planar ? 1 : drawing.samples;
  const std::size_t stride = (static_cast<std::size_t>(width * per_pixel * drawing.bits) + 7) / 8;
  Samples all;
  for (int y = top; y < top + height; ++y) {
    Samples row(stride);
    for (int x = left; x < left + width; ++x)
      for (int i = 0; i < per_pixel; ++i)
        if (x < drawing.width && y < drawing.height)
          put_sample(drawing, row, static_cast<std::size_t>((x - left) * per_pixel + i), x, y,
                     drawing.planar ? plane : i);
    all.insert(all.end(), row.begin(), row.end());
  }
  return all;
}

void draw_pixels(TIFF* tiff, const Drawing& drawing) {
  for (int plane = 0; plane < (drawing.planar ? drawing.samples : 1); ++plane) {
    const auto number = static_cast<std::uint16_t>(plane);
    if (drawing.tile_width == 0) {
      for (int y = 0; y < drawing.height; ++y) {
        auto row = stored_samples(drawing, 0, y, drawing.width, 1, plane);
        ASSERT_EQ(TIFFWriteScanline(tiff, row.data(), static_cast<std::uint32_t>(y), number), 1);
      }
      continue;
    }
    const int width = static_cast<int>(drawing.tile_width), height = static_cast<int>(drawing.tile_height);
    for (int y = 0; y < drawing.height; y += height)
      for (int x = 0; x < drawing.width; x += width) {
        auto tile = stored_samples(drawing, x, y, width, height, plane);
        ASSERT_GT(
            TIFFWriteTile(tiff, tile.data(), static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 0, number),
            0);
      }
  }
}

void draw_tiff(const std::filesystem::path& path, const Drawing& drawing) {
  TIFF* tiff = TIFFOpen(path.c_str(), drawing.mode.c_str());
  ASSERT_NE(tiff, nullptr);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, drawing.width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, drawing.height);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, drawing.bits);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, drawing.samples);
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, drawing.sample_format);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, drawing.compression);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, drawing.photometric);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, drawing.planar ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  if (drawing.predictor != 1) TIFFSetField(tiff, TIFFTAG_PREDICTOR, drawing.predictor);
  if (!drawing.extra_samples.empty())
    TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, static_cast<int>(drawing.extra_samples.size()),
                 drawing.extra_samples.data());
  if (drawing.photometric == PHOTOMETRIC_PALETTE) {
    std::vector<std::uint16_t> red(std::size_t{1} << drawing.bits), green(red), blue(red);
    for (std::size_t i = 0; i < red.size(); ++i) {
      red[i] = static_cast<std::uint16_t>(i * 5 % 256 * 257);
      green[i] = static_cast<std::uint16_t>(65535 - red[i]);
      blue[i] = 257 * 64;
    }
    TIFFSetField(tiff, TIFFTAG_COLORMAP, red.data(), green.data(), blue.data());
  }
  if (drawing.tile_width > 0) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, drawing.tile_width);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, drawing.tile_height);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, drawing.strip_rows);
  }
  draw_pixels(tiff, drawing);
  TIFFClose(tiff);
}

double largest_value(const Drawing& drawing) { return std::exp2(drawing.bits) - 1; }

/// Returns the value, from 0 to 1, that the reader must return for sample `c` of a pixel.
double expected(const Drawing& drawing, int x, int y, int c) {
  if (drawing.photometric == PHOTOMETRIC_PALETTE) {
    const double red = integer_sample_at(drawing, x, y, 0) * 5 % 256;
    return (c == 0 ? red : c == 1 ? 255 - red : 64) / 255;
  }
  if (drawing.sample_format == SAMPLEFORMAT_IEEEFP)
    return std::clamp(thousandths_of_sample(drawing, x, y, c) / 1000.0, 0.0, 1.0);
  const double value = integer_sample_at(drawing, x, y, c) / largest_value(drawing);
  return drawing.photometric == PHOTOMETRIC_MINISWHITE ? 1 - value : value;
}

double sample_at(const test::LoadedPicture& loaded, int x, int y, int c) {
  const auto& info = loaded.info;
  const auto index = static_cast<std::size_t>((y * info.width + x) * info.channels() + c);
  if (info.bits == 8) return std::to_integer<int>(loaded.rows[index]) / 255.0;
  std::uint16_t value = 0;
  std::memcpy(&value, loaded.rows.data() + index * 2, 2);
  return value / 65535.0;
}

class TiffForms : public ::testing::TestWithParam<Drawing> {};

TEST_P(TiffForms, AreReadAsTheyWereDrawn) {
  const auto& drawing = GetParam();
  Folder folder;
  draw_tiff(folder / "a.tif", drawing);
  const auto loaded = load(folder / "a.tif");
  ASSERT_TRUE(loaded) << loaded.error().what;
  const auto& info = loaded->info;
  ASSERT_EQ(info.width, drawing.width);
  ASSERT_EQ(info.height, drawing.height);
  const bool rgb = drawing.photometric == PHOTOMETRIC_RGB || drawing.photometric == PHOTOMETRIC_PALETTE;
  EXPECT_EQ(info.colours, rgb ? 3 : 1);
  EXPECT_EQ(info.bits, drawing.photometric != PHOTOMETRIC_PALETTE &&
                               (drawing.bits > 8 || drawing.sample_format == SAMPLEFORMAT_IEEEFP)
                           ? 16
                           : 8);
  double worst = 0;
  for (int y = 0; y < drawing.height; ++y)
    for (int x = 0; x < drawing.width; ++x)
      for (int c = 0; c < info.channels(); ++c)
        worst = std::max(worst, std::abs(sample_at(*loaded, x, y, c) - expected(drawing, x, y, c)));
  EXPECT_LE(worst, 0.51 / (info.bits == 8 ? 255 : 65535));
}

constexpr auto kReal = SAMPLEFORMAT_IEEEFP;
constexpr auto kGrey = PHOTOMETRIC_MINISBLACK;
const Drawing kForms[] = {
    {.name = "planar tiles", .planar = true, .tile_width = 32, .tile_height = 16},
    {.name = "planar tiles, 16 bits, alpha",
     .bits = 16,
     .samples = 4,
     .planar = true,
     .tile_width = 16,
     .tile_height = 48,
     .extra_samples = {EXTRASAMPLE_UNASSALPHA}},
    {.name = "planar tiles larger than the picture, Deflate",
     .compression = COMPRESSION_ADOBE_DEFLATE,
     .planar = true,
     .tile_width = 256,
     .tile_height = 256},
    {.name = "planar tiles, LZW, predictor",
     .bits = 16,
     .compression = COMPRESSION_LZW,
     .predictor = 2,
     .planar = true,
     .tile_width = 32,
     .tile_height = 32},
    {.name = "planar strips", .planar = true},
    {.name = "planar strips, 16 bits, big-endian", .mode = "wb", .bits = 16, .planar = true},
    {.name = "planar grey and alpha",
     .samples = 2,
     .photometric = kGrey,
     .planar = true,
     .extra_samples = {EXTRASAMPLE_UNASSALPHA}},
    {.name = "planar 4 bits", .bits = 4, .planar = true, .tile_width = 16, .tile_height = 16},
    {.name = "one strip", .compression = COMPRESSION_LZW, .strip_rows = 1000},
    {.name = "tiles", .tile_width = 48, .tile_height = 16},
    {.name = "BigTIFF, big-endian, tiles", .mode = "w8b", .bits = 16, .tile_width = 16, .tile_height = 16},
    {.name = "PackBits", .compression = COMPRESSION_PACKBITS},
    {.name = "Zstandard", .compression = COMPRESSION_ZSTD},
    {.name = "LZMA", .compression = COMPRESSION_LZMA},
    {.name = "LERC", .compression = COMPRESSION_LERC},
    {.name = "1 bit", .bits = 1, .samples = 1, .photometric = kGrey},
    {.name = "1 bit, white is 0", .bits = 1, .samples = 1, .photometric = PHOTOMETRIC_MINISWHITE},
    {.name = "1 bit, fax",
     .bits = 1,
     .samples = 1,
     .photometric = PHOTOMETRIC_MINISWHITE,
     .compression = COMPRESSION_CCITTFAX4},
    {.name = "2 bits", .bits = 2, .samples = 1, .photometric = kGrey},
    {.name = "4 bits, tiles", .bits = 4, .samples = 1, .photometric = kGrey, .tile_width = 16, .tile_height = 16},
    {.name = "12 bits", .bits = 12},
    {.name = "16 bits, white is 0", .bits = 16, .samples = 1, .photometric = PHOTOMETRIC_MINISWHITE},
    {.name = "32 bits", .bits = 32},
    {.name = "palette of 4 bits", .bits = 4, .samples = 1, .photometric = PHOTOMETRIC_PALETTE},
    {.name = "palette of 8 bits, tiles",
     .samples = 1,
     .photometric = PHOTOMETRIC_PALETTE,
     .tile_width = 32,
     .tile_height = 32},
    {.name = "extra samples that are no alpha",
     .samples = 5,
     .extra_samples = {EXTRASAMPLE_UNSPECIFIED, EXTRASAMPLE_UNSPECIFIED}},
    {.name = "grey and an extra sample",
     .samples = 2,
     .photometric = kGrey,
     .extra_samples = {EXTRASAMPLE_UNSPECIFIED}},
    {.name = "floats", .bits = 32, .sample_format = kReal},
    {.name = "grey floats", .bits = 32, .samples = 1, .photometric = kGrey, .sample_format = kReal},
    {.name = "floats, predictor",
     .bits = 32,
     .sample_format = kReal,
     .compression = COMPRESSION_ADOBE_DEFLATE,
     .predictor = 3},
    {.name = "floats outside of 0 to 1", .bits = 32, .sample_format = kReal, .first_thousandth = -300},
    {.name = "floats of 64 bits, planar tiles",
     .bits = 64,
     .sample_format = kReal,
     .planar = true,
     .tile_width = 16,
     .tile_height = 16},
};
INSTANTIATE_TEST_SUITE_P(All, TiffForms, ::testing::ValuesIn(kForms));

TEST(Tiff, HalfFloatsAreRead) {
  Folder folder;
  // 0.25, 0.5 and 1 as binary16 (IEEE 754: 0x3400, 0x3800, 0x3c00), written as integers; then the tag of the sample
  // format is changed.
  TIFF* tiff = TIFFOpen((folder / "h.tif").c_str(), "w");
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 3);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 1);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 16);
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, kReal);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, kGrey);
  std::uint16_t row[] = {0x3400, 0x3800, 0x3c00};
  TIFFWriteScanline(tiff, row, 0, 0);
  TIFFClose(tiff);
  const auto loaded = load(folder / "h.tif");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_NEAR(sample_at(*loaded, 0, 0, 0), 0.25, 1e-5);
  EXPECT_NEAR(sample_at(*loaded, 1, 0, 0), 0.5, 1e-5);
  EXPECT_EQ(sample_at(*loaded, 2, 0, 0), 1);
}

/// Reads the whole picture and returns what was lost.
std::vector<std::string> losses_of(const std::filesystem::path& path) {
  auto reader = PictureReader::open({.path = path, .bytes = nullptr});
  EXPECT_TRUE(reader) << reader.error().what;
  if (!reader) return {};
  const auto& info = (*reader)->info();
  Samples rows(info.row_bytes() * static_cast<std::size_t>(info.height));
  EXPECT_TRUE((*reader)->read(rows));
  return (*reader)->losses();
}

TEST(Tiff, ClippedValuesAreReported) {
  Folder folder;
  // draw_tiff() draws values from 0 to 1, in thousandths; `first_thousandth` is added to them.
  for (const int first_thousandth : {0, 1, -1})
    for (const std::uint32_t tile : {0U, 16U}) {
      const Drawing drawing{.name = "real",
                            .bits = 32,
                            .sample_format = kReal,
                            .tile_width = tile,
                            .tile_height = tile,
                            .first_thousandth = first_thousandth};
      draw_tiff(folder / "a.tif", drawing);
      EXPECT_EQ(losses_of(folder / "a.tif").size(), first_thousandth == 0 ? 0U : 1U)
          << first_thousandth << ", tiles of " << tile;
    }
  draw_tiff(folder / "a.tif", {.name = "integers", .bits = 16});
  EXPECT_TRUE(losses_of(folder / "a.tif").empty());
}

TEST(Tiff, PremultipliedColoursAreDividedByAlpha) {
  Folder folder;
  TIFF* tiff = TIFFOpen((folder / "m.tif").c_str(), "w");
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 3);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 1);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 4);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
  const std::uint16_t kind = EXTRASAMPLE_ASSOCALPHA;
  TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &kind);
  std::uint8_t row[] = {100, 50, 0, 128, 0, 0, 0, 0, 9, 8, 7, 255};
  TIFFWriteScanline(tiff, row, 0, 0);
  TIFFClose(tiff);
  const auto loaded = load(folder / "m.tif");
  ASSERT_TRUE(loaded) << loaded.error().what;
  const std::uint8_t right[] = {199, 100, 0, 128, 0, 0, 0, 0, 9, 8, 7, 255};
  ASSERT_EQ(loaded->rows.size(), sizeof right);
  EXPECT_EQ(std::memcmp(loaded->rows.data(), right, sizeof right), 0);
}

struct Refusal {
  Drawing drawing;
  std::string reason;
};
void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.drawing.name; }
class TiffRefusals : public ::testing::TestWithParam<Refusal> {};

TEST_P(TiffRefusals, GiveTheRightReason) {
  Folder folder;
  draw_tiff(folder / "a.tif", GetParam().drawing);
  const auto loaded = load(folder / "a.tif");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::unsupported);
  EXPECT_NE(loaded.error().what.find(GetParam().reason), std::string::npos) << loaded.error().what;
  EXPECT_EQ(loaded.error().what.find("damaged"), std::string::npos) << loaded.error().what;
}
INSTANTIATE_TEST_SUITE_P(
    All, TiffRefusals,
    ::testing::Values(
        Refusal{{.name = "signed", .bits = 16, .sample_format = SAMPLEFORMAT_INT}, "signed"},
        Refusal{{.name = "planar CMYK", .samples = 4, .photometric = PHOTOMETRIC_SEPARATED, .planar = true}, "plane"},
        Refusal{{.name = "YCbCr", .photometric = PHOTOMETRIC_YCBCR}, "YCbCr"},
        Refusal{{.name = "raw", .samples = 1, .photometric = PHOTOMETRIC_CFA}, "camera"}));

TEST(Tiff, TilesAreCountedAndReadAgainAfterRewind) {
  Folder folder;
  const Drawing drawing{
      .name = "tiles", .planar = true, .tile_width = 512, .tile_height = 256, .width = 700, .height = 600};
  draw_tiff(folder / "a.tif", drawing);
  auto reader = PictureReader::open({.path = folder / "a.tif", .bytes = nullptr});
  ASSERT_TRUE(reader) << reader.error().what;
  EXPECT_GE((*reader)->need().ram, Bytes{512 * 256 * 3 + 700 * 3 * 256});
  const auto size = (*reader)->info().row_bytes() * 600;
  Samples first(size), second(size);
  ASSERT_TRUE((*reader)->read(first));
  ASSERT_TRUE((*reader)->rewind());
  ASSERT_TRUE((*reader)->read(second));
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace weir::media
