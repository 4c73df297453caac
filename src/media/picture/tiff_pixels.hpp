#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "media/picture/picture.hpp"

namespace weir::media {

/// How the pixels of a TIFF picture are stored, and how they become what a reader yields.
struct TiffPixelFormat {
  enum class SampleType { unsigned_integer, floating_point };  ///< unsigned, or IEEE 754 of 16, 32 or 64 bits
  enum class Alpha { none, straight, premultiplied };
  SampleType sample_type = SampleType::unsigned_integer;
  int bits_per_sample = 8;     ///< of a sample: 1 to 32, or of a real one
  int samples_per_pixel = 3;   ///< of a pixel, as stored
  bool planar = false;         ///< each sample has a plane of its own
  bool zero_is_white = false;  ///< 0 is white
  Alpha alpha = Alpha::none;
  int colours = 3;                     ///< 1 or 3, as yielded; alpha is the sample behind those that make them
  std::vector<std::uint16_t> palette;  ///< all red entries, then green, then blue, of 8 bits; empty: none

  int stored_colours() const { return palette.empty() ? colours : 1; }
  /// Planes that hold what is yielded: one, or a plane for each sample.
  int planes() const { return planar ? stored_colours() + (alpha != Alpha::none) : 1; }
  int output_bits() const;
};

/// Converts `count` pixels of a row into interleaved samples of yielded_bits(). Real numbers are taken as encoded the way
/// the picture's profile says (without one, as sRGB), 0 to 1; what lies outside is clipped, and no number becomes 0.
/// planes   where the row starts in each of planes() planes, samples in the byte order of this machine
/// Returns  whether a value was clipped
bool convert_tiff_pixels(const TiffPixelFormat& format, std::span<const std::byte* const> planes, int count,
                         std::byte* out);

}  // namespace weir::media
