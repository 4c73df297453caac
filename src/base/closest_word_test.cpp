#include "base/closest_word.hpp"

#include <array>

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr std::array<std::string_view, 6> kKnown{"--scale",    "--overwrite", "--metrics-file",
                                                 "production", "dev",         "G03"};

TEST(ClosestWord, AFewLettersMayBeWrong) {
  EXPECT_EQ(closest_word("--scael", kKnown), "--scale");
  EXPECT_EQ(closest_word("--overwite", kKnown), "--overwrite");
  EXPECT_EQ(closest_word("prodcution", kKnown), "production");
  EXPECT_EQ(closest_word("dve", kKnown), "dev");
  EXPECT_EQ(closest_word("--sclxxx", kKnown), "");
  EXPECT_EQ(closest_word("", kKnown), "");
  EXPECT_EQ(closest_word(std::string(1000, 'x'), kKnown), "");
}

TEST(ClosestWord, IgnoresCaseAndUnderscores) {
  EXPECT_EQ(closest_word("--Metrics_File", kKnown), "--metrics-file");
  EXPECT_EQ(closest_word("g03", kKnown), "G03");
}

TEST(ClosestWord, CompletesAUniqueBeginning) {
  EXPECT_EQ(closest_word("prod", kKnown), "production");
  EXPECT_EQ(closest_word("--over", kKnown), "--overwrite");
  EXPECT_EQ(closest_word("pr", kKnown), "") << "fewer than three letters";
  constexpr std::array<std::string_view, 2> kTwo{"metrics-file", "metrics-port"};
  EXPECT_EQ(closest_word("metrics", kTwo), "") << "two words begin with it";
}

TEST(ClosestWord, TheHintIsEmptyOrInBrackets) {
  EXPECT_EQ(did_you_mean("--scael", kKnown), " (did you mean '--scale'?)");
  EXPECT_EQ(did_you_mean("nothing", kKnown), "");
}

}  // namespace
}  // namespace weir
