#include "base/text.hpp"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Printable, KeepsPrintableCharacters) {
  EXPECT_EQ(printable("a page [1], 漫画 é.png"), "a page [1], 漫画 é.png");
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, EscapesLineBreaksAndTerminalCodes) {
  EXPECT_EQ(printable("two\nlines\r\t\x1b[31m\x7f"), "two\\nlines\\r\\t\\x1b[31m\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");  // U+009B, the one-byte form of ESC [
  EXPECT_EQ(printable("back\\slash"), "back\\\\slash");
}

TEST(Printable, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(printable("\xff.png"), "\\xff.png");
  EXPECT_EQ(printable("cut\xe6\xbc"), "cut\\xe6\\xbc");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
}

TEST(EscapeMarkup, EscapesAllMarkup) {
  EXPECT_EQ(escape_markup("a<b> & \"c\" 'd'"), "a&lt;b&gt; &amp; &quot;c&quot; 'd'");
}

TEST(OneLine, RemovesLineBreaksAndOuterSpaces) {
  EXPECT_EQ(one_line("first\nsecond\tthird\n\n"), "first second third");
  EXPECT_EQ(one_line("\n"), "");
  EXPECT_EQ(one_line(""), "");
}

TEST(ParseBytes, ReadsEveryUnit) {
  EXPECT_EQ(*parse_bytes("4096B"), Bytes{4096});
  EXPECT_EQ(*parse_bytes("640M"), 640_MiB);
  EXPECT_EQ(*parse_bytes("1g"), 1_GiB);
  EXPECT_EQ(*parse_bytes("1.5GiB"), Bytes{3ULL << 29});
  EXPECT_EQ(*parse_bytes("3 MB"), Bytes{3'000'000});
  EXPECT_EQ(*parse_bytes("2T"), Bytes{std::uint64_t{2} << 40});
  EXPECT_EQ(*parse_bytes("0"), Bytes{0});
}

TEST(ParseBytes, RefusesTextsThatAreNoSize) {
  for (const char* text : {"", "G", "-1M", "1X", "1GiBs", "1,5G", "nan", "inf", "1e3", "99999999T", "0x10"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

TEST(ParseBytes, RefusesANumberWithoutAUnit) {
  for (const char* text : {"5", "4096", "1.5", "21474836480", "5 "}) {
    const auto size = parse_bytes(text);
    ASSERT_FALSE(size) << text;
    EXPECT_NE(size.error().what.find(" what? Write "), std::string::npos) << size.error().what;
  }
  EXPECT_EQ(parse_bytes("5").error().what, "5 what? Write 5M (MiB), 5G (GiB), or 5B (bytes)");
  EXPECT_EQ(*parse_bytes("0.0"), Bytes{});
}

TEST(ParseNumbers, RefuseOtherTextsAndNumbersOutOfRange) {
  EXPECT_EQ(*parse_positive("1.5"), 1.5);
  for (const char* text : {"", "0", "-2", "1,5", "2x", " 2", "inf", "nan"}) EXPECT_FALSE(parse_positive(text)) << text;
  EXPECT_EQ(*parse_integer("-1", -1, 3), -1);
  for (const char* text : {"", "4", "-2", "1.0", "9999999999"}) EXPECT_FALSE(parse_integer(text, -1, 3)) << text;
}

}  // namespace
}  // namespace weir
