// Tests of the built program: `weir upscale` of damaged picture files, with --damaged use and --damaged refuse. Checks
// messages, results, checkpoints and reports.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "pictures.hpp"
#include "program.hpp"
#include "tiny_network.hpp"

namespace weir::test {
namespace {

using Json = nlohmann::json;

class CliDamaged : public ::testing::Test {
 protected:
  void SetUp() override {
    write_tiny_network(folder_ / "nets", "blocks");
    ASSERT_TRUE(write_picture(folder_ / "whole.png", 64, 48));
    const std::string bytes = folder_.text("whole.png");
    folder_.put("cut.png", bytes.substr(0, bytes.size() * 3 / 4));
  }
  ProgramResult upscale(std::vector<std::string> more, ProgramOptions options = {}) const {
    options.folder = folder_.path();
    std::vector<std::string> arguments{"upscale", "--model", "nets/blocks.param", "--ram", "1G"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments, options);
  }
  /// Writes the folder `in` with three pictures, of which b.png is damaged.
  void fill_folder() const {
    for (const char* name : {"in/a.png", "in/b.png", "in/c.png"})
      folder_.put(name, folder_.text(name == std::string{"in/b.png"} ? "cut.png" : "whole.png"));
  }
  Json checkpoint(const fs::path& path) const { return Json::parse(folder_.text(path), nullptr, false); }
  /// Returns how many rows of the enlarged picture, from the top, equal those of the enlarged whole picture. Samples may
  /// differ by 1.
  int equal_rows(const fs::path& name) const {
    const Picture large = read_picture(folder_ / name);
    int rows = 0;
    for (; rows < large.info.height; ++rows) {
      for (int x = 0; x < large.info.width; ++x) {
        const std::size_t at =
            static_cast<std::size_t>(rows) * large.info.row_bytes() + static_cast<std::size_t>(x) * 3;
        if (std::abs(std::to_integer<int>(large.samples[at]) - std::to_integer<int>(sample_at(x / 2, rows / 2, 0))) > 1)
          return rows;
      }
    }
    return rows;
  }

  Folder folder_;
};

TEST_F(CliDamaged, TheIntactPartIsUsedReportedAndRecorded) {
  const ProgramResult first = upscale({"cut.png", "-o", "out.png", "--json"});
  EXPECT_EQ(first.status, 1) << first.error;
  EXPECT_TRUE(first.error_contains("cut.png: damaged: the last")) << first.error;
  EXPECT_TRUE(first.error_contains("of 48 rows are filled: the file ends too early")) << first.error;
  EXPECT_TRUE(first.error_contains("is from a damaged file")) << first.error;
  const Json report = Json::parse(first.out);
  EXPECT_EQ(report["status"], "done");
  EXPECT_NE(report["damaged"].get<std::string>().find("of 48 rows"), std::string::npos);
  EXPECT_GT(equal_rows("out.png"), 40);
  EXPECT_EQ(checkpoint(".out.png.upscale.done")["damaged"], report["damaged"]);
  const std::string output = folder_.text("out.png");

  const ProgramResult second = upscale({"cut.png", "-o", "out.png", "--json", "--quiet"});
  EXPECT_EQ(second.status, 1);
  EXPECT_TRUE(second.error_contains("cut.png: damaged: the last")) << second.error;
  EXPECT_EQ(Json::parse(second.out)["status"], "skipped");
  EXPECT_EQ(Json::parse(second.out)["damaged"], report["damaged"]);
  EXPECT_EQ(folder_.text("out.png"), output);

  folder_.put("cut.png", folder_.text("whole.png"));
  const ProgramResult repaired = upscale({"cut.png", "-o", "out.png"});
  EXPECT_EQ(repaired.status, 0) << repaired.error;
  EXPECT_EQ(equal_rows("out.png"), 96);
  EXPECT_FALSE(checkpoint(".out.png.upscale.done").contains("damaged"));
}

TEST_F(CliDamaged, WithRefuseNothingIsWritten) {
  const ProgramResult refused = upscale({"cut.png", "-o", "out.png", "--damaged", "refuse"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_TRUE(refused.error_contains("the file ends too early")) << refused.error;
  EXPECT_FALSE(fs::exists(folder_ / "out.png"));
  // The failure was recorded when damaged files were refused, so it does not count when they are used.
  EXPECT_EQ(upscale({"cut.png", "-o", "out.png"}).status, 1);
  EXPECT_TRUE(fs::exists(folder_ / "out.png"));
}

TEST_F(CliDamaged, AResultOfADamagedFileFailsOnceDamagedFilesAreRefused) {
  EXPECT_EQ(upscale({"cut.png", "-o", "out.png"}).status, 1);
  for (int i = 0; i < 2; ++i) {
    const ProgramResult refused =
        upscale({"cut.png", "-o", "out.png", "--json"}, {.variables = {{"WEIR_DAMAGED", "refuse"}}});
    EXPECT_EQ(refused.status, 1);
    EXPECT_EQ(Json::parse(refused.out)["status"], "failed") << refused.out;
  }
}

TEST_F(CliDamaged, AFileWithoutOneRowFailsAndStaysFailed) {
  folder_.put("none.png", folder_.text("whole.png").substr(0, 60));
  for (int i = 0; i < 2; ++i) {
    const ProgramResult result = upscale({"none.png", "-o", "none-2x.png"});
    EXPECT_EQ(result.status, 1);
    EXPECT_TRUE(result.error_contains(i == 0 ? "ends too early" : "failed before") ||
                result.error_contains("ends too early"))
        << result.error;
    EXPECT_FALSE(fs::exists(folder_ / "none-2x.png"));
  }
  EXPECT_TRUE(fs::exists(folder_ / ".none-2x.png.upscale.failed"));
}

TEST_F(CliDamaged, ARunOfSeveralPicturesCountsDamagedFiles) {
  fill_folder();
  const ProgramResult first =
      upscale({"in", "-o", "out/", "--json", "--metrics-file", "metrics", "--log", "log.jsonl"});
  EXPECT_EQ(first.status, 1) << first.error;
  EXPECT_TRUE(first.error_contains("b.png: damaged: ")) << first.error;
  EXPECT_FALSE(first.error_contains("a.png: damaged: ")) << first.error;
  EXPECT_TRUE(first.error_contains("3 of 3 pictures done, 1 damaged")) << first.error;
  EXPECT_TRUE(first.error_contains("1 of 3 items is from a damaged file")) << first.error;
  EXPECT_NE(first.out.find("\"damaged\":1"), std::string::npos) << first.out;
  EXPECT_NE(folder_.text("metrics").find("weir_damaged_items_total 1"), std::string::npos) << folder_.text("metrics");
  EXPECT_NE(folder_.text("log.jsonl").find("\"damaged\":\"the last"), std::string::npos);

  const ProgramResult status = run({"status", "out"}, {.folder = folder_.path()});
  EXPECT_EQ(status.status, 1);
  EXPECT_NE(status.out.find("0 failed, 1 from damaged files"), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("b.png: the last"), std::string::npos) << status.out;
  ASSERT_EQ(run({"report", "out", "-o", "run.html"}, {.folder = folder_.path()}).status, 0);
  EXPECT_NE(folder_.text("run.html").find("From damaged files"), std::string::npos);

  const ProgramResult second = upscale({"in", "-o", "out/"});
  EXPECT_EQ(second.status, 1);
  EXPECT_TRUE(second.error_contains("0 of 3 pictures done, 3 done before, 1 damaged")) << second.error;
  EXPECT_TRUE(second.error_contains("b.png: damaged: ")) << second.error;
  ASSERT_EQ(run({"report", "out", "-o", "run.html"}, {.folder = folder_.path()}).status, 0);
  EXPECT_NE(folder_.text("run.html").find("From damaged files"), std::string::npos);

  const ProgramResult refused = upscale({"in", "-o", "out/", "--damaged", "refuse"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_TRUE(refused.error_contains("1 of 3 items failed")) << refused.error;
}

TEST_F(CliDamaged, StandardInputAndOutputAreHandledAlike) {
  const ProgramResult result = upscale({"-", "-o", "-", "--format", "png"}, {.input = folder_.text("cut.png")});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(result.error_contains("damaged: the last")) << result.error;
  EXPECT_EQ(read_picture_bytes(result.out).info.height, 96);
  const ProgramResult refused =
      upscale({"-", "-o", "-", "--format", "png", "--damaged=refuse"}, {.input = folder_.text("cut.png")});
  EXPECT_EQ(refused.status, 1);
  EXPECT_TRUE(refused.error_contains("ends too early")) << refused.error;
}

TEST_F(CliDamaged, MemoryAndThreadsChangeNothing) {
  ASSERT_EQ(upscale({"cut.png", "-o", "a.png"}).status, 1);
  const ProgramResult small =
      run({"upscale", "--model", "nets/blocks.param", "cut.png", "-o", "b.png", "--threads", "1", "--ram", "64M"},
          {.folder = folder_.path()});
  ASSERT_EQ(small.status, 1) << small.error;
  EXPECT_EQ(folder_.text("a.png"), folder_.text("b.png"));
}

TEST_F(CliDamaged, ADamagedNetworkIsNeverUsed) {
  const std::string bin = folder_.text("nets/blocks.bin");
  folder_.put("nets/blocks.bin", bin.substr(0, bin.size() - 1));
  EXPECT_NE(upscale({"whole.png", "-o", "out.png", "--damaged", "use"}).status, 0);
  EXPECT_FALSE(fs::exists(folder_ / "out.png"));
}

TEST_F(CliDamaged, ACheckpointWithoutDamageIsValidWhenDamagedFilesAreRefused) {
  ASSERT_EQ(upscale({"whole.png", "-o", "out.png"}).status, 0);
  EXPECT_EQ(folder_.text(".out.png.upscale.done").find("damaged"), std::string::npos);
  EXPECT_EQ(upscale({"whole.png", "-o", "out.png", "--damaged", "refuse"}).status, 0);
}

}  // namespace
}  // namespace weir::test
