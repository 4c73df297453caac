// Tests of the built program: `weir upscale` of several pictures, its workers and checkpoints, also if processes are
// killed. The environment variable WEIR_KILL_ROUNDS sets the number of rounds of the test CliKilled (12 by default).

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <cstdlib>

#include <atomic>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "media/picture/picture_samples_test.hpp"
#include "pictures.hpp"
#include "places.hpp"
#include "program.hpp"
#include "tiny_network.hpp"

namespace weir::test {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

class CliBatch : public ::testing::Test {
 protected:
  void SetUp() override {
    write_tiny_network(folder_ / "nets", "blocks");
    write_tiny_network(folder_ / "nets", "slow", 2, 6);
  }
  std::vector<std::string> upscale_arguments(const std::string& out, std::vector<std::string> more = {}) const {
    std::vector<std::string> all{"upscale", "in", "-o", out, "--ram", "1G", "--model", "nets/" + network_ + ".param"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  ProgramResult upscale(std::vector<std::string> more = {}, ProgramOptions options = {}) const {
    options.folder = folder_.path();
    return run(upscale_arguments("out", std::move(more)), options);
  }
  /// Writes a picture.
  void picture(const fs::path& name, int width = 8, int height = 6) const {
    ASSERT_TRUE(write_picture(folder_ / name, width, height)) << name;
  }
  /// Writes pictures of different sizes: in/0.png, in/1.png, ...
  void pictures(int count, int side = 8) const {
    for (int i = 0; i < count; ++i) picture("in/" + std::to_string(i) + ".png", side + i, side + i * 2);
  }
  /// Returns the names of temporary files and intent records, which no run may leave.
  std::vector<std::string> left_over(const fs::path& where = "out") const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator{folder_ / where}) {
      const std::string name = entry.path().filename().native();
      if (name.ends_with(".tmp") || name.ends_with(".intent")) names.push_back(name);
    }
    return names;
  }
  /// Returns the summary in the JSON lines on standard output; null if there is none.
  static Json summary_of(const ProgramResult& result) {
    std::istringstream lines{result.out};
    Json summary;
    for (std::string line; std::getline(lines, line);) {
      Json json = Json::parse(line);
      if (json.contains("summary")) summary = json["summary"];
    }
    return summary;
  }

  Folder folder_;
  std::string network_ = "blocks";
};

TEST_F(CliBatch, VariantsAreFoundBesideTheModelAndUnknownOnesAreRefusedAtOnce) {
  pictures(2);
  write_tiny_network(folder_ / "nets", "small", 2, 4);
  const ProgramResult unknown = upscale({"--variants", "nowhere"});
  EXPECT_EQ(unknown.status, 2) << unknown.error;
  EXPECT_TRUE(unknown.error_contains("--variants: no network named 'nowhere'")) << unknown.error;
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  EXPECT_EQ(upscale({"--variants", "small"}).status, 0);
}

TEST_F(CliBatch, TheWorkersShareTheSizeOfSpill) {
  const media::PictureInfo picture{
      .width = 100, .height = 40, .colours = 3};  // reading it takes a file of 12,000 bytes
  fs::create_directories(folder_ / "in");
  for (const char* name : {"in/a.png", "in/b.png"})
    media::test::write_test_file(folder_ / name, media::test::interlaced_png(picture, media::test::draw_rows(picture)));
  fs::create_directories(folder_ / "temporary");
  const auto shared = [&](const std::string& devices, const std::string& size) {
    return upscale({"--device", devices, "--spill", "temporary:" + size, "--overwrite"});
  };
  const ProgramResult alone = shared("cpu:0", "16K");
  EXPECT_EQ(alone.status, 0) << alone.error;
  const ProgramResult halves = shared("cpu:0,cpu:1", "16K");
  EXPECT_NE(halves.status, 0);
  EXPECT_TRUE(halves.error_contains("in the --spill folder, the limit is 8 KiB")) << halves.error;
  const ProgramResult ample = shared("cpu:0,cpu:1", "24K");
  EXPECT_EQ(ample.status, 0) << ample.error;
}

TEST_F(CliBatch, ASecondRunSkipsFinishedPicturesAndExplainsTheOthers) {
  pictures(3);
  ASSERT_EQ(upscale().status, 0);
  const ProgramResult again = upscale({"--explain", "--json"});
  EXPECT_EQ(again.status, 0) << again.error;
  EXPECT_TRUE(again.error_contains("in/1.png: skipped: done before")) << again.error;
  EXPECT_EQ(summary_of(again)["skipped"], 3);
  picture("in/1.png", 20, 20);
  fs::remove(folder_ / "out/2.png");
  const ProgramResult changed = upscale({"--explain", "--json"});
  EXPECT_EQ(changed.status, 0) << changed.error;
  EXPECT_TRUE(changed.error_contains("in/1.png: done again: the input has changed")) << changed.error;
  EXPECT_TRUE(changed.error_contains("in/2.png: done again: the output is gone")) << changed.error;
  EXPECT_EQ(summary_of(changed)["redone"], 2);
  const ProgramResult other = upscale({"--scale", "3", "--explain", "-q"});
  EXPECT_EQ(other.status, 0) << other.error;
  EXPECT_EQ(read_picture(folder_ / "out/0.png").info.width, 24);
  fs::remove(folder_ / "in/0.png");  // the result of a removed input stays
  EXPECT_EQ(upscale({"--scale", "3"}).status, 0);
  EXPECT_TRUE(fs::exists(folder_ / "out/0.png"));
}

TEST_F(CliBatch, LostDataIsReportedForEachPictureAndCountedAtTheEnd) {
  pictures(2);
  const std::string plain = folder_.text("in/0.png");
  const std::size_t before_end = plain.size() - 12;  // the last chunk, IEND, has 12 bytes
  // A chunk acTL, which says that the picture is an animation of three frames.
  const std::string animation_chunk{"\0\0\0\bacTL\0\0\0\3\0\0\0\0\xce\xed\xba\xc0", 20};
  folder_.put("in/0.png", plain.substr(0, before_end) + animation_chunk + plain.substr(before_end));
  const ProgramResult result = upscale({"--json"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(result.error_contains("in/0.png: lost frames (the first of 3)")) << result.error;
  EXPECT_FALSE(result.error_contains("in/1.png: lost")) << result.error;
  EXPECT_TRUE(result.error_contains("lost: frames (1 picture)")) << result.error;
  EXPECT_EQ(summary_of(result)["lost"], (Json{{"frames", 1}})) << result.out;
}

TEST_F(CliBatch, PicturesAreDoneAgainIfTheNetworkHasChanged) {
  pictures(2);
  ASSERT_EQ(upscale().status, 0);
  write_tiny_network(folder_ / "nets", "blocks", 2, 1);  // the same name, other files
  const ProgramResult result = upscale({"--explain"});
  EXPECT_TRUE(result.error_contains("done again: made with another")) << result.error;
  EXPECT_TRUE(upscale({"--explain"}).error_contains("skipped"));
}

TEST_F(CliBatch, PicturesWithCheckpointsOfAnotherFormatAreDoneAgainAndReportedOnce) {
  pictures(3);
  ASSERT_EQ(upscale().status, 0);
  for (const char* const name : {"0", "1", "2"}) {
    const std::string record = std::string{"out/."} + name + ".png.upscale.done";
    std::string text = folder_.text(record);
    const auto at = text.find("\"format\":2");
    ASSERT_NE(at, std::string::npos) << text;
    folder_.put(record, text.replace(at, 10, "\"format\":7"));
  }
  const ProgramResult again = upscale({"--json"});
  EXPECT_EQ(again.status, 0) << again.error;
  EXPECT_EQ(summary_of(again)["redone"], 3);
  const std::string line = "done again: its checkpoint has format 7; this weir writes 2 (reported once)";
  const auto first = again.error.find(line);
  ASSERT_NE(first, std::string::npos) << again.error;
  EXPECT_EQ(again.error.find(line, first + 1), std::string::npos) << again.error;
}

TEST_F(CliBatch, SeveralDevicesShareTheWorkAndChangeNoPixel) {
  pictures(6, 30);
  ASSERT_EQ(upscale().status, 0);
  const ProgramResult two =
      run(upscale_arguments("two", {"--device", "cpu:0,cpu:1", "--json"}), {.folder = folder_.path()});
  if (two.error_contains("not all of these processors")) GTEST_SKIP() << "one processor only";
  ASSERT_EQ(two.status, 0) << two.error;
  EXPECT_EQ(summary_of(two)["devices"].size(), 2u);
  for (int i = 0; i < 6; ++i) {
    const std::string name = std::to_string(i) + ".png";
    EXPECT_EQ(folder_.text("out/" + name), folder_.text("two/" + name)) << name;
  }
}

TEST_F(CliBatch, AFailureIsRememberedUntilItsInputChanges) {
  pictures(2);
  folder_.put("in/bad.png", "no picture");
  EXPECT_EQ(upscale().status, 1);
  EXPECT_TRUE(fs::exists(folder_ / "out/.bad.png.upscale.failed"));
  const ProgramResult again = upscale({"--explain"});
  EXPECT_EQ(again.status, 1);
  EXPECT_TRUE(again.error_contains("--retry-failed")) << again.error;
  picture("in/bad.png");
  EXPECT_EQ(upscale().status, 0);
  EXPECT_FALSE(fs::exists(folder_ / "out/.bad.png.upscale.failed"));
}

TEST_F(CliBatch, CheckpointsMayBeInAnotherFolderOrSwitchedOff) {
  pictures(2);
  EXPECT_EQ(upscale({"--checkpoints", "marks"}).status, 0);
  EXPECT_FALSE(fs::exists(folder_ / "out/.0.png.upscale.done"));
  EXPECT_TRUE(upscale({"--checkpoints", "marks", "--explain"}).error_contains("skipped"));
  const ProgramResult none = run(upscale_arguments("bare", {"--no-checkpoints"}), {.folder = folder_.path()});
  EXPECT_EQ(none.status, 0) << none.error;
  EXPECT_EQ(std::distance(fs::directory_iterator{folder_ / "bare"}, {}), 2);
  EXPECT_EQ(upscale({"--checkpoints", "x", "--no-checkpoints"}).status, 2);
}

TEST_F(CliBatch, OnePictureHasACheckpointToo) {
  picture("a.png");
  const std::vector<std::string> arguments{"upscale", "a.png", "-o", "b.png", "--model", "nets/blocks.param"};
  ASSERT_EQ(run(arguments, {.folder = folder_.path()}).status, 0);
  EXPECT_TRUE(fs::exists(folder_ / ".b.png.upscale.done"));
  EXPECT_EQ(run(arguments, {.folder = folder_.path()}).status, 0);  // skipped, and no error
}

TEST_F(CliBatch, ASmallerVariantIsUsedAndUpgradedLater) {
  write_tiny_network(folder_ / "nets", "wide", 2, 12);
  for (const char* name : {"in/a.png", "in/b.png"}) picture(name, 3000, 40);
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all{"upscale", "in", "-o", "out", "--model", "nets", "--name", "nets/wide", "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all, {.folder = folder_.path()});
  };
  if (with({"--ram", "42M"}).status == 0) GTEST_SKIP() << "the large network fits here";
  const ProgramResult result = with({"--ram", "42M", "--variants", "nets/blocks"});
  ASSERT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(result.error_contains("going down to nets/blocks")) << result.error;
  EXPECT_EQ(summary_of(result)["smaller_variant"], 2);
  const ProgramResult kept = with({"--ram", "512M", "--variants", "nets/blocks", "--explain"});
  EXPECT_TRUE(kept.error_contains("in/a.png: skipped: done before")) << kept.error;
  const ProgramResult up = with({"--ram", "512M", "--variants", "nets/blocks", "--explain", "--upgrade"});
  EXPECT_EQ(up.status, 0) << up.error;
  EXPECT_TRUE(up.error_contains("in/a.png: done again: made with a smaller variant: nets/blocks")) << up.error;
  EXPECT_EQ(summary_of(up)["redone"], 2);
  EXPECT_EQ(summary_of(up)["smaller_variant"], 0);
}

TEST_F(CliBatch, StatusReportLogAndMetricsDescribeTheRun) {
  pictures(3);
  folder_.put("in/bad.png", "no picture");
  EXPECT_EQ(upscale({"--log", "log.jsonl", "--metrics-file", "weir.prom", "--metrics", "127.0.0.1:0"}).status, 1);
  const ProgramResult status = run({"status", "out"}, {.folder = folder_.path()});
  EXPECT_EQ(status.status, 1);
  EXPECT_NE(status.out.find("over, process"), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("3 done"), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("bad.png"), std::string::npos) << status.out;
  EXPECT_TRUE(Json::parse(run({"status", "out", "--json"}, {.folder = folder_.path()}).out).contains("devices"));
  EXPECT_NE(folder_.text("weir.prom").find("weir_items_total{result=\"done\"} 3"), std::string::npos);
  std::istringstream lines{folder_.text("log.jsonl")};
  std::set<std::string> events;
  for (std::string line; std::getline(lines, line);) events.insert(Json::parse(line)["event"]);
  for (const char* event :
       {"run_start", "worker_start", "worker_ready", "item_start", "item_done", "item_failed", "run_end"})
    EXPECT_TRUE(events.contains(event)) << event;
  const std::string documented = [] {
    std::ifstream file{fs::path{places::source()} / "docs/events.md"};
    return std::string{std::istreambuf_iterator<char>{file}, {}};
  }();
  for (const auto& event : events) EXPECT_NE(documented.find('`' + event + '`'), std::string::npos) << event;
  EXPECT_EQ(run({"report", "out", "-o", "report.html"}, {.folder = folder_.path()}).status, 0);
  EXPECT_NE(folder_.text("report.html").find("bad.png"), std::string::npos);
  EXPECT_EQ(run({"status", "in"}, {.folder = folder_.path()}).status, 3);
  EXPECT_EQ(run({"report", "log.jsonl", "-o", "-"}, {.folder = folder_.path()}).status, 0);
}

TEST_F(CliBatch, PathsThatCannotBeWrittenAreNamed) {
  pictures(2);
  const ProgramResult result = run(upscale_arguments("/proc/out"), {.folder = folder_.path()});
  EXPECT_EQ(result.status, 3);
  EXPECT_TRUE(result.error_contains("/proc/out")) << result.error;
  EXPECT_EQ(upscale({"--metrics", "nonsense"}).status, 2);
  EXPECT_EQ(upscale({"--log", "/proc/x"}).status, 3);
  EXPECT_EQ(upscale({"--device", "cpu:0,cpu:0"}).status, 2);
  EXPECT_EQ(upscale({"--no-cpu"}).status, 3);
  EXPECT_EQ(run({"worker"}, {}).status, 2);
}

TEST_F(CliBatch, ASecondRunInTheSameFolderNamesTheProcessOfTheFirst) {
  network_ = "slow";
  picture("in/1.png", 3000, 2000);
  picture("in/2.png", 3000, 2000);
  const ProgramResult first = upscale({"-q"}, {.while_running = [&](pid_t child) {
                                        ASSERT_TRUE(wait_until_writing(child, folder_ / "out"));
                                        const ProgramResult second = upscale();
                                        EXPECT_EQ(second.status, 3);
                                        EXPECT_TRUE(second.error_contains("process " + std::to_string(child)))
                                            << second.error;
                                        const ProgramResult status = run({"status", "out"}, {.folder = folder_.path()});
                                        EXPECT_EQ(status.status, 0);
                                        EXPECT_TRUE(status.out.starts_with("running")) << status.out;
                                        kill(child, SIGTERM);
                                      }});
  EXPECT_EQ(first.status, 4);
  EXPECT_EQ(run({"status", "out"}, {.folder = folder_.path()}).status, 4);
}

TEST_F(CliBatch, AFullDiskPausesTheRunUntilSpaceIsFree) {
  const fs::path small_disk = folder_ / "out";
  fs::create_directory(small_disk);
  if (mount("none", small_disk.c_str(), "tmpfs", 0, "size=64m") != 0)
    GTEST_SKIP() << "no file system can be mounted here";
  pictures(3, 200);
  folder_.put("out/filler", std::string(60 << 20, 'x'));
  const auto make_room = [&](pid_t) {
    wait_until([&] { return folder_.text("log").find("disk_full") != std::string::npos; });
    fs::remove(small_disk / "filler");
  };
  const ProgramResult result = upscale({"--log", "log"}, {.while_running = make_room});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(result.error_contains("waiting for room")) << result.error;
  EXPECT_TRUE(left_over().empty());
  folder_.put("out/filler", std::string(60 << 20, 'x'));
  const ProgramResult stopped = upscale({"--overwrite", "--on-full-disk", "stop"});
  EXPECT_EQ(stopped.status, 4) << stopped.error;
  EXPECT_EQ(umount(small_disk.c_str()), 0);
}

TEST_F(CliBatch, AReadOnlyFolderIsNamed) {
  pictures(2);
  const fs::path read_only_disk = folder_ / "out";
  fs::create_directory(read_only_disk);
  if (mount("none", read_only_disk.c_str(), "tmpfs", MS_RDONLY, "size=1m") != 0)
    GTEST_SKIP() << "no file system can be mounted here";
  const ProgramResult result = upscale();
  EXPECT_EQ(result.status, 3);
  EXPECT_TRUE(result.error_contains("out/.weir") && result.error_contains("Read-only file system")) << result.error;
  EXPECT_EQ(result.error_lines(), 1u) << result.error;
  const ProgramResult each = upscale({"--no-checkpoints"});
  EXPECT_EQ(each.status, 1);
  EXPECT_TRUE(each.error_contains("in/0.png: ") && each.error_contains("in/1.png: ") &&
              each.error_contains("Read-only file system"))
      << each.error;
  EXPECT_EQ(umount(read_only_disk.c_str()), 0);
  EXPECT_EQ(upscale().status, 0);
}

TEST_F(CliBatch, AReadOnlyResultIsReplacedWholeAndStaysReadOnly) {
  pictures(2);
  ASSERT_EQ(upscale().status, 0);
  const fs::path output = folder_ / "out/0.png";
  fs::permissions(output, fs::perms::owner_read);
  picture("in/0.png", 20, 10);
  EXPECT_EQ(upscale().status, 0);
  EXPECT_EQ(read_picture(output).info.width, 40);
  EXPECT_EQ(fs::status(output).permissions(), fs::perms::owner_read);
}

TEST_F(CliBatch, VerifyFindsDamageThatTimeAndSizeDoNotShow) {
  pictures(2);
  ASSERT_EQ(upscale().status, 0);
  const fs::path output = folder_ / "out/0.png";
  const auto write_time = fs::last_write_time(output);
  const std::string whole = folder_.text("out/0.png");
  std::string damaged = whole;
  damaged[damaged.size() / 2] ^= 1;
  folder_.put("out/0.png", damaged);
  fs::last_write_time(output, write_time);
  EXPECT_TRUE(upscale({"--explain"}).error_contains("in/0.png: skipped")) << "size and time are unchanged";
  const ProgramResult result = upscale({"--explain", "--verify"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(result.error_contains("in/0.png: done again: the output is damaged")) << result.error;
  EXPECT_TRUE(result.error_contains("in/1.png: skipped: done before")) << result.error;
  EXPECT_EQ(folder_.text("out/0.png"), whole);
}

TEST_F(CliBatch, StandardInputCountsTowardsTheMemoryLimit) {
  pictures(1);
  const std::string bytes =
      folder_.text("in/0.png") + std::string(20 << 20, 'x');  // a picture, and bytes after it that are not read
  // Returns the memory limit in the event run_start, the first line of the log.
  const auto ram_of = [&](const std::string& log) {
    std::istringstream lines{folder_.text(log)};
    std::string line;
    std::getline(lines, line);
    return Json::parse(line)["ram"].get<std::uint64_t>();
  };
  const std::vector<std::string> arguments{"upscale",           "-",     "in/0.png",    "-o",    "out", "--model",
                                           "nets/blocks.param", "--ram", "1073741824B", "--log", "log"};
  const ProgramResult result = run(arguments, {.folder = folder_.path(), .input = bytes});
  ASSERT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(ram_of("log"), (std::uint64_t{1} << 30) - bytes.size());
}

/// Returns the state of a process and the processor time that it has used, in clock ticks: the fields 3 and 14 + 15 of
/// /proc/PID/stat (proc(5)). Returns '?' and 0 if there is no such process.
std::pair<char, long> state_of(pid_t process) {
  std::ifstream file{"/proc/" + std::to_string(process) + "/stat"};
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return {'?', 0};
  std::istringstream fields{line.substr(name_end + 2)};
  char state = '?';
  fields >> state;
  std::string skipped;
  for (int i = 0; i < 10; ++i) fields >> skipped;  // the fields 4 to 13
  long user = 0;
  long system = 0;
  fields >> user >> system;
  return {state, user + system};
}

bool wait_until_stopped(pid_t process) {
  return wait_until([&] { return state_of(process).first == 'T'; });
}

TEST_F(CliBatch, AStoppedRunComputesNothingUntilItIsContinued) {
  network_ = "slow";
  for (const char* name : {"in/1.png", "in/2.png"}) picture(name, 1200, 900);
  const ProgramResult result =
      upscale({"-q", "--stall", "30"}, {.while_running = [&](pid_t child) {
                EXPECT_TRUE(wait_until_writing(child, folder_ / "out"));
                kill(child, SIGTSTP);
                std::vector<pid_t> processes = children_of(child);
                EXPECT_EQ(processes.size(), 1u);
                processes.push_back(child);
                std::map<pid_t, long> ticks;  // processor time of each process
                for (const pid_t each : processes) EXPECT_TRUE(wait_until_stopped(each));
                for (const pid_t each : processes) ticks[each] = state_of(each).second;
                std::this_thread::sleep_for(milliseconds{200});
                for (const pid_t each : processes) EXPECT_EQ(state_of(each).second, ticks[each]);
                EXPECT_NE(run({"status", (folder_ / "out").native()}).out.find("paused"), std::string::npos);
                kill(child, SIGCONT);
              }});
  EXPECT_EQ(result.status, 0) << result.error;
}

TEST_F(CliBatch, AWallClockThatJumpsChangesNothing) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "nothing may be loaded before a sanitizer's library";
#endif
  pictures(6, 40);
  const std::vector<std::pair<std::string, std::string>> clock{{"LD_PRELOAD", places::jumping_clock()}};
  const ProgramResult result = run(upscale_arguments("out", {"--json", "--stall", "60", "--metrics-file", "weir.prom"}),
                                   {.folder = folder_.path(), .variables = clock});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(summary_of(result)["done"], 6);
  EXPECT_EQ(result.error.find("no heartbeat"), std::string::npos) << result.error;
  EXPECT_LT(summary_of(result)["seconds"].get<double>(), 3600) << "a jump counts as work";
  EXPECT_EQ(folder_.text("weir.prom").find("weir_retries_total{"), std::string::npos);
  const ProgramResult again = run(upscale_arguments("out", {"--json"}), {.folder = folder_.path(), .variables = clock});
  EXPECT_EQ(summary_of(again)["skipped"], 6) << again.error;
  std::set<std::string> years;
  std::istringstream lines{folder_.text("out/.weir/events.jsonl")};
  for (std::string line; std::getline(lines, line);)
    years.insert(Json::parse(line)["time"].get<std::string>().substr(0, 4));
  EXPECT_GT(years.size(), 1u) << "the clock did not jump";
}

// --- killed at any moment

/// Returns the names of the outputs that have a checkpoint, with their inode numbers. An output that is written again
/// gets another inode.
std::map<std::string, ino_t> finished_outputs(const fs::path& folder) {
  std::map<std::string, ino_t> outputs;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator{folder, none}) {
    const std::string name = entry.path().filename().native();
    if (!name.ends_with(".upscale.done")) continue;
    const fs::path output = folder / name.substr(1, name.size() - 1 - std::string{".upscale.done"}.size());
    struct stat about {};
    if (stat(output.c_str(), &about) == 0) outputs[output.filename().native()] = about.st_ino;
  }
  return outputs;
}

class CliKilled : public CliBatch {
 protected:
  /// Runs weir, and kills the coordinator or a worker at a random moment.
  ProgramResult run_and_kill(const std::vector<std::string>& extra) {
    ProgramOptions options;
    options.while_running = [&](pid_t coordinator) {
      wait_for_random_moment(coordinator);
      std::vector<pid_t> processes = children_of(coordinator);
      processes.insert(processes.begin(), coordinator);
      const pid_t victim = processes[std::uniform_int_distribution<std::size_t>{0, processes.size() - 1}(random_)];
      ++(victim == coordinator ? coordinators_ : workers_);
      kill(victim, SIGKILL);
    };
    return upscale(extra, options);
  }
  /// Half of the moments are anywhere in the duration of a run. A run writes nothing at its start and end, so the other
  /// half are shortly after a picture was finished.
  void wait_for_random_moment(pid_t coordinator) {
    // Returns a random number from 0 to `most`.
    const auto any = [&](int most) { return std::uniform_int_distribution<int>{0, most}(random_); };
    if (any(1) == 0) return std::this_thread::sleep_for(milliseconds{any(longest_ms_)});
    const std::size_t finished = finished_outputs(folder_ / "out").size() + 1 + static_cast<std::size_t>(any(5));
    for (int i = 0; i < 10000 && state_of(coordinator).first != 'Z'; ++i) {
      if (finished_outputs(folder_ / "out").size() >= finished) break;
      std::this_thread::sleep_for(milliseconds{1});
    }
    std::this_thread::sleep_for(milliseconds{any(10)});
  }

  std::mt19937 random_{20261121};
  int longest_ms_ = 0;                  // duration of a run
  int coordinators_ = 0, workers_ = 0;  // numbers of killed processes
};

TEST_F(CliKilled, AtAnyMomentNothingIsLostDoneTwiceOrLeftHalfWritten) {
  const char* rounds_text = std::getenv("WEIR_KILL_ROUNDS");
  const int rounds = rounds_text == nullptr ? 12 : static_cast<int>(std::strtol(rounds_text, nullptr, 10));
  constexpr int kPictures = 10;
  network_ = "slow";
  pictures(kPictures, 120);
  const bool has_two_cpus = fs::exists("/sys/devices/system/cpu/cpu1");
  const std::vector<std::string> extra{"-q", "--device", has_two_cpus ? "cpu:0,cpu:1" : "cpu:0"};
  const ProgramResult undisturbed = run(upscale_arguments("whole", extra), {.folder = folder_.path()});
  ASSERT_EQ(undisturbed.status, 0) << undisturbed.error;
  longest_ms_ = std::max(100, static_cast<int>(undisturbed.seconds * 1000));
  int worklists = 0;  // number of worklists that were finished
  int kept = 0;       // how often a run found a finished picture of an earlier run, and kept it
  for (int round = 0; round < rounds; ++round) {
    const auto before = finished_outputs(folder_ / "out");
    const ProgramResult result = run_and_kill(extra);
    ASSERT_TRUE(result.status == 0 || result.status == 128 + SIGKILL) << round << ": " << result.status << result.error;
    if (!fs::exists(folder_ / "out")) continue;
    const auto after = finished_outputs(folder_ / "out");
    for (const auto& [name, inode] : before) {
      const auto found = after.find(name);
      ASSERT_TRUE(found != after.end() && found->second == inode) << round << ": " << name << " was done twice";
      ++kept;
    }
    for (int i = 0; i < kPictures; ++i) {
      const std::string name = std::to_string(i) + ".png";
      if (fs::exists(folder_ / "out" / name)) {
        ASSERT_EQ(folder_.text(fs::path{"out"} / name), folder_.text(fs::path{"whole"} / name))
            << round << ": " << name;
      }
    }
    if (result.status != 0) continue;
    ASSERT_EQ(after.size(), static_cast<std::size_t>(kPictures)) << round;
    ASSERT_EQ(left_over(), std::vector<std::string>{}) << round;
    ++worklists;
    fs::remove_all(folder_ / "out");
  }
  const ProgramResult last = upscale(extra);
  EXPECT_EQ(last.status, 0) << last.error;
  EXPECT_EQ(finished_outputs(folder_ / "out").size(), static_cast<std::size_t>(kPictures));
  EXPECT_EQ(left_over(), std::vector<std::string>{});
  std::printf(
      "killed %d coordinators and %d workers in %d rounds; %d worklists were finished; %d times a run found a finished "
      "picture of a run before it, and left it as it was\n",
      coordinators_, workers_, rounds, worklists, kept);
}

}  // namespace
}  // namespace weir::test
