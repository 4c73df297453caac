#include "nn/network_names.hpp"

#include <gtest/gtest.h>

#include <array>

namespace weir::nn {
namespace {

constexpr int kNone = 99;  // the name has no such number

struct Published {
  std::string_view name;
  int scale, noise;
};

// Stems of published files: one or more for each naming scheme.
constexpr std::array kPublished{
    // realcugan-ncnn-vulkan
    Published{"up2x-conservative", 2, -1},
    Published{"up2x-no-denoise", 2, 0},
    Published{"up2x-denoise1x", 2, 1},
    Published{"up3x-denoise3x", 3, 3},
    Published{"up4x-latest-denoise3x", 4, 3},
    Published{"realcugan-pro-2x-conservative", 2, -1},
    // waifu2x-ncnn-vulkan, and other programs with the same names
    Published{"noise0_scale2.0x_model", 2, 0},
    Published{"noise3_scale2.0x_model", 2, 3},
    Published{"scale2.0x_model", 2, -1},
    Published{"noise2_model", 1, 2},
    Published{"noise1_scale4x", 4, 1},
    Published{"scale2x", 2, -1},
    // srmd-ncnn-vulkan
    Published{"srmd_x3", 3, kNone},
    Published{"srmdnf_x4", 4, -1},
    // Real-ESRGAN and similar programs
    Published{"realesr-animevideov3-x2", 2, kNone},
    Published{"realesrgan-x4plus", 4, kNone},
    Published{"realesrgan-x4plus-anime", 4, kNone},
    Published{"realesr-general-wdn-x4v3", 4, kNone},
    Published{"RealESRGAN_General_WDN_x4_v3", 4, kNone},
    Published{"RealESRGANv2-animevideo-xsx2", 2, kNone},
    Published{"xintao-realesr-animevideo-x3-v3", 3, kNone},
    Published{"upscayl-lite-4x", 4, kNone},
    Published{"upscayl-lsdir-4x-compact-c3", 4, kNone},
    // SPAN and networks of OpenModelDB
    Published{"2xHFA2kSPAN_27k", 2, kNone},
    Published{"2x_AniSD_AC_G6i2b_SPAN_190K", 2, kNone},
    Published{"4xNomos8k_span_otf_weak", 4, kNone},
    Published{"1x_AniSD_DB_i2_SPAN_85K", 1, kNone},
    Published{"16x-ESRGAN", 16, kNone},
    Published{"1x-DeNoise-realplksr-otf", 1, kNone},
    Published{"spanx4_ch52", 4, kNone},
    Published{"ClearReality4x", 4, kNone},
    Published{"AnimeJaNai_HD_V3_Compact_583k-x2", 2, kNone},
    Published{"animejanai-v2-super-ultra-compact-x2", 2, kNone},
    Published{"weir-2x", 2, kNone},
};

TEST(NetworkNames, ContainScaleAndNoiseInEveryPublishedScheme) {
  for (const Published& published : kPublished) {
    EXPECT_EQ(parse_scale(published.name).value_or(kNone), published.scale) << published.name;
    EXPECT_EQ(parse_noise_level(published.name).value_or(kNone), published.noise) << published.name;
  }
}

TEST(NetworkNames, OtherNamesGiveNothing) {
  for (const std::string_view name : {"", "x", "denoise", "denoise2", "noise", "noise15_dncnn", "model", "x0", "0x",
                                      "x17", "100x", "scale", "scaled", "xception", "remacri", "ultrasharp", "v3"})
    EXPECT_EQ(parse_scale(name), std::nullopt) << name;
  for (const std::string_view name : {"", "x", "denoise", "denoise2", "denoise12x", "noise", "noise15", "anoise1",
                                      "model", "scale", "scaled", "remacri", "realesr-animevideov3-x2"})
    EXPECT_EQ(parse_noise_level(name), std::nullopt) << name;
}

}  // namespace
}  // namespace weir::nn
