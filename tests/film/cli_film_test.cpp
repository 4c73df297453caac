// Tests of the built program: `weir film` as a user runs it.

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "film_cases.hpp"
#include "program.hpp"
#include "tiny_network.hpp"

namespace weir::test {
namespace {

using Json = nlohmann::json;

/// Writes a network of one convolution, which multiplies its input by `factor`.
void write_film_network(const fs::path& folder, float factor = 1) {
  fs::create_directories(folder);
  std::ofstream{folder / "net.param"}
      << "7767517\n2 2\nInput in0 0 1 in0\nConvolution copy 1 1 in0 out0 0=3 1=1 5=0 6=9\n";
  std::ofstream bin{folder / "net.bin", std::ios::binary};
  const std::array<float, 10> weights{0, factor, 0, 0, 0, factor, 0, 0, 0, factor};  // the first says: float32
  bin.write(reinterpret_cast<const char*>(weights.data()), sizeof weights);
}

/// What ffprobe reports of the frames of the first video stream: a line with the time of each.
std::vector<std::string> frame_times(const fs::path& film) {
  return film::lines_of(
      film::output_of("ffprobe -v error -select_streams v:0 -show_entries frame=pts_time "
                      "-of default=nokey=1:noprint_wrappers=1 '" +
                      film.native() + "'"));
}

/// Returns the JSON objects on standard output, one per line.
std::vector<Json> json_lines(const ProgramResult& result) {
  std::vector<Json> lines;
  for (const std::string& line : film::lines_of(result.out)) lines.push_back(Json::parse(line));
  return lines;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class CliFilm : public testing::Test {
 protected:
  void SetUp() override {
    if (!film::has_program("ffmpeg") || !film::has_program("ffprobe")) GTEST_SKIP() << "no ffmpeg here";
    write_film_network(folder_ / "nets");
  }
  /// Draws a film of 64x48 with sound.
  void draw(const fs::path& name, int frames = 48, const std::string& source = "testsrc2") const {
    fs::create_directories((folder_ / name).parent_path());
    ASSERT_TRUE(film::run_ffmpeg("-f lavfi -i " + source + "=s=64x48:r=24 -f lavfi -i sine=r=8000 -t " +
                                 std::to_string(frames / 24.0) + " -frames:v " + std::to_string(frames) +
                                 " -c:v libx264 -preset ultrafast -g 24 -c:a aac " + (folder_ / name).native()));
  }
  ProgramResult film(std::vector<std::string> arguments, ProgramOptions options = {}) const {
    const auto names = [&](const std::string& flag) {
      return std::any_of(arguments.begin(), arguments.end(),
                         [&](const std::string& each) { return each.ends_with("-" + flag); });
    };
    const bool is_lossless = std::find(arguments.begin(), arguments.end(), "ffv1") != arguments.end();
    std::vector<std::string> all{"film", "--model", "nets/net.param"};
    if (!names("ram")) all.insert(all.end(), {"--ram", "1G"});
    if (!names("preset") && !is_lossless) all.insert(all.end(), {"--preset", "ultrafast"});
    all.insert(all.end(), arguments.begin(), arguments.end());
    options.folder = folder_.path();
    return run(all, options);
  }
  /// Returns the files below a folder that are neither hidden nor in a hidden folder.
  std::vector<std::string> visible_files(const fs::path& below) const {
    std::vector<std::string> names = folder_.list_files(below);
    std::erase_if(names, [&](const std::string& name) {
      return name.starts_with(".") || name.find("/.") != std::string::npos ||
             fs::is_directory(folder_.path() / below / name);
    });
    return names;
  }
  /// Returns the names of temporary files, which no run may leave.
  std::vector<std::string> left_over() const {
    std::vector<std::string> names = folder_.list_files();
    std::erase_if(names, [](const std::string& name) {
      return !name.ends_with(".tmp") && !name.ends_with(".intent") && !name.ends_with(".part");
    });
    return names;
  }

  Folder folder_;
};

// --- inputs and outputs

TEST_F(CliFilm, AFilmIsEnlargedWithItsTimesAndItsSound) {
  draw("in.mkv");
  const ProgramResult result = film({"in.mkv", "-o", "out/big.mkv", "--scale", "2"});
  ASSERT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(result.error_contains("in.mkv -> out/big.mkv: 48 frames")) << result.error;
  EXPECT_EQ(frame_times(folder_ / "out/big.mkv"), frame_times(folder_ / "in.mkv"));
  const std::string streams = film::output_of("ffprobe -v error -show_entries stream=codec_name,width,height -of csv " +
                                              (folder_ / "out/big.mkv").native());
  EXPECT_NE(streams.find("h264,128,96"), std::string::npos) << streams;
  EXPECT_NE(streams.find("aac"), std::string::npos) << streams;
  EXPECT_EQ(left_over(), std::vector<std::string>{});
}

TEST_F(CliFilm, AFolderKeepsItsStructureAndOtherFilesAreCounted) {
  draw("in/a.mkv");
  draw("in/sub/b.mp4");
  folder_.put("in/.hidden.mkv", "x");
  folder_.put("in/notes.txt", "x");
  const ProgramResult result = film({"in", "-o", "out"});
  ASSERT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(visible_files("out"), (std::vector<std::string>{"a.mkv", "sub/b.mkv"}));
  EXPECT_TRUE(result.error_contains("not taken from folders: 1 hidden file, 1 file that is no film by its extension"))
      << result.error;
  EXPECT_TRUE(result.error_contains("2 of 2 films done")) << result.error;
  const ProgramResult mp4 = film({"in/*.mkv", "-o", "patterns/", "--format", "mp4"});
  ASSERT_EQ(mp4.status, 0) << mp4.error;
  EXPECT_EQ(visible_files("patterns"), (std::vector<std::string>{"a.mp4"}));
  EXPECT_EQ(film({"nothing/*.mkv", "-o", "patterns/"}).status, 1);
}

TEST_F(CliFilm, ResultsInTheFolderOfTheFilmsAreNoInputsOfTheNextRun) {
  draw("in/a.mp4");
  ASSERT_EQ(film({"in", "-o", "in"}).status, 0);
  const ProgramResult again = film({"in", "-o", "in", "--json"});
  EXPECT_EQ(again.status, 0) << again.error;
  EXPECT_EQ(visible_files("in"), (std::vector<std::string>{"a.mkv", "a.mp4"}));
  const auto lines = json_lines(again);
  ASSERT_EQ(lines.size(), 1u) << again.out;
  EXPECT_EQ(lines[0]["status"], "skipped");
}

TEST_F(CliFilm, ADryRunTellsThePlanAndWritesNothing) {
  draw("in.mkv");
  const ProgramResult text = film({"in.mkv", "-o", "out/big.mkv", "--dry-run"});
  EXPECT_EQ(text.status, 0) << text.error;
  for (const char* part : {"in.mkv -> out/big.mkv", "frames", "64x48", "segments", "memory", "disk", "time"})
    EXPECT_NE(text.out.find(part), std::string::npos) << part << "\n" << text.out;
  const auto lines = json_lines(film({"in.mkv", "-o", "out/big.mkv", "--dry-run", "--json"}));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["status"], "planned");
  EXPECT_EQ(lines[0]["width"], 64);
  EXPECT_EQ(lines[0]["segments"], 1);
  EXPECT_NEAR(lines[0]["frames"].get<double>(), 48, 4);  // of the duration, which that of the sound is
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(CliFilm, APartOfAFilmIsEnlargedWithItsSound) {
  draw("in.mkv", 96);
  const auto sound_of = [&](const char* name) {
    return film::output_of("ffprobe -v error -select_streams a -show_entries stream=codec_name -of csv=p=0 " +
                           (folder_ / name).native());
  };
  for (const char* name : {"part.mkv", "part.mp4"}) {
    const ProgramResult part =
        film({"in.mkv", "-o", name, "--from", "1", "--to", "0:02.5", "--audio", "flac", "--scale", "2"});
    ASSERT_EQ(part.status, 0) << part.error;
    EXPECT_NEAR(static_cast<double>(frame_times(folder_ / name).size()), 36, 1) << name;
    EXPECT_EQ(sound_of(name), "flac\n") << name;
    const std::string end =
        film::output_of("ffprobe -v error -show_entries format=duration -of csv=p=0 " + (folder_ / name).native());
    EXPECT_NEAR(std::stod(end), 1.5, 0.15) << name;
  }
  const ProgramResult first = film({"in.mkv", "-o", "part.mkv", "--limit", "10"});
  ASSERT_EQ(first.status, 0) << first.error;
  EXPECT_EQ(frame_times(folder_ / "part.mkv").size(), 10u);
  EXPECT_EQ(sound_of("part.mkv"), "aac\n");
  const ProgramResult again = film({"in.mkv", "-o", "part.mkv", "--limit", "10", "--json"});
  ASSERT_EQ(json_lines(again).size(), 1u) << again.error;
  EXPECT_EQ(json_lines(again)[0]["status"], "skipped");
  ASSERT_EQ(film({"in.mkv", "-o", "part.mkv", "--from", "1", "--limit", "20"}).status, 0);
  EXPECT_EQ(frame_times(folder_ / "part.mkv").size(), 20u);
  EXPECT_EQ(left_over(), std::vector<std::string>{});
}

TEST_F(CliFilm, PartsAndSoundThatCannotBeMadeAreRefusedBeforeTheWork) {
  draw("in.mkv");
  const ProgramResult late = film({"in.mkv", "-o", "out/x.mkv", "--from", "100"});
  EXPECT_EQ(late.status, 1);
  EXPECT_TRUE(late.error_contains("in.mkv: it has no frame from 100 s on: it is 2.")) << late.error;
  const ProgramResult sound =
      film({"in.mkv", "-o", "out/x.webm", "--codec", "av1", "--preset", "13", "--audio", "aac"});
  EXPECT_EQ(sound.status, 1);
  EXPECT_TRUE(sound.error_contains("webm cannot hold sound of aac (stream 1): use mkv")) << sound.error;
  EXPECT_EQ(visible_files("."), (std::vector<std::string>{"in.mkv", "nets/net.bin", "nets/net.param"}));
}

TEST_F(CliFilm, ADryRunCountsThePartOnly) {
  draw("in.mkv", 96);
  const auto frames = [&](std::vector<std::string> range) {
    range.insert(range.begin(), {"in.mkv", "-o", "out/big.mkv", "--dry-run", "--json"});
    const auto lines = json_lines(film(range));
    return lines.size() == 1 ? lines[0]["frames"].get<double>() : -1;
  };
  EXPECT_NEAR(frames({"--from", "1", "--to", "2.5"}), 36, 2);
  EXPECT_NEAR(frames({"--from", "3"}), 24, 4);
  EXPECT_EQ(frames({"--from", "1", "--limit", "10"}), 10);
}

/// Returns a line "KIND,WIDTH,HEIGHT" for each stream of a film.
std::string streams_of(const fs::path& film) {
  return film::output_of("ffprobe -v error -show_entries stream=codec_type,width,height -of csv=p=0 '" + film.native() +
                         "'");
}

TEST_F(CliFilm, APreviewShowsThreeSecondsAsSeveralNetworksEnlargeThem) {
  draw("in.mkv", 120);
  write_tiny_network(folder_ / "nets", "double", 2);
  write_tiny_network(folder_ / "nets", "slow-double", 2, 1);
  write_tiny_network(folder_ / "nets", "triple", 3);
  for (const char* name : {"out/preview.mkv", "preview.mp4"}) {
    const ProgramResult variants =
        film({"in.mkv", "-o", name, "--preview", "1", "--variants", "double,triple", "--json"});
    ASSERT_EQ(variants.status, 0) << variants.error;
    EXPECT_EQ(frame_times(folder_ / name).size(), 72u);
    EXPECT_EQ(std::stod(frame_times(folder_ / name).front()), 0);
    EXPECT_EQ(streams_of(folder_ / name), "video,768,144\n");  // four panels of the largest size
    const auto lines = json_lines(variants);
    ASSERT_EQ(lines.size(), 1u) << variants.out;
    EXPECT_EQ(lines[0]["panels"].get<std::vector<std::string>>(),
              (std::vector<std::string>{"bicubic (3x)", "net (1x)", "double (2x)", "triple (3x)"}));
    EXPECT_TRUE(variants.error_contains("left to right: bicubic (3x), net (1x), double (2x), triple (3x)"))
        << variants.error;
  }
  // Without variants: the networks of the first one's scale.
  ProgramOptions here;
  here.folder = folder_.path();
  const ProgramResult found = run({"film", "in.mkv", "-o", "found.mkv", "--model", "nets", "--name", "slow-double",
                                   "--ram", "1G", "--preview", "0:04", "--codec", "ffv1"},
                                  here);
  ASSERT_EQ(found.status, 0) << found.error;
  EXPECT_TRUE(found.error_contains("left to right: bicubic (2x), slow-double (2x), double (2x)")) << found.error;
  EXPECT_EQ(frame_times(folder_ / "found.mkv").size(), 24u);  // the film ends
  EXPECT_EQ(streams_of(folder_ / "found.mkv"), "video,384,96\n");
  EXPECT_EQ(left_over(), std::vector<std::string>{});
  EXPECT_EQ(film({"in.mkv", "-o", "found.mkv", "--preview", "1"}).status, 1);  // it exists
}

TEST_F(CliFilm, APreviewOfATurnedFilmShowsItUprightAndStacked) {
  draw("flat.mp4", 24);
  ASSERT_TRUE(film::run_ffmpeg("-i " + (folder_ / "flat.mp4").native() + " -c copy -metadata:s:v rotate=90 " +
                               (folder_ / "turned.mp4").native()));
  const ProgramResult result = film({"turned.mp4", "-o", "preview.mkv", "--preview", "0", "--codec", "ffv1"});
  ASSERT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(result.error_contains("panels from top to bottom: bicubic (1x), net (1x)")) << result.error;
  EXPECT_EQ(streams_of(folder_ / "preview.mkv"), "video,48,128\n");
}

TEST_F(CliFilm, PreviewsThatCannotBeMadeAreRefused) {
  draw("in.mkv");
  const auto expect_refusal = [&](std::vector<std::string> arguments, const std::string& text) {
    if (std::find(arguments.begin(), arguments.end(), "-o") == arguments.end())
      arguments.insert(arguments.end(), {"-o", "x.mkv"});
    const ProgramResult result = film(std::move(arguments));
    EXPECT_EQ(result.status, 2) << result.error;
    EXPECT_TRUE(result.error_contains(text)) << result.error;
  };
  expect_refusal({"in.mkv", "--preview", "100"}, "in.mkv: no frame from 100 s on; the film is ");
  expect_refusal({"in.mkv", "in.mkv", "--preview", "1"}, "--preview: give one film");
  expect_refusal({".", "--preview", "1"}, "--preview: give one film");
  expect_refusal({"in.mkv", "-o", "out/", "--preview", "1"}, "--preview: the output is a file");
  expect_refusal({"-", "--preview", "1"}, "--preview: not with a pipe");
  expect_refusal({"in.mkv", "--preview", "1", "--dry-run"}, "--preview: not with --dry-run");
  expect_refusal({"in.mkv", "--preview", "1", "--from", "1"}, "not with --from, --to or --limit");
  expect_refusal({"in.mkv", "--preview", "1", "--width", "9000", "--ram", "64G"},
                 "the preview of 2 panels would be 18000x6750");
  expect_refusal({"in.mkv", "-o", "in.mkv", "--preview", "1", "--overwrite"}, "would replace the film itself");
  expect_refusal({"in.mkv", "-o", "x.webm", "--preview", "1"}, "webm cannot hold films of x264");
  EXPECT_EQ(visible_files("."), (std::vector<std::string>{"in.mkv", "nets/net.bin", "nets/net.param"}));
}

TEST_F(CliFilm, AnOutputThatExistsOrIsTheFilmItselfIsNotReplaced) {
  draw("in.mkv");
  folder_.put("foreign.mkv", "of somebody else");
  const ProgramResult foreign = film({"in.mkv", "-o", "foreign.mkv"});
  EXPECT_EQ(foreign.status, 1);
  EXPECT_TRUE(foreign.error_contains("the output foreign.mkv exists; give --overwrite to replace it")) << foreign.error;
  EXPECT_EQ(folder_.text("foreign.mkv"), "of somebody else");
  fs::create_symlink("in.mkv", folder_ / "link.mkv");
  const std::string before = folder_.text("in.mkv");
  for (const char* name : {"in.mkv", "./in.mkv", "link.mkv"}) {
    for (const char* flag : {"-q", "--overwrite"}) {
      const ProgramResult itself = film({"in.mkv", "-o", name, flag});
      EXPECT_EQ(itself.status, 1) << name;
      EXPECT_TRUE(itself.error_contains("the output would replace the film itself")) << itself.error;
    }
  }
  EXPECT_EQ(folder_.text("in.mkv"), before);
  EXPECT_EQ(film({"in.mkv", "-o", "foreign.mkv", "--overwrite"}).status, 0);
  EXPECT_EQ(frame_times(folder_ / "foreign.mkv").size(), 48u);
}

TEST_F(CliFilm, AResultThatAUserChangedIsKept) {
  draw("in.mkv");
  ASSERT_EQ(film({"in.mkv", "-o", "out.mkv"}).status, 0);
  folder_.put("out.mkv", "cut by the user");
  const ProgramResult result = film({"in.mkv", "-o", "out.mkv", "--crf", "30"});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(result.error_contains("is not as weir left it")) << result.error;
  EXPECT_EQ(folder_.text("out.mkv"), "cut by the user");
}

TEST_F(CliFilm, FilesThatAreNoFilmsFailByNameAndTheOthersAreDone) {
  draw("in/good.mkv");
  folder_.put("in/empty.mkv", "");
  folder_.put("in/garbage.mp4", std::string(5000, 'g'));
  ASSERT_TRUE(film::run_ffmpeg("-f lavfi -i sine -t 1 -c:a aac -f mp4 " + (folder_ / "in/sound.mp4").native()));
  const ProgramResult result = film({"in", "missing.mkv", "-o", "out", "--json"});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(result.error_contains("in/sound.mp4: it has no video stream")) << result.error;
  EXPECT_TRUE(result.error_contains("missing.mkv: no such file")) << result.error;
  EXPECT_TRUE(result.error_contains("in/empty.mkv: ")) << result.error;
  EXPECT_TRUE(result.error_contains("in/garbage.mp4: ")) << result.error;
  EXPECT_TRUE(result.error_contains("1 of 5 films done, 4 failed")) << result.error;
  std::vector<std::string> status;
  for (const Json& line : json_lines(result))
    status.push_back(line["input"].get<std::string>() + " " + line["status"].get<std::string>());
  std::sort(status.begin(), status.end());
  EXPECT_EQ(status, (std::vector<std::string>{"in/empty.mkv failed", "in/garbage.mp4 failed", "in/good.mkv done",
                                              "in/sound.mp4 failed", "missing.mkv failed"}));
  EXPECT_EQ(visible_files("out"), (std::vector<std::string>{"good.mkv"}));
}

// --- flags

TEST_F(CliFilm, WrongFlagsAreRefusedBeforeTheFirstFrame) {
  draw("in.mkv");
  struct Case {
    std::vector<std::string> arguments;
    std::string message;
  };
  const std::vector<Case> cases{
      {{"-o", "out/x.mkv"}, "no film given"},
      {{"in.mkv"}, "no output given: -o FILE, -o FOLDER/ or -o -"},
      {{"in.mkv", "-o", "out/x.txt"}, "mkv, mp4, mov, webm and nut are"},
      {{"in.mkv", "-o", "out/x.mkv", "--format", "mp4"}, "--format mp4 contradicts the output's name out/x.mkv"},
      {{"in.mkv", "-o", "out/x.mkv", "--format", "flv"}, "'flv' is none of mkv|mp4|mov|webm|nut|y4m"},
      {{"in.mkv", "-o", "out/x.mkv", "--codec", "h264"}, "'h264' is none of x264|x265|av1|ffv1"},
      {{"in.mkv", "-o", "out/x.mkv", "--crf", "64"}, "--crf: '64' is not a whole number from 0 to 63"},
      {{"in.mkv", "-o", "out/x.mkv", "--codec", "x264", "--crf", "60"}, "x264 takes a crf from 0 to 51, not 60"},
      {{"in.mkv", "-o", "out/x.mkv", "--codec", "ffv1", "--crf", "20"}, "ffv1 has no crf"},
      {{"in.mkv", "-o", "out/x.mkv", "--codec", "ffv1", "--preset", "fast"}, "ffv1 has no presets"},
      {{"in.mkv", "-o", "out/x.mkv", "--preset", "slowish"}, "x264 has no preset 'slowish'; it has ultrafast"},
      {{"in.mkv", "-o", "out/x.mkv", "--codec", "av1", "--preset", "fast"},
       "av1 takes a preset from 0 to 13, not 'fast'"},
      {{"in.mkv", "-o", "out/x.mkv", "--encoder-option", "nonsense"}, "write NAME=VALUE"},
      {{"in.mkv", "-o", "out/x.mkv", "--encoder-option", "nonsense=1"}, "the encoder x264 has no option 'nonsense'"},
      {{"in.mkv", "-o", "out/x.mkv", "--encoder-option", "bf=nonsense"}, "the encoder x264 does not take"},
      {{"in.mkv", "-o", "out/x.mkv", "--encoder-option", "threads=99"}, "--encoder-option threads: '99'"},
      {{"in.mkv", "-o", "out/x.mkv", "--from", "5", "--to", "2"}, "--from is not before --to"},
      {{"in.mkv", "-o", "out/x.mkv", "--from", "1:75"}, "'1:75' is not a time"},
      {{"in.mkv", "-o", "out/x.mkv", "--limit", "0"}, "--limit: '0'"},
      {{"in.mkv", "-o", "out/x.mkv", "--audio", "wax"}, "'wax' is no encoder of sound: --audio copy, aac, opus"},
      {{"in.mkv", "-o", "out/x.mkv", "--deinterlace", "maybe"}, "'maybe' is none of auto|on|off"},
      {{"in.mkv", "-o", "out/x.mkv", "--scale", "2", "--width", "99"}, "exclude each other"},
      {{"in.mkv", "-o", "out/x.mkv", "--variants", "nowhere"}, "--variants: no network named 'nowhere'"},
      {{"in.mkv", "in.mkv", "-o", "out/x.mkv"}, "the output must be a folder here"},
      {{"in.mkv", "-o", "-", "--json"}, "--json and -o - both write to standard output"},
  };
  for (const Case& each : cases) {
    const ProgramResult result = film(each.arguments);
    EXPECT_EQ(result.status, 2) << each.message << ": " << result.error;
    EXPECT_TRUE(result.error_contains(each.message)) << each.message << " is not in: " << result.error;
    EXPECT_EQ(result.error_lines(), 1u) << result.error;
  }
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(CliFilm, AContainerThatCannotHoldTheCodecNamesWhatWouldDo) {
  draw("in.mkv");
  const ProgramResult result = film({"in.mkv", "-o", "out/x.webm"});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(result.error_contains("webm cannot hold films of x264: use mkv or mp4 or mov, or the codec av1"))
      << result.error;
  EXPECT_FALSE(result.error_contains("index")) << result.error;
}

TEST_F(CliFilm, TooLittleMemoryIsRefusedWithTheNumbers) {
  draw("in.mkv");
  const ProgramResult result = film({"in.mkv", "-o", "out/x.mkv", "--ram", "20M"});
  EXPECT_EQ(result.status, 3);
  EXPECT_TRUE(result.error_contains("the memory limit of 20 MiB is too small")) << result.error;
}

TEST_F(CliFilm, EveryCodecCanBeNamed) {
  draw("in.mkv", 12);
  const std::vector<std::vector<std::string>> codecs{
      {"x264", "--preset", "ultrafast"}, {"x265", "--preset", "ultrafast"}, {"av1", "--preset", "12"}, {"ffv1"}};
  for (const auto& codec : codecs) {
    std::vector<std::string> arguments{"in.mkv", "-o", codec[0] + ".mkv", "--scale", "2", "--codec"};
    arguments.insert(arguments.end(), codec.begin(), codec.end());
    const ProgramResult result = film(arguments);
    EXPECT_EQ(result.status, 0) << codec[0] << ": " << result.error;
    EXPECT_EQ(result.error_lines(), 4u) << "a library writes to standard error: " << result.error;
    EXPECT_EQ(frame_times(folder_ / (codec[0] + ".mkv")).size(), 12u) << codec[0];
  }
}

TEST_F(CliFilm, NamesOfFfmpegAndSeveralEncoderOptionsAreTaken) {
  draw("in.mkv");
  ASSERT_EQ(film({"in.mkv", "-o", "a.mkv", "-crf", "30", "-preset", "superfast", "--encoder-option", "tune=animation",
                  "--encoder-option", "bf=0"})
                .status,
            0);
  ASSERT_EQ(film({"in.mkv", "-o", "b.mkv", "--crf", "30", "--preset", "superfast", "--encoder-option", "tune=animation",
                  "--encoder-option", "bf=0"})
                .status,
            0);
  EXPECT_EQ(folder_.text("a.mkv"), folder_.text("b.mkv"));
  ASSERT_EQ(film({"in.mkv", "-o", "c.mkv", "--crf", "30", "--preset", "superfast"}).status, 0);
  EXPECT_NE(folder_.text("a.mkv"), folder_.text("c.mkv"));
}

// --- reports

TEST_F(CliFilm, JsonDescribesAFilmAndQuietSaysNothing) {
  draw("in.mkv");
  const ProgramResult result = film({"in.mkv", "-o", "out.mkv", "--json", "-q"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.error, "");
  const auto lines = json_lines(result);
  ASSERT_EQ(lines.size(), 1u) << result.out;
  const Json& line = lines[0];
  EXPECT_EQ(line["status"], "done");
  EXPECT_EQ(line["input"], "in.mkv");
  EXPECT_EQ(line["output"], "out.mkv");
  EXPECT_EQ(line["frames"], 48);
  EXPECT_EQ(line["size"], "64x48");
  EXPECT_EQ(line["bytes"], fs::file_size(folder_ / "out.mkv"));
  EXPECT_EQ(line["exact_times"], true);
  EXPECT_EQ(line["lost"], Json::array());
  ASSERT_EQ(line["streams"].size(), 2u);
  EXPECT_EQ(line["streams"][1]["codec"], "aac");
  const ProgramResult failed = film({"missing.mkv", "-o", "out/", "--json", "-q"});
  EXPECT_EQ(failed.status, 1);
  EXPECT_EQ(failed.error, "missing.mkv: no such file\nerror: 1 of 1 items failed\n");
  EXPECT_EQ(json_lines(failed).at(0)["error"]["what"], "no such file");
}

TEST_F(CliFilm, AFilmThatFailsInItsSegmentsIsReportedOnce) {
  draw("in.mkv");
  // x264 takes no odd size with this pixel format.
  const ProgramResult result = film({"in.mkv", "-o", "out.mkv", "--resize", "7x5"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(count_of(result.error, "x264"), 1u) << result.error;
  EXPECT_TRUE(result.error_contains("in.mkv")) << result.error;
}

TEST_F(CliFilm, StatusAndReportFindTheRunOfAFilm) {
  draw("in.mkv");
  ASSERT_EQ(film({"in.mkv", "-o", "out.mkv"}).status, 0);
  const ProgramResult status = run({"status", "out.mkv"}, {.folder = folder_.path()});
  EXPECT_EQ(status.status, 0) << status.error;
  EXPECT_NE(status.out.find("1 done"), std::string::npos) << status.out;
  EXPECT_EQ(run({"report", "out.mkv", "-o", "report.html"}, {.folder = folder_.path()}).status, 0);
}

TEST_F(CliFilm, ASmallerVariantIsReportedForTheFilmAndUpgradedLater) {
  ASSERT_TRUE(film::run_ffmpeg("-f lavfi -i testsrc2=s=1920x32:r=24 -frames:v 2 -c:v libx264 -preset ultrafast " +
                               (folder_ / "wide.mkv").native()));
  write_tiny_network(folder_ / "sizes", "large", 2, 8);
  write_tiny_network(folder_ / "sizes", "small");
  const auto with = [&](std::vector<std::string> more, const std::string& network = "large") {
    more.insert(more.begin(), {"film", "wide.mkv", "-o", "out.mkv", "--model", "sizes", "--name", "sizes/" + network,
                               "--json", "--explain", "--preset", "ultrafast"});
    return run(more, {.folder = folder_.path()});
  };
  // Returns the smallest limit in MiB with which a network fits into one process.
  const auto least_ram = [&](const std::string& network) {
    int too_small = 20, enough = 1000;
    while (enough - too_small > 1) {
      const int middle = (too_small + enough) / 2;
      const bool fits = with({"--dry-run", "--ram", std::to_string(middle) + "M"}, network).status == 0;
      (fits ? enough : too_small) = middle;
    }
    return enough;
  };
  const int large = least_ram("large"), small = least_ram("small");
  if (large - small < 4) GTEST_SKIP() << "both networks need the same here";
  const std::string refusal = with({"--ram", "20M"}).error;  // "... for a coordinator (45.8 MiB) ..."
  const std::size_t coordinator_at = refusal.find('(');
  ASSERT_NE(coordinator_at, std::string::npos) << refusal;
  const int limit = (large + small) / 2 + std::stoi(refusal.substr(coordinator_at + 1)) + 1;
  const ProgramResult result = with({"--ram", std::to_string(limit) + "M", "--variants", "sizes/small"});
  ASSERT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(json_lines(result).at(0)["variant"], "sizes/small") << result.out;
  EXPECT_TRUE(with({"--variants", "sizes/small"}).error_contains("wide.mkv: skipped: done before"));
  const ProgramResult up = with({"--variants", "sizes/small", "--upgrade"});
  EXPECT_EQ(up.status, 0) << up.error;
  EXPECT_TRUE(up.error_contains("wide.mkv: done again: made with a smaller variant: sizes/small")) << up.error;
  EXPECT_FALSE(json_lines(up).at(0).contains("variant")) << up.out;
}

// --- damage

class CliDamagedFilm : public CliFilm {
 protected:
  void SetUp() override {
    CliFilm::SetUp();
    if (IsSkipped()) return;
    draw("whole.mkv", 96);
    const std::string whole = folder_.text("whole.mkv");
    folder_.put("cut.mkv", whole.substr(0, whole.size() / 2));
  }
};

TEST_F(CliDamagedFilm, WhatCanBeDecodedIsUsedAndTheDamageIsReported) {
  const ProgramResult result = film({"cut.mkv", "-o", "out.mkv", "--json"});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(result.error_contains("cut.mkv: damaged: ")) << result.error;
  const auto lines = json_lines(result);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["status"], "done");
  EXPECT_TRUE(lines[0].contains("damaged")) << result.out;
  EXPECT_TRUE(fs::exists(folder_ / "out.mkv"));
  const ProgramResult again = film({"cut.mkv", "-o", "out.mkv"});
  EXPECT_EQ(again.status, 1) << again.error;
  EXPECT_TRUE(again.error_contains("cut.mkv: damaged: ")) << again.error;
}

TEST_F(CliDamagedFilm, ADamagedFilmIsRefusedIfTheUserWantsThat) {
  const ProgramResult refused = film({"cut.mkv", "-o", "out.mkv", "--damaged", "refuse"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_TRUE(refused.error_contains("cut.mkv: damaged: ")) << refused.error;
  EXPECT_FALSE(fs::exists(folder_ / "out.mkv"));
  EXPECT_EQ(count_of(refused.error, "damaged: "), 1u) << refused.error;
  const ProgramResult used = film({"cut.mkv", "-o", "out.mkv"});  // without --retry-failed
  EXPECT_EQ(used.status, 1) << used.error;
  EXPECT_TRUE(fs::exists(folder_ / "out.mkv"));
  const ProgramResult again = film({"cut.mkv", "-o", "out.mkv", "--damaged", "refuse"});
  EXPECT_EQ(again.status, 1) << again.error;
  EXPECT_TRUE(again.error_contains("cut.mkv: damaged: ")) << again.error;
}

TEST_F(CliFilm, ItsExamplesWorkAsPrinted) {
  draw("in.mkv", 24);
  fs::create_directories(folder_ / "tapes");
  fs::copy_file(folder_ / "in.mkv", folder_ / "tapes/one.mkv");
  fs::rename(folder_ / "in.mkv", folder_ / "tape.mp4");
  int examples = 0;
  for (const std::string& line : film::lines_of(run({"help", "film"}).out)) {
    const auto begin = line.find("weir film ");
    if (begin == std::string::npos || line.find("[FLAG]") != std::string::npos) continue;
    std::vector<std::string> words;
    std::istringstream text{line.substr(begin + std::string_view{"weir film "}.size())};
    for (std::string word; text >> word;) words.push_back(word == "1:30" ? "0:00.2" : word == "1:40" ? "0:00.8" : word);
    const ProgramResult result = film(words);
    EXPECT_EQ(result.status, 0) << line << "\n" << result.error;
    ++examples;
  }
  EXPECT_EQ(examples, 3);
}

// --- resuming

/// Runs of films of three segments.
class CliResumedFilm : public CliFilm {
 protected:
  void SetUp() override {
    CliFilm::SetUp();
    if (!IsSkipped()) draw("in.mkv", 720);
  }
  ProgramResult film(std::vector<std::string> more = {}, ProgramOptions options = {}) const {
    more.insert(more.begin(), {"in.mkv", "-o", "out/film.mkv", "--explain"});
    return CliFilm::film(more, std::move(options));
  }
  /// Returns how many segments a run made.
  static std::size_t made_segments(const ProgramResult& result) {
    const auto lines = film::lines_of(result.error);
    return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
      return line.find(": frames ") != std::string::npos && line.find(": skipped") == std::string::npos;
    }));
  }
  static bool made_index(const ProgramResult& result) {
    return result.error_contains(": index: to do") || result.error_contains(": index: done again");
  }
  /// Makes the index and all segments, but no film: files cannot become as large as the film. Returns the content that
  /// the film has.
  std::string make_segments_only() const {
    EXPECT_EQ(film().status, 0);
    std::string content = folder_.text("out/film.mkv");
    fs::remove(folder_ / "out/film.mkv");
    const ProgramResult full = film({}, {.max_file_bytes = content.size() * 2 / 3});
    EXPECT_EQ(full.status, 1) << full.error;
    EXPECT_TRUE(full.error_contains("File too large")) << full.error;
    EXPECT_EQ(made_segments(full), 3u) << full.error;
    EXPECT_FALSE(fs::exists(folder_ / "out/film.mkv"));
    return content;
  }
  /// Pauses a run. SIGCONT must not come before it has stopped its workers and itself.
  static void pause(pid_t run) {
    kill(run, SIGTSTP);
    EXPECT_TRUE(wait_until([&] {
      std::ifstream status{"/proc/" + std::to_string(run) + "/stat"};
      std::string pid, name, state;
      return !(status >> pid >> name >> state) || state == "T";
    }));
  }
  fs::path work_folder() const { return folder_ / "out/.film.mkv.weir"; }
};

TEST_F(CliResumedFilm, ASecondRunSkipsTheFilmAndMakesItAgainIfOptionsChange) {
  const ProgramResult first = film();
  ASSERT_EQ(first.status, 0) << first.error;
  EXPECT_EQ(made_segments(first), 3u) << first.error;
  const ProgramResult again = film({"--json"});
  EXPECT_EQ(again.status, 0);
  EXPECT_TRUE(again.error_contains("in.mkv: skipped: done before")) << again.error;
  EXPECT_EQ(json_lines(again).at(0)["status"], "skipped");
  const std::string before = folder_.text("out/film.mkv");
  const ProgramResult other = film({"--crf", "40"});
  EXPECT_EQ(other.status, 0) << other.error;
  EXPECT_EQ(made_segments(other), 3u) << other.error;
  EXPECT_LT(folder_.text("out/film.mkv").size(), before.size());
  ASSERT_EQ(film().status, 0);
  EXPECT_EQ(folder_.text("out/film.mkv"), before);
}

TEST_F(CliResumedFilm, ANetworkThatIsExchangedMakesTheSegmentsAgainAlone) {
  make_segments_only();
  write_film_network(folder_ / "nets", 0.5F);  // the same name
  const ProgramResult result = film();
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(made_segments(result), 3u) << result.error;
  EXPECT_FALSE(made_index(result)) << result.error;
}

TEST_F(CliResumedFilm, AWidthInsteadOfAScaleIsSkippedToo) {
  ASSERT_EQ(film({"--width", "128"}).status, 0);
  const ProgramResult again = film({"--width", "128"});
  EXPECT_TRUE(again.error_contains("in.mkv: skipped: done before")) << again.error;
}

TEST_F(CliResumedFilm, AnotherFilmOfTheSameNameIsIndexedAgainAndNoOldSegmentIsUsed) {
  ASSERT_EQ(film().status, 0);
  draw("in.mkv", 480, "testsrc");
  const ProgramResult result = film();
  ASSERT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(result.error_contains("in.mkv: done again: the input has changed")) << result.error;
  EXPECT_TRUE(made_index(result)) << result.error;
  EXPECT_EQ(made_segments(result), 2u) << result.error;
  EXPECT_EQ(frame_times(folder_ / "out/film.mkv"), frame_times(folder_ / "in.mkv"));
  ASSERT_EQ(CliFilm::film({"in.mkv", "-o", "fresh.mkv"}).status, 0);
  EXPECT_EQ(folder_.text("out/film.mkv"), folder_.text("fresh.mkv"));
}

TEST_F(CliResumedFilm, AFilmThatWasOnlyTouchedKeepsItsSegments) {
  const std::string before = make_segments_only();
  fs::last_write_time(folder_ / "in.mkv", fs::file_time_type::clock::now());
  const ProgramResult joined = film();
  EXPECT_EQ(joined.status, 0) << joined.error;
  EXPECT_EQ(made_segments(joined), 0u) << joined.error;
  EXPECT_EQ(folder_.text("out/film.mkv"), before);
  fs::last_write_time(folder_ / "in.mkv", fs::file_time_type::clock::now());
  EXPECT_TRUE(film().error_contains("in.mkv: skipped: done before"));
}

TEST_F(CliResumedFilm, AFilmThatIsReplacedDuringARunFailsByNameAndIsDoneByTheNextRun) {
  // Once the index is there, another film gets the name.
  draw("other.mkv", 720, "testsrc");
  const auto replace = [&](pid_t child) {
    EXPECT_TRUE(wait_until([&] { return fs::exists(work_folder() / ".index.film_index.done"); }));
    pause(child);
    fs::rename(folder_ / "other.mkv", folder_ / "in.mkv");
    kill(child, SIGCONT);
  };
  const ProgramResult result = film({}, {.while_running = replace});
  EXPECT_EQ(result.status, 1) << result.error;
  EXPECT_TRUE(result.error_contains("the film was changed")) << result.error;
  EXPECT_FALSE(fs::exists(folder_ / "out/film.mkv"));
  const ProgramResult next = film();  // without --retry-failed
  EXPECT_EQ(next.status, 0) << next.error;
  ASSERT_EQ(CliFilm::film({"in.mkv", "-o", "fresh.mkv"}).status, 0);
  EXPECT_EQ(folder_.text("out/film.mkv"), folder_.text("fresh.mkv"));
}

TEST_F(CliResumedFilm, ASegmentThatIsCutOrGoneOrWithoutRecordIsMadeAgainAlone) {
  const std::vector<std::function<void()>> accidents{
      [&] { fs::remove(work_folder() / "00001.nut"); },
      [&] { fs::resize_file(work_folder() / "00001.nut", 1000); },
      [&] { fs::remove(work_folder() / ".00001.nut.film_segment.done"); },
  };
  for (const auto& happens : accidents) {
    const std::string whole = make_segments_only();
    happens();
    const ProgramResult result = film();
    EXPECT_EQ(result.status, 0) << result.error;
    EXPECT_EQ(made_segments(result), 1u) << result.error;
    EXPECT_EQ(folder_.text("out/film.mkv"), whole);
  }
  const std::string before = make_segments_only();
  fs::resize_file(work_folder() / "index", 100);
  const ProgramResult result = film();
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(made_index(result)) << result.error;
  EXPECT_EQ(folder_.text("out/film.mkv"), before);
}

TEST_F(CliResumedFilm, ASecondRunOfTheSameFilmIsRefusedAndNamesTheFirst) {
  const auto start_second = [&](pid_t child) {
    EXPECT_TRUE(wait_until([&] { return fs::exists(work_folder() / "index"); }));
    pause(child);
    const ProgramResult second = film();
    EXPECT_EQ(second.status, 3) << second.error;
    EXPECT_TRUE(second.error_contains("process " + std::to_string(child))) << second.error;
    EXPECT_FALSE(fs::exists(folder_ / "out/film.mkv"));
    kill(child, SIGCONT);
  };
  const ProgramResult first = film({}, {.while_running = start_second});
  EXPECT_EQ(first.status, 0) << first.error;
}

TEST_F(CliResumedFilm, ARunThatIsInterruptedEndsWithStatus4AndIsContinued) {
  const ProgramResult stopped = film({}, {.while_running = [&](pid_t child) {
                                       EXPECT_TRUE(wait_until([&] { return fs::exists(work_folder() / "00000.nut"); }));
                                       kill(child, SIGTERM);
                                     }});
  EXPECT_EQ(stopped.status, 4) << stopped.error;
  EXPECT_EQ(left_over(), std::vector<std::string>{});
  const ProgramResult result = film();
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_LT(made_segments(result), 3u) << result.error;
}

TEST_F(CliResumedFilm, AFullDiskPausesTheRunOrStopsItAndNothingIsLost) {
  const ProgramResult whole = CliFilm::film({"in.mkv", "-o", "whole.mkv"});
  ASSERT_EQ(whole.status, 0) << whole.error;
  fs::create_directory(folder_ / "out");
  if (mount("none", (folder_ / "out").c_str(), "tmpfs", 0, "size=32m") != 0)
    GTEST_SKIP() << "no file system can be mounted here";
  folder_.put("out/filler", std::string(20 << 20, 'x'));  // less room than is left for other programs
  const ProgramResult stopped = film({"--on-full-disk", "stop"});
  EXPECT_EQ(stopped.status, 4) << stopped.error;
  EXPECT_TRUE(stopped.error_contains("the disk is full")) << stopped.error;
  const auto make_room = [&](pid_t) {
    EXPECT_TRUE(wait_until([&] { return folder_.text("log").find("disk_full") != std::string::npos; }));
    fs::remove(folder_ / "out/filler");
  };
  const ProgramResult result = film({"--log", "log"}, {.while_running = make_room});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(result.error_contains("waiting for room")) << result.error;
  EXPECT_EQ(folder_.text("out/film.mkv"), folder_.text("whole.mkv"));
  EXPECT_EQ(left_over(), std::vector<std::string>{});
  EXPECT_EQ(umount((folder_ / "out").c_str()), 0);
}

}  // namespace
}  // namespace weir::test
