#include "compute/vulkan/hazards.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace weir::compute::vulkan {
namespace {

constexpr unsigned kCompute = static_cast<unsigned>(Toucher::compute);
constexpr unsigned kTransfer = static_cast<unsigned>(Toucher::transfer);
constexpr unsigned kAll = kCompute | kTransfer | static_cast<unsigned>(Toucher::host);

Access reads(std::uint64_t buffer, std::uint64_t begin = 0, std::uint64_t end = 100) {
  return {buffer, begin, end, false, Toucher::compute};
}
Access writes(std::uint64_t buffer, std::uint64_t begin = 0, std::uint64_t end = 100) {
  return {buffer, begin, end, true, Toucher::compute};
}

/// A row of commands, and the barrier before each.
std::vector<Barrier> barriers(const std::vector<std::vector<Access>>& commands) {
  Hazards hazards;
  std::vector<Barrier> list;
  list.reserve(commands.size());
  for (const auto& uses : commands) list.push_back(hazards.before(uses));
  return list;
}

const Barrier kNone{};
const Barrier kAfterCompute{true, kCompute, kAll};

TEST(Hazards, AChainOfCommandsHasABarrierBetweenEachPair) {
  EXPECT_EQ(barriers({{reads(1), writes(2)}, {reads(2), writes(3)}, {reads(3), writes(4)}}),
            (std::vector{kNone, kAfterCompute, kAfterCompute}));
}

TEST(Hazards, ReadersOfOneThingNeedNone) {
  EXPECT_EQ(barriers({{reads(1), writes(2)}, {reads(1), writes(3)}, {reads(1), writes(4)}}),
            (std::vector{kNone, kNone, kNone}));
}

TEST(Hazards, WriteAfterReadAndWriteAfterWriteNeedOne) {
  EXPECT_EQ(barriers({{reads(1), writes(2)}, {reads(3), writes(1)}}), (std::vector{kNone, kAfterCompute}));
  EXPECT_EQ(barriers({{reads(1), writes(2)}, {reads(3), writes(2)}}), (std::vector{kNone, kAfterCompute}));
}

TEST(Hazards, PartsOfABufferThatDoNotTouchAreApart) {
  EXPECT_EQ(barriers({{writes(1, 0, 50)}, {reads(1, 50, 100), writes(2)}, {reads(1, 49, 51), writes(3)}}),
            (std::vector{kNone, kNone, kAfterCompute}));
}

TEST(Hazards, ABarrierSettlesEverythingBeforeIt) {
  // The third command reads what the first wrote: the barrier before the second has settled that already.
  EXPECT_EQ(barriers({{writes(1), writes(2)}, {reads(2), writes(3)}, {reads(1), writes(4)}}),
            (std::vector{kNone, kAfterCompute, kNone}));
}

TEST(Hazards, TheBarrierWaitsForAllThatTouched) {
  const Access fills{1, 0, 100, true, Toucher::transfer};
  EXPECT_EQ(barriers({{fills}, {writes(2)}, {reads(1), writes(3)}}),
            (std::vector{kNone, kNone, Barrier{true, kCompute | kTransfer, kAll}}));
  const Access shown{2, 0, 100, false, Toucher::host};
  EXPECT_EQ(barriers({{writes(2)}, {shown}}), (std::vector{kNone, kAfterCompute}));
}

TEST(Hazards, AQueueThatOnlyCopiesHasNoBarrierThatNamesKernels) {
  constexpr unsigned kHost = static_cast<unsigned>(Toucher::host);
  Hazards hazards{kTransfer | kHost};
  const std::vector copied{Access{1, 0, 100, true, Toucher::transfer}};
  const std::vector shown{Access{1, 0, 100, false, Toucher::host}};
  EXPECT_EQ(hazards.before(copied), kNone);
  EXPECT_EQ(hazards.before(shown), (Barrier{true, kTransfer, kTransfer | kHost}));
}

TEST(Hazards, WhatIsRememberedStaysBounded) {
  Hazards hazards;
  for (std::uint64_t i = 0; i < 100000; ++i) {
    const std::vector uses{reads(2 * i), writes(2 * i + 1)};
    hazards.before(uses);
    ASSERT_LE(hazards.remembered(), 4096U);
  }
}

TEST(Hazards, NothingIsOpenAfterTheHostHasWaited) {
  Hazards hazards;
  const std::vector first{writes(1)};
  hazards.before(first);
  hazards.clear();
  EXPECT_EQ(hazards.before(first), kNone);
}

}  // namespace
}  // namespace weir::compute::vulkan
