// Enlarges segments of the drawn films. With a network that changes nothing, the encoded frames are those of the film.
#include "tasks/film/segment_run.hpp"

#include <unistd.h>

#include <gtest/gtest.h>

#include <algorithm>

#include "enhance/picture_upscaler.hpp"
#include "identity_network.hpp"
#include "joined_films.hpp"
#include "media/film/frame_data.hpp"
#include "media/film/frame_hash.hpp"
#include "media/film/index_pass.hpp"
#include "media/film/segment_reader.hpp"

namespace weir::film {
namespace {

/// A film that is opened, and a network that changes nothing.
struct Opened {
  FilmIndex index;
  FrameFormat source;
  std::unique_ptr<enhance::PictureUpscaler> upscaler;
  enhance::UpscalePlan plan;
};

Opened open_film(const std::filesystem::path& film) {
  Opened opened;
  opened.index = *index_film(film, {});
  auto reader = SegmentReader::open(film, opened.index, {0, 1}, settings_of(opened.index, {}));
  opened.source = *describe_format(**(*reader)->next());
  enhance::UpscaleSettings settings;
  settings.precision = enhance::Precision::exact;
  const auto network = identity_network();
  opened.upscaler = *enhance::PictureUpscaler::create(network, settings);
  media::WriteOptions output;
  output.row_format = enhance::rows_info(*network, network_picture(opened.source), settings);
  auto plan = opened.upscaler->plan(network_picture(opened.source), {}, output);
  EXPECT_TRUE(plan) << (plan ? "" : plan.error().what);
  opened.plan = *std::move(plan);
  return opened;
}

class SegmentRunCases : public WithFilmCases, public testing::WithParamInterface<const char*> {
 protected:
  std::filesystem::path output_ =
      std::filesystem::path{testing::TempDir()} / ("weir_run_" + std::to_string(getpid()) + ".nut");
  void TearDown() override { std::filesystem::remove(output_); }
};

TEST_P(SegmentRunCases, ANetworkThatChangesNothingGivesTheFramesOfTheFilm) {
  const auto film = film_case(GetParam());
  Opened opened = open_film(film);
  const auto count = static_cast<FrameNumber>(opened.index.frames.size());
  const FrameRange range{count / 3, std::min(count / 3 + 20, count)};
  const auto format = format_for_codec(opened.source, VideoCodec::ffv1);
  ASSERT_TRUE(format) << format.error().what;
  SegmentFormat segment{.frames = *format, .time_base = opened.index.time_base};
  const EncodeSettings encoder{.codec = VideoCodec::ffv1};
  FrameNumber progress = 0;
  const auto report = run_segment({.film = film,
                                   .index = opened.index,
                                   .range = range,
                                   .output = output_,
                                   .source = opened.source,
                                   .format = segment,
                                   .network_result = opened.source.luma_size(),
                                   .encoder = encoder,
                                   .upscaler = *opened.upscaler,
                                   .plan = opened.plan,
                                   .progress = [&](FrameNumber frames) { progress = frames; },
                                   .stop = {}});
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->frames, range.count());
  EXPECT_EQ(progress, range.count());
  const auto made = index_film(output_, {});
  ASSERT_TRUE(made) << made.error().what;
  ASSERT_EQ(static_cast<FrameNumber>(made->frames.size()), range.count());
  for (FrameNumber i = 0; i < range.count(); ++i) {
    EXPECT_EQ(made->frames[static_cast<std::size_t>(i)].hash,
              opened.index.frames[static_cast<std::size_t>(range.first + i)].hash)
        << "frame " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Film, SegmentRunCases,
                         testing::Values("vfr.mp4", "hdr10.mp4", "odd.webm", "odd-ffv1.mkv", "opengop.mkv",
                                         "interlaced.ts", "one-frame.mp4", "truncated.mkv"),
                         [](const auto& case_info) {
                           std::string name = case_info.param;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
                           return name;
                         });

class SegmentRunCaptions : public WithFilmCases {
 protected:
  std::filesystem::path output_ =
      std::filesystem::path{testing::TempDir()} / ("weir_captions_" + std::to_string(getpid()) + ".nut");
  void TearDown() override { std::filesystem::remove(output_); }
};

TEST_F(SegmentRunCaptions, ClosedCaptionsAreKeptByX264) {
  const auto drawn = film_case("opengop.mkv");
  const Opened plain = open_film(drawn);
  constexpr FrameNumber kFrames = 40;
  const auto captions_for = [](FrameNumber number) {
    return std::vector<std::uint8_t>{0xFC, static_cast<std::uint8_t>(0x80 + number), 0x20};
  };
  // A film with captions.
  const SegmentFormat format{.frames = plain.source, .time_base = plain.index.time_base, .frame_rate = {25, 1}};
  const EncodeSettings settings{.preset = "veryfast"};
  const std::filesystem::path film = output_.string() + ".film.nut";
  {
    auto reader = SegmentReader::open(drawn, plain.index, {0, kFrames}, settings_of(plain.index, {}));
    auto encoder = SegmentEncoder::create(film, format, settings);
    ASSERT_TRUE(reader && encoder);
    for (FrameNumber number = 0; number < kFrames; ++number) {
      const auto frame = (*reader)->next();
      auto copy = (*encoder)->next_frame();
      ASSERT_TRUE(frame && copy);
      ASSERT_GE(av_frame_copy(*copy, *frame), 0);
      ASSERT_TRUE(add_captions(captions_for(number), **copy));
      ASSERT_TRUE((*encoder)->write(plain.index.frames[static_cast<std::size_t>(number)].pts, 0));
    }
    ASSERT_TRUE((*encoder)->finish());
  }
  Opened opened = open_film(film);
  EXPECT_TRUE(find_lost_frame_data(opened.index.data_kinds(), VideoCodec::x264).empty());
  EXPECT_EQ(find_lost_frame_data(opened.index.data_kinds(), VideoCodec::x265),
            std::vector<std::string>{
                "closed captions, which frames of the film carry (x265 cannot store them here; x264 can)"});
  const SegmentFormat segment{.frames = opened.source, .time_base = opened.index.time_base, .frame_rate = {25, 1}};
  const auto report = run_segment({.film = film,
                                   .index = opened.index,
                                   .range = {10, kFrames},
                                   .output = output_,
                                   .source = opened.source,
                                   .format = segment,
                                   .network_result = opened.source.luma_size(),
                                   .encoder = settings,
                                   .upscaler = *opened.upscaler,
                                   .plan = opened.plan,
                                   .progress = {},
                                   .stop = {}});
  ASSERT_TRUE(report) << report.error().what;
  auto made = FilmReader::open(output_, {});
  ASSERT_TRUE(made);
  for (FrameNumber number = 10; number < kFrames; ++number) {
    const auto decoded = (*made)->next();
    ASSERT_TRUE(decoded && decoded->frame != nullptr);
    const auto captions = captions_of(*decoded->frame);
    EXPECT_EQ((std::vector<std::uint8_t>{captions.begin(), captions.end()}), captions_for(number)) << number;
  }
  if (has_program("ffprobe")) {
    const std::string probed = output_of("ffprobe -v error -show_entries frame_side_data=side_data_type -of csv '" +
                                         output_.string() + "' | grep -c 'A53 Part 4 Closed Captions'");
    EXPECT_EQ(probed, "30\n");
  }
  std::filesystem::remove(film);
}

class SegmentRunFaults : public WithFilmCases {};

TEST_F(SegmentRunFaults, AStopEndsAllStages) {
  const auto film = film_case("opengop.mkv");
  Opened opened = open_film(film);
  const std::filesystem::path output =
      std::filesystem::path{testing::TempDir()} / ("weir_run_" + std::to_string(getpid()) + ".nut");
  std::stop_source stop;
  SegmentFormat segment{.frames = opened.source, .time_base = opened.index.time_base};
  const EncodeSettings encoder;
  const auto report = run_segment({.film = film,
                                   .index = opened.index,
                                   .range = {0, 200},
                                   .output = output,
                                   .source = opened.source,
                                   .format = segment,
                                   .network_result = opened.source.luma_size(),
                                   .encoder = encoder,
                                   .upscaler = *opened.upscaler,
                                   .plan = opened.plan,
                                   .progress =
                                       [&](FrameNumber frames) {
                                         if (frames == 5) stop.request_stop();
                                       },
                                   .stop = stop.get_token()});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Errc::cancelled) << report.error().what;
  std::filesystem::remove(output);
}

TEST_F(SegmentRunFaults, AnErrorOfOneStageEndsAllOthers) {
  const auto film = film_case("opengop.mkv");
  Opened opened = open_film(film);
  opened.index.frames[30].hash ^= 1;  // the film seems to have changed
  const std::filesystem::path output =
      std::filesystem::path{testing::TempDir()} / ("weir_run_" + std::to_string(getpid()) + ".nut");
  SegmentFormat segment{.frames = opened.source, .time_base = opened.index.time_base};
  const EncodeSettings encoder;
  const auto report = run_segment({.film = film,
                                   .index = opened.index,
                                   .range = {0, 200},
                                   .output = output,
                                   .source = opened.source,
                                   .format = segment,
                                   .network_result = opened.source.luma_size(),
                                   .encoder = encoder,
                                   .upscaler = *opened.upscaler,
                                   .plan = opened.plan,
                                   .progress = {},
                                   .stop = {}});
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().what.find("frame 30 is not as in the index"), std::string::npos) << report.error().what;
  std::filesystem::remove(output);
}

}  // namespace
}  // namespace weir::film
