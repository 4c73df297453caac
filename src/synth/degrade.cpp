#include "synth/degrade.hpp"

#include "synth/jpeg_round_trip.hpp"

namespace weir::synth {

Degradation draw_degradation(Random& random, float clean) {
  Degradation how;
  if (random.chance(clean)) return how;
  constexpr Kernel kKernels[] = {Kernel::box, Kernel::triangle, Kernel::lanczos3};
  if (random.chance(0.5F)) how.kernel = kKernels[random.whole(0, 2)];
  if (random.chance(1.0F / 3)) how.blur = random.between(0.3F, 0.8F);
  if (random.chance(1.0F / 3)) {
    how.noise = random.between(0.002F, 0.02F);
    how.grey_noise = random.chance(0.5F);
  }
  if (random.chance(2.0F / 3)) {
    how.quality = random.whole(60, 100);
    const float draw = random.unit();
    how.chroma = draw < 0.5F ? 2 : draw < 0.6F ? 1 : 0;
  }
  return how;
}

Result<Canvas> degrade(const Canvas& large, int factor, const Degradation& how, Random random) {
  Canvas small = shrink(blur(large, how.blur), factor, how.kernel);
  if (how.noise > 0) {
    for (Colour& pixel : small.pixels) {
      const float one = how.noise * random.normal();
      for (float& value : pixel) value += how.grey_noise ? one : how.noise * random.normal();
    }
  }
  to_eight_bits(small);
  if (how.quality == 0) return small;
  return jpeg_round_trip(small, how.quality, static_cast<Chroma>(how.chroma));
}

}  // namespace weir::synth
