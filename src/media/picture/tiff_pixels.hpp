#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "media/picture/picture.hpp"

namespace weir::media {

/// How the pixels of a TIFF picture are stored, and what they become after conversion: interleaved grey or RGB samples
/// of 8 or 16 bits.
struct TiffPixelFormat {
  enum class SampleType { unsigned_integer, floating_point };  ///< floating point: IEEE 754 of 16, 32 or 64 bits
  enum class Alpha { none, straight, premultiplied };
  SampleType sample_type = SampleType::unsigned_integer;
  int bits_per_sample = 8;     ///< 1 to 32 for integers; 16, 32 or 64 for floating point
  int samples_per_pixel = 3;   ///< number of stored samples per pixel, including samples that are not used
  bool planar = false;         ///< the samples of each channel are in a plane of their own, not interleaved
  bool zero_is_white = false;  ///< the value 0 is white, not black
  Alpha alpha = Alpha::none;
  /// number of colours after conversion, 1 or 3; the alpha sample follows the colour samples
  int colours = 3;
  /// values from 0 to 255: all red entries, then green, then blue; empty: no palette
  std::vector<std::uint16_t> palette;

  /// Returns the number of stored colour samples per pixel; an index into the palette counts as one.
  int stored_colours() const { return palette.empty() ? colours : 1; }
  /// Returns the number of planes to read: one if the samples of a pixel are together; otherwise one for each colour,
  /// and one for alpha.
  int planes() const { return planar ? stored_colours() + (alpha != Alpha::none) : 1; }
  /// Returns the bits per sample after conversion, 8 or 16.
  int output_bits() const;
};

/// Converts `count` pixels of a row into interleaved samples of output_bits(). Floating-point samples from 0 to 1 are
/// scaled to the full range, without a change of the tone curve. Values outside are clipped, and NaN becomes 0.
/// planes   for each of planes() planes, a pointer to the first sample; samples have the byte order of this machine
/// out      receives the samples: the colours of a pixel, then alpha if there is one
/// Returns  whether a value was clipped or NaN
bool convert_tiff_pixels(const TiffPixelFormat& format, std::span<const std::byte* const> planes, int count,
                         std::byte* out);

}  // namespace weir::media
