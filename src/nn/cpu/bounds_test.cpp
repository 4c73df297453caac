// Tests networks at every limit of the CPU engine and just above it. Each must run and agree with the reference
// implementation, or be refused with one line of text that names the layer and the limit.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "networks/edge_networks.hpp"
#include "networks/kernel_check.hpp"
#include "networks/wide_random_network.hpp"
#include "nn/cpu/strips.hpp"
#include "nn/network.hpp"
#include "nn/program.hpp"

namespace weir::nn {
namespace {

using test::GeneratedNetwork;
using test::KernelCheck;

Graph graph_of(const GeneratedNetwork& made) {
  auto network = parse_network(made.param, made.bin, "edge");
  EXPECT_TRUE(network) << (network ? "" : network.error().what);
  return network ? std::move(network->graph) : Graph{};
}

/// Expects that every instruction set gives the result of the reference implementation.
void expect_runs(const GeneratedNetwork& made, Extent size = {9, 11}) {
  const KernelCheck ran = test::check_with_all_kernels(graph_of(made), size);
  EXPECT_EQ(ran.refusal, "");
  EXPECT_EQ(ran.fault, "");
}

/// Expects an error that names a layer and contains `bound`, the text of the limit.
void expect_refused(const GeneratedNetwork& made, const std::string& bound) {
  const KernelCheck ran = test::check_with_all_kernels(graph_of(made), {9, 11});
  EXPECT_NE(ran.refusal.find(": layer "), std::string::npos) << ran.refusal;
  EXPECT_NE(ran.refusal.find(bound), std::string::npos) << ran.refusal;
}

TEST(Bounds, SumsOfAnyNumberOfPictures) {
  for (const int inputs : {2, 8, 9, 15, 16, 64}) {
    SCOPED_TRACE(inputs);
    expect_runs(test::sum_network(inputs));
  }
}

TEST(Bounds, SumsOfAnyNumberOfGatedPictures) {
  for (const int inputs : {2, 3, 9, 12}) {
    SCOPED_TRACE(inputs);
    expect_runs(test::gated_sum_network(inputs));
  }
}

TEST(Bounds, SumsOfAShuffleAndAnEnlargedPictureOfWhichOneIsGated) {
  for (const bool gates_enlarged : {false, true}) {
    SCOPED_TRACE(gates_enlarged);
    expect_runs(test::gated_shuffle_network(gates_enlarged));
  }
}

TEST(Bounds, ConvolutionsOfManyChannels) {
  for (const int channels : {2048, 2049, 2080, 4096, compute::kMaxConv3x3Channels}) {
    SCOPED_TRACE(channels);
    expect_runs(test::wide_network(channels, 3), {6, 7});
  }
  expect_refused(test::wide_network(compute::kMaxConv3x3Channels + 1, 3), "up to 8192");
}

TEST(Bounds, ProductsOfManyChannels) {
  for (const int channels : {2080, 16385}) {
    SCOPED_TRACE(channels);
    expect_runs(test::wide_network(channels, 1), {3, 5});
  }
}

TEST(Bounds, ConcatenationsOfManyParts) {
  for (const auto& [inputs, channels] : {std::pair{8, 32}, {9, 32}, {40, 5}, {33, 64}}) {
    SCOPED_TRACE(inputs);
    expect_runs(test::concat_network(inputs, channels));
  }
  expect_refused(test::concat_network(9, 1024), "up to 8192");
}

TEST(Bounds, ShufflesOfEveryFactor) {
  for (int factor = 2; factor <= compute::kMaxShuffleFactor; ++factor) {
    SCOPED_TRACE(factor);
    expect_runs(test::shuffle_network(factor));
  }
}

TEST(Bounds, NetworksOfManyOperations) {
  expect_runs(test::deep_network(static_cast<int>(kMaxOps) - 2));
  expect_refused(test::deep_network(static_cast<int>(kMaxOps) - 1), "more than 4096");
}

/// Networks that take too long with the reference are skipped.
TEST(Bounds, AnyWideNetworkIsRightOrRefused) {
  constexpr Extent kSize{24, 25};
  constexpr double kMaxWork = 1.5e7;  // multiplications
  int ran = 0;
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const GeneratedNetwork made = test::wide_random_network(seed);
    SCOPED_TRACE(std::to_string(seed) + ":\n" + made.param);
    const auto network = parse_network(made.param, made.bin, "wide");
    if (!network) {
      EXPECT_EQ(network.error().what.find('\n'), std::string::npos) << network.error().what;
      continue;
    }
    const bool much_work = network->multiplications_per_pixel * kSize.height * kSize.width > kMaxWork;
    if (!infer_extents(network->graph, kSize) || (much_work && lower(network->graph))) continue;
    const KernelCheck result = test::check_with_all_kernels(network->graph, kSize);
    EXPECT_EQ(result.fault, "");
    (result.refusal.empty() ? ran : refused) += 1;
  }
  EXPECT_GT(ran, 50);
  EXPECT_GT(refused, 5) << "some networks are above a limit";
}

/// All weights are equal, so that the sums of int16 products reach their maximum. From 1081 inputs on, the packing may
/// have to reduce the scale of the weights, so that no sum overflows (int16_scale() in compute/kernels/kernels.cpp).
TEST(Bounds, UniformWeightsDoNotOverflow) {
  for (const int channels : {1080, 1081, 1110, 1111, 1600, 4096}) {
    for (const int kernel : {1, 3}) {
      SCOPED_TRACE(std::to_string(channels) + ", kernel " + std::to_string(kernel));
      Graph graph = graph_of(test::wide_network(channels, kernel));
      for (Layer& layer : graph.layers) {
        auto* conv = std::get_if<Convolution>(&layer.operation);
        if (conv == nullptr) continue;
        const int taps = conv->in_channels * conv->kernel * conv->kernel;
        std::fill(conv->weight.begin(), conv->weight.end(), 1.0F / static_cast<float>(taps));
        std::fill(conv->bias.begin(), conv->bias.end(), 0.0F);
      }
      const KernelCheck ran = test::check_with_all_kernels(graph, {6, 7});
      EXPECT_EQ(ran.fault, "");
    }
  }
}

/// The time of planning must not grow with the number of paths through the network.
TEST(Bounds, PlansOfDenseBlocksAndOfManyGatesEnd) {
  for (const GeneratedNetwork& made : {test::dense_network(64), test::gates_network(40)}) {
    const Graph graph = graph_of(made);
    const auto program = lower(graph);
    ASSERT_TRUE(program) << program.error().what;
    PlanLimits limits;
    limits.memory = 1_GiB;
    limits.disk = 1_GiB;
    const auto plan = plan_single_strip(graph, *program, {512, 512}, compute::ElementType::float16, limits);
    ASSERT_TRUE(plan) << plan.error().what;
    EXPECT_EQ(plan->plans.front().passes.size(), program->means.size() + 1);
    // Forty passes that keep no tensors would need twenty times as many multiplications.
    const auto per_pixel = multiplications_per_pixel(graph);
    ASSERT_TRUE(per_pixel);
    EXPECT_LT(plan->multiplications, 5 * *per_pixel * 512 * 512);
  }
}

TEST(Bounds, ARowTooLongForOneStripIsRefused) {
  const Graph graph = graph_of(test::sum_network(2));
  const auto program = lower(graph);
  ASSERT_TRUE(program);
  PlanLimits limits;
  limits.memory = 64_GiB;
  const auto refused = plan_single_strip(graph, *program, {1, 1 << 28}, compute::ElementType::float16, limits);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::over_budget);
  EXPECT_NE(refused.error().what.find("layer"), std::string::npos) << refused.error().what;
}

}  // namespace
}  // namespace weir::nn
