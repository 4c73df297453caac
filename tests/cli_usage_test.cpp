// Tests of the built program: command line, settings and help.

#include <gtest/gtest.h>

#include <sstream>

#include <nlohmann/json.hpp>

#include "base/version.hpp"
#include "places.hpp"
#include "program.hpp"

namespace weir::test {
namespace {

/// Runs a wrong command line. Expects status 2, one line with `why` on standard error, and nothing on standard output.
void expect_wrong(const std::vector<std::string>& arguments, const std::string& why,
                  const ProgramOptions& options = {}) {
  const ProgramResult result = run(arguments, options);
  EXPECT_EQ(result.status, 2) << result.error;
  EXPECT_EQ(result.error_lines(), 1u) << result.error;
  EXPECT_TRUE(result.error.starts_with("error: ")) << result.error;
  EXPECT_TRUE(result.error_contains(why)) << result.error;
  EXPECT_EQ(result.out, "");
}

TEST(CliUsage, WrongUsageIsReportedInOneLine) {
  expect_wrong({}, "no command");
  expect_wrong({"enlarge"}, "'enlarge' is not a command");
  expect_wrong({"upscale"}, "no input");
  expect_wrong({"upscale", "a.png"}, "no output");
  expect_wrong({"upscale", "a.png", "-o"}, "'-o' needs a value");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--frobnicate"}, "'--frobnicate'; see");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--scael", "2"}, "'--scael' (did you mean '--scale'?)");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--scael=2"}, "'--scael=2' (did you mean '--scale'?)");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--overwite"}, "(did you mean '--overwrite'?); see");
  expect_wrong({"upscal", "a.png"}, "'upscal' is not a command of weir (did you mean 'upscale'?); see");
  expect_wrong({"upscale", "", "-o", "b.png"}, "the name of an input is empty");
  expect_wrong({"upscale", "a.png", "b.png", "-o", "c.png"}, "c.png is named as a picture; write c.png/");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--scale", "1e308"}, "--scale: '1e308' is above");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--ram", "5"},
               "--ram: 5 what? Write 5M (MiB), 5G (GiB), or 5B (bytes)");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--scale", "0"}, "--scale: '0'");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--scale", "1,5"}, "--scale: '1,5'");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--scale", "2", "--scale", "3"}, "more than once");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--scale", "2", "--width", "30"}, "exclude each other");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--resize", "30"}, "--resize: '30'");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--resize", "30x0"}, "--resize: '0'");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--format", "gif"}, "--format: 'gif'");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--quality", "101"}, "--quality: '101'");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--ram", "much"}, "--ram: 'much'");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--ram", "0"}, "--ram: the memory limit");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--threads", "0"}, "--threads: '0'");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--vram", "much"}, "--vram: 'much'");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--tile", "8"}, "--tile: '8'");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--device", "cpu:x"}, "--device: 'x'");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--precision", "half"}, "--precision: 'half'");
  expect_wrong({"upscale", "a.png", "-o", "b.png", "--spill", "/no/such/folder"}, "--spill: /no/such/folder");
  expect_wrong({"upscale", "a.png", "-o", "-", "--json"}, "--json and -o -");
  expect_wrong({"upscale", "a.png", "b.png", "-o", "-"}, "must be a folder");
  expect_wrong({"upscale", "-", "-", "-o", "x/"}, "once only");
  expect_wrong({"models", "more"}, "model more: no such file or folder");
  expect_wrong({"config", "more"}, "'more' is not expected");
  expect_wrong({"help", "nothing"}, "'nothing'");
}

TEST(CliUsage, NamesInMessagesStayInOneLine) { expect_wrong({"up\nscale\x1b[2J"}, "'up\\nscale\\x1b[2J'"); }

TEST(CliUsage, AProcessorThatDoesNotExistIsRefused) {
  const ProgramResult result = run({"upscale", "a.png", "-o", "b.png", "--device", "cpu:1023"});
  EXPECT_EQ(result.status, 3);
  EXPECT_TRUE(result.error_contains("1023")) << result.error;
}

TEST(CliUsage, VersionIsTheOneOfTheBuild) {
  EXPECT_EQ(run({"--version"}).out, std::string{"weir "} + kVersion + "\n");
  EXPECT_EQ(run({"version"}).out, run({"-V"}).out);
  std::ifstream file{std::string{places::source()} + "/CMakeLists.txt"};
  const std::string cmake{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_NE(cmake.find(std::string{"project(weir VERSION "} + kVersion + " "), std::string::npos);
}

TEST(CliHelp, EveryCommandHasHelpWithinEightyColumns) {
  for (const char* command : {"upscale", "models", "config", "help", "version"}) {
    const ProgramResult result = run({"help", command});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.out, run({command, "--help"}).out);
    std::istringstream lines{result.out};
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  }
  EXPECT_EQ(run({"help"}).out, run({"--help"}).out);
}

TEST(CliHelp, HelpOfUpscaleNamesItsFlags) {
  const std::string help = run({"help", "upscale"}).out;
  for (const char* flag :
       {"-o", "--model", "--name", "--scale", "--resize", "--width", "--format", "--quality", "--ram", "--spill",
        "--threads", "--precision", "--tta", "--noise", "--device", "--overwrite", "--dry-run", "--json", "-q"}) {
    EXPECT_NE(help.find(flag), std::string::npos) << flag;
  }
}

TEST(CliHelp, PackagedPagesAndCompletionsAreThoseOfTheProgram) {
  const auto packaged = [](const std::string& name) {
    std::ifstream file{std::string{places::source()} + "/packaging/" + name};
    return std::string{std::istreambuf_iterator<char>{file}, {}};
  };
  const char* const remedy = "run packaging/update";
  EXPECT_EQ(run({"help", "--man"}).out, packaged("man/weir.1")) << remedy;
  EXPECT_EQ(run({"help", "--completion", "bash"}).out, packaged("completions/weir.bash")) << remedy;
  EXPECT_EQ(run({"help", "--completion", "zsh"}).out, packaged("completions/_weir")) << remedy;
  EXPECT_EQ(run({"help", "--completion", "fish"}).out, packaged("completions/weir.fish")) << remedy;
}

/// Splits a text at white space.
std::vector<std::string> words_of(const std::string& text) {
  std::istringstream words{text};
  return {std::istream_iterator<std::string>{words}, {}};
}

TEST(CliHelp, EveryCommandLineOfTheDocumentsHasFlagsOfItsCommand) {
  std::vector<fs::path> documents{fs::path{places::source()} / "README.md"};
  for (const auto& entry : fs::directory_iterator{fs::path{places::source()} / "docs"}) {
    if (entry.path().extension() == ".md") documents.push_back(entry.path());
  }
  int checked = 0;
  for (const auto& document : documents) {
    std::ifstream file{document};
    for (std::string line; std::getline(file, line);) {
      const auto words = words_of(line);
      if (!line.starts_with("    ") || words.size() < 2 || (words[0] != "weir" && words[0] != "build/weir")) continue;
      const ProgramResult help = run({"help", words[1].substr(0, words[1].find('|'))});
      ASSERT_EQ(help.status, 0) << document << ": " << line;
      ++checked;
      for (const std::string& word : words) {
        if (word == "--" || word.starts_with('#') || word.starts_with("'"))
          break;  // arguments of another program, or a comment
        const auto at = word.find("--");
        if (at > 1 || word.size() < at + 3) continue;
        const std::string flag = word.substr(at, word.find_first_of("=]", at) - at);
        EXPECT_NE(help.out.find(flag), std::string::npos) << document << ": " << flag << " in " << line;
      }
    }
  }
  EXPECT_GT(checked, 20);
}

TEST(CliHelp, WorksEvenIfASettingsFileIsWrong) {
  const Folder folder;
  folder.put("weir.toml", "this is not toml");
  EXPECT_EQ(run({"help", "upscale"}, {.folder = folder.path()}).status, 0);
  EXPECT_EQ(run({"upscale", "--help"}, {.folder = folder.path()}).status, 0);
}

/// Returns the line that `weir config` printed for a key, with single spaces; empty if there is none.
std::string config_line(const ProgramResult& result, const std::string& key) {
  std::istringstream lines{result.out};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key + " =") && !line.starts_with("# " + key + " =")) continue;
    std::string joined;
    std::istringstream words{line};
    for (std::string word; words >> word;) joined += (joined.empty() ? "" : " ") + word;
    return joined;
  }
  return {};
}

TEST(CliConfig, EachLayerOverridesTheOnesBelow) {
  const Folder folder;
  ProgramOptions options{.folder = folder.path(), .variables = {{"XDG_CONFIG_HOME", folder / "home"}}};
  EXPECT_EQ(config_line(run({"config"}, options), "precision"), "precision = \"auto\" # default");
  folder.put("home/weir/weir.toml", "# the user's\nthreads = 1\nscale = 1.5\nformat = \"webp\"\ntta = true\n");
  const std::string user = folder / "home/weir/weir.toml";
  EXPECT_EQ(config_line(run({"config"}, options), "threads"), "threads = 1 # " + user + ":2");
  EXPECT_EQ(config_line(run({"config"}, options), "tta"), "tta = true # " + user + ":5");
  folder.put("weir.toml", "threads = 2\nscale = 2\n");
  EXPECT_EQ(config_line(run({"config"}, options), "threads"), "threads = 2 # weir.toml:1");
  EXPECT_EQ(config_line(run({"config"}, options), "format"), "format = \"webp\" # " + user + ":4");
  options.variables.emplace_back("WEIR_THREADS", "3");
  EXPECT_EQ(config_line(run({"config"}, options), "threads"), "threads = 3 # WEIR_THREADS");
  EXPECT_EQ(config_line(run({"config", "--threads", "4"}, options), "threads"), "threads = 4 # --threads");
  EXPECT_EQ(config_line(run({"config", "--threads", "4"}, options), "scale"), "scale = 2 # weir.toml:2");
}

TEST(CliConfig, PrintsAValidSettingsFile) {
  const Folder folder;
  const ProgramOptions options{.folder = folder.path()};
  const ProgramResult first = run({"config", "--name", "a \"b\" \\c\n", "--ram", "640M", "--tta"}, options);
  folder.put("weir.toml", first.out);
  const ProgramResult second = run({"config"}, options);
  EXPECT_EQ(second.status, 0) << second.error;
  EXPECT_TRUE(config_line(second, "name").starts_with("name = \"a \\\"b\\\" \\\\c\\u000a\" # weir.toml:"))
      << second.out;
  EXPECT_TRUE(config_line(second, "ram").starts_with("ram = \"640M\" # weir.toml:"));
}

TEST(CliConfig, ATableHoldsSettingsOfItsName) {
  const Folder folder;
  const ProgramOptions options{.folder = folder.path()};
  folder.put("weir.toml", "[stream]\nmax-commands = 7\n[roles.show.pool]\nmax-idle = 3\n");
  EXPECT_EQ(config_line(run({"config"}, options), "stream.max-commands"), "stream.max-commands = 7 # weir.toml:2");
  EXPECT_EQ(config_line(run({"config"}, options), "pool.max-idle"), "pool.max-idle = 50 # default");
  EXPECT_EQ(config_line(run({"config", "--role", "show"}, options), "pool.max-idle"),
            "pool.max-idle = 3 # weir.toml:4");
  folder.put("weir.toml", "[stream]\nmax-command = 7\n");
  expect_wrong({"config"}, "weir.toml:2: unknown setting 'stream.max-command'", options);
  expect_wrong({"config"}, "WEIR_POOL_MAX_IDLE: 'x'", {.variables = {{"WEIR_POOL_MAX_IDLE", "x"}}});
}

TEST(CliConfig, AWrongFileIsReportedInOneLineWithFileAndLine) {
  const Folder folder;
  const ProgramOptions options{.folder = folder.path()};
  folder.put("weir.toml", "scale = 2\nram = 1G\"\n");
  expect_wrong({"config"}, "weir.toml:2: ", options);
  folder.put("weir.toml", "scale = 2\n\nscael = 2\n");
  expect_wrong({"upscale", "a.png", "-o", "b.png"}, "weir.toml:3: unknown setting 'scael' (did you mean 'scale'?)",
               options);
  folder.put("weir.toml", "quality = 300\n");
  expect_wrong({"config"}, "weir.toml:1: '300'", options);
  folder.put("weir.toml", "[threads]\ncount = 1\n");
  expect_wrong({"config"}, "weir.toml:1: 'threads' must be", options);
  std::filesystem::remove(folder / "weir.toml");
  folder.put("weir.toml/x", "");
  expect_wrong({"config"}, "weir.toml: cannot be read", options);
  expect_wrong({"config"}, "WEIR_RAM: 'x'", {.variables = {{"WEIR_RAM", "x"}}});
}

TEST(CliStreams, AClosedStandardOutputIsAnError) {
  for (const ProgramOptions& options : {ProgramOptions{.close_output = true}, ProgramOptions{.broken_output = true}}) {
    const ProgramResult result = run({"help", "--man"}, options);
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(result.error_lines(), 1u);
    EXPECT_TRUE(result.error_contains("standard output")) << result.error;
  }
}

}  // namespace
}  // namespace weir::test
