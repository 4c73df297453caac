#include "synth/quality.hpp"

#include <cassert>
#include <cmath>

#include "synth/resize.hpp"

namespace weir::synth {

namespace {

/// Returns the luma (16 to 235, by the weights of ITU-R BT.601) of the picture without its border, in channel 0; the
/// other channels are 0.
Canvas luma_of(const Canvas& from, int border) {
  Canvas to{from.width - 2 * border, from.height - 2 * border};
  for (int y = 0; y < to.height; ++y) {
    for (int x = 0; x < to.width; ++x) {
      const Colour& colour = from.at(x + border, y + border);
      to.at(x, y)[0] = 16 + 65.481F * colour[0] + 128.553F * colour[1] + 24.966F * colour[2];
    }
  }
  return to;
}

/// Returns the mean structural similarity of two pictures of luma. The blur of a canvas computes three weighted means
/// at once: one canvas holds the two pictures, another the three products for the variances and the covariance.
double mean_similarity(const Canvas& picture, const Canvas& reference) {
  constexpr float kDeviation = 1.5F;
  constexpr int kRadius = 5;  // of the window; blur() uses three standard deviations: 11 pixels in total
  // The constants of the paper, for a peak of 255. They avoid a division by nearly zero.
  constexpr double kC1 = 0.01 * 255 * 0.01 * 255;
  constexpr double kC2 = 0.03 * 255 * 0.03 * 255;
  Canvas values{picture.width, picture.height};
  Canvas products{picture.width, picture.height};
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
    const float a = picture.pixels[i][0];
    const float b = reference.pixels[i][0];
    values.pixels[i] = {a, b, 0};
    products.pixels[i] = {a * a, b * b, a * b};
  }
  values = blur(values, kDeviation);
  products = blur(products, kDeviation);
  double sum = 0;
  int count = 0;
  for (int y = kRadius; y < picture.height - kRadius; ++y) {
    for (int x = kRadius; x < picture.width - kRadius; ++x, ++count) {
      // a and b are the weighted means of the two pictures in the window; `variances` is the sum of both variances.
      const double a = values.at(x, y)[0];
      const double b = values.at(x, y)[1];
      const double variances = products.at(x, y)[0] - a * a + products.at(x, y)[1] - b * b;
      const double covariance = products.at(x, y)[2] - a * b;
      sum += (2 * a * b + kC1) * (2 * covariance + kC2) / ((a * a + b * b + kC1) * (variances + kC2));
    }
  }
  return count == 0 ? 1 : sum / count;
}

}  // namespace

Quality measure_quality(const Canvas& picture, const Canvas& reference, int border) {
  assert(picture.width == reference.width && picture.height == reference.height);
  const Canvas a = luma_of(picture, border);
  const Canvas b = luma_of(reference, border);
  double squared_error_sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    const double difference = a.pixels[i][0] - b.pixels[i][0];
    squared_error_sum += difference * difference;
  }
  const double mean = squared_error_sum / static_cast<double>(a.pixels.size());
  return {mean == 0 ? 100 : std::min(100.0, 10 * std::log10(255 * 255 / mean)), mean_similarity(a, b)};
}

}  // namespace weir::synth
