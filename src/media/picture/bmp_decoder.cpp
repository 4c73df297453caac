// Decodes BMP files (Windows bitmaps). libvips reads them only through ImageMagick, which holds the whole picture with
// eight bytes per pixel. Here the rows are read one by one; they are stored from the bottom up or from the top down.
// Source: Microsoft, "Bitmap Storage" (BITMAPFILEHEADER, BITMAPINFOHEADER, BITMAPV4HEADER).
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "base/round_up.hpp"
#include "media/picture/bmp_rle_reader.hpp"
#include "media/picture/decoder.hpp"

namespace weir::media {
namespace {

// sizes in bytes: the file header, then the picture headers that weir distinguishes
constexpr std::size_t kFileHeader = 14, kCoreHeader = 12, kInfoHeader = 40, kLargestHeader = 124;
constexpr std::size_t kOs2Header = 64, kColourHeader = 108, kProfileHeader = 124;  // BITMAPCOREHEADER2, V4, V5
// values of the header field bV5CSType, the kind of the colour space: LCS_CALIBRATED_RGB; PROFILE_LINKED, 'LINK'
constexpr std::uint32_t kCalibrated = 0, kLinkedProfile = 0x4c494e4b;
constexpr std::uint32_t kEmbeddedProfile = 0x4d424544;           // PROFILE_EMBEDDED, 'MBED'
constexpr std::uint32_t kProfileLimit = std::uint32_t{4} << 20;  // largest profile that is read, in bytes
/// The values of the header field biCompression.
enum Compression : std::uint32_t {
  kUncompressed = 0,
  kRle8 = 1,
  kRle4 = 2,
  kBitFields = 3,
  kJpeg = 4,
  kPng = 5,
  kAlphaBitFields = 6
};

/// The bits of one channel (colour or alpha) in a pixel of 16 or 32 bits.
struct Channel {
  std::uint32_t mask = 0;
  /// Returns the value of the channel in a pixel, scaled to eight bits.
  std::uint8_t extract(std::uint32_t pixel) const {
    if (mask == 0) return 0;
    const int shift = std::countr_zero(mask);
    const std::uint64_t max_value = mask >> shift, value = (pixel & mask) >> shift;
    return static_cast<std::uint8_t>((value * 255 + max_value / 2) / max_value);
  }
};

class BmpDecoder final : public Decoder {
 public:
  BmpDecoder(InputFilePtr file, DamagePolicy damaged) : file_{std::move(file)}, damaged_{damaged} {
    info_.format = Format::bmp;
  }
  Status open();
  MediaNeed need() const override {
    const auto runs = rle_ ? BmpRleReader::need(info_.width, info_.height) : Bytes{};
    return {Bytes{stride_} + runs + Bytes{metadata_->icc.size()} * 2 + 64_KiB, Bytes{}};
  }
  Status restart() override {
    row_ = 0;
    return ok();
  }
  Status read(std::span<std::byte> rows) override;
  std::vector<Damage> damage() const override;

 private:
  Status read_header(std::span<const std::byte> head);
  Status read_masks(std::span<const std::byte> head, std::uint32_t compression);
  Status check_compression(std::uint32_t compression, std::size_t header_bytes) const;
  void record_omitted_colour(std::span<const std::byte> head, Metadata& into) const;
  void read_profile(std::span<const std::byte> head, Metadata& into) const;
  Status read_palette(std::uint64_t offset, std::size_t entry_bytes, std::uint32_t colours);
  // Converts the row in raw_ to the format of info_.
  void unpack(std::byte* out) const;
  Error make_damage_error(const std::string& what) const {
    return file_->error(Errc::corrupt, "BMP: " + what + "; the file is damaged, get it again");
  }

  static std::uint32_t read_number(std::span<const std::byte> data, std::size_t offset, int bytes) {
    std::uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) value |= std::to_integer<std::uint32_t>(data[offset + i]) << (8 * i);
    return value;
  }

  InputFilePtr file_;
  DamagePolicy damaged_;
  std::uint64_t pixels_offset_ = 0;  // byte offset in the file of the first stored row
  std::size_t stride_ = 0;           // bytes of a stored row, with padding
  int depth_ = 0;                    // bits per pixel
  bool top_down_ = false;            // the file stores the top row first; otherwise the bottom row
  std::optional<BmpRleReader> rle_;  // set if the file is run-length encoded
  Channel red_, green_, blue_, alpha_;
  std::array<std::array<std::byte, 3>, 256> palette_{};
  std::unique_ptr<std::byte[]> raw_;  // a row as it is in the file; with rle_ its palette indices, one byte each
  int stored_rows_ = 0;               // number of complete rows in the file, in the order of the file
  int row_ = 0;                       // index of the next row that read() returns
};

Status BmpDecoder::open() {
  std::array<std::byte, kFileHeader + kLargestHeader> head{};
  auto got = file_->read_at(0, head);
  if (!got) return got.error();
  if (*got < kFileHeader + kCoreHeader ||
      *got < kFileHeader + std::min<std::size_t>(read_number(head, kFileHeader, 4), kLargestHeader))
    return make_damage_error("the file ends too early");
  if (auto header = read_header(head); !header) return header;
  if (rle_) {
    stored_rows_ = info_.height;
    raw_ = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(info_.width));
    return ok();
  }
  // A file that is too short is reported here, before the first row is read. The size of a run-length encoded file does
  // not show whether rows are missing, so such a file is checked later.
  const auto end = pixels_offset_ + static_cast<std::uint64_t>(stride_) * static_cast<std::uint64_t>(info_.height);
  const auto pixel_data_bytes = file_->size() - std::min(pixels_offset_, file_->size());
  stored_rows_ =
      static_cast<int>(std::min<std::uint64_t>(pixel_data_bytes / stride_, static_cast<std::uint64_t>(info_.height)));
  if (end > file_->size() && (damaged_ == DamagePolicy::refuse || stored_rows_ == 0))
    return make_damage_error("holds " + std::to_string(file_->size()) + " of " + std::to_string(end) + " bytes");
  raw_ = std::make_unique_for_overwrite<std::byte[]>(stride_);
  return ok();
}

Status BmpDecoder::read_header(std::span<const std::byte> head) {
  auto found = std::make_shared<Metadata>();
  pixels_offset_ = read_number(head, 10, 4);  // bfOffBits
  const auto header_bytes = read_number(head, kFileHeader, 4);
  const bool is_core_header = header_bytes == kCoreHeader;
  if (!is_core_header && (header_bytes < kInfoHeader || header_bytes > kLargestHeader))
    return file_->error(Errc::unsupported, "BMP: a header of " + std::to_string(header_bytes) +
                                               " bytes is not read; convert it to PNG first");
  // Offset of the fields after the size of the header. In a BITMAPINFOHEADER they are biWidth (+0), biHeight (+4),
  // biPlanes (+8), biBitCount (+10), biCompression (+12), biSizeImage (+16), biXPelsPerMeter (+20), biYPelsPerMeter
  // (+24) and biClrUsed (+28), the number of colours of the palette. A BITMAPCOREHEADER has only the first four, with
  // 16 bits.
  const auto at = kFileHeader + 4;
  std::int64_t width = 0, height = 0;
  std::uint32_t compression = kUncompressed, colours = 0;
  if (is_core_header) {
    width = read_number(head, at, 2);
    height = read_number(head, at + 2, 2);
    depth_ = static_cast<int>(read_number(head, at + 6, 2));
  } else {
    width = static_cast<std::int32_t>(read_number(head, at, 4));
    height = static_cast<std::int32_t>(read_number(head, at + 4, 4));
    depth_ = static_cast<int>(read_number(head, at + 10, 2));
    compression = read_number(head, at + 12, 4);
    // Pixels per metre, as signed numbers. Many programs write 0 for an unknown resolution; a negative one is invalid.
    const auto per_metre_x = static_cast<std::int32_t>(read_number(head, at + 20, 4));
    const auto per_metre_y = static_cast<std::int32_t>(read_number(head, at + 24, 4));
    if (per_metre_x > 0 && per_metre_y > 0) {
      found->dots_per_mm_x = per_metre_x / 1000.0;
      found->dots_per_mm_y = per_metre_y / 1000.0;
    }
    colours = read_number(head, at + 28, 4);
  }
  if (header_bytes >= kColourHeader) record_omitted_colour(head, *found);
  if (header_bytes == kProfileHeader) read_profile(head, *found);
  metadata_ = std::move(found);
  top_down_ = height < 0;  // the sign of the height is the order of the rows
  if (top_down_) height = -height;
  if (width < 1 || height < 1) return make_damage_error("no rows or columns");
  if (width > kMaxSide || height > kMaxSide)
    return file_->error(Errc::unsupported, "is " + std::to_string(width) + "x" + std::to_string(height) +
                                               " pixels; at most 1048576 on a side are read");
  info_.width = static_cast<int>(width);
  info_.height = static_cast<int>(height);
  stride_ = round_up(static_cast<std::size_t>(width) * static_cast<std::size_t>(depth_), 32) / 8;
  if (auto checked = check_compression(compression, header_bytes); !checked) return checked;
  if (compression == kRle8 || compression == kRle4)
    rle_.emplace(file_, pixels_offset_, depth_, info_.width, info_.height);
  switch (depth_) {
    case 1:
    case 2:
    case 4:
    case 8:
      return read_palette(kFileHeader + header_bytes, is_core_header ? 3 : 4, colours);
    case 16:
    case 24:
    case 32:
      return read_masks(head, compression);
    default:
      return file_->error(Errc::unsupported,
                          "BMP: pixels of " + std::to_string(depth_) + " bits are not read; convert it to PNG first");
  }
}

// In OS/2 headers the values 3 and 4 of the compression field have other meanings.
Status BmpDecoder::check_compression(std::uint32_t compression, std::size_t header_bytes) const {
  const auto unsupported = [&](const std::string& what) {
    return Status{file_->error(Errc::unsupported, "BMP: " + what + "; convert it to PNG first")};
  };
  if (header_bytes == kOs2Header && (compression == kBitFields || compression == kJpeg))
    return unsupported("OS/2's Huffman codes and runs of 24 bits are not read");
  switch (compression) {
    case kUncompressed:
    case kBitFields:
    case kAlphaBitFields:
      return ok();
    case kRle8:
    case kRle4:
      if (top_down_) return make_damage_error("runs from the top down, which the format does not have");
      if (depth_ != (compression == kRle8 ? 8 : 4))
        return make_damage_error("runs of " + std::to_string(depth_) + "-bit pixels, which the format does not have");
      return ok();
    case kJpeg:
      return unsupported("a JPEG picture inside of a bitmap (BI_JPEG) is not read");
    case kPng:
      return unsupported("a PNG picture inside of a bitmap (BI_PNG) is not read");
    default:
      return unsupported("compression " + std::to_string(compression) + " is not read");
  }
}

/// Records the primaries and the curves (gamma) in the header, or a profile in another file, as omissions.
void BmpDecoder::record_omitted_colour(std::span<const std::byte> head, Metadata& into) const {
  const auto colour_space = read_number(head, kFileHeader + 56, 4);  // bV4CSType
  std::uint32_t curves = 0;  // not 0 if one of bV4GammaRed, bV4GammaGreen and bV4GammaBlue is set
  for (const std::size_t at : {96, 100, 104}) curves |= read_number(head, kFileHeader + at, 4);
  if (colour_space == kCalibrated && curves != 0)
    record_omission(into, "colour", "primaries and curves of the bitmap; sRGB is taken");
  if (colour_space == kLinkedProfile) record_omission(into, "icc", "in another file, which the bitmap names");
}

void BmpDecoder::read_profile(std::span<const std::byte> head, Metadata& into) const {
  // bV5ProfileData, counted from the start of the picture header, and bV5ProfileSize
  const auto at = read_number(head, kFileHeader + 112, 4), size = read_number(head, kFileHeader + 116, 4);
  if (read_number(head, kFileHeader + 56, 4) != kEmbeddedProfile || size == 0) return;
  if (size > kProfileLimit) return record_omission(into, "icc", "takes more than 4 MiB");
  Blob profile(size);
  auto got = file_->read_at(kFileHeader + std::uint64_t{at}, profile);
  if (!got || *got < size) return record_omission(into, "icc", "damaged");
  into.icc = std::move(profile);
}

Status BmpDecoder::read_masks(std::span<const std::byte> head, std::uint32_t compression) {
  const auto at = kFileHeader + kInfoHeader;  // a longer header has the masks at the same offset
  if (compression == kUncompressed) {
    red_.mask = depth_ == 16 ? 0x7c00 : 0xff0000;
    green_.mask = depth_ == 16 ? 0x03e0 : 0x00ff00;
    blue_.mask = depth_ == 16 ? 0x001f : 0x0000ff;
    return ok();
  }
  red_.mask = read_number(head, at, 4);
  green_.mask = read_number(head, at + 4, 4);
  blue_.mask = read_number(head, at + 8, 4);
  const bool has_alpha = compression == kAlphaBitFields || read_number(head, kFileHeader, 4) >= 56;
  if (has_alpha) alpha_.mask = read_number(head, at + 12, 4);
  info_.alpha = alpha_.mask != 0;
  return depth_ == 24 ? Status{make_damage_error("masks with 24 bits a pixel")} : ok();
}

Status BmpDecoder::read_palette(std::uint64_t offset, std::size_t entry_bytes, std::uint32_t colours) {
  const std::size_t max_count = std::size_t{1} << depth_;
  std::array<std::byte, 256 * 4> raw{};
  const auto count = colours == 0 ? max_count : std::min<std::size_t>(colours, max_count);
  auto got = file_->read_at(offset, std::span{raw}.first(count * entry_bytes));
  if (!got) return got.error();
  if (*got < count * entry_bytes) return make_damage_error("the palette ends too early");
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t c = 0; c < 3; ++c) palette_[i][c] = raw[i * entry_bytes + 2 - c];  // stored blue first
  return ok();
}

// A pixel in raw_ is an index into the palette, three bytes in the order blue, green, red, or a number whose bits the
// channels share.
void BmpDecoder::unpack(std::byte* out) const {
  if (rle_) {
    for (std::size_t x = 0; x < static_cast<std::size_t>(info_.width); ++x)
      std::memcpy(out + x * 3, palette_[std::to_integer<std::size_t>(raw_[x])].data(), 3);
    return;
  }
  const std::size_t depth = static_cast<std::size_t>(depth_);
  for (std::size_t x = 0; x < static_cast<std::size_t>(info_.width); ++x) {
    if (depth <= 8) {
      const auto bit = x * depth;
      const auto byte = std::to_integer<unsigned>(raw_[bit / 8]);
      const auto index = (byte >> (8 - depth - bit % 8)) & ((1U << depth) - 1);
      std::memcpy(out + x * 3, palette_[index].data(), 3);
    } else if (depth == 24) {
      for (std::size_t c = 0; c < 3; ++c) out[x * 3 + c] = raw_[x * 3 + 2 - c];
    } else {
      const auto pixel = read_number({raw_.get(), stride_}, x * depth / 8, static_cast<int>(depth / 8));
      *out++ = std::byte{red_.extract(pixel)};
      *out++ = std::byte{green_.extract(pixel)};
      *out++ = std::byte{blue_.extract(pixel)};
      if (info_.alpha) *out++ = std::byte{alpha_.extract(pixel)};
    }
  }
}

Status BmpDecoder::read(std::span<std::byte> rows) {
  if (rle_ && damaged_ == DamagePolicy::use && row_ == 0) {
    const auto complete_rows = rle_->complete_rows();
    if (!complete_rows) return complete_rows.error();
    if (*complete_rows > 0) stored_rows_ = *complete_rows;  // if no row is complete, read_row() returns the error
  }
  for (std::size_t at = 0; at < rows.size(); at += info_.row_bytes(), ++row_) {
    // The last complete row in the file replaces each missing row.
    const int stored = std::min(top_down_ ? row_ : info_.height - 1 - row_, stored_rows_ - 1);
    if (rle_) {
      if (auto got = rle_->read_row(stored, {raw_.get(), static_cast<std::size_t>(info_.width)}); !got) return got;
      unpack(rows.data() + at);
      continue;
    }
    auto got = file_->read_at(pixels_offset_ + static_cast<std::uint64_t>(stored) * stride_, {raw_.get(), stride_});
    if (!got) return got.error();
    if (*got < stride_)
      return make_damage_error("row " + std::to_string(row_ + 1) + " of " + std::to_string(info_.height) +
                               " is missing");
    unpack(rows.data() + at);
  }
  return ok();
}

std::vector<Damage> BmpDecoder::damage() const {
  const int missing = info_.height - stored_rows_;
  if (missing == 0) return {};
  return {{Damage::Kind::filled, top_down_ ? stored_rows_ : 0, missing, "the file ends early"}};
}

}  // namespace

Result<DecoderPtr> open_bmp(InputFilePtr file, const ReadOptions& options) {
  auto decoder = std::make_unique<BmpDecoder>(std::move(file), options.damaged);
  if (auto opened = decoder->open(); !opened) return opened.error();
  return DecoderPtr{std::move(decoder)};
}

}  // namespace weir::media
