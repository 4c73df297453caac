// Long runs of comment lines, which become blank before the parser reads a text.
#include "audit/syntax/comment_runs.hpp"

#include <string>

#include <gtest/gtest.h>

#include "audit/syntax/tree.hpp"

namespace weir::audit {
namespace {

std::string lines(int count, const std::string& line) {
  std::string text;
  for (int i = 0; i < count; ++i) text += line;
  return text;
}

TEST(AuditCommentRuns, OnlyTheInsideOfLongRunsBecomesBlank) {
  EXPECT_FALSE(blank_long_comment_runs(lines(64, "# a\n") + "x = 1\n"));
  EXPECT_FALSE(blank_long_comment_runs(lines(1000, "x = 1  # a\n")));
  const std::string text = "x = 1\n" + lines(100, "    # ä\r\n") + "y = 2\n";
  const auto blank = blank_long_comment_runs(text);
  ASSERT_TRUE(blank);
  EXPECT_EQ(*blank,
            "x = 1\n" + lines(8, "    # ä\r\n") + lines(84, "        \r\n") + lines(8, "    # ä\r\n") + "y = 2\n");
  EXPECT_TRUE(blank_long_comment_runs(lines(100, "# a\n\n"))) << "blank lines end no run";
}

TEST(AuditCommentRuns, CommentsForWeirAndPossibleStringsStay) {
  const std::string many = lines(100, "# a\n");
  const std::string ignore = "# weir: ignore[G04]\n";
  EXPECT_NE(blank_long_comment_runs(many + ignore + many)->find(ignore), std::string::npos);
  EXPECT_NE(blank_long_comment_runs(many + "# a \"\"\"\n" + many)->find("# a \"\"\"\n"), std::string::npos);
  EXPECT_FALSE(blank_long_comment_runs(lines(100, "# a '''\n")));
  EXPECT_FALSE(blank_long_comment_runs("x = '\\\n" + lines(100, "# a\\\n") + "'\n"));
}

TEST(AuditCommentRuns, TheSurroundingCodeIsReadUnchanged) {
  const auto tree = parse(Language::python,
                          "def f():\n" + lines(20'000, "    # a comment\n") + "    return 1\n" + lines(90, "# b\n"));
  ASSERT_TRUE(tree);
  EXPECT_FALSE(tree->first_error());
  EXPECT_EQ(tree->comments().size(), 16U + 16U);
  const std::string text = "s = \"\"\"\n" + lines(100, "# not a comment {\n") + "\"\"\"\nx = 1\n";
  const auto with_text = parse(Language::python, text);
  ASSERT_TRUE(with_text);
  EXPECT_FALSE(with_text->first_error());
  EXPECT_EQ(named_children(with_text->root()).to_vector().size(), 2U);
}

}  // namespace
}  // namespace weir::audit
