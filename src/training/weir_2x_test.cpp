// Tests the network models/weir-2x, which comes with weir: its size and quality, and its recipe.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "nn/network.hpp"
#include "nn/reference.hpp"
#include "places.hpp"
#include "synth/comic.hpp"
#include "synth/dead_leaves.hpp"
#include "synth/quality.hpp"
#include "synth/resize.hpp"
#include "training/recipe.hpp"

namespace weir::training {
namespace {

namespace fs = std::filesystem;
const fs::path kFolder = fs::path{places::source()} / "models";
constexpr std::uint64_t kFirstSeed = std::uint64_t{1} << 41U;  // training and held-out pictures have smaller seeds
constexpr int kBorderPx = 10;  // border that weir adds on each side of the input for this kind of network

/// Returns `small` enlarged by the network, computed by the reference implementation nn::run_reference().
synth::Canvas enlarge(const nn::Network& network, const synth::Canvas& small) {
  compute::Planes planes{3, small.height + 2 * kBorderPx, small.width + 2 * kBorderPx};
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < planes.height; ++y) {
      for (int x = 0; x < planes.width; ++x) {
        const int from_x = std::clamp(x - kBorderPx, 0, small.width - 1);
        const int from_y = std::clamp(y - kBorderPx, 0, small.height - 1);
        planes.at(c, y, x) = small.at(from_x, from_y)[static_cast<std::size_t>(c)];
      }
    }
  }
  const auto made = nn::run_reference(network.graph, planes);
  EXPECT_TRUE(made);
  synth::Canvas large{2 * small.width, 2 * small.height};
  for (int y = 0; y < large.height; ++y) {
    for (int x = 0; x < large.width; ++x) {
      for (int c = 0; c < 3; ++c)
        large.at(x, y)[static_cast<std::size_t>(c)] = made->at(c, y + 2 * kBorderPx, x + 2 * kBorderPx);
    }
  }
  quantize(large);
  return large;
}

/// Returns how much higher the PSNR of the network's result is than that of a bicubic resize, in dB. The small picture
/// is `target`, shrunk.
double gain_over_bicubic(const nn::Network& network, synth::Canvas target) {
  quantize(target);
  synth::Canvas small = synth::shrink(target, 2, synth::ResizeKernel::cubic);
  quantize(small);
  synth::Canvas bicubic = synth::enlarge(small, 2, synth::ResizeKernel::cubic);
  quantize(bicubic);
  return measure_quality(enlarge(network, small), target, 2).psnr - measure_quality(bicubic, target, 2).psnr;
}

TEST(Weir2x, IsSmallAndBetterThanBicubic) {
  const auto network = nn::load_network(kFolder / "weir-2x.param");
  ASSERT_TRUE(network) << network.error().what;
  EXPECT_EQ(network->family.scale, 2);
  EXPECT_LE(network->multiplications_per_pixel, 150'000);
  EXPECT_LE(fs::file_size(kFolder / "weir-2x.param") + fs::file_size(kFolder / "weir-2x.bin"), 400'000U);
  double leaves = 0;
  double comics = 0;
  constexpr int kPictures = 8;
  constexpr int kSide = 128;
  for (std::uint64_t i = 0; i < kPictures; ++i) {
    leaves +=
        gain_over_bicubic(*network, synth::draw_dead_leaves(kSide, kSide, synth::Random{kFirstSeed + i})) / kPictures;
    comics += gain_over_bicubic(*network, synth::draw_comic(kSide, kSide, synth::Random{kFirstSeed + i}, nullptr)) /
              kPictures;
  }
  EXPECT_GT(leaves, 1.5);
  EXPECT_GT(comics, 3.0);
}

TEST(Weir2x, ItsRecipeIsValid) {
  std::ifstream stream{kFolder / "weir-2x.toml"};
  const std::string text{std::istreambuf_iterator<char>{stream}, {}};
  const auto recipe = parse_recipe(text, "weir-2x.toml");
  ASSERT_TRUE(recipe) << recipe.error().what;
  EXPECT_EQ(recipe->name, "weir-2x");
  EXPECT_FALSE(recipe->about.empty());
}

}  // namespace
}  // namespace weir::training
