#include "memory/command_report.hpp"

#include <gtest/gtest.h>

namespace weir::memory {
namespace {

/// Returns measurements that give no reason for a remark.
RunMeasurements clean_run() {
  RunMeasurements run;
  run.resident_peak = 300_MiB;
  run.resident_levels = std::vector<double>(30, 300e6);
  run.device_before = run.device_after = 1_GiB;
  run.device_peak = 3_GiB;
  return run;
}

TEST(CommandReport, ACleanCommandIsApproved) {
  const CommandReport report = evaluate_command({clean_run(), clean_run(), clean_run()}, 100_MiB);
  EXPECT_EQ(report.approval, Approval::approved);
  EXPECT_FALSE(report.leaked);
  EXPECT_TRUE(report.weaknesses.empty());
}

TEST(CommandReport, DeviceMemoryThatStaysIsALeak) {
  std::vector<RunMeasurements> runs{clean_run(), clean_run()};
  runs[1].device_after = 1_GiB + 150_MiB;
  const CommandReport report = evaluate_command(runs, 100_MiB);
  EXPECT_TRUE(report.leaked);
  EXPECT_EQ(report.approval, Approval::rejected);
  EXPECT_NE(to_markdown({}, report).find("150 MiB on the device outlive"), std::string::npos);
}

TEST(CommandReport, TheVerdictContainsItsOrigin) {
  const ReportOrigin origin{.command = "python test.py",
                            .device = "NVIDIA GeForce RTX 3090 at 0000:02:00.0",
                            .device_uuid = "GPU-aaaa",
                            .limit = 100_MiB,
                            .version = "1.2.3",
                            .date = "2026-11-29T12:00:00.000Z"};
  const CommandReport report = evaluate_command({clean_run()}, origin.limit);
  const std::string page = to_markdown(origin, report);
  const std::string verdict = page.substr(page.find("## Verdict"));
  for (const std::string& text : {verdict, to_plain(origin, report)}) {
    for (const char* part : {"3090 at 0000:02:00.0", "GPU-aaaa", "100 MiB", "weir 1.2.3", "2026-11-29T12:00:00.000Z"})
      EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
  EXPECT_NE(to_plain({}, report).find("device: no device, UUID none"), std::string::npos);
}

TEST(CommandReport, SteadyGrowthIsALeakAndGrowthAtTheStartIsNone) {
  RunMeasurements growing = clean_run();
  for (std::size_t i = 0; i < growing.resident_levels.size(); ++i)
    growing.resident_levels[i] += 10e6 * static_cast<double>(i);
  EXPECT_TRUE(evaluate_command({growing}, 100_MiB).leaked);
  RunMeasurements loading = clean_run();
  for (std::size_t i = 0; i < 8; ++i) loading.resident_levels[i] = 40e6 * static_cast<double>(i);
  EXPECT_FALSE(evaluate_command({loading}, 100_MiB).leaked);
}

TEST(CommandReport, ADevicePeakWithoutSamplesIsReportedAsNotSampled) {
  RunMeasurements sampled = clean_run();
  sampled.device_levels = {1e9, 3e9};
  EXPECT_NE(to_plain({}, evaluate_command({sampled}, 100_MiB)).find("peak 300 MiB in memory, 3 GiB on the device"),
            std::string::npos);
  const std::string not_sampled = to_plain({}, evaluate_command({clean_run()}, 100_MiB));
  EXPECT_NE(not_sampled.find("peak 300 MiB in memory, not sampled on the device"), std::string::npos) << not_sampled;
}

TEST(CommandReport, LeftoversAreNamed) {
  RunMeasurements run = clean_run();
  run.shared_files = {"/dev/shm/psm_1"};
  const CommandReport remarks = evaluate_command({run}, 100_MiB);
  EXPECT_EQ(remarks.approval, Approval::with_remarks);
  run.leftover_processes = 2;
  EXPECT_TRUE(evaluate_command({run}, 100_MiB).leaked);
}

TEST(CommandReport, AFailedRunIsRejectedButIsNoLeak) {
  RunMeasurements run = clean_run();
  run.status = 3;
  const CommandReport report = evaluate_command({run, clean_run()}, 100_MiB);
  EXPECT_EQ(report.approval, Approval::rejected);
  EXPECT_FALSE(report.leaked);
}

}  // namespace
}  // namespace weir::memory
