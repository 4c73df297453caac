// Tests of the built program: the help of every command, and the messages for wrong arguments, settings and variables.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "fake_machine.hpp"
#include "pictures.hpp"

namespace weir::test {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Returns the names of the commands that `weir help` lists.
std::vector<std::string> all_commands() {
  std::vector<std::string> names;
  bool listed = false;
  for (const std::string& line : lines_of(run({"help"}).out)) {
    if (line == "Commands:")
      listed = true;
    else if (listed && line.starts_with("  "))
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    else
      listed = false;
  }
  return names;
}

/// An entry of a help text: a flag, a usage line or an example, with its explanation.
struct Entry {
  std::string heading;     ///< heading of the group of entries
  std::string first_line;  ///< "-o, --output OUTPUT", "weir lease list"
  std::string text;        ///< the explanation, joined to one line
};

/// Returns the entries of the help text of a command.
std::vector<Entry> entries_of(const std::string& help) {
  std::vector<Entry> entries;
  std::string heading;
  for (const std::string& line : lines_of(help)) {
    if (line.ends_with(':') && !line.starts_with(' '))
      heading = line.substr(0, line.size() - 1);
    else if (line.starts_with("      ") && !entries.empty())
      entries.back().text += line.substr(5);
    else if (line.starts_with("  "))
      entries.push_back({heading, line.substr(2), {}});
  }
  return entries;
}

bool is_flag(const Entry& entry) {
  return entry.first_line.starts_with('-') || entry.first_line.starts_with("(setting ");
}

TEST(CliHelpText, EveryFlagIsInAGroup) {
  for (const std::string& command : all_commands()) {
    std::set<std::string> groups;
    for (const Entry& entry : entries_of(run({"help", command}).out)) {
      if (!is_flag(entry)) continue;
      EXPECT_FALSE(entry.heading.empty() || entry.heading == "Flags" || entry.heading == "Examples")
          << command << ": " << entry.first_line << " under '" << entry.heading << "'";
      groups.insert(entry.heading);
    }
    EXPECT_TRUE(groups.contains("Help")) << command;
    if (command == "run") {
      for (const char* group : {"Device", "Policy", "Lease", "Work", "Limits", "Resuming", "Output"})
        EXPECT_TRUE(groups.contains(group)) << group;
    }
  }
}

TEST(CliHelpText, EveryFlagWithAValueStatesItsDefault) {
  int checked = 0;
  for (const std::string& command : all_commands()) {
    for (const Entry& entry : entries_of(run({"help", command}).out)) {
      if (!is_flag(entry) || entry.first_line.ends_with(')')) continue;
      std::string name_and_value = entry.first_line;
      if (name_and_value.size() > 2 && name_and_value[2] == ',') name_and_value.erase(0, 4);  // "-o, "
      if (name_and_value.find(' ') == std::string::npos) continue;                            // a switch has no default
      EXPECT_NE(entry.text.find("Default: "), std::string::npos) << command << ": " << entry.first_line << entry.text;
      EXPECT_EQ(entry.text.find("Default: ."), std::string::npos) << command << ": " << entry.first_line;
      ++checked;
    }
  }
  EXPECT_GT(checked, 60);
}

TEST(CliHelpText, ManualHasTheSameFlagsGroupsAndDefaults) {
  std::string manual = run({"help", "--man"}).out;
  std::string plain;
  for (const char c : manual)
    if (c != '\\') plain += c;
  for (const std::string& command : all_commands()) {
    const auto at = plain.find(".SS " + command + "\n");
    ASSERT_NE(at, std::string::npos) << command;
    const std::string part = plain.substr(at, plain.find("\n.S", at + 1) - at);
    for (const Entry& entry : entries_of(run({"help", command}).out)) {
      if (entry.first_line.starts_with('(')) continue;
      EXPECT_NE(part.find(entry.first_line), std::string::npos) << command << ": " << entry.first_line;
      if (!is_flag(entry)) continue;
      EXPECT_NE(part.find("\n.I " + entry.heading + "\n"), std::string::npos) << command << ": " << entry.heading;
    }
  }
}

TEST(CliHelpText, EveryVerbIsExplained) {
  // Returns true if the help of the command has this line with an explanation.
  const auto is_explained = [](const std::string& command, const std::string& line) {
    for (const Entry& entry : entries_of(run({"help", command}).out))
      if (entry.first_line == line) return entry.text.size() > 20;
    return false;
  };
  for (const char* line : {"weir audit plan PATH...", "weir audit run", "weir audit report"})
    EXPECT_TRUE(is_explained("audit", line)) << line;
  for (const char* line : {"weir lease list", "weir lease wait", "weir lease hold", "weir lease hold -- COMMAND..."})
    EXPECT_TRUE(is_explained("lease", line)) << line;
  for (const char* line : {"weir run -- COMMAND...", "weir run -- COMMAND... ::: ITEM..."})
    EXPECT_TRUE(is_explained("run", line)) << line;
  EXPECT_EQ(run({"help", "audit", "plan"}).out, run({"help", "audit"}).out);
  EXPECT_EQ(run({"help", "lease", "hold"}).out, run({"help", "lease"}).out);
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string completion = run({"help", "--completion", shell}).out;
    EXPECT_NE(completion.find("list wait hold"), std::string::npos) << shell;
    EXPECT_NE(completion.find("plan run report"), std::string::npos) << shell;
  }
}

TEST(CliHelpText, TheShellsOfferFilesForFlagsThatNameAFile) {
  const auto line_with = [](const std::string& text, const std::string& words) {
    const auto at = text.find(words);
    return at == std::string::npos ? std::string{} : text.substr(at, text.find('\n', at) - at);
  };
  for (const std::string flag : {"metrics-file", "junit", "policy"}) {
    EXPECT_NE(line_with(run({"help", "--completion", "bash"}).out, " --" + flag + ") ").find("compgen -f"),
              std::string::npos)
        << flag;
    EXPECT_NE(line_with(run({"help", "--completion", "zsh"}).out, "'--" + flag + "[").find(":file:_files'"),
              std::string::npos)
        << flag;
    EXPECT_NE(line_with(run({"help", "--completion", "fish"}).out, "-l " + flag + " ").find(" -r -F "),
              std::string::npos)
        << flag;
  }
}

TEST(CliHelpText, EveryCommandHasExamplesThatWorkAsPrinted) {
  const FakeMachine machine;
  const Folder& folder = machine.folder();
  for (const char* name : {"train.py", "tests/a.py", "tests/b.py", "src/a.py"}) folder.put(name, "print('done')\n");
  for (const char* name : {"page.png", "comics/one.png", "comics/two.png"})
    ASSERT_TRUE(write_picture(folder / name, 24, 16));
  const bool has_audit = run({"audit", "--explain", "G01"}).status == 0;
  for (const std::string& command : all_commands()) {
    int examples = 0;
    for (const Entry& entry : entries_of(run({"help", command}).out)) {
      if (entry.heading != "Examples") continue;
      ++examples;
      EXPECT_TRUE(entry.first_line.starts_with("weir " + command)) << entry.first_line;
      EXPECT_FALSE(entry.text.empty()) << entry.first_line;
      // A training takes hours, a campaign needs a repository, and the tests of film try its own.
      if (command == "train" || command == "film" || entry.first_line.starts_with("weir audit plan") ||
          (command == "audit" && !has_audit))
        continue;
      const ProgramResult result = machine.run_shell(entry.first_line);
      EXPECT_EQ(result.status, 0) << entry.first_line << "\n" << result.out;
    }
    EXPECT_GE(examples, command == "version" ? 1 : 2) << command;
  }
}

/// Runs a wrong command line. Expects this exit status, one line with `what` on standard error, and nothing on standard
/// output.
void expect_error(const std::vector<std::string>& arguments, int status, const std::string& what,
                  const ProgramOptions& options = {}) {
  const ProgramResult result = run(arguments, options);
  EXPECT_EQ(result.status, status) << result.error;
  EXPECT_EQ(result.error_lines(), 1u) << result.error;
  EXPECT_TRUE(result.error_contains(what)) << what << "\n" << result.error;
  EXPECT_EQ(result.out, "");
}

TEST(CliDashes, TheCorrectedCommandLineIsShown) {
  const std::string missing = "'--' is missing before the command: ";
  expect_error({"run", "python3", "-c", "print(1)"}, 125, missing + "weir run -- python3 -c 'print(1)'; see");
  expect_error({"run", "ls", "--color"}, 125, missing + "weir run -- ls --color; see 'weir help run'");
  expect_error({"run", "true"}, 125, missing + "weir run -- true; see");
  expect_error({"run", "--need", "5G", "-j2", "echo", ":::", "a", "b c"}, 2,
               missing + "weir run --need 5G -j2 -- echo ::: a 'b c'; see");
  expect_error({"run", "--quiet", "--need=5G", "sh", "-x", "it's"}, 125,
               missing + "weir run --quiet --need=5G -- sh -x 'it'\\''s'; see");
  expect_error({"run", "sh", "-x", "a\nb'"}, 125, missing + "weir run -- sh -x $'a\\nb\\''; see");
  expect_error({"run", "git", "log", "--", "file"}, 125, missing + "weir run -- git log -- file; see");
  expect_error({"leak", "python3", "x.py", "--fast"}, 125, missing + "weir leak -- python3 x.py --fast; see");
  expect_error({"lease", "hold", "sleep", "5"}, 125, missing + "weir lease hold -- sleep 5; see");
  expect_error({"lease", "--wait", "5m", "hold", "--job", "x", "sh", "-c", "y"}, 125,
               missing + "weir lease --wait 5m hold --job x -- sh -c y; see");
}

TEST(CliDashes, FlagsOfWeirAfterTheProgramAreNamed) {
  expect_error({"run", "make", "-j", "4"}, 125,
               "weir run -- make -j 4; then -j is for make: flags for weir stand before");
  expect_error({"run", "a.sh", "--need", "5G", "--quiet", "--x"}, 125, "then --need and --quiet are for a.sh");
  expect_error({"run", "ls", "--help"}, 125, "weir run -- ls --help; then --help is for ls");
}

TEST(CliDashes, WithoutAProgramOtherErrorsAreReported) {
  expect_error({"run", "-c"}, 125, "unknown flag '-c'; see");
  expect_error({"run"}, 125, "write the command after --");
  expect_error({"run", "--tiemout", "5m", "--", "true"}, 125, "unknown flag '--tiemout' (did you mean '--timeout'?)");
  expect_error({"lease", "list", "more"}, 2, "write 'weir lease list'");
  EXPECT_EQ(run({"run", "--help"}).status, 0);
}

/// The status of the program may itself be 2, the usual status for wrong usage.
TEST(CliDashes, WrongUsageOfACommandThatReturnsAProgramsStatusIs125) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"run", "--need", "5", "--", "true"},
                                             {"run", "--ned", "5G", "--", "true"},
                                             {"run", "ls", "-l"},
                                             {"run", "ls"},
                                             {"run"},
                                             {"run", "-j", "4", "--", "true"},
                                             {"run", "--wait"},
                                             {"leak", "--runs", "0", "--", "true"},
                                             {"leak"},
                                             {"leak", "ls"},
                                             {"lease", "hold", "ls"},
                                             {"lease", "hold", "--need", "5", "--", "true"},
                                             {"lease", "--slots", "0", "hold", "--", "true"}}) {
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.status, 125) << arguments.back() << ": " << result.error;
    EXPECT_EQ(result.error_lines(), 1U) << result.error;
  }
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"run", "--need", "5", "--", "true", ":::", "a"},
                                             {"run", "make", ":::", "a"},
                                             {"run", "--ned", "5G", "--", "true", "::::", "list"},
                                             {"lease", "hold", "--need", "5"},
                                             {"lease", "list", "--", "true"},
                                             {"lease", "wait", "--wait", "soon"}}) {
    EXPECT_EQ(run(arguments).status, 2) << arguments.back();
  }
}

TEST(CliDashes, AMissingValueIsReportedAndNotAMissingSeparator) {
  expect_error({"run", "--timeout", "--", "true"}, 125, "'--timeout' needs a value; see 'weir help run'");
  expect_error({"run", "--need", "--", "true"}, 125, "'--need' needs a value");
  expect_error({"run", "-q", "-j", "--", "true", ":::", "a"}, 2, "'-j' needs a value");
  expect_error({"run", "--timeout", "--need", "5G", "--", "true"}, 125, "--timeout: '--need' is no time");
  expect_error({"lease", "hold", "--job", "--", "true"}, 125, "'--job' needs a value");
  expect_error({"leak", "--runs", "--", "true"}, 125, "'--runs' needs a value");
}

TEST(CliTypos, ValuesVerbsAndRulesGetASuggestion) {
  const auto hint = [](const std::string& word) { return "(did you mean '" + word + "'?)"; };
  expect_error({"run", "--profile", "prodution", "--", "true"}, 125, hint("production"));
  expect_error({"run", "--profile", "prod", "--", "true"}, 125, hint("production"));
  expect_error({"run", "--gpu", "insde", "--", "true"}, 125, hint("inside"));
  expect_error({"lease", "list", "--cuda-names", "idnex"}, 2, hint("index"));
  expect_error({"upscale", "a.png", "-o", "b.png", "--format", "jgp"}, 2, hint("jpg"));
  expect_error({"upscale", "a.png", "-o", "b.png", "--precision", "exakt"}, 2, hint("exact"));
  expect_error({"upscale", "a.png", "-o", "b.png", "--on-full-disk", "stopp"}, 2, hint("stop"));
  expect_error({"help", "--completion", "bsh"}, 2, hint("bash"));
  expect_error({"help", "upscal"}, 2, hint("upscale"));
  expect_error({"help", "lease", "hodl"}, 2, hint("hold"));
  expect_error({"lease", "lsit"}, 2, hint("list"));
  expect_error({"Upscale"}, 2, hint("upscale"));
  expect_error({"config", "--Max_Leak", "5M"}, 2, hint("--max-leak"));
  expect_error({"config"}, 2, hint("inside"), {.variables = {{"WEIR_GPU", "insde"}}});
  const Folder folder;
  folder.put("weir.toml", "[roles.night]\nwait = '1h'\n");
  expect_error({"devices", "--role", "nihgt"}, 2, hint("night"), {.folder = folder.path()});
  folder.put("weir.toml", "gpu = 'insde'\n");
  expect_error({"config"}, 2, hint("inside"), {.folder = folder.path()});
}

TEST(CliTypos, AuditArgumentsGetASuggestion) {
  if (run({"audit", "--explain", "G01"}).status != 0) GTEST_SKIP() << "this weir was built without its audit";
  const auto hint = [](const std::string& word) { return "(did you mean '" + word + "'?)"; };
  const Folder folder;
  const ProgramOptions options{.folder = folder.path()};
  folder.put("a.py", "import torch\n");
  expect_error({"audit", "a.py", "--format", "jsn"}, 2, hint("json"), options);
  expect_error({"audit", "a.py", "--select", "G3"}, 2, hint("G03"), options);
  expect_error({"audit", "a.py", "--ignore", "G01,g008"}, 2, hint("G08"), options);
  expect_error({"audit", "--explain", "8"}, 2, hint("G08"), options);
  expect_error({"audit", "--explain", "G99"}, 2, "'G99'; rules are G01 to G", options);
  expect_error({"audit", "pln", "a.py"}, 2, hint("plan"), options);
  expect_error({"audit", "reprot"}, 2, hint("report"), options);
  folder.put("pln/a.py", "import torch\n");
  EXPECT_NE(run({"audit", "pln"}, options).status, 2) << "a folder of that name is a folder";
  folder.put("weir.toml", "[audit]\nentry_points = ['a.py']\n");
  expect_error({"audit", "a.py"}, 2, hint("entry-points"), options);
}

TEST(CliTypos, VariablesWithNamesSimilarToASettingAreReported) {
  const ProgramResult result = run({"config"}, {.variables = {{"WEIR_SCAEL", "2"}, {"WEIR_MY_OWN_WORD", "x"}}});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.error_lines(), 1u) << result.error;
  EXPECT_TRUE(result.error_contains("WEIR_SCAEL is not read (did you mean 'WEIR_SCALE'?)")) << result.error;
  EXPECT_EQ(run({"config", "--quiet"}, {.variables = {{"WEIR_SCAEL", "2"}}}).error, "");
  EXPECT_EQ(
      run({"config"}, {.variables = {{"WEIR_LEASE", ""}, {"WEIR_LEASE_DIR", "/tmp"}, {"WEIR_VARIANT", "x"}}}).error,
      "");
}

TEST(CliSettings, KeysHaveDashesAndNoUnderscores) {
  int keys = 0;
  for (const std::string& line : lines_of(run({"config"}).out)) {
    const std::size_t first = line.starts_with("# ") ? 2 : 0;
    const std::string key = line.substr(first, line.find(" =") - first);
    EXPECT_EQ(key.find_first_not_of("abcdefghijklmnopqrstuvwxyz.-"), std::string::npos) << key;
    ++keys;
  }
  EXPECT_GT(keys, 40);
  const std::map<std::string, std::string> with_underscores{{"no_cpu = true", "no-cpu"},
                                                            {"max_items_per_worker = 5", "max-items-per-worker"},
                                                            {"pause_file = 'x'", "pause-file"},
                                                            {"on_full_disk = 'wait'", "on-full-disk"},
                                                            {"metrics_file = 'x'", "metrics-file"},
                                                            {"max_leak = '5M'", "max-leak"},
                                                            {"stream.max_commands = 5", "stream.max-commands"},
                                                            {"pool.max_idle = 5", "pool.max-idle"}};
  for (const auto& [line, key] : with_underscores) {
    const Folder folder;
    folder.put("weir.toml", line + "\n");
    expect_error({"config"}, 2, "(did you mean '" + key + "'?)", {.folder = folder.path()});
  }
  const Folder folder;
  folder.put("weir.toml", "metrics-file = 'm'\npause-file = 'p'\npool.max-idle = 5\n");
  EXPECT_EQ(run({"config"}, {.folder = folder.path()}).status, 0);
}

TEST(CliSizes, ASizeWithoutAUnitIsRefusedWithAQuestion) {
  const std::string question = ": 5 what? Write 5M (MiB), 5G (GiB), or 5B (bytes)";
  for (const std::string flag : {"--need", "--min-memory", "--max-leak"})
    expect_error({"run", flag, "5", "--", "true"}, 125, flag + question);
  expect_error({"run", "--variants", "small=5", "--", "true"}, 125, "--variants" + question);
  for (const std::string flag : {"--ram", "--vram", "--max-fragmentation"})
    expect_error({"config", flag, "5"}, 2, flag + question);
  expect_error({"config", "--spill", "somewhere:5"}, 2, "--spill" + question);
  for (const std::string name : {"ram", "vram", "min-memory", "max-leak", "max-fragmentation"}) {
    std::string variable = "WEIR_" + name;
    for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
    expect_error({"config"}, 2, variable + question, {.variables = {{variable, "5"}}});
    const Folder folder;
    folder.put("weir.toml", name + " = 5\n");
    expect_error({"config"}, 2, "weir.toml:1" + question, {.folder = folder.path()});
  }
}

TEST(CliTimes, AcceptOnlyKnownUnits) {
  for (const std::string flag : {"--timeout", "--wait", "--grace", "--stall"}) {
    for (const char* good : {"90", "90s", "10m", "2h", "500ms"})
      EXPECT_EQ(run({"config", flag, good}).status, 0) << flag << good;
    expect_error({"config", flag, "5x"}, 2, flag + ": '5x' is no time; write 90, 90s, 10m or 2h");
    expect_error({"config", flag, "soon"}, 2, flag + ": 'soon' is no time; write 90, 90s, 10m or 2h");
  }
}

}  // namespace
}  // namespace weir::test
