// Tests of the built program: `weir train`.

#include <gtest/gtest.h>

#include <filesystem>

#include "program.hpp"

namespace weir::test {
namespace {

constexpr const char* kRecipe = R"(
name = "tiny"
[structure]
channels = 4
layers = 0
[data]
side = 32
patch = 8
batch = 2
[learning]
steps = 100
look_every = 50
)";

/// Returns true if the fonts are installed with which the training pictures are drawn.
bool has_fonts() { return fs::exists("/usr/share/fonts/truetype/vlgothic/VL-Gothic-Regular.ttf"); }

TEST(CliTrain, WrongUsageIsReportedInOneLine) {
  const Folder folder;
  const ProgramOptions options{.folder = folder.path()};
  folder.put("r.toml", kRecipe);
  folder.put("bad.toml", "[structure]\nchanels = 3\n");
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"train"}, "--recipe and --out are needed"},
      {{"train", "--recipe", "none.toml", "--out", "o"}, "none.toml: cannot be read"},
      {{"train", "--recipe", ".", "--out", "o"}, ".: cannot be read"},
      {{"train", "--recipe", "bad.toml", "--out", "o"}, "bad.toml:2: unknown key 'chanels'"},
      {{"train", "--recipe", "r.toml", "--out", "o", "--hours", "1", "--steps", "2"}, "both given"},
      {{"train", "--recipe", "r.toml", "--out", "o", "--resume", "--steps", "2"}, "leave --hours and --steps away"},
      {{"train", "--recipe", "r.toml", "--out", "o", "--device", "cpu,gpu"}, "on one device"},
  };
  for (const auto& [arguments, what] : cases) {
    const ProgramResult result = run(arguments, options);
    EXPECT_EQ(result.status, 2) << result.error;
    EXPECT_EQ(result.error_lines(), 1u) << result.error;
    EXPECT_TRUE(result.error_contains(what)) << result.error;
  }
  EXPECT_FALSE(fs::exists(folder / "o"));
}

TEST(CliTrain, TheTrainedNetworkEnlargesPictures) {
  if (!has_fonts()) GTEST_SKIP() << "no fonts here";
  const Folder folder;
  const ProgramOptions options{.folder = folder.path()};
  folder.put("r.toml", kRecipe);
  const ProgramResult trained = run({"train", "--recipe", "r.toml", "--out", "o", "--threads", "1"}, options);
  ASSERT_EQ(trained.status, 0) << trained.error;
  EXPECT_TRUE(trained.error_contains("step 100 of 100")) << trained.error;
  for (const char* name :
       {"tiny.param", "tiny.bin", "tiny.md", "metrics.jsonl", "curves.svg", "strip.png", "checkpoint"})
    EXPECT_TRUE(fs::exists(folder / "o" / name)) << name;
  ASSERT_EQ(run({"upscale", "o/strip.png", "-o", "large.png", "--model", "o/tiny.param"}, options).status, 0);
  const ProgramResult again = run({"train", "--recipe", "r.toml", "--out", "o"}, options);
  EXPECT_EQ(again.status, 2);
  EXPECT_TRUE(again.error_contains("--resume")) << again.error;
  EXPECT_EQ(run({"train", "--recipe", "r.toml", "--out", "o", "--resume"}, options).status, 0);
}

TEST(CliTrain, OnAVulkanDeviceByItsName) {
  if (!has_fonts()) GTEST_SKIP() << "no fonts here";
  const fs::path lavapipe = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";
  if (!fs::exists(lavapipe)) GTEST_SKIP() << "no lavapipe here";
  const Folder folder;
  const ProgramOptions options{.folder = folder.path(), .variables = {{"VK_DRIVER_FILES", lavapipe}}};
  folder.put("r.toml", kRecipe);
  const ProgramResult wrong = run({"train", "--recipe", "r.toml", "--out", "o", "--device", "nothing"}, options);
  EXPECT_EQ(wrong.status, 2) << wrong.error;
  EXPECT_EQ(wrong.error_lines(), 1u) << wrong.error;
  EXPECT_TRUE(wrong.error_contains("--device: no device matches 'nothing'; there are: ")) << wrong.error;
  EXPECT_FALSE(fs::exists(folder / "o"));
  const ProgramResult trained =
      run({"train", "--recipe", "r.toml", "--out", "o", "--device", "gpu", "--steps", "10"}, options);
  ASSERT_EQ(trained.status, 0) << trained.error;
  EXPECT_TRUE(trained.error_contains("step 10 of 10")) << trained.error;
  ASSERT_EQ(run({"upscale", "o/strip.png", "-o", "large.png", "--model", "o/tiny.param"}, options).status, 0);
}

}  // namespace
}  // namespace weir::test
