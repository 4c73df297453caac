#include "media/picture/tiff_pixels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compute/half.hpp"

namespace weir::media {
namespace {

template <class T>
T load(const std::byte* row, std::size_t index) {
  T value;
  std::memcpy(&value, row + index * sizeof value, sizeof value);
  return value;
}

// Samples that are no whole bytes follow one another without gaps, the highest bit first (TIFF 6.0, FillOrder 1).
std::uint32_t packed(const std::byte* row, std::size_t index, int bits) {
  std::uint32_t value = 0;
  for (std::size_t at = index * static_cast<std::size_t>(bits), end = at + static_cast<std::size_t>(bits); at < end;
       ++at)
    value = value << 1 | (std::to_integer<std::uint32_t>(row[at / 8]) >> (7 - at % 8) & 1);
  return value;
}

std::uint32_t whole(const std::byte* row, std::size_t index, int bits) {
  switch (bits) {
    case 8:
      return std::to_integer<std::uint32_t>(row[index]);
    case 16:
      return load<std::uint16_t>(row, index);
    case 32:
      return load<std::uint32_t>(row, index);
    default:
      return packed(row, index, bits);
  }
}

double real(const std::byte* row, std::size_t index, int bits) {
  switch (bits) {
    case 16:
      return static_cast<double>(compute::half_to_float(load<std::uint16_t>(row, index)));
    case 32:
      return static_cast<double>(load<float>(row, index));
    default:
      return load<double>(row, index);
  }
}

std::uint16_t scaled(std::uint32_t value, int bits, std::uint32_t top) {
  const std::uint64_t most = (std::uint64_t{1} << bits) - 1;
  return static_cast<std::uint16_t>((std::uint64_t{value} * top + most / 2) / most);
}

// One pixel after the other, as whole numbers from 0 to top.
class Converter {
 public:
  Converter(const TiffForm& form, std::span<const std::byte* const> planes)
      : form_{form}, planes_{planes}, top_{form.yielded_bits() == 16 ? 65535U : 255U} {}

  void pixel(std::size_t x, std::uint16_t* out) {
    const int colours = form_.colours;
    if (!form_.palette.empty()) {
      const std::size_t size = form_.palette.size() / 3, index = whole(row(0), at(x, 0), form_.bits);
      for (std::size_t c = 0; c < 3; ++c) out[c] = form_.palette[c * size + index];
    } else {
      for (int c = 0; c < colours; ++c) out[c] = sample(x, c);
    }
    if (form_.inverted)
      for (int c = 0; c < colours; ++c) out[c] = static_cast<std::uint16_t>(top_ - out[c]);
    if (form_.alpha == TiffForm::Alpha::none) return;
    out[colours] = sample(x, form_.stored_colours());
    if (form_.alpha == TiffForm::Alpha::multiplied) divide(out, colours);
  }
  bool clipped() const { return clipped_; }

 private:
  const std::byte* row(int sample) const { return planes_[form_.planar ? static_cast<std::size_t>(sample) : 0]; }
  std::size_t at(std::size_t x, int sample) const {
    return form_.planar ? x : x * static_cast<std::size_t>(form_.samples) + static_cast<std::size_t>(sample);
  }

  std::uint16_t sample(std::size_t x, int index) {
    if (form_.number == TiffForm::Number::whole)
      return scaled(whole(row(index), at(x, index), form_.bits), form_.bits, top_);
    const double value = real(row(index), at(x, index), form_.bits);
    if (value >= 0 && value <= 1) return static_cast<std::uint16_t>(std::lround(value * top_));
    clipped_ = true;
    return value > 1 ? static_cast<std::uint16_t>(top_) : std::uint16_t{0};
  }

  void divide(std::uint16_t* out, int colours) const {
    const std::uint32_t alpha = out[colours];
    for (int c = 0; c < colours; ++c)
      out[c] = alpha == 0 ? std::uint16_t{0}
                          : static_cast<std::uint16_t>(
                                std::min<std::uint64_t>(top_, (std::uint64_t{out[c]} * top_ + alpha / 2) / alpha));
  }

  const TiffForm& form_;
  std::span<const std::byte* const> planes_;
  std::uint32_t top_;
  bool clipped_ = false;
};

// Interleaved samples that are yielded as they are stored.
bool is_as_yielded(const TiffForm& form) {
  return form.number == TiffForm::Number::whole && (form.bits == 8 || form.bits == 16) && !form.planar &&
         !form.inverted && form.alpha != TiffForm::Alpha::multiplied && form.palette.empty() &&
         form.samples == form.colours + (form.alpha != TiffForm::Alpha::none);
}

}  // namespace

int TiffForm::yielded_bits() const {
  if (!palette.empty()) return 8;
  return number == Number::whole && bits <= 8 ? 8 : 16;
}

bool convert_tiff_pixels(const TiffForm& form, std::span<const std::byte* const> planes, int count, std::byte* out) {
  const auto channels = static_cast<std::size_t>(form.colours + (form.alpha != TiffForm::Alpha::none));
  const auto width = static_cast<std::size_t>(count);
  const bool deep = form.yielded_bits() == 16;
  if (is_as_yielded(form)) {
    std::memcpy(out, planes[0], width * channels * (deep ? 2 : 1));
    return false;
  }
  Converter converter{form, planes};
  std::uint16_t pixel[4] = {};
  for (std::size_t x = 0; x < width; ++x) {
    converter.pixel(x, pixel);
    if (deep)
      std::memcpy(out + x * channels * 2, pixel, channels * 2);
    else
      for (std::size_t c = 0; c < channels; ++c) out[x * channels + c] = static_cast<std::byte>(pixel[c]);
  }
  return converter.clipped();
}

}  // namespace weir::media
