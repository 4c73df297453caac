#include "weir/guard.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

namespace weir {
namespace {

TEST(Guard, SeesAPlantedCounter) {
  GuardOptions options;
  options.reread_ms = 0;
  Guard guard{options};
  std::uint64_t pool = 1U << 20U;
  guard.add_counter("pool", Guard::Memory::device, Guard::Counts::allocator, [&] { return std::optional{pool}; });
  { const GuardScope scope{"clean", guard}; }
  GuardScope scope{"leaky", guard};
  pool += 200ULL << 20U;
  const ScopeResult result = scope.finish();
  EXPECT_EQ(result.verdict, "alarm") << result.evidence;
  EXPECT_EQ(result.growth, 200 << 20);
  const GuardReport report = guard.validate();
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.first_leak, "leaky");
  EXPECT_EQ(report.scopes, 2);
}

TEST(Guard, CleansUpAndSurvivesAnError) {
  Guard guard;
  int cleaned = 0;
  guard.set_clean_up([&] { ++cleaned; });
  try {
    const GuardScope scope{"throws", guard};
    throw std::runtime_error{"work failed"};
  } catch (const std::runtime_error& problem) {
    EXPECT_STREQ(problem.what(), "work failed");
  }
  EXPECT_EQ(cleaned, 1);
  EXPECT_TRUE(guard.validate().passed) << guard.validate().text;
}

TEST(Guard, StatisticsHaveTheirParts) {
  const MemoryStatistics statistics = Guard::process().statistics();
  EXPECT_GT(statistics.total, 0u);
  EXPECT_GT(statistics.free, 0u);
  EXPECT_GE(statistics.reserved, statistics.allocated);
  EXPECT_EQ(statistics.fragmentation, statistics.reserved - statistics.allocated);
}

}  // namespace
}  // namespace weir
