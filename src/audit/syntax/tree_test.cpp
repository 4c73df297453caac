// Parses texts of all sizes in several threads in turn, with the memory that each thread keeps. With assertions
// enabled, every parse also checks that all memory was returned.
#include "audit/syntax/tree.hpp"

#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace weir::audit {
namespace {

/// Returns a list of `count` numbers: one node whose children need a block from malloc.
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
  EXPECT_EQ(named_children(arguments).to_vector().size(), 2U);
  EXPECT_EQ(all_children(arguments).size(), 6U);  // ( 1 , comment 2 )
  EXPECT_TRUE(all_children(arguments).back().is(")"));
}

TEST(AuditTree, NullNodesHaveNoChildren) {
  EXPECT_TRUE(named_children(Node{}).empty());
  EXPECT_FALSE(all_children(Node{}).front());
  EXPECT_FALSE(all_children(Node{}).back());
  EXPECT_EQ(all_children(Node{}).size(), 0U);
}

}  // namespace
}  // namespace weir::audit
