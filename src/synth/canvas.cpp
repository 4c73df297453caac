#include "synth/canvas.hpp"

#include <cmath>

namespace weir::synth {

void to_eight_bits(Canvas& canvas) {
  for (Colour& pixel : canvas.pixels) {
    for (float& value : pixel) value = std::round(std::clamp(value, 0.0F, 1.0F) * 255.0F) / 255.0F;
  }
}

}  // namespace weir::synth
