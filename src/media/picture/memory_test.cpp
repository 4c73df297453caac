// Compares the memory that need() of a reader or writer returns with the peak that the system measures. The peak of a
// process never decreases, so each case runs in a separate process: this program, with the case in an environment
// variable: direction, format, colours, alpha (0 or 1), bits, width, height, quality, content and file.
//   WEIR_MEMORY_CASE="write png 3 0 8 1200 900 -1 page /tmp/a.png" weir_tests --gtest_filter=MediaMemory.OneCase
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "folder.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/picture_samples_test.hpp"

extern char** environ;

namespace weir::media {
namespace {

using test::make_picture_info;
using test::options_for;
using test::Samples;
using weir::test::Folder;

std::uint64_t status_kib(const std::string& field) {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.rfind(field, 0) == 0) return std::stoull(line.substr(field.size()));
  return 0;
}

struct MemoryCase {
  std::string direction, format, content, file;  // direction: "read" or "write"; content: "page" or "noise"
  int colours = 3, alpha = 0, bits = 8, width = 0, height = 0, quality = -1;
};

std::istream& operator>>(std::istream& in, MemoryCase& one_case) {
  return in >> one_case.direction >> one_case.format >> one_case.colours >> one_case.alpha >> one_case.bits >>
         one_case.width >> one_case.height >> one_case.quality >> one_case.content >> one_case.file;
}

// Draws one row at a time, so that drawing takes almost no memory. "noise" cannot be compressed; "page" has smooth
// shades in squares of 32 x 32 pixels, with a little noise. The factors of `state` are those of a linear congruential
// generator (Numerical Recipes).
void draw_row(const MemoryCase& one_case, int y, std::span<std::byte> row) {
  std::uint32_t state = static_cast<std::uint32_t>(y) * 2654435761U + 1;
  for (std::size_t i = 0; i < row.size(); ++i) {
    state = state * 1664525U + 1013904223U;
    const auto smooth = static_cast<std::uint32_t>(i / 3 + static_cast<std::size_t>(y)) / 2 +
                        (i / 96 + y / 32) % 2 * 90 + (state >> 30);
    row[i] = static_cast<std::byte>(one_case.content == "noise" ? state >> 24 : smooth);
  }
}

WriteOptions write_options(const MemoryCase& one_case) {
  auto options = options_for(
      *format_of_extension(one_case.format),
      make_picture_info(one_case.width, one_case.height, one_case.colours, one_case.alpha != 0, one_case.bits));
  options.quality = one_case.quality;
  options.overwrite = true;
  return options;
}

void write_rows(const MemoryCase& one_case) {
  auto writer = PictureWriter::create(one_case.file, write_options(one_case));
  ASSERT_TRUE(writer) << writer.error().what;
  Samples row(write_options(one_case).row_format.row_bytes());
  for (int y = 0; y < one_case.height; ++y) {
    draw_row(one_case, y, row);
    ASSERT_TRUE((*writer)->write(row));
  }
  ASSERT_TRUE((*writer)->finish());
}

MediaNeed read_rows(const MemoryCase& one_case) {
  auto reader = PictureReader::open({.path = one_case.file, .bytes = nullptr});
  EXPECT_TRUE(reader) << reader.error().what;
  const auto need = (*reader)->need();
  Samples row((*reader)->info().row_bytes());
  for (int y = 0; y < (*reader)->info().height; ++y) EXPECT_TRUE((*reader)->read(row));
  return need;
}

TEST(MediaMemory, OneCase) {
  const char* text = std::getenv("WEIR_MEMORY_CASE");
  if (text == nullptr) GTEST_SKIP() << "run by the other tests, with WEIR_MEMORY_CASE";
  std::istringstream words{text};
  MemoryCase one_case;
  words >> one_case;
  const auto before = status_kib("VmHWM:");
  const auto need = one_case.direction == "write" ? PictureWriter::need(write_options(one_case)) : MediaNeed{};
  const auto read_need = one_case.direction == "read" ? read_rows(one_case) : MediaNeed{};
  if (one_case.direction == "write") write_rows(one_case);
  const auto taken = status_kib("VmHWM:") - before;
  const auto planned = (need.ram + read_need.ram).count() >> 10;
  std::printf("memory case: %-60s measured %8.1f MiB, planned %8.1f MiB, ratio %.2f\n", text,
              static_cast<double>(taken) / 1024, static_cast<double>(planned) / 1024,
              static_cast<double>(taken) / static_cast<double>(planned));
  EXPECT_LE(taken, planned) << text;
}

int run_case(const std::string& text) {
  const std::string variable = "WEIR_MEMORY_CASE=" + text;
  std::vector<char*> environment{const_cast<char*>(variable.c_str())};
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.push_back(nullptr);
  std::string program = "/proc/self/exe", filter = "--gtest_filter=MediaMemory.OneCase", brief = "--gtest_brief=1";
  char* arguments[] = {program.data(), filter.data(), brief.data(), nullptr};
  pid_t child = 0;
  if (::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environment.data()) != 0) return -1;
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

class MediaMemoryOf : public ::testing::TestWithParam<const char*> {};

// Writes and reads small and large pictures, so that a wrong coefficient cannot be hidden by a constant.
TEST_P(MediaMemoryOf, PeakStaysWithinTheNeed) {
  Folder folder;
  const std::string file = (folder / "picture").native();
  for (const char* size : {" 200 150 -1 page ", " 700 500 -1 noise "}) {
    const std::string picture = GetParam() + std::string{size} + file;
    EXPECT_EQ(run_case("write " + picture), 0) << picture;
    EXPECT_EQ(run_case("read " + picture), 0) << picture;
  }
}
INSTANTIATE_TEST_SUITE_P(Formats, MediaMemoryOf,
                         ::testing::Values("png 3 0 8", "png 3 1 16", "jpg 3 0 8", "tiff 3 0 8", "tiff 3 1 16",
                                           "webp 3 0 8", "webp 3 1 8", "jxl 3 0 8", "jxl 3 1 16", "avif 3 0 8",
                                           "avif 3 1 16"));

}  // namespace
}  // namespace weir::media
