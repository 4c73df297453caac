// Tests of the built program: `weir upscale`, with a network whose result is known: each pixel becomes a block of pixels.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <bit>
#include <chrono>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "pictures.hpp"
#include "program.hpp"
#include "tiny_network.hpp"

namespace weir::test {
namespace {

using Json = nlohmann::json;

class CliUpscale : public ::testing::Test {
 protected:
  void SetUp() override { write_tiny_network(folder_ / "nets", "blocks"); }

  ProgramResult upscale(std::vector<std::string> arguments, ProgramOptions options = {}) const {
    options.folder = folder_.path();
    arguments.insert(arguments.begin(), {"upscale", "--model", "nets/blocks.param", "--ram", "512M"});
    return run(arguments, options);
  }
  /// Writes a picture.
  void picture(const fs::path& name, int width = 8, int height = 6, int channels = 3) const {
    ASSERT_TRUE(write_picture(folder_ / name, width, height, channels)) << name;
  }
  /// Returns true if the picture is the one that picture() wrote, with each pixel as a block of scale * scale pixels.
  /// Samples may differ by 1.
  static bool is_enlarged(const Picture& large, int width = 8, int height = 6, int scale = 2) {
    if (large.info.width != width * scale || large.info.height != height * scale || large.info.channels() != 3)
      return false;
    for (int y = 0; y < large.info.height; ++y) {
      for (int x = 0; x < large.info.width; ++x) {
        for (int c = 0; c < 3; ++c) {
          const std::size_t at =
              static_cast<std::size_t>(y) * large.info.row_bytes() + static_cast<std::size_t>(x * 3 + c);
          const int expected = std::to_integer<int>(sample_at(x / scale, y / scale, c));
          if (std::abs(std::to_integer<int>(large.samples[at]) - expected) > 1) return false;
        }
      }
    }
    return true;
  }
  bool is_enlarged(const fs::path& name) const { return is_enlarged(read_picture(folder_ / name)); }
  /// Returns the files below the folder `name`, relative to it, without checkpoints and the state of runs.
  std::vector<std::string> below(const fs::path& name) const {
    std::vector<std::string> names;
    for (const auto& each : folder_.list_files()) {
      if (each.ends_with(".done") || each.ends_with(".failed") || each.find(".weir/") != std::string::npos) continue;
      if (each.starts_with(name.native() + "/") && !fs::is_directory(folder_ / each))
        names.push_back(each.substr(name.native().size() + 1));
    }
    return names;
  }

  Folder folder_;
};

TEST_F(CliUpscale, OneFileBecomesOneFile) {
  picture("a.png");
  const ProgramResult result = upscale({"a.png", "-o", "b.png"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(is_enlarged("b.png"));
}

TEST_F(CliUpscale, QuietPrintsOnlyErrors) {
  picture("a.png");
  const ProgramResult good = upscale({"a.png", "-o", "b.png", "-q"});
  EXPECT_EQ(good.status, 0);
  EXPECT_EQ(good.error, "");
  const ProgramResult bad = upscale({"a.png", "no.png", "-o", "x/", "-q"});
  EXPECT_EQ(bad.status, 1);
  EXPECT_EQ(bad.error, "no.png: no such file\nerror: 1 of 2 items failed\n");
}

TEST_F(CliUpscale, AFolderKeepsItsStructure) {
  for (const char* name : {"book/1.png", "book/2 two.png", "book/deep/er/3.png", "book/.hidden.png"}) picture(name);
  folder_.put("book/notes.txt", "no picture");
  const ProgramResult result = upscale({"book", "-o", "out"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(below("out"), (std::vector<std::string>{"1.png", "2 two.png", "deep/er/3.png"}));
  EXPECT_TRUE(is_enlarged("out/deep/er/3.png"));
  EXPECT_TRUE(
      result.error_contains("not taken from folders: 1 hidden file, 1 file that is no picture by its extension\n"))
      << result.error;
  EXPECT_TRUE(result.error_contains("3 of 3 pictures done")) << result.error;
}

TEST_F(CliUpscale, AnOutputFolderInTheInputFolderIsNoInput) {
  picture("book/1.png");
  EXPECT_EQ(upscale({"book", "-o", "book/large"}).status, 0);
  EXPECT_EQ(upscale({"book", "-o", "book/large", "--overwrite"}).status, 0);
  EXPECT_EQ(below("book"), (std::vector<std::string>{"1.png", "large/1.png"}));
}

TEST_F(CliUpscale, PatternsAreExpandedWhenQuoted) {
  for (const char* name : {"a1.png", "a2.png", "b.png"}) picture(name);
  EXPECT_EQ(upscale({"a*.png", "-o", "out"}).status, 0);
  EXPECT_EQ(below("out"), (std::vector<std::string>{"a1.png", "a2.png"}));
  const ProgramResult none = upscale({"c*.png", "-o", "out/"});
  EXPECT_EQ(none.status, 1);
  EXPECT_TRUE(none.error_contains("c*.png: nothing matches")) << none.error;
}

TEST_F(CliUpscale, AFileWhoseNameIsAPatternIsThatFile) {
  picture("a[1].png");
  EXPECT_EQ(upscale({"a[1].png", "-o", "b.png"}).status, 0);
  EXPECT_TRUE(is_enlarged("b.png"));
}

TEST_F(CliUpscale, StandardStreamsCarryPictures) {
  picture("a.png");
  const ProgramResult both = upscale({"-", "-o", "-"}, {.input = folder_.text("a.png")});
  EXPECT_EQ(both.status, 0) << both.error;
  EXPECT_TRUE(is_enlarged(read_picture_bytes(both.out)));
  EXPECT_EQ(upscale({"-", "-o", "out/"}, {.input = folder_.text("a.png")}).status, 0);
  EXPECT_TRUE(is_enlarged("out/stdin.png"));
  EXPECT_EQ(upscale({"-", "-o", "-"}).status, 1);
}

TEST_F(CliUpscale, TheFormatFollowsTheOutputThenTheInput) {
  picture("a.png");
  picture("b.jpg");
  EXPECT_EQ(upscale({"a.png", "b.jpg", "-o", "out"}).status, 0);
  EXPECT_EQ(below("out"), (std::vector<std::string>{"a.png", "b.png"}));
  EXPECT_EQ(upscale({"a.png", "-o", "c.jpg"}).status, 0);
  EXPECT_EQ(read_picture(folder_ / "c.jpg").info.format, media::Format::jpg);
  EXPECT_EQ(upscale({"a.png", "-o", "d", "--format", "jpg"}).status, 0);
  EXPECT_EQ(read_picture(folder_ / "d").info.format, media::Format::jpg);
  EXPECT_EQ(upscale({"b.jpg", "-o", "out2/", "--format", "jpg"}).status, 0);
  EXPECT_EQ(below("out2"), (std::vector<std::string>{"b.jpg"}));
}

TEST_F(CliUpscale, FormatsThatCannotBeWrittenAreRefusedBeforeAnyWork) {
  picture("a.png");
  for (const char* output : {"b.gif", "b.bmp", "b.xyz"}) {
    const ProgramResult result = upscale({"a.png", "-o", output});
    EXPECT_EQ(result.status, 2) << output;
    EXPECT_TRUE(result.error_contains(output)) << result.error;
  }
  const ProgramResult contradiction = upscale({"a.png", "-o", "b.png", "--format", "jpg"});
  EXPECT_EQ(contradiction.status, 2);
  EXPECT_TRUE(contradiction.error_contains("contradicts")) << contradiction.error;
  EXPECT_EQ(upscale({"a.png", "-o", "c.png"}, {.variables = {{"WEIR_FORMAT", "jpg"}}}).status, 0);
  EXPECT_EQ(read_picture(folder_ / "c.png").info.format, media::Format::png);
}

TEST_F(CliUpscale, OutputsWithEqualNamesGetDifferentNames) {
  for (const char* name : {"in/cover.png", "in/cover.jpg", "in/1.jpg", "x/a.png", "y/a.png"}) picture(name);
  const ProgramResult formats = upscale({"in", "-o", "out"});
  EXPECT_EQ(formats.status, 0) << formats.error;
  EXPECT_EQ(below("out"), (std::vector<std::string>{"1.png", "cover.jpg.png", "cover.png"}));
  EXPECT_TRUE(
      formats.error_contains("in/cover.jpg has a longer name, because the short one is another picture's: "
                             "out/cover.jpg.png\n"))
      << formats.error;
  EXPECT_TRUE(is_enlarged("out/cover.png"));
  EXPECT_EQ(read_picture(folder_ / "out/cover.jpg.png").info.width, 16);
  const ProgramResult folders = upscale({"x", "y", "-o", "both"});
  EXPECT_EQ(folders.status, 0) << folders.error;
  EXPECT_EQ(below("both").size(), 2u);
  EXPECT_TRUE(folders.error_contains("; and 1 more of this kind")) << folders.error;
  picture("x/sub/b.png");
  picture("z/sub/b.png", 10, 6);
  const ProgramResult input = upscale({"z", "x/sub/b.png", "-o", "x", "--overwrite"});
  EXPECT_EQ(input.status, 0) << input.error;
  EXPECT_TRUE(is_enlarged("x/b.png"));
  EXPECT_EQ(read_picture(folder_ / "x/sub/b.png").info.width, 8) << "an input is not replaced by another's output";
  EXPECT_EQ(read_picture(folder_ / "x/sub/b.png.png").info.width, 20);
}

TEST_F(CliUpscale, AnOutputIsMadeFromTheSameInputInEveryRun) {
  picture("in/cover.jpg", 8, 6);
  picture("in/1.png", 8, 6);
  EXPECT_EQ(upscale({"in", "-o", "out"}).status, 0);
  EXPECT_EQ(read_picture(folder_ / "out/cover.png").info.width, 16);
  picture("in/cover.png", 10, 6);
  const ProgramResult more = upscale({"in", "-o", "out", "--explain"});
  EXPECT_EQ(more.status, 0) << more.error;
  EXPECT_TRUE(more.error_contains("in/cover.jpg: skipped: done before")) << more.error;
  EXPECT_EQ(read_picture(folder_ / "out/cover.png").info.width, 16);
  EXPECT_EQ(read_picture(folder_ / "out/cover.png.png").info.width, 20);
  fs::remove(folder_ / "in/cover.jpg");
  const ProgramResult fewer = upscale({"in", "-o", "out", "--explain"});
  EXPECT_EQ(fewer.status, 0) << fewer.error;
  EXPECT_TRUE(fewer.error_contains("in/cover.png: skipped: done before")) << fewer.error;
  EXPECT_EQ(read_picture(folder_ / "out/cover.png").info.width, 16);
}

TEST_F(CliUpscale, FoldersOfOtherPicturesDoNotReplaceEachOthersResults) {
  picture("x/a.png", 8, 6);
  picture("x/b.png", 8, 6);
  picture("y/a.png", 10, 6);
  picture("y/b.png", 10, 6);
  EXPECT_EQ(upscale({"x", "-o", "out"}).status, 0);
  const ProgramResult other = upscale({"y", "-o", "out"});
  EXPECT_EQ(other.status, 0) << other.error;
  EXPECT_EQ(read_picture(folder_ / "out/a.png").info.width, 16);
  EXPECT_EQ(read_picture(folder_ / "out/a.png.png").info.width, 20);
  fs::copy(folder_ / "x", folder_ / "copy");
  const ProgramResult copied = upscale({"copy", "-o", "out", "--explain"});
  EXPECT_TRUE(copied.error_contains("copy/a.png: skipped: done before")) << copied.error;
  EXPECT_EQ(below("out").size(), 4u);
}

TEST_F(CliUpscale, ResultsAmongTheInputsAreNotEnlargedAgain) {
  picture("in/a.jpg");
  picture("in/b.jpg");
  EXPECT_EQ(upscale({"in", "-o", "in"}).status, 0);
  const ProgramResult again = upscale({"in", "-o", "in", "--explain"});
  EXPECT_EQ(again.status, 0) << again.error;
  EXPECT_TRUE(again.error_contains("not taken from folders: 2 results of an earlier run\n")) << again.error;
  EXPECT_TRUE(again.error_contains("in/a.jpg: skipped: done before")) << again.error;
  EXPECT_EQ(below("in"), (std::vector<std::string>{"a.jpg", "a.png", "b.jpg", "b.png"}));
}

TEST_F(CliUpscale, SkippedEntriesOfFoldersAreCountedByReason) {
  picture("in/a.png");
  picture("in/sub/d.png");
  picture("in/.hidden/c.png");
  picture("elsewhere/b.png");
  folder_.put("in/.dot.png", "");
  folder_.put("in/notes.txt", "");
  folder_.put("in/two\nlines", "");
  fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "in/more");
  fs::create_directory_symlink("..", folder_ / "in/sub/up");
  fs::create_symlink("nowhere.png", folder_ / "in/gone.png");
  fs::create_symlink("loop.png", folder_ / "in/loop.png");
  fs::create_symlink("a.png", folder_ / "in/link.png");
  ASSERT_EQ(mkfifo((folder_ / "in/pipe.png").c_str(), 0600), 0);
  const ProgramResult result = upscale({"in", "-o", "out"});
  EXPECT_EQ(result.status, 0) << result.error;
  fs::remove(folder_ / "in/loop.png");  // list_files() fails at a circular link
  EXPECT_EQ(below("out"), (std::vector<std::string>{"a.png", "link.png", "sub/d.png"}));
  EXPECT_TRUE(result.error_contains(
      "not taken from folders: 2 links to folders not followed, 2 links to nothing, 1 hidden file, 1 "
      "hidden folder, 2 files that are no pictures by their extensions, 1 pipe, socket or device\n"))
      << result.error;
  const ProgramResult link = upscale({"in/more", "-o", "linked"});
  EXPECT_EQ(link.status, 0) << "a link that is named is followed: " << link.error;
  EXPECT_EQ(below("linked"), (std::vector<std::string>{"b.png"}));
}

TEST_F(CliUpscale, PipesAndDevicesAreNeitherInputsNorOutputs) {
  picture("a.png");
  ASSERT_EQ(mkfifo((folder_ / "pipe.png").c_str(), 0600), 0);
  for (const char* input : {"/dev/null", "pipe.png"}) {
    const ProgramResult result = upscale({input, "-o", "x.png"});
    EXPECT_EQ(result.status, 1) << result.error;
    EXPECT_TRUE(result.error_contains(std::string{input} + ": a pipe, socket or device, not a file")) << result.error;
  }
  for (const char* flag : {"--overwrite", "--no-checkpoints"}) {
    const ProgramResult result = upscale({"a.png", "-o", "pipe.png", flag});
    EXPECT_EQ(result.status, 1) << result.error;
    EXPECT_TRUE(result.error_contains("a.png: the output pipe.png is a pipe, socket or device")) << result.error;
    EXPECT_TRUE(fs::is_fifo(folder_ / "pipe.png"));
  }
}

TEST_F(CliUpscale, TheSameFileTwiceIsOneItem) {
  picture("a.png");
  const ProgramResult result = upscale({"a.png", "./a.png", "*.png", "-o", "out", "--json"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1);
}

TEST_F(CliUpscale, OutputsThatExistAreKeptWithoutOverwrite) {
  picture("a.png");
  picture("c.png");
  folder_.put("out/a.png", "precious");
  const ProgramResult kept = upscale({"a.png", "c.png", "-o", "out"});
  EXPECT_EQ(kept.status, 1);
  EXPECT_TRUE(kept.error_contains("out/a.png exists")) << kept.error;
  EXPECT_EQ(folder_.text("out/a.png"), "precious");
  EXPECT_TRUE(is_enlarged("out/c.png"));
  EXPECT_EQ(upscale({"a.png", "-o", "out", "--overwrite"}).status, 0);
  EXPECT_TRUE(is_enlarged("out/a.png"));
}

TEST_F(CliUpscale, APictureMayReplaceItself) {
  picture("a.png");
  EXPECT_EQ(upscale({"a.png", "-o", "a.png"}).status, 1);
  EXPECT_EQ(read_picture(folder_ / "a.png").info.width, 8);
  EXPECT_EQ(upscale({"a.png", "-o", "a.png", "--overwrite"}).status, 0);
  EXPECT_TRUE(is_enlarged("a.png"));
}

TEST_F(CliUpscale, AnyFileNameIsHandled) {
  const std::string long_name = std::string(247, 'n') + ".jpg";  // with .png instead of .jpg it is not longer
  const std::string full_name =
      std::string(251, 'f') + ".jpg";  // 255 bytes; with .tiff instead of .jpg it would have 256
  const std::vector<std::string> names{"with space.png", "漫画 é.png",   "two\nlines.png",
                                       "-dash.png",      "\xff\xfe.png", long_name};
  for (const auto& name : names) picture(fs::path{"in"} / name);
  const ProgramResult result = upscale({"in", "-o", "out"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(below("out").size(), names.size());
  EXPECT_TRUE(is_enlarged("out/two\nlines.png"));
  EXPECT_TRUE(result.error_contains("two\\nlines.png"));
  picture(fs::path{"full"} / full_name);
  const ProgramResult hashed = upscale({"full", "-o", "full-out", "--format", "tiff"});
  EXPECT_EQ(hashed.status, 0) << hashed.error;
  const auto made = below("full-out");
  ASSERT_EQ(made.size(), 1u);
  EXPECT_LE(made[0].size(), 255u);
  EXPECT_NE(made[0].find('~'), std::string::npos);
  EXPECT_EQ(upscale({"--", "-o"}).status, 2);
}

TEST_F(CliUpscale, SizesAreThoseThatWereRequested) {
  picture("a.png", 10, 6);
  const auto size = [&](const fs::path& name) {
    const auto info = read_picture(folder_ / name).info;
    return std::pair{info.width, info.height};
  };
  EXPECT_EQ(upscale({"a.png", "-o", "b.png", "--scale", "1.5"}).status, 0);
  EXPECT_EQ(size("b.png"), (std::pair{15, 9}));
  EXPECT_EQ(upscale({"a.png", "-o", "c.png", "--resize", "17x13"}).status, 0);
  EXPECT_EQ(size("c.png"), (std::pair{17, 13}));
  EXPECT_EQ(upscale({"a.png", "-o", "d.png", "--width", "15"}, {.variables = {{"WEIR_SCALE", "4"}}}).status, 0);
  EXPECT_EQ(size("d.png"), (std::pair{15, 9}));
}

TEST_F(CliUpscale, BadItemsAreNamedAndTheOthersAreDone) {
  picture("in/a.png");
  picture("in/z.png");
  folder_.put("in/empty.png", "");
  folder_.put("in/text.png", "this is no picture");
  folder_.put("in/cut.png", folder_.text("in/a.png").substr(0, 45));  // without one complete row
  const ProgramResult result = upscale({"in", "gone.png", "-o", "out", "-q"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.error_lines(), 5u) << result.error;
  for (const char* bad : {"in/empty.png: ", "in/text.png: ", "in/cut.png: ", "gone.png: "})
    EXPECT_TRUE(result.error_contains(bad)) << result.error;
  EXPECT_TRUE(result.error_contains("error: 4 of 6 items failed")) << result.error;
  EXPECT_EQ(below("out"), (std::vector<std::string>{"a.png", "z.png"}));
}

TEST_F(CliUpscale, PathsThatCannotBeReadOrWrittenAreNamed) {
  picture("a.png");
  folder_.put("file", "x");
  fs::create_directory(folder_ / "empty");
  fs::create_directory(folder_ / "taken.png");
  for (const auto& [output, why] :
       std::vector<std::pair<std::string, std::string>>{{"file/b.png", "file"},
                                                        {"/proc/b.png", "/proc"},
                                                        {"/proc/none/b.png", "/proc"},
                                                        {std::string(256, 'x') + ".png", "xxx"}}) {
    const ProgramResult result = upscale({"a.png", "-o", output});
    EXPECT_EQ(result.status, 1) << output;
    EXPECT_TRUE(result.error_contains("a.png: ")) << result.error;
    EXPECT_TRUE(result.error_contains(why)) << result.error;
  }
  EXPECT_EQ(upscale({"a.png", "-o", "file/"}).status, 2);
  EXPECT_EQ(upscale({"a.png", "a.png/b", "-o", "out/"}).status, 1);
  EXPECT_EQ(upscale({"/proc/self/mem", "-o", "b.png"}).status, 1);
  const ProgramResult empty = upscale({"empty", "-o", "out"});
  EXPECT_EQ(empty.status, 1);
  EXPECT_TRUE(empty.error_contains("empty: no picture in this folder")) << empty.error;
  fs::create_directories(folder_ / "in");
  picture("in/taken.png");
  EXPECT_EQ(upscale({"in", "-o", "."}).status, 1);
  EXPECT_TRUE(fs::is_directory(folder_ / "taken.png"));
}

TEST_F(CliUpscale, AFullDiskLeavesNoFile) {
  picture("in/a.png", 300, 200);
  picture("in/b.png");
  const ProgramResult full = upscale({"in", "-o", "out", "-q"}, {.max_file_bytes = 2000});
  EXPECT_EQ(full.status, 1);
  EXPECT_TRUE(full.error.starts_with("in/a.png: ")) << full.error;
  EXPECT_EQ(below("out"), (std::vector<std::string>{"b.png"}));
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  EXPECT_EQ(upscale({"in/a.png", "-o", "-"}, {.output_file = "/dev/full"}).status, 1);
  EXPECT_EQ(upscale({"in/a.png", "-o", "c.png", "--json"}, {.output_file = "/dev/full"}).status, 1);
}

TEST_F(CliUpscale, ThinPicturesAreEnlarged) {
  for (const auto& [width, height] : std::vector<std::pair<int, int>>{{1, 1}, {1, 500}, {500, 1}, {2, 3}}) {
    picture("thin.png", width, height);
    const ProgramResult result = upscale({"thin.png", "-o", "large.png", "--overwrite", "-q"});
    EXPECT_EQ(result.status, 0) << width << "x" << height << ": " << result.error;
    EXPECT_TRUE(is_enlarged(read_picture(folder_ / "large.png"), width, height)) << width << "x" << height;
  }
}

TEST_F(CliUpscale, APictureOfAnotherFormatThanItsNameIsRead) {
  picture("a.png");
  fs::rename(folder_ / "a.png", folder_ / "a.jpg");
  EXPECT_EQ(upscale({"a.jpg", "-o", "out/"}).status, 0);
  EXPECT_TRUE(is_enlarged("out/a.png"));
}

TEST_F(CliUpscale, APictureBombIsRefused) {
  picture("a.png");
  std::string bomb = folder_.text("a.png");
  const std::string side{"\x00\x01\x86\xa0", 4};  // 100,000 pixels, big-endian
  bomb.replace(16, 8, side + side);               // width and height of the IHDR chunk: PNG specification, 11.2.2
  unsigned crc = 0xFFFFFFFFu;                     // of the chunk's type and data: annex D of the specification
  for (std::size_t i = 12; i < 29; ++i) {
    crc ^= static_cast<unsigned char>(bomb[i]);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
  }
  for (int i = 0; i < 4; ++i) bomb[29 + static_cast<std::size_t>(i)] = static_cast<char>(~crc >> (24 - 8 * i));
  folder_.put("in/bomb.png", bomb);
  picture("in/good.png");
  const ProgramResult result = upscale({"in", "-o", "out", "-q"});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(result.error.starts_with("in/bomb.png: ")) << result.error;
  EXPECT_EQ(result.error_lines(), 2u) << result.error;
  EXPECT_EQ(below("out"), (std::vector<std::string>{"good.png"}));
}

TEST_F(CliUpscale, ATerminalShowsProgressInOneLine) {
  picture("a.png");
  const ProgramResult result = upscale({"a.png", "-o", "b.png"}, {.terminal = true});
  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(result.error_contains("\r\x1b[Ka.png    0 %")) << result.error;
  EXPECT_TRUE(result.error_contains("a.png -> b.png: 16x12")) << result.error;
  const ProgramResult quiet = upscale({"a.png", "-o", "b.png", "--overwrite", "-q"}, {.terminal = true});
  EXPECT_EQ(quiet.error, "");
}

TEST_F(CliUpscale, TheResultDoesNotDependOnTheWayItIsMade) {
  picture("a.png", 61, 47);
  ASSERT_EQ(upscale({"a.png", "-o", "1.png", "--threads", "1"}).status, 0);
  const std::string first = folder_.text("1.png");
  ASSERT_EQ(upscale({"a.png", "-o", "2.png", "--threads", "3"}).status, 0);
  ASSERT_EQ(
      run({"upscale", "a.png", "-o", "3.png", "--model", "nets/blocks.param", "--ram", "64M", "--device", "cpu:0"},
          {.folder = folder_.path()})
          .status,
      0);
  EXPECT_EQ(folder_.text("2.png"), first);
  EXPECT_EQ(folder_.text("3.png"), first);
}

TEST_F(CliUpscale, ATooSmallMemoryLimitIsRefusedWithTheNumbers) {
  picture("a.png");
  const ProgramResult result = run({"upscale", "a.png", "-o", "b.png", "--model", "nets/blocks.param", "--ram", "1M"},
                                   {.folder = folder_.path()});
  EXPECT_EQ(result.status, 3);
  EXPECT_TRUE(result.error_contains("1 MiB")) << result.error;
  EXPECT_FALSE(fs::exists(folder_ / "b.png"));
}

TEST_F(CliUpscale, ADryRunPrintsThePlanAndWritesNothing) {
  picture("in/a.png");
  const ProgramResult result = upscale({"in", "-o", "out", "--dry-run"});
  EXPECT_EQ(result.status, 0) << result.error;
  for (const char* word : {"in/a.png -> out/a.png", "8x6 -> 16x12", "blocks", "memory", "bands of", "expected"})
    EXPECT_NE(result.out.find(word), std::string::npos) << word << "\n" << result.out;
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(CliUpscale, ADryRunCountsFinishedPicturesAndFailsForThoseOfOtherPrograms) {
  picture("in/a.png");
  picture("in/b.png");
  ASSERT_EQ(upscale({"in", "-o", "out"}).status, 0);
  const ProgramResult finished = upscale({"in", "-o", "out", "--dry-run"});
  EXPECT_EQ(finished.status, 0) << finished.error;
  EXPECT_TRUE(finished.error_contains("2 of 2 pictures were done before")) << finished.error;
  picture("in/c.png");
  picture("out/d.png");
  picture("in/d.png");
  const ProgramResult mixed = upscale({"in", "-o", "out", "--dry-run"});
  EXPECT_EQ(mixed.status, 1);
  EXPECT_NE(mixed.out.find("in/c.png -> out/c.png"), std::string::npos) << mixed.out;
  EXPECT_TRUE(mixed.error_contains("the output out/d.png exists")) << mixed.error;
}

TEST_F(CliUpscale, JsonDescribesEachPicture) {
  picture("a.png");
  const ProgramResult dry = upscale({"a.png", "gone.png", "-o", "out", "--dry-run", "--json"});
  const ProgramResult real = upscale({"a.png", "gone.png", "-o", "out", "--json"});
  EXPECT_FALSE(real.out.empty());
  for (const ProgramResult* result : {&dry, &real}) {
    EXPECT_EQ(result->status, 1);
    std::istringstream lines{result->out};
    Json good;
    Json bad;
    for (std::string line; std::getline(lines, line);) {
      Json json = Json::parse(line);
      if (!json.contains("input")) continue;
      Json& item = json["input"] == "a.png" ? good : bad;
      item = json;
    }
    EXPECT_EQ(good["status"], result == &dry ? "planned" : "done");
    EXPECT_EQ(good["input"], "a.png");
    EXPECT_EQ(good["output"], "out/a.png");
    EXPECT_EQ(good["input_picture"]["width"], 8);
    EXPECT_EQ(good["output_picture"]["width"], 16);
    EXPECT_EQ(good["network"]["name"], "blocks");
    EXPECT_TRUE(good["precision"].is_string());
    EXPECT_TRUE(good["instruction_set"].is_string());
    EXPECT_GT(good["plan"]["ram_bytes"], 0);
    EXPECT_FALSE(good["plan"]["parts"].empty());
    EXPECT_GT(good["peak_bytes"], 0);
    EXPECT_GE(good["seconds"], 0.0);
    EXPECT_EQ(good.contains("kept"), result == &real);
    EXPECT_EQ(bad["status"], "failed");
    EXPECT_EQ(bad["error"]["code"], "io");
  }
}

TEST_F(CliUpscale, JpegLosesAlphaWithAWarning) {
  picture("a.png", 8, 6, 4);
  const ProgramResult result = upscale({"a.png", "-o", "b.jpg", "--json"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(result.error_contains("a.png: lost alpha")) << result.error;
  EXPECT_FALSE(Json::parse(result.out)["lost"].empty());
}

/// Makes a TIFF file of 8 x 6 grey pixels: floating-point samples of 32 bits, without compression. All samples have
/// `value`.
std::string float_tiff(float value) {
  constexpr std::uint32_t kWidth = 8, kHeight = 6, kPixelBytes = kWidth * kHeight * sizeof value;
  struct Tag {
    std::uint16_t number;
    std::uint32_t value;
  };
  constexpr std::uint32_t kTags = 10, kPixelsAt = 8 + 2 + kTags * 12 + 4;
  constexpr std::array<Tag, kTags> tags{{{256, kWidth},
                                         {257, kHeight},
                                         {258, 32},           // BitsPerSample
                                         {259, 1},            // Compression: none
                                         {262, 1},            // PhotometricInterpretation: 0 is black
                                         {273, kPixelsAt},    // StripOffsets
                                         {277, 1},            // SamplesPerPixel
                                         {278, kHeight},      // RowsPerStrip
                                         {279, kPixelBytes},  // StripByteCounts
                                         {339, 3}}};          // SampleFormat: floating point
  std::string file = "II*";
  const auto append = [&](std::uint32_t number, int bytes) {
    for (int i = 0; i < bytes; ++i) file.push_back(static_cast<char>(number >> (8 * i)));
  };
  append(0, 1);
  append(8, 4);  // offset of the directory
  append(kTags, 2);
  for (const Tag& tag : tags) {
    append(tag.number, 2);
    append(4, 2);  // type: LONG
    append(1, 4);  // number of values
    append(tag.value, 4);
  }
  append(0, 4);  // no further directory
  for (std::uint32_t i = 0; i < kWidth * kHeight; ++i) append(std::bit_cast<std::uint32_t>(value), 4);
  return file;
}

TEST_F(CliUpscale, ClippedSamplesAreReportedAsLost) {
  folder_.put("inside.tif", float_tiff(1.0F));
  folder_.put("outside.tif", float_tiff(1.5F));
  const ProgramResult inside = upscale({"inside.tif", "-o", "a.png", "--json"});
  EXPECT_EQ(inside.status, 0) << inside.error;
  EXPECT_TRUE(Json::parse(inside.out)["lost"].empty()) << inside.out;
  const ProgramResult outside = upscale({"outside.tif", "-o", "b.png", "--json"});
  EXPECT_EQ(outside.status, 0) << outside.error;
  EXPECT_TRUE(outside.error_contains("outside.tif: lost sample values outside of 0 to 1 (clipped)")) << outside.error;
  EXPECT_EQ(Json::parse(outside.out)["lost"].size(), 1u) << outside.out;
}

TEST_F(CliUpscale, SettingsReachThePlan) {
  picture("a.png");
  const ProgramResult result = upscale({"a.png", "-o", "b.png", "--dry-run", "--json", "--precision", "exact"});
  EXPECT_EQ(Json::parse(result.out)["precision"], "float32");
}

// --- failures of the environment

TEST_F(CliUpscale, AClosedStandardOutputFailsButDoesTheWork) {
  picture("a.png");
  for (const ProgramOptions& options : {ProgramOptions{.close_output = true}, ProgramOptions{.broken_output = true}}) {
    const ProgramResult json = upscale({"a.png", "-o", "b.png", "--json", "--overwrite", "-q"}, options);
    EXPECT_EQ(json.status, 1);
    EXPECT_EQ(json.error_lines(), 1u) << json.error;
    EXPECT_TRUE(json.error_contains("standard output")) << json.error;
    EXPECT_TRUE(is_enlarged("b.png"));
    EXPECT_EQ(upscale({"a.png", "-o", "-", "-q"}, options).status, 1);
  }
}

/// A picture and a network that keep two cores busy for seconds.
class CliInterrupted : public CliUpscale {
 protected:
  void SetUp() override {
    CliUpscale::SetUp();
    write_tiny_network(folder_ / "nets", "slow", 2, 4);
    picture("in/1.png", 8, 6);
    picture("in/2.png", 3000, 2000);
    picture("in/3.png", 8, 6);
  }
  /// Enlarges the pictures and sends the signal while an output is written. `seconds` of the result is the time from the
  /// signal to the end of the program.
  ProgramResult interrupt(int signal) const {
    ProgramOptions options{.folder = folder_.path()};
    options.while_running = [&](pid_t child) {
      EXPECT_TRUE(wait_until_writing(child, folder_ / "out"));
      kill(child, signal);
      signalled_ = std::chrono::steady_clock::now();
    };
    ProgramResult result = run({"upscale", "in", "-o", "out", "--model", "nets/slow.param", "-q"}, options);
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - signalled_).count();
    return result;
  }
  mutable std::chrono::steady_clock::time_point signalled_{};
};

TEST_F(CliInterrupted, SigtermEndsWithinTwoSecondsAndLeavesNothingBehind) {
  for (const int signal : {SIGTERM, SIGINT}) {
    fs::remove_all(folder_ / "out");
    const ProgramResult result = interrupt(signal);
    EXPECT_EQ(result.status, 4) << result.error;
    EXPECT_LT(result.seconds, 2.0);
    EXPECT_EQ(result.error, "error: interrupted; 0 of 3 items done\n");  // the largest picture is the first
    EXPECT_EQ(below("out"), (std::vector<std::string>{}));
  }
}

/// Waits until the process `child` has blocked the signal, which it then reads itself. The field SigBlk in proc(5) has one
/// bit per signal; bit 0 is signal 1.
void wait_until_signal_is_blocked(pid_t child, int signal) {
  wait_until([&] {
    std::ifstream status("/proc/" + std::to_string(child) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("SigBlk:") && (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1U) != 0)
        return true;
    }
    return false;
  });
}

TEST_F(CliUpscale, SigtermEndsAWaitForStandardInput) {
  const ProgramResult result =
      upscale({"-", "-o", "b.png"}, {.keep_input_open = true, .while_running = [&](pid_t child) {
                                       wait_until_signal_is_blocked(child, SIGTERM);
                                       kill(child, SIGTERM);
                                     }});
  EXPECT_EQ(result.status, 4) << result.error;
  EXPECT_EQ(result.error, "error: interrupted; 0 of 1 items done\n");
}

TEST_F(CliInterrupted, KillLeavesNoPartialFileUnderAFinalName) {
  const ProgramResult result = interrupt(SIGKILL);
  EXPECT_EQ(result.status, 128 + SIGKILL);
  EXPECT_FALSE(fs::exists(folder_ / "out/2.png"));
  fs::remove(folder_ / "in/2.png");
  EXPECT_EQ(run({"upscale", "in", "-o", "out", "--model", "nets/slow.param", "-q"}, {.folder = folder_.path()}).status,
            0);
  EXPECT_TRUE(is_enlarged("out/3.png"));
}

TEST_F(CliUpscale, OnePictureIsLoggedCountedAndPausedToo) {
  picture("a.png");
  EXPECT_EQ(upscale({"a.png", "-o", "b.png", "--log", "log", "--metrics-file", "metrics"}).status, 0);
  for (const char* event : {"run_start", "item_done", "run_end"})
    EXPECT_NE(folder_.text("log").find(event), std::string::npos) << event;
  EXPECT_NE(folder_.text("metrics").find("weir_items_total{result=\"done\"} 1"), std::string::npos);
  EXPECT_EQ(upscale({"a.png", "-o", "c.png", "--log", "a.png/log"}).status, 3);
  EXPECT_EQ(upscale({"a.png", "-o", "c.png", "--metrics", "nohost"}).status, 2);
  EXPECT_FALSE(fs::exists(folder_ / "c.png"));
  EXPECT_EQ(upscale({"a.png", "-o", "d.png", "--metrics-file", "a.png/metrics"}).status, 1);
  folder_.put("pause", "");
  const auto end_pause = [&](pid_t) {
    std::this_thread::sleep_for(std::chrono::milliseconds{400});
    EXPECT_FALSE(fs::exists(folder_ / "e.png"));
    fs::remove(folder_ / "pause");
  };
  const ProgramResult paused = upscale({"a.png", "-o", "e.png", "--pause-file", "pause"}, {.while_running = end_pause});
  EXPECT_EQ(paused.status, 0) << paused.error;
  EXPECT_TRUE(paused.error_contains("paused while pause exists")) << paused.error;
}

TEST_F(CliUpscale, AnIgnoredSignalStaysIgnored) {
  picture("a.png");
  signal(SIGHUP, SIG_IGN);
  const ProgramResult result =
      upscale({"-", "-o", "b.png"}, {.while_running = [](pid_t child) { kill(child, SIGHUP); }});
  signal(SIGHUP, SIG_DFL);
  EXPECT_EQ(result.status, 1) << "the failure for the empty standard input, and not 4: " << result.error;
}

}  // namespace
}  // namespace weir::test
