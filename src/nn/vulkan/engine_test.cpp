#include "nn/vulkan/engine.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "networks/generate.hpp"
#include "nn/network.hpp"
#include "nn/reference.hpp"
#include "program.hpp"
#include "vulkan_devices.hpp"

namespace weir::nn::vulkan {
namespace {

/// A picture in memory as a network's input.
class PlanesInput final : public InputRows {
 public:
  explicit PlanesInput(const compute::Planes& planes) : planes_{planes} {}
  Status begin() override {
    next_ = 0;
    return ok();
  }
  Status fill(const PlanarRows& rows) override {
    EXPECT_EQ(rows.first, next_) << "rows are asked for in order";
    next_ = rows.first + rows.count;
    for (int i = 0; i < rows.count; ++i) {
      for (int c = 0; c < rows.planes; ++c) {
        for (int x = 0; x < rows.width; ++x)
          rows.row[static_cast<std::size_t>(i)][c * rows.plane_stride + x] = planes_.at(c, rows.first + i, x);
      }
    }
    return ok();
  }

 private:
  const compute::Planes& planes_;
  int next_ = 0;
};

compute::Planes picture(int height, int width) {
  compute::Planes planes{3, height, width};
  planes.values = test::generated_picture(height, width);
  return planes;
}

Network network_of(std::string_view family, int channels) {
  const test::GeneratedNetwork made = test::generate(family, {.channels = channels});
  auto network = parse_network(made.param, made.bin, std::string{family});
  EXPECT_TRUE(network) << (network ? "" : network.error().what);
  return *std::move(network);
}

double most_off(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double off = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    most = std::isnan(off) ? 1e9 : std::max(most, off);
  }
  return most;
}

class VulkanEngine : public test::VulkanTest {
 protected:
  struct Ran {
    DevicePlan plan;
    std::vector<float> rows;  ///< [h][c][w]
    std::vector<std::string> events;
    EngineMemory memory;
  };
  Result<Ran> run(const Graph& graph, const compute::Planes& input, const EngineSettings& settings) {
    const auto program = lower(graph);
    if (!program) return program.error();
    auto engine = Engine::create(graph, *program, instance(), device(), settings);
    if (!engine) return engine.error();
    Ran ran;
    auto plan = (*engine)->plan({input.height, input.width}, 4_GiB);
    if (!plan) return plan.error();
    ran.plan = *plan;
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
    int next_row = 0;
    auto status = (*engine)->run(*plan, {}, rows, take, {}, next_row, ran.events);
    if (!status) return status.error();
    EXPECT_EQ(next_row, next);
    ran.memory = (*engine)->memory();
    return ran;
  }
};

std::vector<float> rows_of(const compute::Planes& planes) {
  std::vector<float> rows;
  for (int y = 0; y < planes.height; ++y) {
    for (int c = 0; c < planes.channels; ++c) {
      for (int x = 0; x < planes.width; ++x) rows.push_back(planes.at(c, y, x));
    }
  }
  return rows;
}

TEST_F(VulkanEngine, TheFastestTileIsMeasuredOnceAndRemembered) {
  const test::Folder cache;
  setenv("XDG_CACHE_HOME", cache.path().c_str(), 1);
  const Network network = network_of("animevideo_x2", 4);
  const auto program = lower(network.graph);
  ASSERT_TRUE(program);
  EngineSettings settings;
  settings.measure_software = true;
  DevicePlan first;
  for (int turn = 0; turn < 2; ++turn) {
    auto engine = Engine::create(network.graph, *program, instance(), device(), settings);
    ASSERT_TRUE(engine) << engine.error().what;
    const auto plan = (*engine)->plan({400, 300}, 4_GiB);
    ASSERT_TRUE(plan) << plan.error().what;
    EXPECT_EQ((*engine)->counts().tiles, 0U) << "measuring is not counted";
    if (turn == 0) first = *plan;
    EXPECT_EQ(plan->tile, first.tile);
    EXPECT_EQ((*engine)->memory().misses == 0, turn == 1) << "what is remembered is not measured again";
  }
  unsetenv("XDG_CACHE_HOME");
  const auto all = cache.all();  // the driver keeps its kernels there too
  EXPECT_EQ(
      std::count_if(all.begin(), all.end(), [](const std::string& name) { return name.starts_with("weir/tiles/"); }),
      1);
}

struct Case {
  const char* family;
  int channels;
  int height, width;
  int tile;  ///< falls on no grid of the network
};
std::string name_of(const testing::TestParamInfo<Case>& info) { return info.param.family; }

class VulkanFamily : public VulkanEngine, public testing::WithParamInterface<Case> {};

TEST_P(VulkanFamily, AgreesWithTheReferenceAndTilesChangeNoBit) {
  const Case& c = GetParam();
  const Network network = network_of(c.family, c.channels);
  const compute::Planes input = picture(c.height, c.width);
  const auto reference = run_reference(network.graph, input);
  ASSERT_TRUE(reference) << reference.error().what;
  EngineSettings settings;
  settings.tile = 4096;
  const auto one = run(network.graph, input, settings);
  ASSERT_TRUE(one) << one.error().what;
  EXPECT_TRUE(one->plan.one_tile);
  EXPECT_LT(most_off(one->rows, rows_of(*reference)), 2e-4);
  settings.tile = c.tile;
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
                                         Case{"rrdb_x4", 64, 13, 15, 9}, Case{"rrdb_pnnx_x4", 32, 20, 23, 13}),
                         name_of);

}  // namespace
}  // namespace weir::nn::vulkan
