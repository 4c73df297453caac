// Trees of texts of all sizes, made by several threads in turn from the memory that each keeps. Where assertions stay, every parse
// also proves that it gave all of it back.
#include "audit/syntax/tree.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <tree_sitter/api.h>

#include "audit/syntax/parse_memory.hpp"

extern "C" {
const TSLanguage* tree_sitter_python();
const TSLanguage* weir_python();
}

namespace weir::audit {
namespace {

/// A list of so many numbers: one node whose children need a block of the system's.
std::string list_of(int count) {
  std::string text = "x = [";
  for (int i = 0; i < count; ++i) text += std::to_string(i) + ", ";
  return text + "]  # all\n";
}

std::size_t leaves_of(const std::string& text) {
  const auto tree = parse(Language::python, text);
  return tree ? tree->leaves().size() : 0;
}

TEST(AuditTree, LargeAndSmallTextsInTurnGiveTheSameTreesInEveryThread) {
  const auto work = [] {
    for (const int count : {1, 20'000, 3, 2'000, 60'000, 2}) {
      // x = [ ] and the comment; each number with its comma.
      EXPECT_EQ(leaves_of(list_of(count)), static_cast<std::size_t>(5 + 2 * count));
    }
    EXPECT_GT(leaves_of(std::string(20'000, '(')), 0U);
    EXPECT_EQ(leaves_of("pass\n"), 1U);
  };
  const std::jthread second{work};
  const std::jthread third{work};
  work();
}

TEST(AuditTree, ChildrenAreThoseWithNamesOrAll) {
  const auto tree = parse(Language::python, "f(1,  # one\n  2)\n");
  ASSERT_TRUE(tree);
  const Node call = named_children(named_children(tree->root()).front()).front();
  const Node arguments = call.field("arguments");
  EXPECT_EQ(named_children(arguments).size(), 2U);
  EXPECT_EQ(named_children(arguments).back().range(), (Range{14, 15}));
  EXPECT_EQ(named_children(arguments).listed().size(), 2U);
  EXPECT_EQ(all_children(arguments).size(), 6U);  // ( 1 , comment 2 )
  EXPECT_TRUE(all_children(arguments).back().is(")"));
}

/// All nodes of a text's tree with their places.
std::string nodes_of(const TSLanguage* grammar, const std::string& text) {
  const ParseMemory memory;
  const std::unique_ptr<TSParser, decltype(&ts_parser_delete)> parser{ts_parser_new(), ts_parser_delete};
  ts_parser_set_language(parser.get(), grammar);
  const std::unique_ptr<TSTree, decltype(&ts_tree_delete)> tree{
      ts_parser_parse_string(parser.get(), nullptr, text.data(), static_cast<std::uint32_t>(text.size())),
      ts_tree_delete};
  TSTreeCursor cursor = ts_tree_cursor_new(ts_tree_root_node(tree.get()));
  std::string all;
  for (bool down = true; down || ts_tree_cursor_goto_parent(&cursor);) {
    const TSNode node = ts_tree_cursor_current_node(&cursor);
    if (down) all += fmt::format("{} {} {}\n", ts_node_type(node), ts_node_start_byte(node), ts_node_end_byte(node));
    down = (down && ts_tree_cursor_goto_first_child(&cursor)) || ts_tree_cursor_goto_next_sibling(&cursor);
  }
  ts_tree_cursor_delete(&cursor);
  return all;
}

TEST(AuditTree, CommentsGoneOverOnceGiveTheSameTree) {
  constexpr std::array<std::string_view, 24> kLines{
      "# a", "# a # b", "    # a", "        # a", "\t# a", "", "   ", "# a\r", "\f# a",
      // what follows is no comment
      "x = 1", "    x = 1", "if x:", "    if x:", "else:", "    else:", "f(", ")", "\"\"\"", "'''", "x = \\",
      "    y = 'a' # b", "\\", "f\"\"\"{", "}\"\"\""};
  std::mt19937 random{7};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same texts each time
  for (int i = 0; i < 3'000; ++i) {
    std::string text;
    for (auto lines = random() % 24; lines > 0; --lines) {
      text += kLines.at(random() % (random() % 2 == 0 ? 9 : kLines.size()));  // more than half are comments
      text += '\n';
    }
    if (random() % 2 == 0) text += "# the last";
    if (random() % 8 == 0 && !text.empty()) text[random() % text.size()] = '\0';
    ASSERT_EQ(nodes_of(weir_python(), text), nodes_of(tree_sitter_python(), text)) << text;
  }
}

TEST(AuditTree, ManyCommentsAreReadInTime) {
  for (const std::string line : {"    # a comment\n", "    # a comment\n\n", "# one\n    # two\n"}) {
    std::string text = "def f():\n";
    for (int i = 0; i < 40'000; ++i) text += line;
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(parse(Language::python, text + "    return 1\n"));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{5});
  }
}

TEST(AuditTree, NullNodesHaveNoChildren) {
  EXPECT_TRUE(named_children(Node{}).empty());
  EXPECT_FALSE(all_children(Node{}).front());
  EXPECT_FALSE(all_children(Node{}).back());
  EXPECT_EQ(all_children(Node{}).size(), 0U);
}

}  // namespace
}  // namespace weir::audit
