// Compares the reference implementation with pictures that established programs made with published weights. Pictures
// and weights are outside the project, in ../shared; without it these tests are skipped. WEIR_ALL_REFERENCES=1 adds the
// whole pictures that take longer than some seconds.

#include <gtest/gtest.h>
#include <vips/vips.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "nn/reference.hpp"
#include "places.hpp"

namespace weir::nn {
namespace {

const std::filesystem::path kShared = std::filesystem::path{places::source()} / ".." / "shared";

/// Returns the pixels of a file; nothing if it cannot be read or has not three channels.
std::optional<RgbPicture> read_picture(const std::filesystem::path& path) {
  if (vips_init("weir_tests") != 0) return std::nullopt;
  const std::unique_ptr<VipsImage, decltype(&g_object_unref)> image{vips_image_new_from_file(path.c_str(), nullptr),
                                                                    g_object_unref};
  if (!image || vips_image_get_bands(image.get()) != 3) return std::nullopt;
  std::size_t bytes = 0;
  const std::unique_ptr<void, decltype(&g_free)> memory{vips_image_write_to_memory(image.get(), &bytes), g_free};
  const auto* first = static_cast<const std::uint8_t*>(memory.get());
  if (first == nullptr) return std::nullopt;
  return RgbPicture{vips_image_get_height(image.get()), vips_image_get_width(image.get()), {first, first + bytes}};
}

/// Returns the top left corner of the picture, of the given size in pixels.
RgbPicture corner(const RgbPicture& picture, int height, int width) {
  RgbPicture out{height, width, {}};
  for (int y = 0; y < height; ++y) {
    const auto row = picture.values.begin() + static_cast<std::ptrdiff_t>(y) * picture.width * 3;
    out.values.insert(out.values.end(), row, row + static_cast<std::ptrdiff_t>(width) * 3);
  }
  return out;
}

struct Difference {
  int largest = 0;             ///< largest difference of two values, in grey levels
  double decibels = INFINITY;  ///< peak signal-to-noise ratio; infinite for equal pictures
};

Difference compare(const RgbPicture& a, const RgbPicture& b) {
  Difference difference;
  double squares = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const int distance = std::abs(a.values[i] - b.values[i]);
    difference.largest = std::max(difference.largest, distance);
    squares += distance * distance;
  }
  if (squares > 0)
    difference.decibels = 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.values.size()) / squares);
  return difference;
}

struct Sample {
  const char* network;    ///< path in ../shared/models, without the ending
  const char* picture;    ///< name in ../shared/samples
  const char* reference;  ///< name in ../shared/reference: the result of the established program
  int corner;             ///< side in pixels of the corner that is enlarged; 0: the whole picture
  bool quick;             ///< runs without WEIR_ALL_REFERENCES, too
};

// A result pixel of these networks depends on at most 20 pixels around it, so the corner of an enlarged corner equals
// that of the enlarged picture. Networks with whole-picture means need the whole picture.
constexpr int kReach = 20;  // in pixels of the picture
constexpr Sample kSamples[] = {
    {"realcugan/models-nose/up2x-no-denoise", "crop256", "crop256_cugan2x_nose_n0", 64, true},
    {"realesrgan/realesr-animevideov3-x2", "crop256", "crop256_esr_x2", 64, true},
    {"realesrgan/realesr-animevideov3-x3", "crop256", "crop256_esr_x3", 64, true},
    {"realesrgan/realesr-animevideov3-x4", "crop256", "crop256_esr_x4", 64, true},
    {"realcugan/models-se/up2x-conservative", "crop256", "crop256_cugan2x_se_conservative", 0, false},
    {"realcugan/models-nose/up2x-no-denoise", "crop256", "crop256_cugan2x_nose_n0", 0, false},
    {"realesrgan/realesr-animevideov3-x2", "crop256", "crop256_esr_x2", 0, false},
    {"realesrgan/realesr-animevideov3-x3", "crop256", "crop256_esr_x3", 0, false},
    {"realesrgan/realesr-animevideov3-x4", "crop256", "crop256_esr_x4", 0, false},
    {"realcugan/models-se/up3x-conservative", "crop256", "crop256_cugan3x_se_conservative", 0, false},
    {"realcugan/models-se/up4x-conservative", "crop256", "crop256_cugan4x_se_conservative", 0, false},
    {"realcugan/models-pro/up2x-conservative", "crop256", "crop256_cugan2x_pro_conservative", 0, false},
    {"realcugan/models-pro/up3x-conservative", "crop256", "crop256_cugan3x_pro_conservative", 0, false},
    {"realcugan/models-se/up2x-conservative", "odd301x213", "odd301x213_cugan2x_se_conservative", 0, false},
    {"realcugan/models-se/up3x-conservative", "odd301x213", "odd301x213_cugan3x_se_conservative", 0, false},
};

class ReferencePicture : public testing::TestWithParam<Sample> {};
INSTANTIATE_TEST_SUITE_P(Shared, ReferencePicture, testing::ValuesIn(kSamples), [](const auto& sample) {
  return std::string{sample.param.reference} + (sample.param.corner > 0 ? "_corner" : "");
});

TEST_P(ReferencePicture, IsMetWithinOneGreyLevel) {
  const Sample& sample = GetParam();
  if (!std::filesystem::exists(kShared / "reference")) GTEST_SKIP() << "no ../shared here";
  if (!sample.quick && std::getenv("WEIR_ALL_REFERENCES") == nullptr) GTEST_SKIP() << "only with WEIR_ALL_REFERENCES=1";
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "too slow with a sanitizer";
#endif
  const auto network = load_network(kShared / "models" / (std::string{sample.network} + ".param"));
  ASSERT_TRUE(network) << network.error().what;
  auto picture = read_picture(kShared / "samples" / (std::string{sample.picture} + ".png"));
  auto reference = read_picture(kShared / "reference" / (std::string{sample.reference} + ".png"));
  ASSERT_TRUE(picture && reference);
  if (sample.corner > 0) picture = corner(*picture, sample.corner, sample.corner);

  auto result = upscale_reference(*network, *picture);
  ASSERT_TRUE(result) << result.error().what;
  if (sample.corner > 0) {
    const int certain = (sample.corner - kReach) * network->family.scale;
    result = corner(*result, certain, certain);
    reference = corner(*reference, certain, certain);
  }
  ASSERT_EQ(result->height, reference->height);
  ASSERT_EQ(result->width, reference->width);
  const Difference difference = compare(*result, *reference);
  EXPECT_LE(difference.largest, 1);
  EXPECT_GE(difference.decibels, 60);
  std::printf("%s: %.1f dB, most %d\n", sample.reference, difference.decibels, difference.largest);
}

}  // namespace
}  // namespace weir::nn
