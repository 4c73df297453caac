#include "compute/thread_team.hpp"

#include <gtest/gtest.h>

#include "networks/generate_network.hpp"

namespace weir::compute {
namespace {

int uniform(test::SeededNumbers& random, int low, int high) {
  return low + static_cast<int>(random.next() % static_cast<std::uint64_t>(high - low + 1));
}

/// How often each unit was processed, and each member called. The counts are not atomic, so that ThreadSanitizer
/// reports it if two members take the same unit or have the same index.
struct Counts {
  explicit Counts(int units, int members)
      : of_unit(static_cast<std::size_t>(units)), of_member(static_cast<std::size_t>(members)) {}
  std::vector<int> of_unit, of_member;
};

TEST(ThreadTeam, EveryUnitIsDoneOnceInPiecesOfTheRequestedSize) {
  test::SeededNumbers random{21};
  for (const int threads : {1, 2, 3, 5}) {
    ThreadTeam team{threads};
    ASSERT_EQ(team.size(), threads);
    for (int round = 0; round < 100; ++round) {
      const int units = uniform(random, 0, 200), grain = uniform(random, 1, 12), most = uniform(random, 1, 60);
      Counts counts{units, threads};
      std::vector<bool> broken(static_cast<std::size_t>(threads) * 64);  // one word of bits per member
      team.run(units, grain, most, [&](int first, int last, int member) {
        ++counts.of_member[static_cast<std::size_t>(member)];
        const bool good = first >= 0 && first < last && last <= units && first % grain == 0 &&
                          (last - first <= most || last - first <= grain);
        if (!good) broken[static_cast<std::size_t>(member) * 64] = true;
        for (int i = first; i < last; ++i) ++counts.of_unit[static_cast<std::size_t>(i)];
      });
      for (int i = 0; i < units; ++i)
        ASSERT_EQ(counts.of_unit[static_cast<std::size_t>(i)], 1) << "unit " << i << " of " << units;
      for (const bool b : broken) ASSERT_FALSE(b) << units << " units, grain " << grain << ", most " << most;
    }
  }
}

TEST(ThreadTeam, EachShortCallSeesTheWritesOfThePreviousOne) {
  constexpr int kCalls = 1000, kUnits = 24;
  for (const int threads : {2, 4}) {
    ThreadTeam team{threads};
    std::vector<int> values(kUnits), next(kUnits);
    for (int call = 0; call < kCalls; ++call) {
      team.run(kUnits, 1, 4, [&](int first, int last, int /*member*/) {
        for (int i = first; i < last; ++i)
          next[static_cast<std::size_t>(i)] = values[static_cast<std::size_t>((i + 1) % kUnits)] + 1;
      });
      values.swap(next);
    }
    for (const int value : values) ASSERT_EQ(value, kCalls);
  }
}

TEST(ThreadTeam, StartsAndEndsWithoutWork) {
  for (int i = 0; i < 20; ++i) {
    ThreadTeam idle{3};
    ThreadTeam once{2};
    int done = 0;
    once.run(1, 1, 1, [&](int first, int last, int /*member*/) { done += last - first; });
    EXPECT_EQ(done, 1);
  }
}

}  // namespace
}  // namespace weir::compute
