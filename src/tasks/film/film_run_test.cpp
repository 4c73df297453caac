// Runs whole films with a coordinator and worker processes: index, segments, the joined and verified result.
#include <unistd.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "film_cases.hpp"
#include "folder.hpp"
#include "jobs/coordinator.hpp"
#include "jobs/run_folder.hpp"
#include "jobs/worker.hpp"
#include "joined_films.hpp"
#include "media/film/index_pass.hpp"
#include "tasks/film/film_kind.hpp"

namespace weir::film {
namespace {

namespace fs = std::filesystem;

jobs::TaskFactories film_factories() { return {{kFilmKind, make_film_task_from_json}}; }

/// The tests start this program again as their workers; without the arguments of a worker it does nothing.
TEST(FilmWorker, Main) {
  const auto arguments = testing::internal::GetArgvs();
  const auto value_of = [&](const std::string& flag) {
    for (std::size_t i = 0; i + 1 < arguments.size(); ++i)
      if (arguments[i] == flag) return arguments[i + 1];
    return std::string{};
  };
  if (value_of("--channel").empty()) return;
  std::_Exit(
      jobs::run_worker(std::stoi(value_of("--channel")), value_of("--device"), film_factories(), tasks::bind_device));
}

/// Writes a network of one convolution that passes its input on.
void write_identity_network(const fs::path& folder) {
  std::ofstream{folder / "identity.param"}
      << "7767517\n2 2\nInput in0 0 1 in0\nConvolution copy 1 1 in0 out0 0=3 1=1 5=0 6=9\n";
  std::ofstream bin{folder / "identity.bin", std::ios::binary};
  const std::uint32_t tag = 0;  // weights of float32
  bin.write(reinterpret_cast<const char*>(&tag), sizeof tag);
  const float weights[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  bin.write(reinterpret_cast<const char*>(weights), sizeof weights);
}

/// Keeps what a run reports.
class Listener final : public jobs::RunObserver {
 public:
  void on_decision(const jobs::Item&, const jobs::Decision&) override {}
  void on_item_result(const jobs::Item& item, const jobs::ItemResult& result) override {
    results.push_back(std::string{jobs::name_of(result.status)} + " " + item.outputs.front().filename().string());
    for (const std::string& note : result.notes) notes += note + "\n";
    if (result.error) errors += result.error->what + "\n";
    if (on_result) on_result(results.back());
  }
  void on_progress(const jobs::RunProgress&) override {}
  void on_message(jobs::Severity, const std::string& text) override { errors += text + "\n"; }
  int count(const std::string& beginning) const {
    return static_cast<int>(std::count_if(results.begin(), results.end(),
                                          [&](const std::string& result) { return result.starts_with(beginning); }));
  }

  std::vector<std::string> results;
  std::string errors, notes;
  std::function<void(const std::string& result)> on_result;  // called with each entry of `results`
};

class FilmRun : public WithFilmCases {
 protected:
  void SetUp() override {
    WithFilmCases::SetUp();
    write_identity_network(folder_.path());
    request_.upscale.network_options.model = folder_ / "identity.param";
    request_.upscale.upscale.precision = enhance::Precision::exact;
    request_.encode.codec = VideoCodec::ffv1;
  }

  jobs::Totals run(const fs::path& film, const fs::path& output) {
    listener_.results.clear();
    listener_.errors.clear();
    listener_.notes.clear();
    jobs::RunSettings settings;
    settings.task = kFilmKind;
    settings.task_settings = to_json(request_);
    settings.worker_command = {fs::read_symlink("/proc/self/exe").native(), "--gtest_filter=FilmWorker.Main"};
    settings.ram_limit = 4_GiB;
    settings.outputs = output.parent_path();
    settings.rules.folder = records_;
    for (const char* name : {"one", "two"}) {
      auto device = jobs::cpu_device("cpu", {}, 1);
      EXPECT_TRUE(device);
      device->name = name;
      settings.devices.push_back(*std::move(device));
    }
    settings.prerequisites = film_prerequisites(request_);
    auto cache = tasks::NetworkCache::open(request_.upscale.network_options);
    EXPECT_TRUE(cache) << (cache ? "" : cache.error().what);
    const std::vector<jobs::Item> items{make_film_item({film, output, segments_}, request_)};
    observe::EventLog events;
    observe::Metrics metrics;
    jobs::Coordinator coordinator{settings,  items,  make_film_identity_source(*cache, request_),
                                  listener_, events, metrics};
    auto totals = coordinator.run();
    EXPECT_TRUE(totals) << (totals ? "" : totals.error().what);
    return totals ? *totals : jobs::Totals{};
  }

  test::Folder folder_;
  fs::path records_;  // empty: records are beside the outputs
  FilmRequest request_;
  SegmentRules segments_{.longest = 40, .shortest = 10};
  Listener listener_;
};

TEST_F(FilmRun, AFilmIsIndexedEnlargedInSegmentsAndJoined) {
  const auto film = film_case("sink.mkv");
  const auto output = folder_ / "out/big.mkv";
  fs::create_directories(folder_ / "out");
  const jobs::Totals totals = run(film, output);
  EXPECT_EQ(totals.done, 1u) << listener_.errors;
  EXPECT_EQ(totals.items, 1u);
  const auto source = index_film(film, {});
  EXPECT_EQ(totals.amount, static_cast<double>(source->frames.size()));
  const auto made = index_film(output, {});
  ASSERT_TRUE(made) << made.error().what;
  ASSERT_EQ(made->frames.size(), source->frames.size());
  for (std::size_t i = 0; i < made->frames.size(); ++i) {
    EXPECT_EQ(made->frames[i].hash, source->frames[i].hash) << i;
    EXPECT_EQ(made->frames[i].pts, source->frames[i].pts) << i;
  }
  EXPECT_FALSE(fs::exists(jobs::work_folder_of(output)));
  EXPECT_EQ(run(film, output).skipped, 1u);
  EXPECT_EQ(listener_.results, (std::vector<std::string>{"skipped big.mkv"}));
}

TEST_F(FilmRun, APartOfAFilmIsEnlargedAndAnotherPartIsAnotherResult) {
  const auto film = film_case("sink.mkv");
  const auto output = folder_ / "out/part.mkv";
  fs::create_directories(folder_ / "out");
  const auto source = index_film(film, {});
  request_.audio = "flac";
  for (const double from : {1.0, 2.0}) {
    request_.from = from;
    request_.to = from + 0.5;
    fs::remove(output);
    EXPECT_EQ(run(film, output).done, 1u) << listener_.errors;
    const auto made = index_film(output, {});
    ASSERT_TRUE(made) << made.error().what;
    ASSERT_EQ(made->frames.size(), 12u);
    EXPECT_EQ(made->frames[0].pts, 0);
    const auto first = static_cast<std::size_t>(from * 24);
    for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(made->frames[i].hash, source->frames[first + i].hash) << i;
  }
  request_.from = 100;
  request_.to.reset();
  fs::remove(output);
  EXPECT_EQ(run(film, output).failed, 1u);
  EXPECT_NE(listener_.errors.find("no frame from 100 s to its end; the film is 4.0"), std::string::npos)
      << listener_.errors;
}

TEST_F(FilmRun, AfterAJoinThatFailedOnlyWhatIsMissingIsMadeAndTheFilmIsTheSame) {
  const auto film = film_case("opengop.mkv");
  request_.encode.codec = VideoCodec::x264;
  request_.encode.preset = "ultrafast";
  const auto output = folder_ / "out/film.mp4";
  fs::create_directories(folder_ / "out");
  ASSERT_EQ(run(film, output).done, 1u) << listener_.errors;
  const std::string first = folder_.text("out/film.mp4");
  const int segments = listener_.count("done 0");
  EXPECT_GT(segments, 2);
  fs::remove(output);
  listener_.on_result = [&](const std::string&) {  // a segment is lost before the join
    if (listener_.count("done 0") == segments) fs::remove(jobs::work_folder_of(output) / segment_name(2));
  };
  EXPECT_EQ(run(film, output).failed, 1u);
  EXPECT_TRUE(fs::exists(jobs::work_folder_of(output) / segment_name(1))) << "kept for the next run";
  listener_.on_result = {};
  ASSERT_EQ(run(film, output).done, 1u) << listener_.errors;
  EXPECT_EQ(listener_.count("done 0"), 1) << "segments made again";
  EXPECT_EQ(listener_.count("skipped index"), 1);
  EXPECT_EQ(folder_.text("out/film.mp4"), first);
  EXPECT_FALSE(fs::exists(jobs::work_folder_of(output)));
}

TEST_F(FilmRun, ASegmentThatFailsFailsTheFilmWithItsNameAndTheOthersAreKept) {
  const auto film = film_case("opengop.mkv");
  const auto output = folder_ / "out/film.mkv";
  fs::create_directories(folder_ / "out");
  records_ = folder_ / "records";
  const fs::path obstacle = jobs::work_folder_of(output) / segment_name(1);
  listener_.on_result = [&](const std::string& result) {
    if (result == "done index") fs::create_directory(obstacle);
  };
  const jobs::Totals totals = run(film, output);
  ASSERT_EQ(totals.failure_messages.size(), 1u);
  EXPECT_NE(totals.failure_messages[0].find("opengop.mkv: frames "), std::string::npos) << totals.failure_messages[0];
  EXPECT_EQ(totals.failure_messages[0].find('\n'), std::string::npos);
  const int done = listener_.count("done 0");
  EXPECT_GT(done, 1);
  listener_.on_result = {};
  fs::remove(obstacle);
  EXPECT_EQ(run(film, output).done, 1u) << listener_.errors;
  EXPECT_EQ(listener_.count("skipped 0"), done);
  EXPECT_EQ(listener_.count("done 0"), 1);
  EXPECT_EQ(folder_.list_files("records").size(), 1u) << "the record of the film";
}

TEST_F(FilmRun, TheWorkFolderOfAFinishedFilmIsRemovedOnResumeWithoutFilesOfOthers) {
  const auto film = film_case("sink.mkv");
  const auto output = folder_ / "out/film.mkv";
  const auto copy = folder_ / "copy";
  fs::create_directories(folder_ / "out");
  listener_.on_result = [&](const std::string& result) {
    if (result == "done film.mkv") fs::copy(jobs::work_folder_of(output), copy);
  };
  ASSERT_EQ(run(film, output).done, 1u) << listener_.errors;
  listener_.on_result = {};
  for (const bool has_other_file : {false, true}) {  // as if the run was killed before it removed the folder
    fs::copy(copy, jobs::work_folder_of(output));
    folder_.put("out/.film.mkv.weir/index.part", "");
    folder_.put("out/.film.mkv.weir/.00000.nut.film_segment.tmp", "");
    if (has_other_file) folder_.put("out/.film.mkv.weir/00000.nut.txt", "");
    EXPECT_EQ(run(film, output).skipped, 1u);
    EXPECT_EQ(fs::exists(jobs::work_folder_of(output)), has_other_file);
  }
  EXPECT_EQ(folder_.list_files("out/.film.mkv.weir"), std::vector<std::string>{"00000.nut.txt"});
}

TEST_F(FilmRun, AWorkerThatIsKilledCostsItsSegmentAlone) {
  const auto film = film_case("whole.mp4");
  request_.encode.codec = VideoCodec::x264;
  request_.encode.preset = "ultrafast";
  const auto output = folder_ / "out/film.mkv";
  fs::create_directories(folder_ / "out");
  bool is_killed = false;
  // Once the first of several segments is done, one of the two workers is killed.
  listener_.on_result = [&](const std::string& result) {
    if (is_killed || !result.starts_with("done 0")) return;
    is_killed = true;
    std::ifstream children{"/proc/self/task/" + std::to_string(getpid()) + "/children"};
    pid_t worker = 0;
    ASSERT_TRUE(children >> worker);
    EXPECT_EQ(kill(worker, SIGKILL), 0);
  };
  EXPECT_EQ(run(film, output).done, 1u) << listener_.errors;
  EXPECT_TRUE(is_killed);
  const auto made = index_film(output, {});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->frames.size(), 200u);
}

/// Returns the hashes of the frames of a film that the program ffmpeg decodes to a pixel format, with a filter before.
std::vector<std::string> decoded_by_ffmpeg(const fs::path& film, const std::string& format,
                                           const std::string& filter = "null") {
  const std::string command = "ffmpeg -hide_banner -loglevel error -nostdin -i '" + film.string() +
                              "' -map 0:v:0 -vf " + filter + " -pix_fmt " + format +
                              " -fps_mode passthrough -f framemd5 -";
  std::vector<std::string> hashes;
  for (const std::string& line : lines_of(output_of(command)))
    if (line[0] != '#') hashes.push_back(line.substr(line.rfind(' ') + 1));
  return hashes;
}

TEST_F(FilmRun, AGifBecomesAFilmWithoutItsTransparency) {
  const auto film = folder_ / "drawn.gif";
  ASSERT_TRUE(
      run_ffmpeg("-f lavfi -i testsrc2=s=64x48:r=10:d=3 -vf 'format=rgba,colorkey=white:0.4,split[a][b];"
                 "[a]palettegen[p];[b][p]paletteuse' '" +
                 film.string() + "'"));
  const auto output = folder_ / "out/big.mkv";
  fs::create_directories(folder_ / "out");
  ASSERT_EQ(run(film, output).done, 1u) << listener_.errors;
  EXPECT_NE(listener_.notes.find("the transparency (alpha) of the film"), std::string::npos) << listener_.notes;
  const auto frames = decoded_by_ffmpeg(film, "gbrp");
  EXPECT_EQ(frames.size(), 30u);
  EXPECT_EQ(decoded_by_ffmpeg(output, "gbrp"), frames);
}

TEST_F(FilmRun, FilmsOfPackedSamplesKeepThem) {
  fs::create_directories(folder_ / "out");
  for (const auto& [packed, planar] : {std::pair{"bgr24", "gbrp"}, {"uyvy422", "yuv422p"}}) {
    const auto film = folder_ / (std::string{packed} + ".avi");
    ASSERT_TRUE(run_ffmpeg("-f lavfi -i testsrc2=s=64x48:r=25:d=2 -c:v rawvideo -pix_fmt " + std::string{packed} +
                           " '" + film.string() + "'"));
    const auto output = folder_ / "out" / (std::string{packed} + ".mkv");
    ASSERT_EQ(run(film, output).done, 1u) << packed << listener_.errors;
    EXPECT_EQ(listener_.notes.find("alpha"), std::string::npos) << listener_.notes;
    const auto frames = decoded_by_ffmpeg(film, planar);
    EXPECT_EQ(frames.size(), 50u);
    EXPECT_EQ(decoded_by_ffmpeg(output, planar), frames) << packed;
  }
}

TEST_F(FilmRun, AFilmOfAPhoneIsTurnedWhereTheContainerCannotTellPlayers) {
  const auto film = film_case("rotated.mp4");
  fs::create_directories(folder_ / "out");
  const auto turned = decoded_by_ffmpeg(film, "yuv420p");  // the program turns the frames
  ASSERT_EQ(turned.size(), 60u);
  ASSERT_EQ(run(film, folder_ / "out/film.mkv").done, 1u) << listener_.errors;
  EXPECT_EQ(listener_.notes.find("orientation"), std::string::npos) << listener_.notes;
  const auto made = index_film(folder_ / "out/film.mkv", {});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->width, 180);
  EXPECT_EQ(made->height, 320);
  EXPECT_EQ(made->orientation, Orientation{});
  EXPECT_EQ(decoded_by_ffmpeg(folder_ / "out/film.mkv", "yuv420p"), turned);
  // MP4 keeps the frames and the matrix.
  request_.encode.codec = VideoCodec::x264;
  request_.encode.preset = "ultrafast";
  ASSERT_EQ(run(film, folder_ / "out/film.mp4").done, 1u) << listener_.errors;
  const auto kept = index_film(folder_ / "out/film.mp4", {});
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->width, 320);
  EXPECT_EQ(kept->orientation, (Orientation{false, 90}));
}

TEST_F(FilmRun, AQuarterTurnInvertsTheAspectOfPixelsAndMakesFullChromaOf422) {
  const auto film = folder_ / "phone.mov";
  ASSERT_TRUE(
      run_ffmpeg("-f lavfi -i testsrc2=s=64x48:r=25:d=1 -vf setsar=16/15 -c:v prores_ks -pix_fmt yuv422p10le '" +
                 film.string() + "'"));
  std::string bytes = folder_.text("phone.mov");
  const std::size_t header = bytes.find("tkhd") + 4;
  constexpr std::size_t kMatrix = 4 + 20 + 8 + 2 + 2 + 2 + 2;  // place of the matrix in version 0 of the box
  const auto put = [&](std::size_t i, std::uint32_t value) {
    for (std::size_t byte = 0; byte < 4; ++byte)
      bytes[header + kMatrix + (4 * i) + byte] = static_cast<char>(value >> (24 - (8 * byte)));
  };
  for (const std::size_t i : {0, 4}) put(i, 0);
  put(1, 0x10000);  // turned by 90 degrees
  put(3, 0xffff0000);
  std::ofstream{film, std::ios::binary} << bytes;
  fs::create_directories(folder_ / "out");
  request_.encode.codec = VideoCodec::x264;
  request_.encode.preset = "ultrafast";
  ASSERT_EQ(run(film, folder_ / "out/film.mkv").done, 1u) << listener_.errors;
  const auto made = index_film(folder_ / "out/film.mkv", {});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->width, 48);
  EXPECT_EQ(made->pixel_format, "yuv444p10le");
  EXPECT_EQ(output_of("ffprobe -v error -select_streams v:0 -show_entries stream=sample_aspect_ratio -of csv=p=0 '" +
                      (folder_ / "out/film.mkv").string() + "'"),
            "15:16\n");
}

TEST_F(FilmRun, AnInterlacedFilmIsDeinterlacedAcrossItsSegments) {
  const auto film = film_case("interlaced.ts");
  fs::create_directories(folder_ / "out");
  segments_ = {.longest = 13, .shortest = 2};
  ASSERT_EQ(run(film, folder_ / "out/film.mkv").done, 1u) << listener_.errors;
  const auto frames = decoded_by_ffmpeg(film, "yuv420p", "bwdif=mode=send_frame");
  ASSERT_EQ(frames.size(), 75u);
  EXPECT_EQ(decoded_by_ffmpeg(folder_ / "out/film.mkv", "yuv420p"), frames);
  const auto made = index_film(folder_ / "out/film.mkv", {});
  ASSERT_TRUE(made);
  EXPECT_FALSE(made->frames[10].is_interlaced);
  EXPECT_NE(output_of("ffprobe -v error -select_streams v:0 -show_entries stream=field_order -of csv=p=0 '" +
                      (folder_ / "out/film.mkv").string() + "'")
                .find("progressive"),
            std::string::npos);
}

TEST_F(FilmRun, AnInterlacedFilmThatIsLeftSoKeepsTheOrderOfItsFields) {
  const auto film = film_case("interlaced.ts");
  fs::create_directories(folder_ / "out");
  request_.deinterlace = Deinterlace::off;
  request_.encode.preset = "ultrafast";
  for (const VideoCodec codec : {VideoCodec::x264, VideoCodec::ffv1}) {
    request_.encode.codec = codec;
    if (codec == VideoCodec::ffv1) request_.encode.preset.clear();
    const auto output = folder_ / "out" / (std::string{name_of(codec)} + ".mkv");
    ASSERT_EQ(run(film, output).done, 1u) << listener_.errors;
    const auto made = index_film(output, {});
    ASSERT_TRUE(made);
    EXPECT_TRUE(made->frames[10].is_interlaced);
    EXPECT_TRUE(made->frames[10].is_top_field_first);
    EXPECT_EQ(output_of("ffprobe -v error -select_streams v:0 -show_entries stream=field_order -of csv=p=0 '" +
                        output.string() + "'"),
              "tt\n");
  }
}

TEST_F(FilmRun, AFilmWhoseFlagsAndContentContradictFailsBeforeItIsEnlarged) {
  const auto film = folder_ / "plain.mkv";
  ASSERT_TRUE(
      run_ffmpeg("-f lavfi -i mandelbrot=s=64x48:r=50 -vf tinterlace=interleave_top,setfield=prog -frames:v 50 "
                 "-c:v ffv1 -pix_fmt yuv420p '" +
                 film.string() + "'"));
  fs::create_directories(folder_ / "out");
  const jobs::Totals totals = run(film, folder_ / "out/film.mkv");
  EXPECT_EQ(totals.failed, 1u);
  EXPECT_EQ(listener_.count("done 0"), 0) << "segments were made";
  EXPECT_NE(listener_.errors.find("give --deinterlace on"), std::string::npos) << listener_.errors;
  request_.deinterlace = Deinterlace::on;
  ASSERT_EQ(run(film, folder_ / "out/film.mkv").done, 1u) << listener_.errors;
  EXPECT_EQ(decoded_by_ffmpeg(folder_ / "out/film.mkv", "yuv420p"),
            decoded_by_ffmpeg(film, "yuv420p", "setfield=tff,bwdif=mode=send_frame"));
}

TEST_F(FilmRun, AFileThatIsNoFilmFailsByName) {
  const auto output = folder_ / "out/film.mkv";
  fs::create_directories(folder_ / "out");
  const jobs::Totals totals = run(film_case("truncated.mp4"), output);
  EXPECT_EQ(totals.failed, 1u);
  ASSERT_EQ(totals.failure_messages.size(), 1u);
  EXPECT_NE(totals.failure_messages[0].find("truncated.mp4"), std::string::npos);
  EXPECT_FALSE(fs::exists(output));
}

}  // namespace
}  // namespace weir::film
