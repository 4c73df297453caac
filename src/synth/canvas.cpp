#include "synth/canvas.hpp"

#include <cmath>

namespace weir::synth {

void paste(const Canvas& from, Canvas& to, int left, int top) {
  for (int y = 0; y < from.height; ++y) {
    for (int x = 0; x < from.width; ++x) to.at(left + x, top + y) = from.at(x, y);
  }
}

std::vector<std::uint8_t> to_bytes(const Canvas& canvas) {
  std::vector<std::uint8_t> samples;
  samples.reserve(canvas.pixels.size() * 3);
  for (const Colour& pixel : canvas.pixels) {
    for (const float value : pixel)
      samples.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, 1.0F) * 255.0F)));
  }
  return samples;
}

void quantize(Canvas& canvas) {
  for (Colour& pixel : canvas.pixels) {
    for (float& value : pixel) value = std::round(std::clamp(value, 0.0F, 1.0F) * 255.0F) / 255.0F;
  }
}

}  // namespace weir::synth
