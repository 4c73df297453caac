#include "nn/formats/ncnn/ncnn_text.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace weir::nn {
namespace {

constexpr std::string_view kHead = "7767517\n1 1\n";

Result<std::vector<NcnnLine>> read(const std::string& lines) {
  return read_ncnn_text(std::string{kHead} + lines, "net.param");
}

void expect_error(const Result<std::vector<NcnnLine>>& result, const std::string& what) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, what);
}

TEST(NcnnText, ReadsNamesNumbersAndBothFormsOfLists) {
  const auto lines = read("Crop  c   1 1 a b 0=7 1=-2.500000e-01 -23309=2,4,-3 10=1.5,2,3 -23311=0 \r\n");
  ASSERT_TRUE(lines) << lines.error().what;
  const NcnnLine& line = lines->at(0);
  EXPECT_EQ(line.number, 3);
  EXPECT_EQ(line.type, "Crop");
  EXPECT_EQ(line.inputs, std::vector<std::string>{"a"});
  EXPECT_EQ(line.outputs, std::vector<std::string>{"b"});
  ASSERT_EQ(line.parameters.size(), 5U);
  EXPECT_EQ(line.parameters[1].values, std::vector<double>{-0.25});
  EXPECT_EQ(line.parameters[2].id, 9);
  EXPECT_EQ(line.parameters[2].values, (std::vector<double>{4, -3}));
  EXPECT_EQ(line.parameters[3].values, (std::vector<double>{1.5, 2, 3}));
  EXPECT_TRUE(line.parameters[4].values.empty());
}

TEST(NcnnText, OtherFilesAreRefused) {
  for (const char* text : {"", "\n\n", "7767516\n1 1\n", "hello", "\x89PNG\r\n", "7767517 1\n"}) {
    expect_error(read_ncnn_text(text, "x"), "x:1: not a text network of ncnn: the first line is not 7767517");
  }
}

TEST(NcnnText, CountsThatCannotBeTrueAreRefusedBeforeAnythingIsAllocated) {
  expect_error(read_ncnn_text("7767517\n1000000000 1\n", "x"), "x:2: 1000000000 layers; up to 20000 are supported");
  for (const char* counts : {"0 1", "-1 1", "1 0", "1 -5", "1", "1 1 1", "x 1", "99999999999999999999 1", "1e3 1"}) {
    expect_error(read_ncnn_text(fmt::format("7767517\n{}\n", counts), "x"),
                 "x:2: expected the number of layers and of blobs");
  }
  expect_error(read("A b 999999999999 1 c d\n"), "net.param:3: 999999999999 inputs and 1 outputs do not fit the line");
  expect_error(read("A b 1 18446744073709551615 c d\n"),
               "net.param:3: 1 inputs and 18446744073709551615 outputs do not fit the line");
  expect_error(read("A b -1 1 c d\n"), "net.param:3: -1 inputs and 1 outputs do not fit the line");
}

TEST(NcnnText, CountsThatAreNotTheLinesAreCorrupt) {
  const std::string line = "Input in 0 1 a\n";
  expect_error(read(line + line), "net.param:4: more than the 1 layers of line 2");
  expect_error(read_ncnn_text("7767517\n2 1\n" + line, "x"), "x:3: 1 layers, but line 2 declares 2");
  expect_error(read_ncnn_text("7767517\n1 7\n" + line, "x"), "x:3: 1 blobs, but line 2 declares 7");
}

TEST(NcnnText, NumbersAreFiniteAndWellFormed) {
  for (const char* bad : {"0=nan", "0=inf", "0=-inf", "0=1e999", "0=", "0=1,,2", "0=1,", "0=0x10", "0=1 1", "=1", "a=1",
                          "0=a", "64=1", "-1=1", "-23364=1,1", "0=1.0f"}) {
    const auto result = read(fmt::format("Input in 0 1 a {}\n", bad));
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, Errc::corrupt);
    EXPECT_TRUE(result.error().what.starts_with("net.param:3: ")) << result.error().what;
  }
  expect_error(read("Input in 0 1 a -23300=2,5\n"), "net.param:3: '-23300=2,5': the list has 1 values");
  expect_error(read("Input in 0 1 a -23300=1000000000,5\n"),
               "net.param:3: '-23300=1000000000,5': the list has 1 values");
  expect_error(read("Input in 0 1 a 0=1 0=2\n"), "net.param:3: Input in: parameter 0 is given twice");
}

TEST(NcnnText, HostileNamesDoNotReachTheTerminal) {
  const auto result = read(fmt::format("A\x1b[2J{} b 5 1 c\n", std::string(200, 'x')));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what.find('\x1b'), std::string::npos);
  EXPECT_FALSE(read(std::string(5000, 'x') + " b 0 1 c\n"));
  EXPECT_EQ(printable("a\x1b\x7f\xffz"), "a???z");
}

TEST(NcnnText, TextAboveTheLimitIsUnsupported) {
  const auto result = read(std::string(kMaxParamBytes, ' '));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::unsupported);
}

}  // namespace
}  // namespace weir::nn
