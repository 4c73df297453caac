// Tests of the parts that decide when and where items run: WorkQueue, admission, LearnedNeeds, SequentialFallback and
// stall_limit().

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "jobs/admission.hpp"
#include "jobs/fake_task_test.hpp"
#include "jobs/retry_policy.hpp"
#include "jobs/work_queue.hpp"

namespace weir::jobs {
namespace {

/// The result of simulate(). Times are in seconds.
struct Simulated {
  double length = 0;         ///< duration of the run
  std::vector<double> busy;  ///< working time of each device
};

/// Simulates a run: devices with these speeds (cost per second) take items with these costs from a WorkQueue. The queue
/// gets the speeds that were measured so far, as from a coordinator. Returns Simulated{} if no device takes an item.
Simulated simulate(const std::vector<double>& costs, const std::vector<double>& speeds) {
  WorkQueue queue;
  for (std::size_t i = 0; i < costs.size(); ++i) queue.add(static_cast<WorkQueue::Number>(i), costs[i]);
  const std::size_t count = speeds.size();
  Simulated run{0, std::vector<double>(count)};
  std::vector<double> free_at(count), done_cost(count);
  std::vector<bool> idle(count);  // the queue had no item for the device; it is offered one after the next assignment
  double now = 0;
  while (!queue.empty()) {
    std::size_t next = count;
    for (std::size_t i = 0; i < count; ++i) {
      if (!idle[i] && (next == count || free_at[i] < free_at[next])) next = i;
    }
    if (next == count) return {};  // no device takes the remaining items
    now = std::max(now, free_at[next]);
    std::vector<DeviceLoad> loads;
    for (std::size_t i = 0; i < count; ++i)
      loads.push_back({run.busy[i] > 0 ? done_cost[i] / run.busy[i] : 0, std::max(0.0, free_at[i] - now)});
    const auto item = queue.take(loads, next);
    if (!item) {
      idle[next] = true;
      continue;
    }
    std::fill(idle.begin(), idle.end(), false);
    const double seconds = costs[*item] / speeds[next];
    run.busy[next] += seconds;
    done_cost[next] += costs[*item];
    free_at[next] = now + seconds;
    run.length = std::max(run.length, free_at[next]);
  }
  return run;
}

std::vector<double> uneven_costs(unsigned seed, std::size_t count) {
  std::mt19937 random{seed};
  std::lognormal_distribution<double> size{0, 1};  // a few large pages among many small ones
  std::vector<double> costs(count);
  for (double& cost : costs) cost = size(random);
  return costs;
}

double sum(const std::vector<double>& values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

TEST(WorkQueue, EqualDevicesAreBusyForEqualTimes) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    const auto run = simulate(uneven_costs(seed, 60), {1, 1});
    EXPECT_GE(std::min(run.busy[0], run.busy[1]) / std::max(run.busy[0], run.busy[1]), 0.95) << seed;
  }
}

/// The segments of a film: all of one length but the last.
TEST(WorkQueue, EqualItemsKeepDevicesOfAnySpeedsBusyForEqualTimes) {
  for (const double speed : {1.0, 0.7, 0.31}) {
    std::vector<double> costs(60, 240);
    costs.push_back(17);
    const auto run = simulate(costs, {1, speed});
    EXPECT_GE(std::min(run.busy[0], run.busy[1]) / std::max(run.busy[0], run.busy[1]), 0.95) << speed;
  }
}

TEST(WorkQueue, WithASlowDeviceTheRunIsWithinFivePercentOfIdeal) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    const auto costs = uneven_costs(seed, 60);
    const auto run = simulate(costs, {1, 0.5});
    const double ideal = std::max(sum(costs) / 1.5, *std::max_element(costs.begin(), costs.end()));
    EXPECT_LE(run.length, ideal * 1.05) << seed;
  }
}

TEST(WorkQueue, TheLastItemGoesToTheDeviceThatWillFinishItFirst) {
  WorkQueue queue;
  queue.add(0, 10);
  // The free device needs 10 s; the other is free in 1 s and needs 2 s.
  const std::vector<DeviceLoad> loads{{.speed = 1, .busy_s = 0}, {.speed = 5, .busy_s = 1}};
  EXPECT_FALSE(queue.take(loads, 0));
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_TRUE(queue.take(loads, 1));
}

TEST(WorkQueue, ItemsOfEqualCostAreTakenInTheOrderOfTheWorklist) {
  WorkQueue queue;
  for (const unsigned number : {2U, 0U, 1U}) queue.add(number, 5);
  const std::vector<DeviceLoad> one(1);
  for (unsigned number = 0; number < 3; ++number) EXPECT_EQ(queue.take(one, 0), number);
}

TEST(Admission, ComparesTheNeedWithFreeMemoryLessReservationsAndMargin) {
  const MemoryAvailability memory{.free = 100_MiB, .reserved = 30_MiB, .running = 40_MiB, .margin = 10_MiB};
  EXPECT_EQ(admit_memory(60_MiB, memory), Admission::start);
  EXPECT_EQ(admit_memory(61_MiB, memory), Admission::wait);
  EXPECT_EQ(admit_memory(130_MiB, memory), Admission::wait);
  EXPECT_EQ(admit_memory(131_MiB, memory), Admission::does_not_fit);
  const MemoryAvailability alone{.free = 100_MiB, .reserved = {}, .running = {}, .margin = 10_MiB};
  EXPECT_EQ(admit_memory(90_MiB, alone), Admission::start);
  EXPECT_EQ(admit_memory(91_MiB, alone), Admission::does_not_fit);
}

TEST(Admission, AnOutputIsAdmittedByFreeDiskSpace) {
  const DiskSpace space{.free = 116_MiB, .total = 1_GiB};
  EXPECT_EQ(admit_output(100_MiB, {}, space), Admission::start);
  EXPECT_EQ(admit_output(100_MiB, 1_MiB, space), Admission::wait);
  EXPECT_EQ(admit_output(101_MiB, {}, space), Admission::wait);
  EXPECT_EQ(admit_output(2_GiB, {}, space), Admission::does_not_fit) << "it can never fit";
  EXPECT_EQ(admit_output(2_GiB, {}, std::nullopt), Admission::start);
  EXPECT_EQ(admit_output(2_GiB, {}, DiskSpace{.free = {}, .total = 1_GiB, .read_only = true}), Admission::start);
}

TEST(LearnedNeeds, AreKeptPerVariantSizeAndDevice) {
  test::Folder folder;
  {
    LearnedNeeds needs{folder / "state/needs.json"};
    EXPECT_EQ(needs.need("x", "10x10", "gpu", 100_MiB), 100_MiB);
    ASSERT_TRUE(needs.raise_need("x", "10x10", "gpu", 100_MiB));
    EXPECT_EQ(needs.need("x", "10x10", "gpu", 100_MiB), 125_MiB);
  }
  LearnedNeeds needs{folder / "state/needs.json"};
  EXPECT_EQ(needs.need("x", "10x10", "gpu", 100_MiB), 125_MiB);
  EXPECT_EQ(needs.need("x", "10x10", "gpu", 200_MiB), 200_MiB);
  EXPECT_EQ(needs.need("x", "20x10", "gpu", 100_MiB), 100_MiB);
  EXPECT_EQ(needs.need("x", "10x10", "cpu", 100_MiB), 100_MiB);
  folder.put("state/needs.json", "{\"needs\":[1");
  EXPECT_EQ(LearnedNeeds{folder / "state/needs.json"}.need("x", "10x10", "gpu", 100_MiB), 100_MiB);
}

TEST(SequentialFallback, ThreeFailuresOfDifferentItemsWithinTenMinutesMakeTheRunSequential) {
  const Clock::time_point start{};
  SequentialFallback same;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(same.record_failure(7, start));
  SequentialFallback rare;
  for (unsigned i = 0; i < 5; ++i) EXPECT_FALSE(rare.record_failure(i, start + std::chrono::minutes{6} * i));
  SequentialFallback often;
  EXPECT_FALSE(often.record_failure(1, start));
  EXPECT_FALSE(often.record_failure(2, start + std::chrono::minutes{4}));
  EXPECT_TRUE(often.record_failure(3, start + std::chrono::minutes{9}));
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(often.record_success());
  EXPECT_TRUE(often.record_success());
  EXPECT_FALSE(often.is_sequential());
}

TEST(StallLimit, GrowsWithTheExpectedTime) {
  const std::chrono::duration<double> stall{120};
  EXPECT_EQ(stall_limit(stall, 0), stall);
  EXPECT_EQ(stall_limit(stall, 600), stall);
  EXPECT_EQ(stall_limit(stall, 1800), stall * 3);
  EXPECT_EQ(stall_limit(stall, 1e9), stall * 10);
}

}  // namespace
}  // namespace weir::jobs
