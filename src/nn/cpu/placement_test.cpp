#include "nn/cpu/placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "networks/generate_network.hpp"

namespace weir::nn {
namespace {

TEST(Placement, BlocksOfDifferentPassesShareMemory) {
  std::vector<MemoryBlock> blocks{{100, 0, 0}, {60, 1, 1}, {30, 0, 1}};
  EXPECT_EQ(place_blocks(blocks, {}), 130);
  EXPECT_EQ(blocks[0].offset, 0);
  EXPECT_EQ(blocks[1].offset, 0);
  EXPECT_EQ(blocks[2].offset, 100);
}

TEST(Placement, ABlockMayOverlapABlockThatIsReadForTheLastTime) {
  std::vector<MemoryBlock> blocks{{100, 0, 1}, {100, 1, 2}};
  EXPECT_EQ(place_blocks(blocks, {}), 200);
  EXPECT_EQ(place_blocks(blocks, {{0, 1, 12}}), 112);
  EXPECT_EQ(blocks[1].offset, 0);
  EXPECT_EQ(blocks[0].offset, 12);
}

TEST(Placement, AnOverlapWithTooLargeAGapIsNotUsed) {
  std::vector<MemoryBlock> blocks{{100, 0, 1}, {80, 1, 2}};
  EXPECT_EQ(place_blocks(blocks, {{0, 1, 500}}), 180);
}

TEST(Placement, OverlapsCanFormAChain) {
  std::vector<MemoryBlock> blocks{{100, 0, 1}, {100, 1, 2}, {100, 2, 3}};
  EXPECT_EQ(place_blocks(blocks, {{0, 1, 10}, {1, 2, 5}}), 115);
}

/// Returns true if the blocks have no byte in common.
bool are_apart(const MemoryBlock& a, const MemoryBlock& b) {
  return a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
}

// Random blocks; two may overlap if the pass that uses the first for the last time is the first that uses the second.
TEST(Placement, BlocksInUseTogetherOverlapOnlyWhereAllowed) {
  test::SeededNumbers numbers{3};
  const auto below = [&](int n) { return static_cast<int>(numbers.between(0, static_cast<float>(n))); };
  for (int round = 0; round < 500; ++round) {
    std::vector<MemoryBlock> blocks;
    for (int i = 0; i < 8; ++i) {
      const int first = below(4);
      blocks.push_back({static_cast<std::size_t>(1 + below(90)), first, first + below(3)});
    }
    std::vector<BlockOverlap> overlaps;
    for (std::size_t a = 0; a < blocks.size(); ++a) {
      for (std::size_t b = 0; b < blocks.size(); ++b) {
        if (a != b && blocks[a].last_pass == blocks[b].first_pass && blocks[a].first_pass < blocks[b].first_pass &&
            below(2) == 0)
          overlaps.push_back({a, b, static_cast<std::size_t>(below(40))});
      }
    }
    const std::size_t end = place_blocks(blocks, overlaps);
    for (std::size_t a = 0; a < blocks.size(); ++a) {
      EXPECT_LE(blocks[a].offset + blocks[a].bytes, end);
      for (std::size_t b = a + 1; b < blocks.size(); ++b) {
        if (blocks[a].last_pass < blocks[b].first_pass || blocks[b].last_pass < blocks[a].first_pass) continue;
        bool is_allowed = are_apart(blocks[a], blocks[b]);
        for (const BlockOverlap& overlap : overlaps) {
          if ((overlap.from == a && overlap.to == b) || (overlap.from == b && overlap.to == a))
            is_allowed = is_allowed || blocks[overlap.to].offset + overlap.gap_bytes <= blocks[overlap.from].offset;
        }
        EXPECT_TRUE(is_allowed) << "round " << round << ", blocks " << a << " and " << b;
      }
    }
  }
}

}  // namespace
}  // namespace weir::nn
