// The search for whole words.
#include "audit/source/words.hpp"

#include <gtest/gtest.h>

namespace weir::audit {
namespace {

TEST(AuditWords, AWordIsNoPartOfALongerOne) {
  for (const char* text : {"now", "so now.", "(now)", "know now"}) EXPECT_TRUE(contains_word(text, "now")) << text;
  for (const char* text : {"", "know", "nowhere", "now_2", "no w"}) EXPECT_FALSE(contains_word(text, "now")) << text;
}

TEST(AuditWords, TheSearchStartsAtTheGivenOffset) {
  EXPECT_EQ(find_word("now, now", "now"), 0u);
  EXPECT_EQ(find_word("now, now", "now", 1), 5u);
  EXPECT_EQ(find_word("now, now", "now", 6), std::string_view::npos);
}

}  // namespace
}  // namespace weir::audit
