#include "base/near_word.hpp"

#include <array>

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr std::array<std::string_view, 6> kKnown{"--scale",    "--overwrite", "--metrics-file",
                                                 "production", "dev",         "G03"};

TEST(NearWord, AFewLettersMayBeWrong) {
  EXPECT_EQ(near_word("--scael", kKnown), "--scale");
  EXPECT_EQ(near_word("--overwite", kKnown), "--overwrite");
  EXPECT_EQ(near_word("prodcution", kKnown), "production");
  EXPECT_EQ(near_word("dve", kKnown), "dev");
  EXPECT_EQ(near_word("--sclxxx", kKnown), "");
  EXPECT_EQ(near_word("", kKnown), "");
  EXPECT_EQ(near_word(std::string(1000, 'x'), kKnown), "");
}

TEST(NearWord, CapitalsAndUnderscoresAreNoDifference) {
  EXPECT_EQ(near_word("--Metrics_File", kKnown), "--metrics-file");
  EXPECT_EQ(near_word("g03", kKnown), "G03");
}

TEST(NearWord, ABeginningIsCompletedIfThereIsOneWordForIt) {
  EXPECT_EQ(near_word("prod", kKnown), "production");
  EXPECT_EQ(near_word("--over", kKnown), "--overwrite");
  EXPECT_EQ(near_word("pr", kKnown), "") << "too short";
  constexpr std::array<std::string_view, 2> kTwo{"metrics-file", "metrics-port"};
  EXPECT_EQ(near_word("metrics", kTwo), "") << "two begin so";
}

TEST(NearWord, TheHintIsEmptyOrInBrackets) {
  EXPECT_EQ(near_word_hint("--scael", kKnown), " (did you mean '--scale'?)");
  EXPECT_EQ(near_word_hint("nothing", kKnown), "");
}

}  // namespace
}  // namespace weir
