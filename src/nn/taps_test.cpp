#include "nn/taps.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "compute/kernels/interp/interp_ref.hpp"
#include "networks/kernel_check.hpp"

namespace weir::nn {
namespace {

/// Resizes one row with taps.
std::vector<float> resized(const Interp& interp, const std::vector<float>& row, int out) {
  const int in = static_cast<int>(row.size());
  const Taps taps = make_taps(interp, in, out);
  std::vector<float> result;
  for (int x = 0; x < out; ++x) {
    const auto i = static_cast<std::size_t>(x);
    float sum = 0;
    for (int k = 0; k < taps.count; ++k) {
      sum += taps.weight[i * static_cast<std::size_t>(taps.count) + static_cast<std::size_t>(k)] *
             row[static_cast<std::size_t>(std::clamp(taps.index[i] + k, 0, in - 1))];
    }
    result.push_back(sum);
  }
  return result;
}

constexpr std::array kKinds{Interp::Kind::nearest, Interp::Kind::bilinear, Interp::Kind::bicubic};
// From the smallest to the largest supported scale; most are no whole numbers.
constexpr std::array kScales{0.0625F,  0.3F, 0.5F, 0.6F, 0.75F, 1.0F, 1.2F, 1.25F,
                             4.0F / 3, 1.5F, 1.7F, 2.0F, 2.5F,  3.0F, 7.0F, 16.0F};

TEST(Taps, AreThoseOfTheReferenceAtEveryScaleAndSize) {
  for (const float scale : kScales) {
    for (int in = 1; in <= 70; ++in) {
      const int out = static_cast<int>(static_cast<double>(in) * static_cast<double>(scale));
      if (out < 1) continue;
      compute::Planes planes{1, in, in};
      planes.values = std::vector<float>(static_cast<std::size_t>(in) * static_cast<std::size_t>(in));
      std::vector<float> row;
      row.reserve(static_cast<std::size_t>(in));
      test::SeededNumbers numbers{static_cast<std::uint64_t>(in)};
      for (int x = 0; x < in; ++x) row.push_back(numbers.between(0, 1));
      for (int y = 0; y < in; ++y) std::copy(row.begin(), row.end(), planes.row(0, y).begin());
      for (const Interp::Kind kind : kKinds) {
        const compute::Planes expected = kind == Interp::Kind::nearest    ? interp_nearest_ref(planes, scale)
                                         : kind == Interp::Kind::bilinear ? interp_bilinear_ref(planes, scale)
                                                                          : interp_bicubic_ref(planes, scale);
        const std::vector<float> made = resized({kind, scale}, row, out);
        ASSERT_EQ(expected.width, out);
        for (int x = 0; x < out; ++x) {
          EXPECT_NEAR(made[static_cast<std::size_t>(x)], expected.at(0, 0, x), 1e-5)
              << "scale " << scale << ", " << in << " pixels, at " << x;
        }
      }
    }
  }
}

// Positions of ncnn's Interp, from src/layer/interp.cpp: (x + 0.5) * in / out - 0.5. 5 pixels times 1.5 are truncated
// to 7.
TEST(Taps, StepIsTheRatioOfTheExtents) {
  const Taps taps = make_taps({Interp::Kind::bilinear, 1.5F}, 5, 7);
  EXPECT_EQ(taps.index.back(), 4) << "times 1.5 exactly, it would be 3";
  EXPECT_NEAR(taps.weight.back(), 6.5 * 5 / 7 - 0.5 - 4, 1e-6);
}

/// A network with only a resize, run like any network: the schedule provides the rows that the taps read.
TEST(Taps, NetworksResizeAsTheReferenceDoes) {
  for (const float scale : kScales) {
    for (const Interp::Kind kind : kKinds) {
      Graph graph;
      graph.layers = {{"data", 1, {}, {0}, Input{}}, {"resize", 2, {0}, {1}, Interp{kind, scale}}};
      graph.blob_names = {"data", "output"};
      graph.blobs = {{3, false}, {3, false}};
      graph.input = 0;
      graph.output = 1;
      for (const Extent size : {Extent{16, 16}, {17, 23}, {37, 41}, {64, 35}}) {
        const test::KernelCheck ran = test::check_with_all_kernels(graph, size);
        EXPECT_EQ(ran.refusal, "");
        EXPECT_EQ(ran.fault, "") << "scale " << scale << ", " << size.width << "x" << size.height;
      }
    }
  }
}

}  // namespace
}  // namespace weir::nn
