#include "media/picture/tiff_pixels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compute/half.hpp"

namespace weir::media {
namespace {

// Returns value number `index` of a row that consists of values of type T; they need not be aligned.
template <class T>
T load(const std::byte* row, std::size_t index) {
  T value;
  std::memcpy(&value, row + index * sizeof value, sizeof value);
  return value;
}

// Reads a sample that does not occupy whole bytes. Such samples are packed without gaps, highest bit first (TIFF 6.0,
// FillOrder 1).
std::uint32_t read_packed_bits(const std::byte* row, std::size_t index, int bits) {
  std::uint32_t value = 0;
  for (std::size_t at = index * static_cast<std::size_t>(bits), end = at + static_cast<std::size_t>(bits); at < end;
       ++at)
    value = value << 1 | (std::to_integer<std::uint32_t>(row[at / 8]) >> (7 - at % 8) & 1);
  return value;
}

std::uint32_t read_unsigned(const std::byte* row, std::size_t index, int bits) {
  switch (bits) {
    case 8:
      return std::to_integer<std::uint32_t>(row[index]);
    case 16:
      return load<std::uint16_t>(row, index);
    case 32:
      return load<std::uint32_t>(row, index);
    default:
      return read_packed_bits(row, index, bits);
  }
}

double read_float(const std::byte* row, std::size_t index, int bits) {
  switch (bits) {
    case 16:
      return static_cast<double>(compute::half_to_float(load<std::uint16_t>(row, index)));
    case 32:
      return static_cast<double>(load<float>(row, index));
    default:
      return load<double>(row, index);
  }
}

// Scales a sample of `bits` bits to the range 0 to new_max.
std::uint16_t scale_sample(std::uint32_t value, int bits, std::uint32_t new_max) {
  const std::uint64_t max_value = (std::uint64_t{1} << bits) - 1;
  return static_cast<std::uint16_t>((std::uint64_t{value} * new_max + max_value / 2) / max_value);
}

// Converts a row pixel by pixel into integers from 0 to max_value_.
class PixelConverter {
 public:
  PixelConverter(const TiffPixelFormat& format, std::span<const std::byte* const> planes)
      : format_{format}, planes_{planes}, max_value_{format.output_bits() == 16 ? 65535U : 255U} {}

  void convert_pixel(std::size_t x, std::uint16_t* out) {
    const int colours = format_.colours;
    if (!format_.palette.empty()) {
      const std::size_t size = format_.palette.size() / 3,
                        index = read_unsigned(plane_row(0), sample_index(x, 0), format_.bits_per_sample);
      for (std::size_t c = 0; c < 3; ++c) out[c] = format_.palette[c * size + index];
    } else {
      for (int c = 0; c < colours; ++c) out[c] = read_sample(x, c);
    }
    if (format_.zero_is_white)
      for (int c = 0; c < colours; ++c) out[c] = static_cast<std::uint16_t>(max_value_ - out[c]);
    if (format_.alpha == TiffPixelFormat::Alpha::none) return;
    out[colours] = read_sample(x, format_.stored_colours());
    if (format_.alpha == TiffPixelFormat::Alpha::premultiplied) unpremultiply(out, colours);
  }
  bool has_clipped() const { return has_clipped_; }

 private:
  const std::byte* plane_row(int sample) const {
    return planes_[format_.planar ? static_cast<std::size_t>(sample) : 0];
  }
  std::size_t sample_index(std::size_t x, int sample) const {
    return format_.planar ? x
                          : x * static_cast<std::size_t>(format_.samples_per_pixel) + static_cast<std::size_t>(sample);
  }

  std::uint16_t read_sample(std::size_t x, int index) {
    if (format_.sample_type == TiffPixelFormat::SampleType::unsigned_integer)
      return scale_sample(read_unsigned(plane_row(index), sample_index(x, index), format_.bits_per_sample),
                          format_.bits_per_sample, max_value_);
    const double value = read_float(plane_row(index), sample_index(x, index), format_.bits_per_sample);
    if (value >= 0 && value <= 1) return static_cast<std::uint16_t>(std::lround(value * max_value_));
    has_clipped_ = true;
    return value > 1 ? static_cast<std::uint16_t>(max_value_) : std::uint16_t{0};
  }

  void unpremultiply(std::uint16_t* out, int colours) const {
    const std::uint32_t alpha = out[colours];
    for (int c = 0; c < colours; ++c)
      out[c] = alpha == 0 ? std::uint16_t{0}
                          : static_cast<std::uint16_t>(std::min<std::uint64_t>(
                                max_value_, (std::uint64_t{out[c]} * max_value_ + alpha / 2) / alpha));
  }

  const TiffPixelFormat& format_;
  std::span<const std::byte* const> planes_;
  std::uint32_t max_value_;
  bool has_clipped_ = false;  // a value was out of range or NaN
};

// Returns whether the stored samples can be copied without a conversion.
bool is_output_layout(const TiffPixelFormat& format) {
  return format.sample_type == TiffPixelFormat::SampleType::unsigned_integer &&
         (format.bits_per_sample == 8 || format.bits_per_sample == 16) && !format.planar && !format.zero_is_white &&
         format.alpha != TiffPixelFormat::Alpha::premultiplied && format.palette.empty() &&
         format.samples_per_pixel == format.colours + (format.alpha != TiffPixelFormat::Alpha::none);
}

}  // namespace

int TiffPixelFormat::output_bits() const {
  if (!palette.empty()) return 8;
  return sample_type == SampleType::unsigned_integer && bits_per_sample <= 8 ? 8 : 16;
}

bool convert_tiff_pixels(const TiffPixelFormat& format, std::span<const std::byte* const> planes, int count,
                         std::byte* out) {
  const auto channels = static_cast<std::size_t>(format.colours + (format.alpha != TiffPixelFormat::Alpha::none));
  const auto width = static_cast<std::size_t>(count);
  const bool is_16_bit = format.output_bits() == 16;
  if (is_output_layout(format)) {
    std::memcpy(out, planes[0], width * channels * (is_16_bit ? 2 : 1));
    return false;
  }
  PixelConverter converter{format, planes};
  std::uint16_t pixel[4] = {};
  for (std::size_t x = 0; x < width; ++x) {
    converter.convert_pixel(x, pixel);
    if (is_16_bit)
      std::memcpy(out + x * channels * 2, pixel, channels * 2);
    else
      for (std::size_t c = 0; c < channels; ++c) out[x * channels + c] = static_cast<std::byte>(pixel[c]);
  }
  return converter.has_clipped();
}

}  // namespace weir::media
