// Tests the guard through its public header: verdicts, clean-up, the log, and the drift of repeated work.
#include "weir/guard.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "folder.hpp"
#include "memory/meter.hpp"
#include "weir/nn.hpp"

namespace weir {
namespace {

TEST(Guard, FindsTheLeakOfAnAddedCounter) {
  GuardOptions options;
  options.reading_pause_ms = 0;
  Guard guard{options};
  std::uint64_t pool = 1U << 20U;
  guard.add_counter("pool", Guard::Memory::device, Guard::CounterSource::allocator,
                    [&] { return std::optional{pool}; });
  { const GuardScope scope{"clean", guard}; }
  GuardScope scope{"leaky", guard};
  pool += 200ULL << 20U;  // the limit of a scope is 100 MiB
  const ScopeResult result = scope.finish();
  EXPECT_EQ(result.verdict, "alarm") << result.evidence;
  EXPECT_EQ(result.growth_bytes, 200 << 20);
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

TEST(Guard, ACardThatIsNotMeasuredIsNamed) {
  for (const char* address : {"card 0", "0000:01:00", "GPU-1234"}) {
    Guard guard{{.pci_address = address}};
    GuardScope scope{"work", guard};
    const ScopeResult result = scope.finish();
    EXPECT_NE(result.unmeasured_reason.find(address), std::string::npos) << result.unmeasured_reason;
    const GuardReport report = guard.validate();
    EXPECT_FALSE(report.passed);
    EXPECT_NE(report.text.find(address), std::string::npos) << report.text;
  }
  Guard guard{{.pci_address = "0000:01:00.0"}};
  GuardScope scope{"work", guard};
  EXPECT_EQ(scope.finish().unmeasured_reason, "");
}

TEST(Guard, LogsTheResultsOfScopes) {
  const test::Folder folder;
  GuardOptions options;
  options.reading_pause_ms = 0;
  Guard guard{options};
  std::uint64_t pool = 0;
  guard.add_counter("pool", Guard::Memory::device, Guard::CounterSource::allocator,
                    [&] { return std::optional{pool}; });
  { const GuardScope before{"before the log", guard}; }
  ASSERT_FALSE(guard.log_to(folder / "log.jsonl"));
  { const GuardScope clean{"clean", guard}; }
  GuardScope leaky{"leaky", guard};
  pool += 200ULL << 20U;
  (void)leaky.finish(true, "out of \"patience\"");
  (void)guard.validate();
  guard.log_event(Guard::Level::warning, "own",
                  {{"text", "a"}, {"count", std::int64_t{3}}, {"yes", true}, {"part", 0.5}});
  std::vector<nlohmann::json> lines;
  std::istringstream text{folder.text("log.jsonl")};
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(lines.size(), 6U);
  const auto has_event = [&](std::size_t line, const char* event, const char* level) {
    return lines[line]["event"] == event && lines[line]["level"] == level;
  };
  EXPECT_TRUE(has_event(0, "test_complete", "info")) << lines[0];
  EXPECT_EQ(lines[0]["scope"], "clean");
  EXPECT_EQ(lines[0]["verdict"], "clean");
  EXPECT_TRUE(has_event(1, "test_complete", "info")) << lines[1];
  EXPECT_TRUE(has_event(2, "error", "error")) << lines[2];
  EXPECT_EQ(lines[2]["what"], "out of \"patience\"");
  EXPECT_TRUE(has_event(3, "memory_leak_warning", "warning")) << lines[3];
  EXPECT_EQ(lines[3]["leak_bytes"], 200 << 20);
  EXPECT_TRUE(has_event(4, "memory_leak_validation", "warning")) << lines[4];
  EXPECT_EQ(lines[4]["first_leak"], "leaky");
  EXPECT_TRUE(has_event(5, "own", "warning")) << lines[5];
  EXPECT_EQ(lines[5]["text"], "a");
  EXPECT_EQ(lines[5]["count"], 3);
  EXPECT_EQ(lines[5]["yes"], true);
  EXPECT_TRUE(guard.log_to("/no/such/folder/log.jsonl"));
}

/// Runs ten scopes, in each of which a Trainer computes a product of two matrices. `keep`: four copies of each result
/// (16 MB) are not freed. Returns the report of the guard.
GuardReport ten_products(bool keep) {
  constexpr int kSide = 1000;
  auto trainer = training::Trainer::create({.threads = 2});
  if (!trainer) return {};
  const std::vector<float> ones(std::size_t{kSide} * kSide, 1.0F);
  std::vector<std::vector<float>> kept;
  const auto product = [&] {
    (*trainer)->discard_step();
    const auto a = (*trainer)->input({kSide, kSide}, ones);
    auto values = (*trainer)->read(matmul(a, a));
    EXPECT_TRUE(values);
    EXPECT_EQ((*values)[0], kSide);
    if (keep)
      for (int copy = 0; copy < 4; ++copy) kept.push_back(*values);
  };
  Guard guard;
  product();  // fills caches before the baseline
  guard.set_baseline();
  for (int i = 0; i < 10; ++i) {
    const GuardScope scope{"product " + std::to_string(i), guard};
    product();
  }
  return guard.validate();
}

TEST(Guard, TenScopesWithAMatrixProductDriftLessThanFiftyMegabytes) {
  if (!memory::make_malloc_meter()->read()) GTEST_SKIP() << "a sanitizer's malloc keeps what is freed";
  const GuardReport report = ten_products(false);
  EXPECT_TRUE(report.passed) << report.text;
  EXPECT_EQ(report.scopes, 10);
  EXPECT_LT(std::abs(report.drift_bytes), 50 << 20) << report.text;
  EXPECT_FALSE(ten_products(true).passed);
}

TEST(Guard, StatisticsHaveTheirParts) {
  const MemoryStatistics statistics = Guard::process().statistics();
  EXPECT_GT(statistics.total_bytes, 0u);
  EXPECT_GT(statistics.free_bytes, 0u);
  EXPECT_GE(statistics.reserved_bytes, statistics.allocated_bytes);
  EXPECT_EQ(statistics.fragmentation_bytes, statistics.reserved_bytes - statistics.allocated_bytes);
}

}  // namespace
}  // namespace weir
