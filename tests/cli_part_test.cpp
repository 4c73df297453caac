// Tests of the built program: commands that a separate program runs, weir-NAME beside weir or in libexec (docs/parts.md).

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "folder.hpp"
#include "program.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;
using test::ProgramOptions;

/// A folder with only the base program, as its package installs it.
class CliPart : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "bin");
    fs::copy_file(places::program(), folder_ / "bin/weir");
  }
  test::ProgramResult weir(const std::vector<std::string>& arguments) const {
    ProgramOptions options;
    options.program = folder_ / "bin/weir";
    options.folder = folder_.path();
    return run(arguments, options);
  }
  /// Writes a part that prints its arguments and ends with status 7.
  void put_part(const fs::path& place) const {
    folder_.put(place, "#!/bin/sh\necho \"part:\" \"$@\"\nexit 7\n");
    fs::permissions(folder_ / place, fs::perms::owner_all);
  }

  test::Folder folder_;
};

TEST_F(CliPart, APartThatIsNotInstalledIsNamedWithItsPackage) {
  const auto result = weir({"audit", "."});
  EXPECT_EQ(result.status, 3);
  EXPECT_TRUE(result.error_contains("weir audit is a part that is not installed here; the package weir-audit has it"))
      << result.error;
  EXPECT_EQ(result.error_lines(), 1U);
  EXPECT_NE(weir({"help"}).out.find("(not installed: package weir-audit)"), std::string::npos);
  EXPECT_EQ(weir({"help", "audit"}).status, 0) << "the base has the help of all commands";
}

TEST_F(CliPart, APartGetsItsArgumentsUnchangedAndItsStatusIsReturned) {
  put_part("libexec/weir/weir-audit");
  const auto installed = weir({"audit", "--fix", "a b", "--", "-x"});
  EXPECT_EQ(installed.status, 7);
  EXPECT_EQ(installed.out, "part: --fix a b -- -x\n");
  EXPECT_EQ(weir({"help"}).out.find("package weir-audit"), std::string::npos);
  fs::remove_all(folder_ / "libexec");
  put_part("bin/weir-audit");
  EXPECT_EQ(weir({"audit"}).status, 7) << "a part beside weir, as in a build folder";
}

TEST_F(CliPart, WorkersOfAPartRunThePartsProgram) {
  fs::create_directories(folder_ / "libexec/weir");
  fs::copy_file(places::part_with_workers(), folder_ / "libexec/weir/weir-audit");
  folder_.put("in/a", "a");
  folder_.put("in/b", "b");
  fs::create_directory(folder_ / "out");
  const auto result = weir({"audit", "out", "in/a", "in/b"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(result.out, "2 of 2 done\n");
  EXPECT_EQ(folder_.text("out/a"), "weir-audit");
  EXPECT_EQ(folder_.text("out/b"), "weir-audit");
}

TEST_F(CliPart, APartThatCannotBeStartedIsReported) {
  folder_.put("libexec/weir/weir-audit", "no program");
  fs::permissions(folder_ / "libexec/weir/weir-audit", fs::perms::owner_all);
  const auto result = weir({"audit", "."});
  EXPECT_EQ(result.status, 3);
  EXPECT_TRUE(result.error_contains("libexec/weir/weir-audit: Exec format error")) << result.error;
}

}  // namespace
}  // namespace weir
