// Tests the engine on a Vulkan device: its results against the reference implementation, and that tiles, transfer
// formats and copies change no bit of them.

#include "nn/vulkan/engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/round_up.hpp"
#include "compute/vulkan/fault_injector.hpp"
#include "networks/edge_networks.hpp"
#include "networks/generate_network.hpp"
#include "networks/random_network.hpp"
#include "networks/wide_random_network.hpp"
#include "nn/network.hpp"
#include "nn/reference.hpp"
#include "nn/vulkan/device_engine.hpp"
#include "nn/vulkan/samples_layout.hpp"
#include "planes.hpp"
#include "program.hpp"
#include "vulkan_devices.hpp"

namespace weir::nn::vulkan {
namespace {

using test::generated_planes;
using test::load_generated_network;
using test::max_difference;
using test::PlanesInput;
using test::to_rows;

constexpr int kOneTile = 4096;  // side of tiles: above that of all pictures here, so that a picture is one tile

class VulkanEngine : public test::VulkanTest {
 protected:
  /// The results of one run. Only one of `rows` and `samples` is filled.
  struct Ran {
    DevicePlan plan;
    Extent out;
    std::vector<float> rows;            ///< [h][c][w]
    std::vector<std::uint8_t> samples;  ///< [h][w][c]; if the transfer format has result samples
    std::vector<std::string> events;
    EngineMemory memory;
  };
  /// Plans and runs one picture with a new engine. Expects that the rows of the result arrive in order.
  Result<Ran> run(const Graph& graph, const compute::Planes& input, const EngineSettings& settings,
                  TransferFormat transfer = {}) {
    const auto program = lower(graph);
    if (!program) return program.error();
    auto engine = Engine::create(graph, *program, instance(), device(), settings);
    if (!engine) return engine.error();
    Ran ran;
    auto plan = (*engine)->plan({input.height, input.width}, 4_GiB, transfer);
    if (!plan) return plan.error();
    ran.plan = *plan;
    ran.out = plan->extents[static_cast<std::size_t>(program->output)];
    PlanesInput rows{input};
    int next = 0;
    const auto take = [&](const PlanarRows& out) -> Status {
      EXPECT_EQ(out.first, next);
      next = out.first + out.count;
      for (int i = 0; i < out.count; ++i) {
        for (int c = 0; c < out.planes; ++c) {
          const float* from = out.row[static_cast<std::size_t>(i)] + c * out.plane_stride;
          ran.rows.insert(ran.rows.end(), from, from + out.width);
        }
      }
      return ok();
    };
    const auto take_samples = [&](const ByteRows& out) -> Status {
      EXPECT_EQ(out.first, next);
      next = out.first + out.count;
      for (int i = 0; i < out.count; ++i) {
        const std::uint8_t* from = out.samples + static_cast<std::size_t>(i) * out.row_bytes;
        ran.samples.insert(ran.samples.end(), from, from + std::ptrdiff_t{3} * out.width);
      }
      return ok();
    };
    int next_row = 0;
    auto status = (*engine)->run(*plan, {}, rows, {take, take_samples}, {}, next_row, ran.events);
    if (!status) return status.error();
    EXPECT_EQ(next_row, next);
    ran.memory = (*engine)->memory();
    return ran;
  }
};

TEST_F(VulkanEngine, TheFastestTileIsMeasuredOnceAndCached) {
  const test::Folder cache;
  setenv("XDG_CACHE_HOME", cache.path().c_str(), 1);
  const Network network = load_generated_network("animevideo_x2", 4);
  const auto program = lower(network.graph);
  ASSERT_TRUE(program);
  EngineSettings settings;
  settings.measure_software = true;
  DevicePlan first;
  for (int turn = 0; turn < 2; ++turn) {
    auto engine = Engine::create(network.graph, *program, instance(), device(), settings);
    ASSERT_TRUE(engine) << engine.error().what;
    const auto plan = (*engine)->plan({400, 300}, 4_GiB, {});
    ASSERT_TRUE(plan) << plan.error().what;
    EXPECT_EQ((*engine)->counts().attempts, 0U) << "measuring is not counted";
    if (turn == 0) first = *plan;
    EXPECT_EQ(plan->tile, first.tile);
    EXPECT_EQ((*engine)->memory().misses == 0, turn == 1) << "cached speeds are not measured again";
  }
  unsetenv("XDG_CACHE_HOME");
  const auto all = cache.list_files();  // the driver stores its kernels there too
  EXPECT_EQ(
      std::count_if(all.begin(), all.end(), [](const std::string& name) { return name.starts_with("weir/tiles/"); }),
      1);
}

/// Returns the samples [h][w][3] that compute::Kernels::samples makes of rows [h][3][w] on the CPU.
std::vector<std::uint8_t> samples_of(const std::vector<float>& rows, int width) {
  std::vector<std::uint8_t> samples(rows.size());
  compute::SamplesJob job;
  job.last = width;
  job.plane_stride = width;
  compute::ValueSummary summary;
  job.summary = &summary;
  for (std::size_t at = 0; at < rows.size(); at += std::size_t{3} * static_cast<std::size_t>(width)) {
    job.in = rows.data() + at;
    job.out = samples.data() + at;
    compute::plain_kernels().samples(job);
  }
  return samples;
}

/// Returns a picture whose values are multiples of 1/255, like a picture of 8 bits.
compute::Planes generated_samples(int height, int width) {
  compute::Planes planes = generated_planes(height, width);
  for (float& value : planes.values) value = std::floor(value * 255.0F) * (1 / 255.0F);
  return planes;
}

/// Adds the enlarged input picture to the result [h][3][w], as some network families need it.
void add_base(std::vector<float>& rows, const compute::Planes& input, const TransferFormat& transfer, Extent out) {
  if (transfer.base_scale == 0) return;
  // The row (or column) of the input for a row (or column) of the result.
  const auto base_pixel = [&](int position) { return (position + transfer.base_shift) / transfer.base_scale; };
  float* to = rows.data();
  for (int y = 0; y < out.height; ++y) {
    for (int c = 0; c < 3; ++c) {
      for (int x = 0; x < out.width; ++x) *to++ += input.at(c, base_pixel(y), base_pixel(x));
    }
  }
}

TEST_F(VulkanEngine, SamplesEqualThoseThatTheHostMakesOfFloats) {
  // The networks end with a shuffle over the enlarged picture, a resize, a sum, and a shuffle whose result is added to
  // the picture. Most widths, of picture and tile, are no multiples of four.
  struct Ending {
    const char* family;
    int height, width;
  };
  for (const Ending& ending : {Ending{"animevideo_x4", 41, 37},
                               {"animevideo_x3", 41, 101},
                               {"realcugan2x_nose", 76, 90},
                               {"realcugan4x_se", 78, 82}}) {
    const Network network = load_generated_network(ending.family, 8);
    const compute::Planes input = generated_samples(ending.height, ending.width);
    const TransferFormat both = sample_transfer(network.family);
    for (const bool half : {false, true}) {
      EngineSettings settings;
      settings.precision = half ? DevicePrecision::float16 : DevicePrecision::float32;
      settings.tile = kOneTile;
      auto floats = run(network.graph, input, settings);
      ASSERT_TRUE(floats) << floats.error().what;
      const auto from_samples = run(network.graph, input, settings, {.input_samples = true});
      ASSERT_TRUE(from_samples) << from_samples.error().what;
      EXPECT_TRUE(from_samples->rows == floats->rows) << ending.family;
      add_base(floats->rows, input, both, floats->out);
      const std::vector<std::uint8_t> expected = samples_of(floats->rows, floats->out.width);
      for (const int tile : {kOneTile, 40}) {
        settings.tile = tile;
        const auto made = run(network.graph, input, settings, both);
        ASSERT_TRUE(made) << made.error().what;
        EXPECT_TRUE(made->samples == expected) << ending.family << " in tiles of " << tile;
        EXPECT_TRUE(made->rows.empty());
        EXPECT_EQ(made->memory.activations, made->plan.activations);
        EXPECT_LE(made->memory.staging, made->plan.staging);
        if (tile != kOneTile) continue;
        EXPECT_EQ(made->plan.upload.count(), round_up(std::uint64_t{3} * ending.height * ending.width, 16));
        // Adding the picture needs memory, because it is kept to the end of the tile. A result tensor that is not
        // computed needs none.
        if (both.base_scale == 0) {
          EXPECT_LE(made->plan.activations, floats->plan.activations);
        }
      }
    }
  }
}

// Random networks, with layers in orders that no network family has: the first 16 that lower() accepts. The same test
// on the CPU, nn/cpu/runner_test.cpp, has hundreds.
TEST_F(VulkanEngine, AnyNetworkIsRight) {
  const compute::Planes input = generated_planes(23, 30);
  int ran = 0;
  for (std::uint64_t seed = 1000; ran < 16; ++seed) {
    const test::GeneratedNetwork made = test::random_network(seed);
    SCOPED_TRACE(std::to_string(seed) + ":\n" + made.param);
    const auto network = parse_network(made.param, made.bin, "random");
    ASSERT_TRUE(network) << network.error().what;
    if (!lower(network->graph)) continue;
    ++ran;
    const auto reference = run_reference(network->graph, input);
    ASSERT_TRUE(reference) << reference.error().what;
    EngineSettings settings;
    settings.tile = kOneTile;
    const auto whole = run(network->graph, input, settings);
    ASSERT_TRUE(whole) << whole.error().what;
    EXPECT_LT(max_difference(whole->rows, to_rows(*reference)), 2e-4);
    settings.tile = 17;
    const auto tiled = run(network->graph, input, settings);
    ASSERT_TRUE(tiled) << tiled.error().what;
    EXPECT_TRUE(tiled->rows == whole->rows);
  }
}

/// Returns a graph with one Padding; or, if `features` is not null, with this convolution to twelve channels, a Padding
/// and a shuffle to three channels.
Graph padded_graph(const Padding& padding, const Convolution* features) {
  Graph graph;
  std::vector<Operation> operations{Input{}};
  if (features != nullptr) operations.emplace_back(*features);
  operations.emplace_back(padding);
  if (features != nullptr) operations.emplace_back(PixelShuffle{2});
  for (Operation& operation : operations) {
    const int blob = static_cast<int>(graph.blobs.size());
    const bool wide = features != nullptr && blob > 0 && !std::holds_alternative<PixelShuffle>(operation);
    Layer layer{std::to_string(blob), blob + 1, {}, {blob}, std::move(operation)};
    if (blob > 0) layer.inputs = {blob - 1};
    graph.layers.push_back(std::move(layer));
    graph.blobs.push_back({wide ? 12 : 3, false});
    graph.blob_names.push_back(std::to_string(blob));
  }
  graph.input = 0;
  graph.output = static_cast<int>(graph.blobs.size()) - 1;
  return graph;
}

// The four sides have padding of different widths; mirrored padding is wider than a tile and than the picture. No tile
// consists only of the constant or of one repeated corner, because a tile of one colour counts as a fault of the
// device.
TEST_F(VulkanEngine, PaddingCopiesBitByBit) {
  compute::Planes input = generated_planes(20, 24);
  for (float& value : input.values) value = std::floor(value * 256) / 256;  // values that float16 can hold
  Convolution features{3, 12, 1, 1, 0, {}, std::vector<float>(36, 0.0F), std::vector<float>(12, 0.0F)};
  for (std::size_t o = 0; o < 12; ++o)
    features.weight[3 * o + o % 3] = 1;  // each output channel copies an input channel
  for (const auto fill :
       {compute::PaddingMode::constant, compute::PaddingMode::replicate, compute::PaddingMode::reflect}) {
    const bool mirror = fill == compute::PaddingMode::reflect;
    const Padding wide = mirror ? Padding{33, 30, 45, 61, fill, 0} : Padding{9, 2, 0, 0, fill, -0.25F};
    for (const Padding& padding : {Padding{5, 3, 0, 0, fill, 0.25F}, wide}) {
      // The padding of the picture (planar rows), and that of features.
      for (const Convolution* before : {static_cast<const Convolution*>(nullptr), &std::as_const(features)}) {
        const Graph graph = padded_graph(padding, before);
        const auto expected = run_reference(graph, input);
        ASSERT_TRUE(expected) << expected.error().what;
        for (const auto& [tile, precision] : {std::pair{kOneTile, DevicePrecision::float32},
                                              {11, DevicePrecision::float32},
                                              {11, DevicePrecision::float16}}) {
          EngineSettings settings;
          settings.tile = tile;
          settings.precision = precision;
          const auto made = run(graph, input, settings);
          ASSERT_TRUE(made) << made.error().what;
          EXPECT_TRUE(made->rows == to_rows(*expected)) << padding.top << ", tile " << tile;
        }
      }
    }
  }
}

// Wide networks that lower() accepts, and networks at its limits; nn/cpu/bounds_test.cpp has more of them.
TEST_F(VulkanEngine, WideNetworksAreRight) {
  const compute::Planes input = generated_planes(11, 13);
  std::vector<test::GeneratedNetwork> networks{test::sum_network(9),
                                               test::sum_network(64),
                                               test::gated_sum_network(3),
                                               test::gated_sum_network(12),
                                               test::wide_network(2080, 3),
                                               test::wide_network(2080, 1),
                                               test::concat_network(9, 32),
                                               test::concat_network(8, 32),
                                               test::concat_network(20, 5),
                                               test::shuffle_network(9),
                                               test::shuffle_network(16),
                                               test::dense_network(2),
                                               test::gated_shuffle_network(false),
                                               test::gated_shuffle_network(true)};
  for (std::uint64_t seed = 5000; networks.size() < 22; ++seed) {
    test::GeneratedNetwork made = test::wide_random_network(seed);
    const auto network = parse_network(made.param, made.bin, "wide");
    if (!network || network->multiplications_per_pixel > 3e5 || !infer_extents(network->graph, {11, 13})) continue;
    if (lower(network->graph)) networks.push_back(std::move(made));
  }
  for (const test::GeneratedNetwork& made : networks) {
    SCOPED_TRACE(made.param.substr(0, 2000));
    const auto network = parse_network(made.param, made.bin, "wide");
    ASSERT_TRUE(network) << network.error().what;
    const auto reference = run_reference(network->graph, input);
    ASSERT_TRUE(reference) << reference.error().what;
    EngineSettings settings;
    settings.tile = kOneTile;
    const auto whole = run(network->graph, input, settings);
    ASSERT_TRUE(whole) << whole.error().what;
    double largest = 1;  // magnitude of the values, but at least 1
    for (const float value : reference->values) largest = std::max(largest, std::fabs(static_cast<double>(value)));
    EXPECT_LT(max_difference(whole->rows, to_rows(*reference)), 5e-4 * largest);
    settings.tile = 7;
    const auto tiled = run(network->graph, input, settings);
    ASSERT_TRUE(tiled) << tiled.error().what;
    EXPECT_TRUE(tiled->rows == whole->rows);
  }
}

TEST_F(VulkanEngine, CopyingTilesChangesNoBitAndIsInThePlan) {
  // The second network has means over the whole picture, so some of its passes have no result.
  for (const char* family : {"animevideo_x2", "realcugan2x_se"}) {
    const Network network = load_generated_network(family, 8);
    const compute::Planes input = generated_samples(48, 40);
    EngineSettings settings;
    settings.tile = 25;
    for (const TransferFormat& transfer : {TransferFormat{}, sample_transfer(network.family)}) {
      settings.always_copy = false;
      const auto direct = run(network.graph, input, settings, transfer);
      ASSERT_TRUE(direct) << direct.error().what;
      EXPECT_FALSE(direct->plan.copies_tiles) << "host and device share their memory here";
      settings.always_copy = true;
      const auto copied = run(network.graph, input, settings, transfer);
      ASSERT_TRUE(copied) << copied.error().what;
      EXPECT_TRUE(copied->plan.copies_tiles);
      EXPECT_TRUE(copied->rows == direct->rows) << family;
      EXPECT_TRUE(copied->samples == direct->samples) << family;
      EXPECT_EQ(copied->memory.activations, copied->plan.activations);
      EXPECT_GT(copied->plan.activations, direct->plan.activations);
      EXPECT_LE(copied->memory.staging, copied->plan.staging);
      EXPECT_TRUE(copied->events.empty());
    }
  }
}

TEST_F(VulkanEngine, TilesAreNotCopiedIfMemoryIsShortOrNothingOverlaps) {
  const Network network = load_generated_network("animevideo_x2", 8);
  const auto program = lower(network.graph);
  ASSERT_TRUE(program);
  const Extent input{76, 84};
  DeviceLimits limits{.device_memory = 1_GiB,
                      .host_memory = 1_GiB,
                      .max_buffer_range = 1_GiB,
                      .max_allocation = 1_GiB,
                      .can_copy_tiles = true};
  const auto with = plan_tiles(network.graph, *program, input, {.transfer = {}, .tile = 29}, limits);
  ASSERT_TRUE(with) << with.error().what;
  EXPECT_TRUE(with->copies_tiles);
  limits.device_memory = Bytes{with->device_memory(limits).count() - 1};
  const auto without = plan_tiles(network.graph, *program, input, {.transfer = {}, .tile = 29}, limits);
  ASSERT_TRUE(without) << without.error().what;
  EXPECT_FALSE(without->copies_tiles);
  EXPECT_EQ(without->tile, with->tile) << "large tiles are preferred to copies";
  limits.device_memory = 1_GiB;
  const auto one = plan_tiles(network.graph, *program, input, {.transfer = {}, .tile = 100}, limits);
  ASSERT_TRUE(one) << one.error().what;
  EXPECT_FALSE(one->copies_tiles);
}

TEST_F(VulkanEngine, ATileThatNoKernelCanComputeIsNotAMatterOfMemory) {
  const Network network = load_generated_network("animevideo_x2", 8);
  const auto program = lower(network.graph);
  ASSERT_TRUE(program);
  DeviceLimits limits{
      .device_memory = 1_GiB, .host_memory = 1_GiB, .max_buffer_range = 128_KiB, .max_allocation = 1_GiB};
  const Extent input{300, 400};
  EXPECT_TRUE(plan_tiles(network.graph, *program, input, {.transfer = {}}, limits)) << "smaller tiles fit";
  const auto large = plan_tiles(network.graph, *program, input, {.transfer = {}, .tile = 256}, limits);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, Errc::unsupported) << large.error().what;
  limits.device_memory = 1_MiB;
  const auto memory = plan_tiles(network.graph, *program, input, {.transfer = {}, .tile = 256}, limits);
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().code, Errc::over_budget) << memory.error().what;
}

TEST_F(VulkanEngine, WithoutAnOpenDeviceItsFunctionsStillWork) {
  const test::Folder cache;
  setenv("XDG_CACHE_HOME", cache.path().c_str(), 1);
  const Network network = load_generated_network("animevideo_x2", 4);
  const auto program = lower(network.graph);
  ASSERT_TRUE(program);
  compute::vulkan::DeviceInfo wrong = device();
  wrong.has_cooperative_matrix = true;  // opening fails: this device does not have the extension
  if (device().has_cooperative_matrix) GTEST_SKIP() << "this device has all features";
  EngineSettings settings;
  settings.measure_software = true;
  DeviceEngine engine{network.graph, *program, instance(), wrong, settings};
  ASSERT_FALSE(engine.open());
  EXPECT_GT(engine.limits(4_GiB).device_memory, Bytes{});
  EXPECT_EQ(engine.memory().allocated, Bytes{});
  engine.cleanup();
  const auto plan = engine.plan({400, 300}, 4_GiB, {});  // tries to measure speeds
  ASSERT_TRUE(plan) << plan.error().what;
  const compute::Planes picture = generated_planes(400, 300);
  PlanesInput rows{picture};
  int next_row = 0;
  std::vector<std::string> events;
  const auto ran = engine.run(*plan, {}, rows, {}, {}, next_row, events);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().code, Errc::device_lost) << ran.error().what;
  unsetenv("XDG_CACHE_HOME");
}

/// Imitates another process that allocates all but some of the device's free memory, and frees it again.
class OtherProcess final : public compute::vulkan::FaultInjector {
 public:
  VkResult inject(compute::vulkan::FaultPoint) override { return VK_SUCCESS; }
  void adjust_heaps(std::vector<compute::vulkan::Heap>& heaps) override {
    for (auto& heap : heaps) heap.budget = std::min(heap.budget, left);
  }
  Bytes left = 1_GiB;
};

TEST_F(VulkanEngine, MemoryOfOtherProcessesIsReadBeforeEachPicture) {
  const Network network = load_generated_network("animevideo_x2", 8);
  const auto program = lower(network.graph);
  ASSERT_TRUE(program);
  OtherProcess other;
  EngineSettings settings;
  settings.faults = &other;
  auto engine = Engine::create(network.graph, *program, instance(), device(), settings);
  ASSERT_TRUE(engine) << engine.error().what;
  const Extent input{90, 120};
  const auto before = (*engine)->plan(input, 4_GiB, {});
  ASSERT_TRUE(before) << before.error().what;
  other.left = Bytes{before->device_memory((*engine)->limits({})).count() / 2};
  const auto meanwhile = (*engine)->plan(input, 4_GiB, {});
  ASSERT_TRUE(meanwhile) << meanwhile.error().what;
  EXPECT_LT(meanwhile->tile, before->tile);
  EXPECT_LE(meanwhile->device_memory((*engine)->limits({})), other.left);
  other.left = 64_KiB;
  const auto refused = (*engine)->plan(input, 4_GiB, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::over_budget);
  other.left = 1_GiB;
  const auto after = (*engine)->plan(input, 4_GiB, {});
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_EQ(after->tile, before->tile);
}

struct Case {
  const char* family;
  int channels;       ///< of the generated network's features
  int height, width;  ///< extent of the input
  int tile;           ///< side of the tiles; no multiple of any stride of the network
};
std::string name_of(const testing::TestParamInfo<Case>& info) { return info.param.family; }

class VulkanFamily : public VulkanEngine, public testing::WithParamInterface<Case> {};

TEST_P(VulkanFamily, AgreesWithTheReferenceAndTilesChangeNoBit) {
  const Case& tested = GetParam();
  const Network network = load_generated_network(tested.family, tested.channels);
  const compute::Planes input = generated_planes(tested.height, tested.width);
  const auto reference = run_reference(network.graph, input);
  ASSERT_TRUE(reference) << reference.error().what;
  EngineSettings settings;
  settings.tile = kOneTile;
  const auto one = run(network.graph, input, settings);
  ASSERT_TRUE(one) << one.error().what;
  EXPECT_TRUE(one->plan.one_tile);
  EXPECT_LT(max_difference(one->rows, to_rows(*reference)), 2e-4);
  settings.tile = tested.tile;
  const auto tiled = run(network.graph, input, settings);
  ASSERT_TRUE(tiled) << tiled.error().what;
  EXPECT_FALSE(tiled->plan.one_tile);
  EXPECT_TRUE(tiled->rows == one->rows);
  for (const Ran* ran : {&*one, &*tiled}) {
    EXPECT_EQ(ran->memory.weights, ran->plan.weights);
    EXPECT_EQ(ran->memory.activations, ran->plan.activations);
    EXPECT_EQ(ran->memory.parameters, ran->plan.parameters);
    EXPECT_LE(ran->memory.staging, ran->plan.staging);
    EXPECT_TRUE(ran->events.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Families, VulkanFamily,
                         testing::Values(Case{"realcugan2x_se", 8, 76, 84, 29}, Case{"realcugan3x_se", 8, 68, 72, 41},
                                         Case{"realcugan4x_se", 8, 78, 82, 29}, Case{"realcugan2x_nose", 8, 76, 90, 29},
                                         Case{"animevideo_x2", 8, 36, 61, 13}, Case{"animevideo_x3", 8, 36, 45, 13},
                                         Case{"animevideo_x4", 8, 33, 29, 13}, Case{"general_x4", 8, 21, 40, 13},
                                         Case{"rrdb_x4", 64, 13, 15, 9}, Case{"rrdb_pnnx_x4", 32, 20, 23, 13},
                                         Case{"shuffles", 10, 36, 45, 13}, Case{"padded", 10, 36, 45, 13}),
                         name_of);

}  // namespace
}  // namespace weir::nn::vulkan
