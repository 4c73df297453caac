// Tests chains of stages: all values arrive in order, the slots bound what waits, and the first error ends every stage.
#include "base/pipeline.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <vector>

namespace weir {
namespace {

constexpr int kSlots = 3;
constexpr int kValues = 1000;

/// A chain of three stages: numbers are made, doubled and collected. Each stage fails at the number that is set for it.
struct Chain {
  SlotQueue<int> made{kSlots}, doubled{kSlots};
  int make_fails_at = -1, double_fails_at = -1, collect_fails_at = -1;
  std::vector<int> collected;
  std::atomic<int> in_flight = 0, most_in_flight = 0;

  Status make() {
    for (int i = 0; i < kValues; ++i) {
      if (i == make_fails_at) return Error{Errc::corrupt, "make"};
      auto slot = made.take_free();
      if (!slot) return ok();
      most_in_flight = std::max(most_in_flight.load(), ++in_flight);
      made.add(i);
    }
    made.close();
    return ok();
  }
  Status double_all() {
    while (auto value = made.take()) {
      if (*value == double_fails_at) return Error{Errc::io, "double"};
      auto slot = doubled.take_free();
      if (!slot) return ok();
      doubled.add(2 * *value);
      made.give_back(*value);
    }
    doubled.close();
    return ok();
  }
  Status collect() {
    while (auto value = doubled.take()) {
      if (*value == collect_fails_at) throw std::bad_alloc{};
      --in_flight;
      collected.push_back(*value);
      doubled.give_back(*value);
    }
    return ok();
  }
  Status run() {
    Pipeline pipeline{[this] {
      made.cancel();
      doubled.cancel();
    }};
    pipeline.start([this] { return make(); });
    pipeline.start([this] { return collect(); });
    return pipeline.finish([this] { return double_all(); });
  }
};

TEST(Pipeline, AllValuesArriveInOrderAndTheSlotsBoundWhatWaits) {
  Chain chain;
  ASSERT_TRUE(chain.run());
  ASSERT_EQ(chain.collected.size(), static_cast<std::size_t>(kValues));
  for (int i = 0; i < kValues; ++i) ASSERT_EQ(chain.collected[static_cast<std::size_t>(i)], 2 * i);
  EXPECT_LE(chain.most_in_flight, 2 * kSlots);
}

TEST(Pipeline, TheErrorOfAnyStageEndsAllStages) {
  Chain first, second, last;
  first.make_fails_at = 500;
  second.double_fails_at = 500;
  last.collect_fails_at = 1000;
  const auto failed_first = first.run(), failed_second = second.run(), failed_last = last.run();
  ASSERT_FALSE(failed_first);
  EXPECT_EQ(failed_first.error().what, "make");
  ASSERT_FALSE(failed_second);
  EXPECT_EQ(failed_second.error().what, "double");
  ASSERT_FALSE(failed_last);
  EXPECT_EQ(failed_last.error().code, Errc::over_budget) << "memory that the system refuses is an error, not the end";
  EXPECT_EQ(last.collected.size(), 500U);
}

TEST(Pipeline, StagesThatStillWaitEndWithThePipeline) {
  SlotQueue<int> queue{1};
  Pipeline pipeline{[&] { queue.cancel(); }};
  pipeline.start([&]() -> Status {
    while (queue.take()) {}
    return ok();
  });
}

}  // namespace
}  // namespace weir
