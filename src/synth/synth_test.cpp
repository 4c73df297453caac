// Tests the drawn training pictures, their degradation, the resize, and the measures of quality.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>

#include "synth/comic.hpp"
#include "synth/dead_leaves.hpp"
#include "synth/degrade.hpp"
#include "synth/jpeg_round_trip.hpp"
#include "synth/quality.hpp"
#include "synth/shapes.hpp"

namespace weir::synth {
namespace {

constexpr int kSide = 160;

/// Draws a page with letters if the fonts are installed, else without.
Canvas page(std::uint64_t seed) {
  const auto lettering = Lettering::open();
  return draw_comic(kSide, kSide, Random{seed}, lettering ? lettering->get() : nullptr);
}
Canvas leaves(std::uint64_t seed) { return draw_dead_leaves(kSide, kSide, Random{seed}); }

/// Returns the mean absolute difference of luma.
double mean_difference(const Canvas& a, const Canvas& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::fabs(luma(a.pixels[i]) - luma(b.pixels[i]));
  return sum / static_cast<double>(a.pixels.size());
}

/// Returns the mean square difference of the luma of pixels that are `step` apart in a row.
double variogram(const Canvas& canvas, int step) {
  double sum = 0;
  std::size_t count = 0;
  for (int y = 0; y < canvas.height; ++y) {
    for (int x = 0; x + step < canvas.width; ++x, ++count) {
      const double d = luma(canvas.at(x, y)) - luma(canvas.at(x + step, y));
      sum += d * d;
    }
  }
  return sum / static_cast<double>(count);
}

TEST(Synth, ASeedIsAPicture) {
  EXPECT_EQ(leaves(7).pixels, leaves(7).pixels);
  EXPECT_EQ(page(7).pixels, page(7).pixels);
  EXPECT_GT(mean_difference(leaves(7), leaves(8)), 0.02);
  EXPECT_GT(mean_difference(page(7), page(8)), 0.02);
}

/// Returns the mean of all values.
double mean(const Canvas& canvas) {
  double sum = 0;
  for (const Colour& pixel : canvas.pixels) sum += static_cast<double>(pixel[0]) + pixel[1] + pixel[2];
  return sum / (3 * static_cast<double>(canvas.pixels.size()));
}

// C++ leaves the evaluation order of a call's arguments to the compiler; random numbers drawn in another order would
// give other pictures.
TEST(Synth, ASeedIsTheSamePictureForEveryCompiler) {
  const std::array<double, 3> of_leaves{0.4286915, 0.5176972, 0.4021256};
  const std::array<double, 3> of_comics{0.2800078, 0.4328022, 0.6795208};  // without letters
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    EXPECT_NEAR(mean(leaves(seed)), of_leaves[seed], 1e-4) << seed;
    EXPECT_NEAR(mean(draw_comic(kSide, kSide, Random{seed}, nullptr)), of_comics[seed], 1e-4) << seed;
  }
}

/// Expects that every value is from 0 to 1.
void expect_colours(const Canvas& canvas) {
  for (const Colour& pixel : canvas.pixels) {
    for (const float value : pixel) {
      ASSERT_GE(value, 0);
      ASSERT_LE(value, 1);
    }
  }
}

TEST(Synth, ValuesAreColours) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    expect_colours(leaves(seed));
    expect_colours(page(seed));
  }
  // Pictures with a white area that is blurred and gets no noise: rounding could make its values larger than 1.
  for (const std::uint64_t seed : {76U, 172U}) expect_colours(leaves(seed));
}

// The power spectrum of photographs falls with the square of the frequency. The mean square difference of pixels
// therefore grows with their distance, but less than in proportion to its square.
// Source  Ruderman, "Origins of scaling in natural images", Vision Research 37 (1997).
TEST(Synth, LeavesHaveTheCorrelationsOfPhotographs) {
  std::map<int, double> sums;
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    const Canvas canvas = leaves(seed);
    for (const int step : {1, 2, 4, 8, 16, 32}) sums[step] += variogram(canvas, step);
  }
  for (const int step : {1, 2, 4, 8, 16}) {
    const double ratio = sums[2 * step] / sums[step];
    EXPECT_GT(ratio, 1.02) << step;
    EXPECT_LT(ratio, 3) << step;  // 1 is noise, 2 edges alone, 4 gradients alone
  }
}

TEST(Synth, ComicsAreFlatWithSharpEdges) {
  double flat = 0;   // number of neighbours whose luma differs by less than one of 255 levels
  double steep = 0;  // number of neighbours whose luma differs by more than 0.3
  double count = 0;
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    const Canvas canvas = page(seed);
    for (int y = 0; y < canvas.height; ++y) {
      for (int x = 0; x + 1 < canvas.width; ++x, ++count) {
        const float difference = std::fabs(luma(canvas.at(x, y)) - luma(canvas.at(x + 1, y)));
        flat += difference < 1.0F / 255 ? 1 : 0;
        steep += difference > 0.3F ? 1 : 0;
      }
    }
  }
  EXPECT_GT(flat / count, 0.3);
  EXPECT_GT(steep / count, 0.01);
}

TEST(Synth, DistancesAreThoseOfTheShapes) {
  const Ellipse circle{{10, 20}, 5, 5, 0.3F};
  EXPECT_NEAR(circle.signed_distance(18, 20), 3, 1e-4);
  const Rectangle rectangle{{0, 0}, 4, 2, 0, 0};
  EXPECT_NEAR(rectangle.signed_distance(7, 0), 3, 1e-4);
  EXPECT_NEAR(rectangle.signed_distance(0, 0), -2, 1e-4);
  EXPECT_NEAR(rectangle.signed_distance(7, 6), 5, 1e-4);
  const Polygon square{{{0, 0}, {10, 0}, {10, 10}, {0, 10}}};
  EXPECT_NEAR(square.signed_distance(5, 3), -3, 1e-4);
  EXPECT_NEAR(square.signed_distance(13, 14), 5, 1e-4);
  const Stroke line{{{{0, 0}, 1}, {{10, 0}, 1}}};
  EXPECT_NEAR(line.signed_distance(5, 3), 2, 1e-4);
  EXPECT_NEAR(line.signed_distance(13, 4), 4, 1e-4);
}

TEST(Shrink, AConstantStaysAndAMeanStays) {
  for (const ResizeKernel kernel :
       {ResizeKernel::box, ResizeKernel::triangle, ResizeKernel::cubic, ResizeKernel::lanczos3}) {
    const Canvas grey{32, 32, {0.25F, 0.5F, 0.75F}};
    for (const Colour& pixel : shrink(grey, 2, kernel).pixels) EXPECT_NEAR(pixel[2], 0.75F, 1e-5);
    Canvas ramp{64, 8};
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 64; ++x) ramp.at(x, y)[0] = static_cast<float>(x);
    }
    // The centre of a small pixel is between the two pixels that it covers; edge pixels are repeated.
    const Canvas small = shrink(ramp, 2, kernel);
    for (int x = 4; x < 28; ++x) EXPECT_NEAR(small.at(x, 2)[0], 2 * static_cast<float>(x) + 0.5F, 1e-3);
  }
}

TEST(Enlarge, KeepsRampsAndPixelPositions) {
  Canvas ramp{16, 4};
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 16; ++x) ramp.at(x, y)[0] = static_cast<float>(x);
  }
  for (const int factor : {2, 3}) {
    const Canvas large = enlarge(ramp, factor, ResizeKernel::cubic);
    ASSERT_EQ(large.width, 16 * factor);
    for (int x = 4 * factor; x < 12 * factor; ++x)
      EXPECT_NEAR(large.at(x, factor)[0], (static_cast<float>(x) + 0.5F) / static_cast<float>(factor) - 0.5F, 1e-3);
  }
}

TEST(Quality, MatchesThePapers) {
  const Canvas picture = leaves(5);
  const Quality same = measure_quality(picture, picture, 2);
  EXPECT_EQ(same.psnr, 100);
  EXPECT_NEAR(same.ssim, 1, 1e-9);
  Canvas brighter = picture;
  for (Colour& pixel : brighter.pixels) {
    for (float& value : pixel) value += 0.1F;
  }
  // 0.1 of all three colours is 21.9 levels of luma.
  EXPECT_NEAR(measure_quality(brighter, picture, 2).psnr, 20 * std::log10(255 / 21.9), 0.01);
  const Quality soft = measure_quality(blur(picture, 1), picture, 2);
  const Quality softer = measure_quality(blur(picture, 2), picture, 2);
  EXPECT_GT(soft.psnr, softer.psnr);
  EXPECT_GT(soft.ssim, softer.ssim);
  EXPECT_GT(softer.ssim, 0);
  EXPECT_LT(soft.ssim, 1);
}

TEST(Degrade, EachPartHasItsEffect) {
  const Canvas large = leaves(3);
  const auto clean = degrade(large, 2, {}, Random{1});
  ASSERT_TRUE(clean);
  EXPECT_EQ(clean->width, kSide / 2);
  const auto noisy = degrade(large, 2, {.noise_sigma = 0.02F}, Random{1});
  const auto coarse = degrade(large, 2, {.jpeg_quality = 60, .chroma = 2}, Random{1});
  const auto fine = degrade(large, 2, {.jpeg_quality = 100}, Random{1});
  const auto soft = degrade(large, 2, {.blur_sigma = 0.8F}, Random{1});
  ASSERT_TRUE(noisy && coarse && fine && soft);
  EXPECT_NEAR(mean_difference(*clean, *noisy), 0.02 * 0.8 * 0.67, 0.004);  // luma of three independent channels
  EXPECT_GT(mean_difference(*clean, *coarse), 2 * mean_difference(*clean, *fine));
  EXPECT_LT(mean_difference(*clean, *fine), 0.004);
  EXPECT_LT(variogram(*soft, 1), variogram(*clean, 1));
  const auto again = degrade(large, 2, {.noise_sigma = 0.02F, .jpeg_quality = 80}, Random{5});
  const auto same = degrade(large, 2, {.noise_sigma = 0.02F, .jpeg_quality = 80}, Random{5});
  ASSERT_TRUE(again && same);
  EXPECT_EQ(again->pixels, same->pixels);
}

TEST(Degrade, TheShareOfCleanPairsMatchesTheRequest) {
  Random random{11};
  int clean = 0;
  for (int i = 0; i < 2000; ++i) {
    const Degradation made = random_degradation(random, 0.4F);
    if (made.kernel == ResizeKernel::cubic && made.blur_sigma == 0 && made.noise_sigma == 0 && made.jpeg_quality == 0)
      ++clean;
  }
  // 40 %, and those of the other 60 % for which no degradation was drawn. The probabilities for this are 1/2 (kernel),
  // 2/3 (blur), 2/3 (noise) and 1/3 (JPEG).
  EXPECT_NEAR(clean / 2000.0, 0.4 + 0.6 * 0.5 * 4 / 27, 0.035);
}

}  // namespace
}  // namespace weir::synth
