// Enlarges films over pipes with a network that changes nothing, beside the program ffmpeg.
#include "tasks/film/film_stream.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <thread>

#include "film_cases.hpp"
#include "folder.hpp"
#include "identity_network.hpp"
#include "media/film/index_pass.hpp"

namespace weir::film {
namespace {

namespace fs = std::filesystem;

/// The standard input or output of a shell command.
class CommandPipe {
 public:
  CommandPipe(const std::string& command, const char* mode)
      : pipe_{popen(command.c_str(), mode)} {}  // NOLINT(cert-env33-c)
  ~CommandPipe() { close(); }
  CommandPipe(const CommandPipe&) = delete;
  CommandPipe& operator=(const CommandPipe&) = delete;
  int fd() const { return fileno(pipe_); }
  void close() {
    if (pipe_ != nullptr) pclose(pipe_);
    pipe_ = nullptr;
  }

 private:
  FILE* pipe_;
};

constexpr char kFfmpeg[] = "ffmpeg -hide_banner -loglevel error -nostdin ";

std::string text_of(const std::string& command) {
  CommandPipe pipe{command, "r"};
  std::string text;
  char part[4096];
  for (ssize_t got = 0; (got = read(pipe.fd(), part, sizeof part)) > 0;)
    text.append(part, static_cast<std::size_t>(got));
  return text;
}

class FilmStreams : public testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // as prepare_standard_streams() does
    if (text_of("command -v ffmpeg").empty()) GTEST_SKIP() << "no ffmpeg";
    request_.upscale.precision = enhance::Precision::exact;
    request_.upscalers = [this](double) -> Result<std::shared_ptr<enhance::PictureUpscaler>> {
      auto upscaler = enhance::PictureUpscaler::create(identity_network(), request_.upscale);
      if (!upscaler) return upscaler.error();
      return std::shared_ptr<enhance::PictureUpscaler>{*std::move(upscaler)};
    };
    request_.encode.codec = VideoCodec::raw;
  }

  /// Draws a film with ffmpeg.
  fs::path draw(const std::string& name, const std::string& arguments) {
    EXPECT_TRUE(run_ffmpeg(arguments + " '" + (folder_ / name).string() + "'"));
    return folder_ / name;
  }

  /// Runs the output of a command through weir to a file, over pipes.
  Result<StreamReport> stream(const std::string& command, const fs::path& output, Container container) {
    CommandPipe input{command, "r"};
    CommandPipe sink{"cat >'" + output.string() + "'", "w"};
    request_.input = OpenDescriptor{input.fd(), "standard input"};
    request_.output = OpenDescriptor{sink.fd(), "standard output"};
    request_.container = container;
    return run_film_stream(request_);
  }
  static std::string cat(const fs::path& file) { return "cat '" + file.string() + "'"; }

  /// Streams a command into a file.
  Result<StreamReport> stream_to_file(const std::string& command, const fs::path& output, Container container) {
    CommandPipe input{command, "r"};
    request_.input = OpenDescriptor{input.fd(), "standard input"};
    request_.output = output;
    request_.container = container;
    return run_film_stream(request_);
  }

  /// Expects two films to have the same frames, at times that differ by `later` seconds.
  static void expect_same_frames(const fs::path& made, const fs::path& source, bool with_times, double later = 0,
                                 double tolerance = 1e-9) {
    const auto a = index_film(made, {});
    const auto b = index_film(source, {});
    ASSERT_TRUE(a) << a.error().what;
    ASSERT_TRUE(b) << b.error().what;
    EXPECT_EQ(a->pixel_format, b->pixel_format);
    ASSERT_EQ(a->frames.size(), b->frames.size());
    const auto seconds = [](const FilmIndex& index, std::size_t i) {
      return static_cast<double>(index.frames[i].pts) * index.time_base.numerator / index.time_base.denominator;
    };
    for (std::size_t i = 0; i < a->frames.size(); ++i) {
      ASSERT_EQ(a->frames[i].hash, b->frames[i].hash) << "frame " << i;
      if (with_times) {
        ASSERT_NEAR(seconds(*a, i), seconds(*b, i) + later, tolerance) << "frame " << i;
      }
    }
  }

  static bool has_line(const std::vector<std::string>& lines, const std::string& part) {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }

  test::Folder folder_;
  StreamRequest request_;
};

std::string first_line(const fs::path& file) {
  std::ifstream stream{file};
  std::string line;
  std::getline(stream, line);
  return line;
}

TEST_F(FilmStreams, Y4mOfAllKindsComesOutAsItWent) {
  for (const char* format : {"yuv420p", "yuv420p10le", "yuv422p", "yuv422p12le", "yuv444p", "yuv444p16le", "yuv411p",
                             "gray", "gray10le", "yuvj420p"}) {
    SCOPED_TRACE(format);
    const auto source =
        draw("in.y4m",
             "-f lavfi -i testsrc2=size=66x50:rate=30000/1001 -frames:v 5 -strict -1 -pix_fmt " + std::string{format});
    const auto to_y4m = stream(cat(source), folder_ / "out.y4m", Container::y4m);
    ASSERT_TRUE(to_y4m) << to_y4m.error().what;
    EXPECT_EQ(to_y4m->frames, 5);
    EXPECT_EQ(to_y4m->damage, "");
    EXPECT_TRUE(first_line(folder_ / "out.y4m").starts_with(first_line(source))) << first_line(folder_ / "out.y4m");
    expect_same_frames(folder_ / "out.y4m", source, true);
    const auto to_nut = stream(cat(source), folder_ / "out.nut", Container::nut);
    ASSERT_TRUE(to_nut) << to_nut.error().what;
    if (std::string_view{format} != "yuvj420p") expect_same_frames(folder_ / "out.nut", source, true);
  }
}

TEST_F(FilmStreams, TheOrderOfFieldsStays) {
  const auto source = draw("in.y4m",
                           "-f lavfi -i testsrc2=size=64x48:rate=25 -frames:v 3 -vf setfield=tff -flags +ilme+ildct "
                           "-field_order tt -pix_fmt yuv420p");
  ASSERT_NE(first_line(source).find(" It"), std::string::npos) << first_line(source);
  ASSERT_TRUE(stream(cat(source), folder_ / "out.y4m", Container::y4m));
  EXPECT_TRUE(first_line(folder_ / "out.y4m").starts_with(first_line(source))) << first_line(folder_ / "out.y4m");
  const auto to_nut = stream(cat(source), folder_ / "out.nut", Container::nut);
  ASSERT_TRUE(to_nut);
  EXPECT_TRUE(has_line(to_nut->lost, "order of the fields"));
}

/// Draws a film with uneven times, sound and subtitles.
constexpr char kUneven[] =
    "-f lavfi -i testsrc2=size=64x48:rate=50:duration=4 -f lavfi -i sine=frequency=440:duration=4 -i '%s' "
    "-map 0 -map 1 -map 2 -vf \"select='not(mod(n,3))+not(mod(n,7))'\" -vsync passthrough -pix_fmt yuv420p "
    "-c:a %s -c:s ass -c:v %s -f nut";

class StreamsWithSound : public FilmStreams {
 protected:
  fs::path draw_uneven(const std::string& audio, const std::string& video) {
    std::ofstream{folder_ / "in.srt"} << "1\n00:00:00,500 --> 00:00:01,000\nfirst\n\n"
                                         "2\n00:00:03,250 --> 00:00:03,750\nsecond\n\n";
    char arguments[1024];
    std::snprintf(arguments, sizeof arguments, kUneven, (folder_ / "in.srt").c_str(), audio.c_str(), video.c_str());
    return draw("uneven.nut", arguments);
  }
  static std::string copied_streams(const fs::path& file) {
    return text_of(std::string{kFfmpeg} + "-i '" + file.string() + "' -map 0:a -map 0:s -c copy -f framemd5 -");
  }
};

TEST_F(StreamsWithSound, NutKeepsTimesSoundAndSubtitles) {
  const auto source = draw_uneven("pcm_s16le", "rawvideo");
  const auto report = stream(cat(source), folder_ / "out.nut", Container::nut);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->damage, "");
  EXPECT_EQ(report->shift.count, 0);
  expect_same_frames(folder_ / "out.nut", source, true);
  EXPECT_EQ(copied_streams(folder_ / "out.nut"), copied_streams(source));
  EXPECT_FALSE(copied_streams(source).empty());
  // The packets of all streams lie in the order of their times.
  const std::string times =
      text_of("ffprobe -v error -show_entries packet=dts_time -of csv=p=0 '" + (folder_ / "out.nut").string() + "'");
  double last = 0;
  std::istringstream lines{times};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == 'N') continue;
    EXPECT_GE(std::stod(line), last - 0.05);
    last = std::stod(line);
  }
}

TEST_F(StreamsWithSound, AnEncodedFilmIsDecodedAndEncoded) {
  const auto source = draw_uneven("aac", "libx264 -bf 3");
  request_.encode = {.codec = VideoCodec::ffv1};
  const auto report = stream(cat(source), folder_ / "out.nut", Container::nut);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->damage, "");
  expect_same_frames(folder_ / "out.nut", source, true);
  EXPECT_EQ(copied_streams(folder_ / "out.nut"), copied_streams(source));
  // With B-frames the times stay too.
  request_.encode = {.codec = VideoCodec::x264, .crf = 0, .preset = "medium"};
  ASSERT_TRUE(stream(cat(source), folder_ / "x264.nut", Container::nut));
  expect_same_frames(folder_ / "x264.nut", source, true);
}

TEST_F(StreamsWithSound, Y4mSaysWhatItLoses) {
  const auto report = stream(cat(draw_uneven("pcm_s16le", "rawvideo")), folder_ / "out.y4m", Container::y4m);
  ASSERT_TRUE(report) << report.error().what;
  expect_same_frames(folder_ / "out.y4m", folder_ / "uneven.nut", false);
  EXPECT_TRUE(has_line(report->lost, "stream 1 (audio, pcm_s16le): y4m cannot store"));
  EXPECT_TRUE(has_line(report->lost, "stream 2 (subtitles, ass): y4m cannot store"));
  EXPECT_TRUE(has_line(report->lost, "the times of the frames"));
  EXPECT_EQ(report->lost.size(), 3u);
}

TEST_F(StreamsWithSound, AFileIsWrittenInItsContainer) {
  const auto source = draw_uneven("aac", "rawvideo");
  request_.encode = {.codec = VideoCodec::ffv1};
  const auto made = folder_ / "out.mkv";
  auto report = stream_to_file(cat(source), made, Container::mkv);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->lost, std::vector<std::string>{});
  EXPECT_EQ(report->size.count(), fs::file_size(made));
  expect_same_frames(made, source, true, 0, 0.0005001);  // mkv stores times in ms
  EXPECT_EQ(stream_to_file(cat(source), made, Container::mkv).error().code, Errc::exists);
  request_.encode = {.codec = VideoCodec::x264, .crf = 0, .preset = "medium"};
  report = stream_to_file(cat(source), folder_ / "out.mp4", Container::mp4);
  ASSERT_TRUE(report) << report.error().what;
  expect_same_frames(folder_ / "out.mp4", source, true);
}

TEST_F(StreamsWithSound, AStreamThatEndsInTheMiddleGivesItsFramesAndIsTold) {
  const auto source = draw_uneven("pcm_s16le", "rawvideo");
  const auto size = fs::file_size(source);
  for (const auto part : {size / 2, size - 100, size - 1}) {
    SCOPED_TRACE(part);
    fs::remove(folder_ / "out.nut");
    const auto report = stream_to_file("head -c " + std::to_string(part) + " '" + source.string() + "'",
                                       folder_ / "out.nut", Container::nut);
    ASSERT_TRUE(report) << report.error().what;
    EXPECT_NE(report->damage.find("ends in the middle"), std::string::npos) << report->damage;
    const auto made = index_film(folder_ / "out.nut", {});
    ASSERT_TRUE(made);
    EXPECT_EQ(static_cast<FrameNumber>(made->frames.size()), report->frames);
    EXPECT_GT(report->frames, 20);
  }
}

TEST_F(FilmStreams, AY4mThatEndsInAFrameGivesTheFramesBeforeIt) {
  const auto source = draw("in.y4m", "-f lavfi -i testsrc2=size=64x48:rate=25 -frames:v 5 -pix_fmt yuv420p");
  const auto size = fs::file_size(source);
  for (const auto missing : {1, 4000, 4613}) {
    const auto report = stream("head -c " + std::to_string(size - missing) + " '" + source.string() + "'",
                               folder_ / "out.y4m", Container::y4m);
    ASSERT_TRUE(report) << report.error().what;
    EXPECT_EQ(report->frames, 4);
    EXPECT_NE(report->damage.find("ends in the middle"), std::string::npos) << report->damage;
  }
}

TEST_F(FilmStreams, WhatIsNoFilmIsRefusedInOneLine) {
  EXPECT_EQ(stream("true", folder_ / "out", Container::nut).error().what, "standard input: it is empty");
  const auto garbage = stream("seq 100000", folder_ / "out", Container::nut);
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().code, Errc::corrupt);
  EXPECT_EQ(garbage.error().what, "standard input: not a film in y4m, NUT, MKV or MPEG-TS");
  EXPECT_FALSE(stream("head -c 300000 /dev/urandom", folder_ / "out", Container::nut));
  EXPECT_FALSE(stream("printf 'YUV4MPEG2 W64 H48 F25:1 C420\\n'", folder_ / "out", Container::nut));
  // A list of other files is no film either.
  std::ofstream{folder_ / "list"} << "ffconcat version 1.0\nfile '" << (folder_ / "in.y4m").string() << "'\n";
  EXPECT_FALSE(stream(cat(folder_ / "list"), folder_ / "out", Container::nut));
}

TEST_F(FilmStreams, AReaderThatGoesAwayIsAnError) {
  CommandPipe input{std::string{kFfmpeg} + "-f lavfi -i testsrc2=size=64x48:rate=25:duration=1000 -f yuv4mpegpipe -",
                    "r"};
  CommandPipe sink{"head -c 100000 >/dev/null", "w"};
  request_.input = OpenDescriptor{input.fd(), "standard input"};
  request_.output = OpenDescriptor{sink.fd(), "standard output"};
  const auto report = run_film_stream(request_);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Errc::io);
  EXPECT_EQ(report.error().what, "standard output: Broken pipe");
}

TEST_F(FilmStreams, AStopEndsAWaitForTheInputAndTheOutput) {
  int silent[2] = {-1, -1};
  ASSERT_EQ(pipe(silent), 0);
  int full[2] = {-1, -1};
  ASSERT_EQ(pipe(full), 0);
  std::stop_source stop;
  request_.stop = stop.get_token();
  request_.input = OpenDescriptor{silent[0], "standard input"};
  request_.output = OpenDescriptor{full[1], "standard output"};
  {
    const std::jthread stopper{[&] {
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
      stop.request_stop();
    }};
    EXPECT_EQ(run_film_stream(request_).error().code, Errc::cancelled);
  }
  std::stop_source second;
  request_.stop = second.get_token();
  CommandPipe input{std::string{kFfmpeg} + "-f lavfi -i testsrc2=size=64x48:rate=25:duration=9 -f yuv4mpegpipe -", "r"};
  request_.input = OpenDescriptor{input.fd(), "standard input"};
  request_.progress = [&](FrameNumber frames) {
    if (frames == 10) second.request_stop();  // the pipe, which nobody reads, is full or nearly so
  };
  EXPECT_EQ(run_film_stream(request_).error().code, Errc::cancelled);
  for (const int fd : {silent[0], silent[1], full[0], full[1]}) close(fd);
}

TEST_F(FilmStreams, FramesThatRepeatAreComputedOnce) {
  const auto source = draw("in.y4m", "-f lavfi -i testsrc2=size=32x32:rate=5:duration=2 -vf fps=25 -pix_fmt yuv420p");
  const auto report = stream(cat(source), folder_ / "out.y4m", Container::y4m);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->frames, 50);
  EXPECT_EQ(report->repeated, 40);
  expect_same_frames(folder_ / "out.y4m", source, true);
}

TEST_F(FilmStreams, TwoThousandFrames) {
  const auto source = draw("in.nut",
                           "-f lavfi -i testsrc2=size=16x16:rate=25:duration=80 -f lavfi -i sine=duration=80 "
                           "-c:v rawvideo -pix_fmt yuv420p -c:a pcm_s16le");
  const auto report = stream(cat(source), folder_ / "out.nut", Container::nut);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->frames, 2000);
  expect_same_frames(folder_ / "out.nut", source, true);
}

class StreamedFileCases : public FilmStreams, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    FilmStreams::SetUp();
    if (film_case("complete").empty()) GTEST_SKIP() << "no film cases: ffmpeg or ../shared/cases/film is missing";
  }
};

TEST_P(StreamedFileCases, AFileIsReadInOnePass) {
  const auto source = film_case(GetParam());
  request_.input = source;
  request_.encode = {.codec = VideoCodec::ffv1};
  CommandPipe sink{"cat >'" + (folder_ / "out.nut").string() + "'", "w"};
  request_.output = OpenDescriptor{sink.fd(), "standard output"};
  const auto report = run_film_stream(request_);
  sink.close();
  ASSERT_TRUE(report) << report.error().what;
  const double later =
      static_cast<double>(report->shift.count) * report->shift.unit.numerator / report->shift.unit.denominator;
  expect_same_frames(folder_ / "out.nut", source, true, later);
}

INSTANTIATE_TEST_SUITE_P(Film, StreamedFileCases,
                         testing::Values("vfr.mp4", "hdr10.mp4", "odd.webm", "opengop.mkv", "interlaced.ts",
                                         "late-audio.mp4", "late-video.mkv", "one-frame.mp4", "sink.mkv"),
                         [](const auto& case_info) {
                           std::string name = case_info.param;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
                           return name;
                         });

}  // namespace
}  // namespace weir::film
