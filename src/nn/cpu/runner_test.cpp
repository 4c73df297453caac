// Tests runs on the CPU: their results against the reference implementation, and that threads, bands, strips, memory
// and disk change no bit of them.

#include "nn/cpu/runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compute/half.hpp"
#include "networks/generate_network.hpp"
#include "networks/random_network.hpp"
#include "nn/network.hpp"
#include "nn/reference.hpp"
#include "planes.hpp"

namespace weir::nn {
namespace {

using compute::Arithmetic;
using compute::ElementType;
using test::generated_planes;
using test::load_generated_network;
using test::max_difference;
using test::PlanesInput;
using test::to_rows;

constexpr float kNotWritten = -9;  // a value that no result here has

struct Settings {
  Arithmetic arithmetic = Arithmetic::float32;
  int threads = 2;
  int band = 4;
  Bytes memory = 1_GiB;
  Bytes disk{};
  Orientation orientation{};
  const compute::Kernels* kernels = compute::available_kernels().front();
  bool strips = false;
};

/// Plans and runs one picture with a new runner. Returns the result [h][3][w]; `made` receives the plan. Expects that
/// the rows of each strip arrive in order.
Result<std::vector<float>> run(const Graph& graph, const compute::Planes& input, const Settings& settings,
                               StripPlan* made = nullptr) {
  auto program = lower(graph);
  if (!program) return program.error();
  PlanLimits limits;
  limits.memory = settings.memory;
  limits.disk = settings.disk;
  limits.band = settings.band;
  auto plan = (settings.strips ? plan_strips : plan_single_strip)(
      graph, *program, {input.height, input.width},
      settings.arithmetic == Arithmetic::int16 ? ElementType::float16 : ElementType::float32, limits);
  if (!plan) return plan.error();
  if (made != nullptr) *made = *plan;
  compute::ThreadTeam team{settings.threads};
  auto runner = Runner::create(graph, *program, *plan, *settings.kernels, team, std::filesystem::temp_directory_path());
  if (!runner) return runner.error();
  const PackedWeights packed =
      pack_weights(graph, *program, *settings.kernels, settings.arithmetic, settings.orientation);
  PlanesInput rows{input};
  const Extent extent = plan->extent[static_cast<std::size_t>(program->output)];
  std::vector<float> result(static_cast<std::size_t>(extent.height) * 3 * static_cast<std::size_t>(extent.width),
                            kNotWritten);
  int next_row = 0;
  int left = 0;  // first column of the strip
  const auto take = [&](const PlanarRows& out) -> Status {
    if (out.left != left) next_row = 0;  // the next strip begins
    left = out.left;
    EXPECT_EQ(out.first, next_row);
    next_row = out.first + out.count;
    for (int i = 0; i < out.count; ++i) {
      for (int c = 0; c < out.planes; ++c) {
        const float* from = out.row[static_cast<std::size_t>(i)] + c * out.plane_stride;
        std::copy_n(from, out.width, result.begin() + ((out.first + i) * 3 + c) * extent.width + out.left);
      }
    }
    return ok();
  };
  if (auto status = runner->run(packed, rows, take, {}); !status) return status.error();
  return result;
}

struct Case {
  const char* family;
  int channels;       ///< of the generated network's features
  int height, width;  ///< extent of the input
};
std::string name_of(const testing::TestParamInfo<Case>& info) {
  return std::string{info.param.family} + "_" + std::to_string(info.param.channels);
}

class RunFamily : public testing::TestWithParam<Case> {};

TEST_P(RunFamily, AgreesWithThePlainReference) {
  const Case& tested = GetParam();
  const Network network = load_generated_network(tested.family, tested.channels);
  const compute::Planes input = generated_planes(tested.height, tested.width);
  const auto reference = run_reference(network.graph, input);
  ASSERT_TRUE(reference) << reference.error().what;
  const std::vector<float> expected = to_rows(*reference);
  for (const compute::Kernels* kernels : compute::available_kernels()) {
    Settings settings;
    settings.kernels = kernels;
    const auto exact = run(network.graph, input, settings);
    ASSERT_TRUE(exact) << exact.error().what;
    EXPECT_LT(max_difference(*exact, expected), 1e-4) << kernels->name;
    settings.arithmetic = Arithmetic::int16;
    const auto fast = run(network.graph, input, settings);
    ASSERT_TRUE(fast) << kernels->name << ": " << fast.error().what;
    EXPECT_LT(max_difference(*fast, expected), 0.02) << kernels->name;
  }
}

TEST_P(RunFamily, BandsThreadsMemoryAndDiskDoNotChangeABit) {
  const Case& tested = GetParam();
  const Network network = load_generated_network(tested.family, tested.channels);
  const compute::Planes input = generated_planes(tested.height, tested.width);
  for (const Arithmetic arithmetic : {Arithmetic::int16, Arithmetic::float32}) {
    Settings settings;
    settings.arithmetic = arithmetic;
    const auto first = run(network.graph, input, settings);
    ASSERT_TRUE(first) << first.error().what;
    std::vector<Settings> others;
    for (const int threads : {1, 3}) {
      others.push_back(settings);
      others.back().threads = threads;
    }
    others.push_back(settings);
    others.back().band = 12;
    others.push_back(settings);
    others.back().disk = 1_GiB;
    others.back().memory = 1_MiB;
    // The smallest memory, in doublings, with which the network runs.
    StripPlan plan;
    Settings tight = settings;
    tight.memory = Bytes{1};
    const auto refused = run(network.graph, input, tight);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::over_budget);
    for (Bytes memory = 64_KiB; memory < 64_MiB; memory = memory * 2) {
      tight.memory = memory;
      if (run(network.graph, input, tight, &plan)) break;
    }
    EXPECT_LE(plan.arena, tight.memory);
    others.push_back(tight);
    for (const Settings& other : others) {
      const auto again = run(network.graph, input, other);
      if (!again && other.memory == 1_MiB) continue;  // a wide network does not fit
      ASSERT_TRUE(again) << again.error().what;
      EXPECT_TRUE(*again == *first) << "threads " << other.threads << ", band " << other.band << ", memory "
                                    << to_text(other.memory);
    }
  }
}

/// Returns true if two tensors that are kept completely in memory overlap in some pass.
bool has_overlap(const Plan& plan) {
  for (const Pass& pass : plan.passes) {
    std::vector<std::size_t> whole;
    for (std::size_t t = 0; t < pass.row_count.size(); ++t) {
      if (plan.reuse[t] == TensorReuse::memory && pass.row_count[t] == plan.extent[t].height) whole.push_back(t);
    }
    const auto end = [&](std::size_t t) {
      return pass.offset[t] + plan.layout[t].row_bytes * static_cast<std::size_t>(plan.extent[t].height);
    };
    for (const std::size_t a : whole) {
      for (const std::size_t b : whole) {
        if (a != b && pass.offset[a] <= pass.offset[b] && pass.offset[b] < end(a)) return true;
      }
    }
  }
  return false;
}

TEST(Run, EveryPlanBetweenTheTightestAndTheFastestGivesTheSameBits) {
  const Network network = load_generated_network("realcugan2x_se", 32);
  const compute::Planes input = generated_planes(112, 84);
  Settings settings;
  settings.arithmetic = Arithmetic::int16;
  StripPlan plan;
  const auto first = run(network.graph, input, settings, &plan);
  ASSERT_TRUE(first) << first.error().what;
  int plans = 0;
  int overlap_count = 0;
  std::vector<TensorReuse> reuse;
  for (Bytes memory = plan.arena; memory > Bytes{}; memory = memory - std::min(memory, 32_KiB)) {
    settings.memory = memory;
    const auto again = run(network.graph, input, settings, &plan);
    if (!again) break;
    EXPECT_LE(plan.arena, memory);
    if (plan.plans.front().reuse == reuse) continue;
    reuse = plan.plans.front().reuse;
    ++plans;
    overlap_count += has_overlap(plan.plans.front()) ? 1 : 0;
    EXPECT_TRUE(*again == *first) << to_text(memory);
  }
  EXPECT_GE(plans, 3) << "different plans were tried";
  EXPECT_GE(overlap_count, 1) << "one of them reuses memory while it is read";
}

TEST_P(RunFamily, StripsDoNotChangeABit) {
  const Case& tested = GetParam();
  const Network network = load_generated_network(tested.family, tested.channels);
  const auto program = lower(network.graph);
  ASSERT_TRUE(program);
  const auto halo = find_halo(network.graph, *program);
  ASSERT_TRUE(halo) << halo.error().what;
  const compute::Planes input = generated_planes(tested.height, 2 * (halo->left + halo->right) + 200);
  for (const Arithmetic arithmetic : {Arithmetic::int16, Arithmetic::float32}) {
    Settings settings;
    settings.arithmetic = arithmetic;
    StripPlan plan;
    const auto whole = run(network.graph, input, settings, &plan);
    ASSERT_TRUE(whole) << whole.error().what;
    // From few strips to the largest possible number.
    settings.strips = true;
    std::set<std::size_t> counts;
    for (Bytes memory = plan.arena; memory > Bytes{}; memory = Bytes{memory.count() * 3 / 4}) {
      settings.memory = memory;
      const auto again = run(network.graph, input, settings, &plan);
      if (!again) break;
      EXPECT_LE(plan.arena, memory);
      if (counts.size() == 2 || !counts.insert(plan.strips.size()).second) continue;
      EXPECT_TRUE(*again == *whole) << plan.strips.size() << " strips of " << plan.strip_width << " columns, halo "
                                    << halo->left << " and " << halo->right;
    }
    EXPECT_FALSE(counts.empty());
    EXPECT_EQ(counts.count(1), 0);
  }
}

TEST_P(RunFamily, ANetworkWithOrientedKernelsEqualsAnOrientedPicture) {
  const Case& tested = GetParam();
  const Network network = load_generated_network(tested.family, tested.channels);
  const int side = tested.height;  // square, so that a transposed picture has the same extent
  const compute::Planes input = generated_planes(side, side);
  compute::Planes turned{3, side, side};
  for (int plane = 0; plane < 3; ++plane) {
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) turned.at(plane, y, x) = input.at(plane, x, side - 1 - y);
    }
  }
  // turned(y, x) is input(x, side - 1 - y), so of_turned(y, x) must equal oriented(x, n - 1 - y), where n is the side
  // of the results.
  const auto of_turned = run_reference(network.graph, turned);
  ASSERT_TRUE(of_turned);
  const int n = of_turned->height;
  const auto largest_difference = [&](Orientation orientation) {
    Settings s;
    s.orientation = orientation;
    const auto oriented = run(network.graph, input, s);
    EXPECT_TRUE(oriented) << oriented.error().what;
    double largest = oriented ? 0 : 1e9;
    for (int p = 0; oriented && p < 3; ++p) {
      for (int y = 0; y < n; ++y) {
        for (int x = 0; x < n; ++x) {
          const float value = (*oriented)[static_cast<std::size_t>((x * 3 + p) * n + (n - 1 - y))];
          largest = std::max(largest, std::fabs(static_cast<double>(value - of_turned->at(p, y, x))));
        }
      }
    }
    return largest;
  };
  // The input is the turned picture, transposed and then with its columns mirrored.
  EXPECT_LT(largest_difference({.transpose = true, .mirror_columns = true}), 1e-4);
  EXPECT_GT(largest_difference({.transpose = true, .mirror_rows = true}), 1e-3) << "the other quarter turn";
}

INSTANTIATE_TEST_SUITE_P(Families, RunFamily,
                         testing::Values(Case{"realcugan2x_se", 32, 76, 84}, Case{"realcugan3x_se", 32, 68, 72},
                                         Case{"realcugan4x_se", 32, 78, 82}, Case{"realcugan2x_nose", 32, 76, 90},
                                         Case{"animevideo_x2", 64, 36, 61}, Case{"animevideo_x3", 32, 36, 45},
                                         Case{"animevideo_x4", 48, 33, 29}, Case{"general_x4", 32, 21, 40},
                                         Case{"rrdb_x4", 64, 20, 27}, Case{"rrdb_pnnx_x4", 32, 20, 23},
                                         Case{"shuffles", 40, 21, 34}, Case{"padded", 40, 21, 34}),
                         name_of);

// Layers in orders that no family has: the result equals the reference implementation, or one line of error names the
// unsupported part.
TEST(Run, AnyNetworkIsRightOrRefused) {
  const compute::Planes input = generated_planes(13, 22);
  int refused = 0;
  constexpr int kNetworks = 300;
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    const test::GeneratedNetwork made = test::random_network(seed);
    SCOPED_TRACE(std::to_string(seed) + ":\n" + made.param);
    const auto network = parse_network(made.param, made.bin, "random");
    ASSERT_TRUE(network) << network.error().what;
    if (const auto program = lower(network->graph); !program) {
      EXPECT_EQ(program.error().code, Errc::unsupported) << program.error().what;
      ++refused;
      continue;
    }
    const auto reference = run_reference(network->graph, input);
    ASSERT_TRUE(reference) << reference.error().what;
    const std::vector<float> expected = to_rows(*reference);
    const auto exact = run(network->graph, input, {});
    ASSERT_TRUE(exact) << exact.error().what;
    ASSERT_LT(max_difference(*exact, expected), 1e-4);
    const auto fast = run(network->graph, input, {.arithmetic = Arithmetic::int16, .band = 8});
    ASSERT_TRUE(fast) << fast.error().what;
    ASSERT_LT(max_difference(*fast, expected), 0.05);
  }
  EXPECT_LT(refused, kNetworks / 3);
}

// A picture of 10 x 1 pixels, with the border of 10 pixels on every side.
TEST(Run, APictureOfOnePixelWidthRunsThroughAPaddedNetwork) {
  const Network network = load_generated_network("animevideo_x2", 32);
  const compute::Planes input = generated_planes(30, 21);
  const auto reference = run_reference(network.graph, input);
  ASSERT_TRUE(reference);
  const auto result = run(network.graph, input, {});
  ASSERT_TRUE(result);
  EXPECT_LT(max_difference(*result, to_rows(*reference)), 1e-4);
}

TEST(Run, ValuesThatAreNotNumbersAreReportedInInt16) {
  const Network network = load_generated_network("animevideo_x2", 32);
  compute::Planes input = generated_planes(30, 40);
  input.at(1, 17, 20) = std::numeric_limits<float>::infinity();
  Settings settings;
  settings.arithmetic = Arithmetic::int16;
  const auto result = run(network.graph, input, settings);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::bad_values);
}

TEST(Run, ARequestToStopEndsIt) {
  const Network network = load_generated_network("animevideo_x2", 32);
  auto program = lower(network.graph);
  ASSERT_TRUE(program);
  auto plan = plan_single_strip(network.graph, *program, {40, 40}, ElementType::float32, {.memory = 1_GiB, .disk = {}});
  ASSERT_TRUE(plan);
  compute::ThreadTeam team{2};
  const compute::Kernels& kernels = *compute::available_kernels().front();
  auto runner = Runner::create(network.graph, *program, *plan, kernels, team, {});
  ASSERT_TRUE(runner);
  const PackedWeights packed = pack_weights(network.graph, *program, kernels, Arithmetic::float32);
  const compute::Planes input = generated_planes(40, 40);
  PlanesInput rows{input};
  std::stop_source stop;
  stop.request_stop();
  RunControl control;
  control.stop = stop.get_token();
  const auto status = runner->run(
      packed, rows, [](const PlanarRows&) { return ok(); }, control);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::cancelled);
}

/// Returns a graph of successive layers; each reads the output of the one before it.
Graph chain(std::vector<Operation> operations) {
  Graph graph;
  int channels = 3;
  for (Operation& operation : operations) {
    const int blob = static_cast<int>(graph.blobs.size());
    if (const auto* conv = std::get_if<Convolution>(&operation)) channels = conv->out_channels;
    Layer layer;
    layer.name = "layer_" + std::to_string(blob);
    layer.line = blob + 1;
    if (blob > 0) layer.inputs = {blob - 1};
    layer.outputs = {blob};
    layer.operation = std::move(operation);
    graph.blobs.push_back({channels, false});
    graph.blob_names.push_back(layer.name);
    graph.layers.push_back(std::move(layer));
  }
  graph.input = 0;
  graph.output = static_cast<int>(graph.blobs.size()) - 1;
  return graph;
}

/// Returns a 3x3 convolution with random weights.
Convolution convolution(int in, int out, int pad, Activation activation = {}) {
  Convolution conv{in, out, 3, 1, pad, activation, {}, {}};
  test::SeededNumbers numbers{7};
  conv.weight.resize(static_cast<std::size_t>(in) * static_cast<std::size_t>(out) * 9);
  for (float& w : conv.weight) w = numbers.between(-0.2F, 0.2F);
  conv.bias.assign(static_cast<std::size_t>(out), 0.01F);
  return conv;
}

TEST(Run, ANegativeFactorAfterAnActivationIsApplied) {
  const Activation leaky{Activation::Kind::leaky_relu, 0.1F, 0};
  const BinaryOp factor{BinaryOp::Kind::mul, true, -0.5F};
  const Graph graph =
      chain({Input{}, convolution(3, 16, 1), convolution(16, 16, 1, leaky), factor, convolution(16, 3, 1)});
  const compute::Planes input = generated_planes(20, 24);
  const auto expected = run_reference(graph, input);
  ASSERT_TRUE(expected) << expected.error().what;
  const auto made = run(graph, input, {});
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_LT(max_difference(*made, to_rows(*expected)), 1e-4);
}

TEST(Run, ASigmoidOfAPictureIsRefused) {
  const Pointwise sigmoid{{Activation::Kind::sigmoid, 0, 0}};
  const auto program = lower(chain({Input{}, convolution(3, 16, 1), sigmoid, convolution(16, 3, 1)}));
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().code, Errc::unsupported);
  EXPECT_THAT(program.error().what, testing::HasSubstr("a sigmoid of a picture"));
}

/// Returns paddings with sides of different widths, some larger than a band or than the picture.
std::vector<Padding> paddings() {
  std::vector<Padding> all;
  for (const auto fill :
       {compute::PaddingMode::constant, compute::PaddingMode::replicate, compute::PaddingMode::reflect}) {
    all.push_back({1, 0, 0, 2, fill, 0.3F});
    all.push_back({9, 3, 19, 5, fill, 0.3F});
    all.push_back({33, 30, 45, 61, fill, -0.3F});
  }
  return all;
}

TEST(Run, PaddingCopiesThePictureBitByBit) {
  const compute::Planes input = generated_planes(20, 24);
  for (const Padding& padding : paddings()) {
    const Graph graph = chain({Input{}, padding});
    const auto expected = run_reference(graph, input);
    ASSERT_TRUE(expected) << expected.error().what;
    for (const auto arithmetic : {Arithmetic::float32, Arithmetic::int16}) {
      for (const int band : {4, 16}) {
        const auto made = run(graph, input, {.arithmetic = arithmetic, .band = band});
        ASSERT_TRUE(made) << made.error().what;
        EXPECT_TRUE(*made == to_rows(*expected)) << padding.top << ", " << static_cast<int>(padding.mode);
      }
    }
  }
}

TEST(Run, PaddingCopiesFeaturesBitByBit) {
  const compute::Planes input = generated_planes(20, 24);
  // A network of a convolution to 12 channels, `between`, and a shuffle to 3 channels of twice the size.
  const auto with = [&](std::vector<Operation> between) {
    std::vector<Operation> operations{Input{}, convolution(3, 12, 1)};
    operations.insert(operations.end(), between.begin(), between.end());
    operations.emplace_back(PixelShuffle{2});
    Graph graph = chain(operations);
    graph.blobs.back().channels = 3;
    return graph;
  };
  for (const auto arithmetic : {Arithmetic::float32, Arithmetic::int16}) {
    const auto plain = run(with({}), input, {.arithmetic = arithmetic});
    ASSERT_TRUE(plain) << plain.error().what;
    for (const Padding& padding : paddings()) {
      // The crop before the padding removes a row and a column on every side: 18 x 22 pixels are left.
      constexpr int kCroppedHeight = 18;
      constexpr int kCroppedWidth = 22;
      const auto padded = run(with({Crop{1, 1, 1, 1}, padding}), input, {.arithmetic = arithmetic});
      ASSERT_TRUE(padded) << padded.error().what;
      const float constant = arithmetic == Arithmetic::int16
                                 ? compute::half_to_float(compute::float_to_half(padding.value))
                                 : padding.value;
      const int width = 2 * (kCroppedWidth + padding.left + padding.right);
      const int height = 2 * (kCroppedHeight + padding.top + padding.bottom);
      ASSERT_EQ(padded->size(), static_cast<std::size_t>(3 * width) * static_cast<std::size_t>(height));
      int wrong_values = 0;
      for (int i = 0; i < height * 3 * width; ++i) {
        const int x = i % width, c = i / width % 3, y = i / width / 3;
        // The feature pixel that the padding copies, counted in the crop; below 0: the constant.
        const int source_y = padding_source(padding.mode, y / 2 - padding.top, kCroppedHeight);
        const int source_x = padding_source(padding.mode, x / 2 - padding.left, kCroppedWidth);
        // The shuffle makes 2 x 2 pixels of it, here in the result without crop and padding, [40][3][48].
        const int plain_y = 2 * (source_y + 1) + y % 2;
        const int plain_x = 2 * (source_x + 1) + x % 2;
        const auto plain_index = static_cast<std::size_t>((plain_y * 3 + c) * 48 + plain_x);
        const float expected = source_y < 0 || source_x < 0 ? constant : (*plain)[plain_index];
        wrong_values += (*padded)[static_cast<std::size_t>(i)] == expected ? 0 : 1;
      }
      EXPECT_EQ(wrong_values, 0) << padding.top << ", " << static_cast<int>(padding.mode);
    }
  }
}

TEST(Run, APaddingThatCannotBeMadeIsRefusedByItsName) {
  const auto refusal = [](Padding padding) {
    const auto program = lower(chain({Input{}, convolution(3, 16, 1), padding, convolution(16, 3, 1)}));
    return program ? std::string{} : program.error().what;
  };
  EXPECT_EQ(refusal({1, 1, 1, 1, compute::PaddingMode::constant, 65504}), "");
  EXPECT_EQ(refusal({1, 1, 1, 1, compute::PaddingMode::constant, 65505}),
            "line 3: layer layer_2: a padding with 65505; supported: up to 65504");
}

TEST(Run, AReadOutsideTheEdgeOfACropIsRefused) {
  const std::vector<Operation> readers{convolution(16, 3, 1), Deconvolution{16, 3, 4, 2, 1, {}, {}, {}},
                                       Interp{Interp::Kind::bicubic, 2}};
  for (const Operation& reader : readers) {
    const auto program = lower(chain({Input{}, convolution(3, 16, 1), Crop{0, 0, 1, 1}, reader}));
    ASSERT_FALSE(program) << kind_name(reader);
    EXPECT_EQ(program.error().code, Errc::unsupported);
    EXPECT_THAT(program.error().what, testing::HasSubstr("beyond its edge"));
  }
  const Graph without_padding = chain({Input{}, convolution(3, 16, 1), Crop{1, 2, 3, 4}, convolution(16, 3, 0)});
  const compute::Planes input = generated_planes(20, 24);
  const auto expected = run_reference(without_padding, input);
  ASSERT_TRUE(expected) << expected.error().what;
  const auto made = run(without_padding, input, {});
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_LT(max_difference(*made, to_rows(*expected)), 1e-4);
}

}  // namespace
}  // namespace weir::nn
