#include "compute/host_pool.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace weir::compute {
namespace {

TEST(HostPool, ReusesABlockThatWasGivenBack) {
  HostPool pool;
  const auto first = pool.acquire(Bytes{1000});
  ASSERT_TRUE(first);
  EXPECT_GE(first->size, Bytes{1000});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first->memory) % 64, 0U);
  pool.give_back(*first);
  const auto second = pool.acquire(Bytes{990});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->memory, first->memory);
  EXPECT_EQ(pool.statistics().hits, 1U);
  pool.give_back(*second);
}

TEST(HostPool, AClassIsAtMostAQuarterLarger) {
  for (std::uint64_t size = 256; size < 1U << 20U; size += 777) {
    const Bytes whole = HostPool::size_class(Bytes{size});
    EXPECT_GE(whole.count(), size);
    EXPECT_LE(whole.count(), size + size / 4 + 1) << size;
    EXPECT_EQ(HostPool::size_class(whole), whole);
  }
}

TEST(HostPool, KeepsFiftyOfAClassAndFreesTheLeastRecentlyUsed) {
  HostPool pool;
  std::vector<HostPool::Block> blocks;
  blocks.reserve(60);
  for (int i = 0; i < 60; ++i) blocks.push_back(*pool.acquire(Bytes{4096}));
  for (const HostPool::Block& block : blocks) pool.give_back(block);
  EXPECT_EQ(pool.statistics().peak_idle, 50U);
  EXPECT_EQ(pool.statistics().idle, Bytes{4096} * 50);
  EXPECT_EQ(pool.statistics().allocated, Bytes{4096} * 50);
  EXPECT_EQ(pool.statistics().peak, Bytes{4096} * 60);
  EXPECT_EQ(pool.acquire(Bytes{4096})->memory, blocks.back().memory);
  pool.give_back(blocks.back());
}

TEST(HostPool, GivesIdleMemoryBackBeforeItRefuses) {
  HostPool pool{{.limit = Bytes{10000}}};
  const auto small = pool.acquire(Bytes{4096});
  ASSERT_TRUE(small);
  EXPECT_TRUE(pool.needs_cleanup(Bytes{8192}));
  const auto refused = pool.acquire(Bytes{8192});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::over_budget);
  pool.give_back(*small);
  const auto large = pool.acquire(Bytes{8192});
  ASSERT_TRUE(large);
  EXPECT_EQ(pool.statistics().allocated, Bytes{8192});
  pool.give_back(*large);
}

TEST(HostPool, RefusesMoreThanAnyMachineHas) {
  HostPool pool;
  EXPECT_FALSE(pool.acquire(Bytes{~std::uint64_t{0}}));
  EXPECT_FALSE(pool.acquire(Bytes{std::uint64_t{1} << 62U}));
}

TEST(HostPool, CleanupTwiceIsHarmless) {
  HostPool pool;
  pool.give_back(*pool.acquire(Bytes{4096}));
  pool.cleanup();
  EXPECT_EQ(pool.statistics().allocated, Bytes{});
  pool.cleanup();
  EXPECT_EQ(pool.statistics().idle, Bytes{});
}

}  // namespace
}  // namespace weir::compute
