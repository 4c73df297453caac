#include "synth/degrade.hpp"

#include "synth/jpeg_round_trip.hpp"

namespace weir::synth {

Degradation random_degradation(Random& random, float clean_probability) {
  Degradation degradation;
  if (random.chance(clean_probability)) return degradation;
  constexpr ResizeKernel kKernels[] = {ResizeKernel::box, ResizeKernel::triangle, ResizeKernel::lanczos3};
  if (random.chance(0.5F)) degradation.kernel = kKernels[random.uniform_int(0, 2)];
  if (random.chance(1.0F / 3)) degradation.blur_sigma = random.uniform(0.3F, 0.8F);
  if (random.chance(1.0F / 3)) {
    degradation.noise_sigma = random.uniform(0.002F, 0.02F);
    degradation.grey_noise = random.chance(0.5F);
  }
  if (random.chance(2.0F / 3)) {
    degradation.jpeg_quality = random.uniform_int(60, 100);
    const float chroma_choice = random.uniform();
    degradation.chroma = chroma_choice < 0.5F ? 2 : chroma_choice < 0.6F ? 1 : 0;
  }
  return degradation;
}

Result<Canvas> degrade(const Canvas& large, int factor, const Degradation& degradation, Random random) {
  Canvas small = shrink(blur(large, degradation.blur_sigma), factor, degradation.kernel);
  if (degradation.noise_sigma > 0) {
    for (Colour& pixel : small.pixels) {
      const float shared_noise = degradation.noise_sigma * random.normal();
      for (float& value : pixel)
        value += degradation.grey_noise ? shared_noise : degradation.noise_sigma * random.normal();
    }
  }
  quantize(small);
  if (degradation.jpeg_quality == 0) return small;
  return jpeg_round_trip(small, degradation.jpeg_quality, static_cast<ChromaSubsampling>(degradation.chroma));
}

}  // namespace weir::synth
