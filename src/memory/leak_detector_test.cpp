#include "memory/leak_detector.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>

#include "memory/statistics.hpp"

namespace weir::memory {
namespace {

/// Two meters of the device, one per layer, whose values the test sets.
struct FakeDevice {
  std::atomic<std::uint64_t> allocator = 1U << 30U;
  std::atomic<std::uint64_t> driver = 2U << 30U;
  std::atomic<bool> driver_answers = true;

  Meters meters() {
    return {make_counter_meter("pool", Side::device, MeterLayer::allocator,
                               [this]() -> std::optional<Bytes> { return Bytes{allocator.load()}; }),
            make_counter_meter("driver", Side::device, MeterLayer::system, [this]() -> std::optional<Bytes> {
              if (!driver_answers) return std::nullopt;
              return Bytes{driver.load()};
            })};
  }
  void grow(Bytes bytes) {
    allocator += bytes.count();
    driver += bytes.count();
  }
};

LeakLimits limits_without_pause() {
  LeakLimits limits;
  limits.reread_pause = {};
  return limits;
}

/// Runs one scope around `work`.
template <class Work>
ScopeRecord run_scope(LeakDetector& detector, const std::string& name, const Work& work) {
  const auto start = detector.begin_scope();
  work();
  return detector.end_scope(name, start, false, {});
}

TEST(LeakDetector, AThousandCleanScopesRaiseNothing) {
  FakeDevice device;
  LeakDetector detector{device.meters(), limits_without_pause()};
  std::mt19937 random{7};
  const std::uint64_t level = device.driver;
  for (int i = 0; i < 1000; ++i) {
    const ScopeRecord record = run_scope(detector, "test" + std::to_string(i % 40), [&] {
      device.driver = level + random() % (30U << 20U);  // random changes by another program
      device.allocator = (1U << 30U) + random() % (30U << 20U);
    });
    ASSERT_EQ(record.verdict, Verdict::clean) << i;
    if (i % 50 == 49) {
      ASSERT_TRUE(detector.report().passed) << detector.report().text;
    }
  }
}

TEST(LeakDetector, MoreThanTheLimitInOneScopeIsAnAlarmAndTwiceALeak) {
  FakeDevice device;
  LeakDetector detector{device.meters(), limits_without_pause()};
  EXPECT_EQ(run_scope(detector, "a", [&] { device.grow(120_MiB); }).verdict, Verdict::alarm);
  EXPECT_FALSE(detector.report().passed);
  EXPECT_EQ(run_scope(detector, "a", [&] { device.grow(120_MiB); }).verdict, Verdict::leak);
  const LeakReport report = detector.report();
  EXPECT_EQ(report.first_leak, "a");
  EXPECT_EQ(report.suspects.size(), 2u);
  EXPECT_NE(report.text.find("pool +120 MiB, driver +120 MiB"), std::string::npos) << report.text;
}

TEST(LeakDetector, TheEvidenceNamesAllGrowthOnBothSides) {
  FakeDevice device;
  std::atomic<std::uint64_t> host = 0;
  Meters meters = device.meters();
  meters.push_back(make_counter_meter("heap", Side::host, MeterLayer::allocator,
                                      [&]() -> std::optional<Bytes> { return Bytes{host.load()}; }));
  LeakDetector detector{std::move(meters), limits_without_pause()};
  const ScopeRecord both = run_scope(detector, "both", [&] {
    device.grow(150_MiB);
    host += (200_MiB).count();
  });
  EXPECT_EQ(both.verdict, Verdict::alarm);
  EXPECT_EQ(both.growth.evidence, "heap +200 MiB, pool +150 MiB, driver +150 MiB");
  EXPECT_EQ(run_scope(detector, "one", [&] { device.grow(150_MiB); }).growth.evidence,
            "pool +150 MiB, driver +150 MiB");
}

TEST(LeakDetector, GrowthThatHappensOnceIsRecognisedByTheSecondRun) {
  FakeDevice device;
  LeakDetector detector{device.meters(), limits_without_pause()};
  run_scope(detector, "loads a library", [&] { device.grow(300_MiB); });
  run_scope(detector, "loads a library", [] {});
  const LeakReport report = detector.report();
  EXPECT_TRUE(report.passed) << report.text;
  EXPECT_EQ(report.one_time_growth_bytes, 300 << 20);
  EXPECT_EQ(report.drift_bytes, 0);
}

TEST(LeakDetector, OneTimeGrowthOnTheHostDoesNotExcuseGrowthOnTheDevice) {
  FakeDevice device;
  std::atomic<std::uint64_t> host = 1U << 30U;
  Meters meters = device.meters();
  meters.push_back(make_counter_meter("malloc", Side::host, MeterLayer::allocator,
                                      [&]() -> std::optional<Bytes> { return Bytes{host.load()}; }));
  LeakDetector detector{meters, limits_without_pause()};
  run_scope(detector, "loads a library", [&] { host += (300_MiB).count(); });
  run_scope(detector, "loads a library", [] {});
  EXPECT_TRUE(detector.report().passed) << detector.report().text;
  for (int i = 0; i < 3; ++i) run_scope(detector, "grows steadily", [&] { device.grow(50_MiB); });
  LeakReport report = detector.report();
  EXPECT_FALSE(report.passed) << report.text;
  EXPECT_EQ(report.drift_bytes, 150 << 20);

  // A larger growth on one side must not hide growth on the other side in the same scope.
  detector.set_baseline();
  const ScopeRecord both = run_scope(detector, "both", [&] {
    host += (300_MiB).count();
    device.grow(150_MiB);
  });
  EXPECT_EQ(both.verdict, Verdict::alarm);
  const ScopeRecord again = run_scope(detector, "both", [&] { device.grow(150_MiB); });
  EXPECT_EQ(again.verdict, Verdict::leak);
  EXPECT_EQ(again.side, Side::device);
  report = detector.report();
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.one_time_growth_bytes, 300 << 20) << "growth on the host, which the second run did not repeat";
  EXPECT_EQ(report.suspects.size(), 2u) << "growth on the device, which it repeated";
}

TEST(LeakDetector, OneLayerAloneIsNotEnough) {
  FakeDevice device;
  LeakDetector detector{device.meters(), limits_without_pause()};
  EXPECT_EQ(run_scope(detector, "another program", [&] { device.driver += 500U << 20U; }).verdict, Verdict::clean);
  EXPECT_EQ(run_scope(detector, "out of the pool's cache", [&] { device.allocator += 500U << 20U; }).verdict,
            Verdict::clean);
}

TEST(LeakDetector, ADecreaseIsNoLeak) {
  FakeDevice device;
  LeakDetector detector{device.meters(), limits_without_pause()};
  EXPECT_EQ(run_scope(detector, "frees",
                      [&] {
                        device.allocator -= 500U << 20U;
                        device.driver -= 500U << 20U;
                      })
                .verdict,
            Verdict::clean);
  EXPECT_TRUE(detector.report().passed);
}

TEST(LeakDetector, AMeterWithoutReadingsLeavesTheOtherLayerAlone) {
  FakeDevice device;
  device.driver_answers = false;
  LeakDetector detector{device.meters(), limits_without_pause()};
  const ScopeRecord record = run_scope(detector, "a", [&] { device.grow(200_MiB); });
  EXPECT_EQ(record.verdict, Verdict::alarm);
  EXPECT_FALSE(record.growth.confirmed);
  EXPECT_NE(detector.report().text.find("one source only"), std::string::npos);
}

TEST(LeakDetector, FiveMegabytesPerTestAreFoundByTheirSlope) {
  FakeDevice device;
  LeakLimits limits = limits_without_pause();
  limits.total_drift = 10_GiB;  // so that only the slope can detect the leak
  LeakDetector detector{device.meters(), limits};
  std::mt19937 random{7};
  int found_after = 0;
  for (int i = 0; i < 40 && found_after == 0; ++i) {
    run_scope(detector, "test" + std::to_string(i), [&] {
      device.grow(Bytes{5'000'000});
      device.driver += random() % (2U << 20U);
      device.driver -= random() % (2U << 20U);
    });
    if (!detector.report().passed) found_after = i + 1;
  }
  EXPECT_GE(found_after, 10) << "fewer levels have no steady slope";
  EXPECT_LE(found_after, 14);
  EXPECT_NEAR(detector.report().slope_bytes, 5e6, 1e6);
}

TEST(LeakDetector, DriftAboveTheLimitFailsWithoutAnAlarm) {
  FakeDevice device;
  LeakDetector detector{device.meters(), limits_without_pause()};
  for (int i = 0; i < 3; ++i) run_scope(detector, "part" + std::to_string(i), [&] { device.grow(20_MiB); });
  const LeakReport report = detector.report();
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.drift_bytes, 60 << 20);
  detector.set_baseline();
  EXPECT_TRUE(detector.report().passed);
}

TEST(LeakDetector, MemoryThatIsFreedLateIsNoGrowth) {
  FakeDevice device;
  LeakDetector detector{device.meters(), limits_without_pause()};
  int cleaned = 0;
  const auto start = detector.begin_scope();
  device.grow(500_MiB);
  const ScopeRecord record = detector.end_scope("late", start, false, [&] {
    if (++cleaned == 3) {  // the second repeated read
      device.allocator -= (500_MiB).count();
      device.driver -= (500_MiB).count();
    }
  });
  EXPECT_EQ(record.verdict, Verdict::clean);
  EXPECT_EQ(cleaned, 3);
}

TEST(LeakDetector, ScopesOfManyThreadsAreCounted) {
  FakeDevice device;
  LeakDetector detector{device.meters(), limits_without_pause()};
  std::vector<std::jthread> threads;
  threads.reserve(8);
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) run_scope(detector, "thread", [] {});
    });
  }
  threads.clear();
  EXPECT_EQ(detector.report().scopes, 400);
}

TEST(LeakDetector, PlantedHostMemoryIsFound) {
  LeakDetector detector{{make_malloc_meter(), make_resident_meter()}, limits_without_pause()};
  if (!make_malloc_meter()->read()) GTEST_SKIP() << "malloc is replaced by a sanitizer's";
  std::vector<void*> kept;
  const auto plant = [&] {
    void* block = std::malloc(150U << 20U);
    std::memset(block, 1, 150U << 20U);
    kept.push_back(block);
  };
  EXPECT_EQ(run_scope(detector, "clean", [] { std::free(std::malloc(200U << 20U)); }).verdict, Verdict::clean);
  const ScopeRecord record = run_scope(detector, "planted", plant);
  EXPECT_EQ(record.verdict, Verdict::alarm) << record.growth.evidence;
  EXPECT_TRUE(record.growth.confirmed);
  EXPECT_EQ(run_scope(detector, "planted", plant).verdict, Verdict::leak);
  for (void* block : kept) std::free(block);
}

TEST(LeakDetector, DescriptorsAreCounted) {
  LeakDetector detector{{}, limits_without_pause()};
  std::FILE* kept = nullptr;
  EXPECT_EQ(run_scope(detector, "opens", [&] { kept = std::fopen("/dev/null", "r"); }).new_descriptors, 1);
  std::fclose(kept);
}

TEST(Statistics, DerivedFieldsAreFilledIn) {
  MemoryStatistics statistics;
  statistics.allocated = 3_GiB;
  statistics.reserved = 4_GiB;
  statistics.total = 24_GiB;
  statistics.free = 18_GiB;
  statistics = fill_derived(statistics);
  EXPECT_EQ(statistics.fragmentation, 1_GiB);
  EXPECT_DOUBLE_EQ(statistics.fragmentation_pct, 25);
  EXPECT_DOUBLE_EQ(statistics.utilization_pct, 25);
  EXPECT_EQ(statistics.max_reserved, 4_GiB);
  EXPECT_GT(read_host_statistics().total, 0_MiB);
}

}  // namespace
}  // namespace weir::memory
