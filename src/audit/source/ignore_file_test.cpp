// The patterns of .gitignore, compared with git itself.
#include "audit/source/ignore_file.hpp"

#include <gtest/gtest.h>

#include "audit/run_program.hpp"
#include "folder.hpp"

namespace weir::audit {
namespace {

/// Returns, for each path, whether git ignores it in a repository with this .gitignore; nothing if git cannot be run.
std::vector<bool> ignored_by_git(const std::string& ignore_file, const std::vector<std::string>& paths) {
  const test::Folder folder;
  const auto made = run_program({.arguments = {"git", "init", "-q"}, .folder = folder.path()});
  if (!made || made->exit_status != 0) return {};
  folder.put(".gitignore", ignore_file);
  std::string input;
  for (const std::string& path : paths) input += path + '\0';
  const auto listed = run_program(
      {.arguments = {"git", "check-ignore", "--no-index", "--stdin", "-z"}, .input = input, .folder = folder.path()});
  if (!listed) return {};
  const std::string ignored_paths = '\0' + listed->output;  // each path between two zero bytes
  std::vector<bool> ignored;
  ignored.reserve(paths.size());
  for (const std::string& path : paths) ignored.push_back(ignored_paths.find('\0' + path + '\0') != std::string::npos);
  return ignored;
}

TEST(AuditIgnoreFile, PatternsMeanWhatTheyMeanToGit) {
  const std::vector<std::string> paths{"x",   "x ", "x  ", "x\\", "x\\ ", "x\t",   "#x",      "!x",
                                       "a",   "b",  "ab",  "a.b", "axb",  "a/x",   "x/a",     "x/ab",
                                       "a/b", "]",  "a]",  "[",   "a[",   "a[b",   "-",       "a-",
                                       "1",   "1x", "X1",  "\\",  "^",    "a/x/b", "a/x/y/b", "\xC3\xA9"};
  for (const std::string ignore_file : {"x ",
                                        "x\\ ",
                                        "x\\  ",
                                        "x\\\\ ",
                                        "x\\\\\\ ",
                                        "x\t",
                                        "x \r\n",
                                        "x\r\n",
                                        " ",
                                        "\\ ",
                                        "\xEF\xBB\xBFx\n",
                                        "\\#x",
                                        "\\!x",
                                        "#x",
                                        "a*\n!ab\n",
                                        "?",
                                        "[ab]",
                                        "[!ab]",
                                        "[^ab]",
                                        "[a-b]x",
                                        "[]a]",
                                        "[!]]",
                                        "a[",
                                        "a[b",
                                        "[",
                                        "[a\\]b]",
                                        "[\\]]",
                                        "[\\a-\\b]",
                                        "[a-]",
                                        "[-a]",
                                        "[[:digit:]]",
                                        "[[:digit:]]x",
                                        "[![:digit:]]",
                                        "[[:upper:]1]1",
                                        "[[:none:]]",
                                        "[[:]",
                                        "[[a]",
                                        "x\\",
                                        "\\x",
                                        "\\\\",
                                        "a/*",
                                        "a/**",
                                        "**/b",
                                        "a/**/b",
                                        "a**b",
                                        "a**",
                                        "/a**/b",
                                        "/?**/b",
                                        "?**/b",
                                        "/a**",
                                        "/?**",
                                        "a/**x/b",
                                        "a/x**/b",
                                        "/[a]**/b",
                                        "a/**b",
                                        "**",
                                        "***/b",
                                        "/x",
                                        "x/",
                                        "/*",
                                        "[\xC3\xA9]",
                                        "?\xA9"}) {
    const auto expected = ignored_by_git(ignore_file, paths);
    if (expected.empty()) GTEST_SKIP() << "there is no git";
    const IgnoreFile patterns{ignore_file};
    for (std::size_t i = 0; i < paths.size(); ++i) {
      // git looks at the folder above first, as file_list.cpp does.
      const std::string& path = paths[i];
      bool ignored = false;
      for (std::size_t end = path.find('/'); end != std::string::npos && !ignored; end = path.find('/', end + 1))
        ignored = patterns.match(path.substr(0, end), true) == IgnoreFile::Match::ignored;
      ignored = ignored || patterns.match(path, false) == IgnoreFile::Match::ignored;
      EXPECT_EQ(ignored, expected[i]) << "'" << ignore_file << "' and '" << path << "'";
    }
  }
}

}  // namespace
}  // namespace weir::audit
