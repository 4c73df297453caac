#include "compute/vulkan/hazard_tracker.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace weir::compute::vulkan {
namespace {

constexpr unsigned kCompute = static_cast<unsigned>(AccessStage::compute);
constexpr unsigned kTransfer = static_cast<unsigned>(AccessStage::transfer);
constexpr unsigned kAllStages = kCompute | kTransfer | static_cast<unsigned>(AccessStage::host);

Access reads(std::uint64_t buffer, std::uint64_t begin = 0, std::uint64_t end = 100) {
  return {buffer, begin, end, false, AccessStage::compute};
}
Access writes(std::uint64_t buffer, std::uint64_t begin = 0, std::uint64_t end = 100) {
  return {buffer, begin, end, true, AccessStage::compute};
}

/// Returns the barrier before each command of a sequence.
std::vector<Barrier> barriers(const std::vector<std::vector<Access>>& commands) {
  HazardTracker hazards;
  std::vector<Barrier> list;
  list.reserve(commands.size());
  for (const auto& uses : commands) list.push_back(hazards.add_command(uses));
  return list;
}

const Barrier kNone{};
const Barrier kAfterCompute{true, kCompute, kAllStages};

TEST(HazardTracker, AChainOfCommandsHasABarrierBetweenEachPair) {
  EXPECT_EQ(barriers({{reads(1), writes(2)}, {reads(2), writes(3)}, {reads(3), writes(4)}}),
            (std::vector{kNone, kAfterCompute, kAfterCompute}));
}

TEST(HazardTracker, ReadersOfTheSameMemoryNeedNoBarrier) {
  EXPECT_EQ(barriers({{reads(1), writes(2)}, {reads(1), writes(3)}, {reads(1), writes(4)}}),
            (std::vector{kNone, kNone, kNone}));
}

TEST(HazardTracker, WriteAfterReadAndWriteAfterWriteNeedABarrier) {
  EXPECT_EQ(barriers({{reads(1), writes(2)}, {reads(3), writes(1)}}), (std::vector{kNone, kAfterCompute}));
  EXPECT_EQ(barriers({{reads(1), writes(2)}, {reads(3), writes(2)}}), (std::vector{kNone, kAfterCompute}));
}

TEST(HazardTracker, RangesOfABufferThatDoNotOverlapNeedNoBarrier) {
  EXPECT_EQ(barriers({{writes(1, 0, 50)}, {reads(1, 50, 100), writes(2)}, {reads(1, 49, 51), writes(3)}}),
            (std::vector{kNone, kNone, kAfterCompute}));
}

TEST(HazardTracker, ABarrierCoversAllEarlierAccesses) {
  // The third command reads what the first wrote, but the barrier before the second already covers it.
  EXPECT_EQ(barriers({{writes(1), writes(2)}, {reads(2), writes(3)}, {reads(1), writes(4)}}),
            (std::vector{kNone, kAfterCompute, kNone}));
}

TEST(HazardTracker, TheBarrierWaitsForAllStagesThatAccessedMemory) {
  const Access fill{1, 0, 100, true, AccessStage::transfer};
  EXPECT_EQ(barriers({{fill}, {writes(2)}, {reads(1), writes(3)}}),
            (std::vector{kNone, kNone, Barrier{true, kCompute | kTransfer, kAllStages}}));
  const Access host_read{2, 0, 100, false, AccessStage::host};
  EXPECT_EQ(barriers({{writes(2)}, {host_read}}), (std::vector{kNone, kAfterCompute}));
}

TEST(HazardTracker, BarriersOfATransferQueueDoNotNameTheComputeStage) {
  constexpr unsigned kHost = static_cast<unsigned>(AccessStage::host);
  HazardTracker hazards{kTransfer | kHost};
  const std::vector copy{Access{1, 0, 100, true, AccessStage::transfer}};
  const std::vector host_read{Access{1, 0, 100, false, AccessStage::host}};
  EXPECT_EQ(hazards.add_command(copy), kNone);
  EXPECT_EQ(hazards.add_command(host_read), (Barrier{true, kTransfer, kTransfer | kHost}));
}

TEST(HazardTracker, TheNumberOfTrackedAccessesIsLimited) {
  HazardTracker hazards;
  for (std::uint64_t i = 0; i < 100000; ++i) {
    const std::vector uses{reads(2 * i), writes(2 * i + 1)};
    hazards.add_command(uses);
    ASSERT_LE(hazards.tracked_accesses(), 4096U);
  }
}

TEST(HazardTracker, NoAccessIsTrackedAfterTheHostHasWaited) {
  HazardTracker hazards;
  const std::vector first{writes(1)};
  hazards.add_command(first);
  hazards.clear();
  EXPECT_EQ(hazards.add_command(first), kNone);
}

}  // namespace
}  // namespace weir::compute::vulkan
