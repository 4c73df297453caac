#include "enhance/precision_check.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/process_memory.hpp"
#include "enhance/picture_upscaler.hpp"
#include "enhance/precision_verdict_cache.hpp"
#include "folder.hpp"
#include "networks/generate_network.hpp"

namespace weir::enhance {
namespace {

/// Tests with an empty cache folder: each test sets XDG_CACHE_HOME to a new folder, and restores it at the end.
class PrecisionCheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const char* before = std::getenv("XDG_CACHE_HOME")) before_ = before;
    setenv("XDG_CACHE_HOME", cache_.path().c_str(), 1);
  }
  void TearDown() override {
    if (before_.empty())
      unsetenv("XDG_CACHE_HOME");
    else
      setenv("XDG_CACHE_HOME", before_.c_str(), 1);
  }
  std::size_t count_cached_verdicts() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{cache_.path()})
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  }

  test::Folder cache_;
  std::string before_;  // value of XDG_CACHE_HOME before the test; empty: it was not set
};

/// Returns a generated network of a family.
std::shared_ptr<const nn::Network> generated(std::string_view family, int channels, int blocks) {
  const test::GeneratedNetwork made = test::generate_network(family, {.channels = channels, .blocks = blocks});
  auto network = nn::parse_network(made.param, made.bin, std::string{family});
  EXPECT_TRUE(network) << (network ? "" : network.error().what);
  return std::make_shared<const nn::Network>(*std::move(network));
}

/// Plans a picture with a new upscaler, as a new process would.
Result<UpscalePlan> plan_of(const std::shared_ptr<const nn::Network>& network, Bytes ram, int side = 64) {
  UpscaleSettings settings;
  settings.ram = ram;
  settings.threads = 2;
  auto upscaler = PictureUpscaler::create(network, settings);
  if (!upscaler) return upscaler.error();
  const media::PictureInfo picture{.width = side, .height = side};
  media::WriteOptions output;
  output.row_format = rows_info(*network, picture, settings);
  return (*upscaler)->plan(picture, {}, output);
}

/// Returns the memory of a plan without the part of the process itself, which depends on what other tests left in the
/// heap.
Bytes without_program(const UpscalePlan& plan) {
  Bytes sum;
  for (const PlanPart& part : plan.parts)
    if (part.name != "program and network file") sum += part.ram;
  return sum;
}

TEST_F(PrecisionCheckTest, ThePlanIsTheSameWithACachedVerdict) {
  for (const auto& [family, channels, blocks] :
       {std::tuple{"rrdb_x4", 64, 3}, std::tuple{"realcugan2x_se", 64, 2}, std::tuple{"animevideo_x2", 64, 4}}) {
    const auto network = generated(family, channels, blocks);
    const std::size_t before = count_cached_verdicts();
    const auto cold = plan_of(network, 4_GiB);  // runs the check; `warm` reads its verdict from the cache
    ASSERT_TRUE(cold) << cold.error().what;
    EXPECT_EQ(count_cached_verdicts(), before + 1) << family;
    const auto warm = plan_of(network, 4_GiB);
    ASSERT_TRUE(warm) << warm.error().what;
    EXPECT_EQ(warm->precision, cold->precision) << family;
    EXPECT_EQ(without_program(*warm), without_program(*cold)) << family;
  }
}

TEST_F(PrecisionCheckTest, ItsMemoryIsWithinTheLimitOrItIsRefused) {
  const auto network = generated("rrdb_x4", 64, 3);
  const auto program = nn::lower(network->graph);
  ASSERT_TRUE(program);
  const PrecisionCheckContext context{*network, *program, *compute::available_kernels().front()};
  const auto roomy = PrecisionCheck::plan(context, 2, 4_GiB);
  ASSERT_TRUE(roomy) << roomy.error().what;
  const auto tight = PrecisionCheck::plan(context, 2, roomy->need());
  ASSERT_TRUE(tight) << tight.error().what;
  EXPECT_LE(tight->need(), roomy->need());
  const auto refused = PrecisionCheck::plan(context, 2, 1_MiB);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::over_budget);
  EXPECT_NE(refused.error().what.find("raise --ram"), std::string::npos) << refused.error().what;
  // The smallest possible limit is the same with and without a cached verdict.
  for (const Bytes ram : {resident_memory() + 2_MiB, resident_memory() + 12_MiB, resident_memory() + 24_MiB,
                          resident_memory() + 48_MiB}) {
    std::filesystem::remove_all(cache_.path() / "weir");
    const auto cold = plan_of(network, ram);
    const auto warm = plan_of(network, ram);
    EXPECT_EQ(static_cast<bool>(cold), static_cast<bool>(warm)) << to_text(ram);
    if (cold) {
      EXPECT_LE(cold->ram, ram);
    }
  }
}

/// Returns the cache key of a network in ncnn's format: `lines` are the lines of its layers, `weights` is the number of
/// its weights. The first weight is `first`, all others are 0.125.
std::uint64_t key_of(std::string_view lines, std::size_t weights, float first = 0.25F) {
  std::string param{"7767517\n"};
  param += lines;
  std::vector<float> values(weights, 0.125F);
  if (!values.empty()) values.front() = first;
  std::vector<std::byte> bin;
  const auto* bytes = reinterpret_cast<const std::byte*>(values.data());
  bin.assign(bytes, bytes + values.size() * sizeof(float));
  // A tag of zero before the first weights: plain floats.
  bin.insert(bin.begin(), 4, std::byte{0});
  const auto network = nn::parse_network(param, bin, "varied");
  EXPECT_TRUE(network) << (network ? "" : network.error().what) << "\n" << param;
  return network ? verdict_key(network->graph, *compute::available_kernels().front(), 2) : 0;
}

TEST_F(PrecisionCheckTest, NetworksThatDifferHaveDifferentKeys) {
  const std::string head = "4 4\nInput data 0 1 x\nConvolution a 1 1 x h 0=12 1=3 4=1 5=1 6=324\n";
  const std::size_t weights = 324 + 12;
  std::vector<std::uint64_t> keys;
  // The kind of the second layer and its parameters; its name and its blobs are inserted in place of the '@'.
  for (const char* parameters : {"BinaryOp@0=0 1=1 2=0.5", "BinaryOp@0=0 1=1 2=0.25", "BinaryOp@0=2 1=1 2=0.5",
                                 "ReLU@0=0.1", "ReLU@0=0.2", "ReLU@", "Sigmoid@", "Clip@0=0 1=1", "Clip@0=0 1=2",
                                 "Interp@0=1 1=2 2=2", "Interp@0=2 1=2 2=2", "Interp@0=1 1=3 2=3"}) {
    const std::string text{parameters};
    const std::size_t at = text.find('@');
    keys.push_back(key_of(
        head + text.substr(0, at) + " l 1 1 h g " + text.substr(at + 1) + "\nPixelShuffle s 1 1 g y 0=2\n", weights));
  }
  keys.push_back(key_of(head + "ReLU l 1 1 h g 0=0.1\nPixelShuffle s 1 1 g y 0=2\n", weights, 0.5F));
  const std::set<std::uint64_t> different{keys.begin(), keys.end()};
  EXPECT_EQ(different.size(), keys.size());
}

}  // namespace
}  // namespace weir::enhance
