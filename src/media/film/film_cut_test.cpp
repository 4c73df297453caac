// A part of a film: its index, its frames, and the joined result.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "joined_films.hpp"
#include "media/film/film_files.hpp"
#include "media/film/frame_hash.hpp"

namespace weir::film {
namespace {

using testing::HasSubstr;

class CutFilm : public JoinedFilms {
 protected:
  std::filesystem::path draw(const std::string& arguments, const std::string& name) {
    std::filesystem::path path = folder_ / name;
    EXPECT_TRUE(run_ffmpeg(arguments + " '" + path.string() + "'")) << arguments;
    return path;
  }
  /// Encodes a part of a film in two segments.
  EncodedFilm encode(const std::filesystem::path& source, std::optional<double> from, std::optional<double> to) {
    IndexSettings settings;
    settings.from = from;
    settings.to = to;
    return encode_film(source, {0, 5}, VideoCodec::x264, folder_, 0, settings);
  }
  void join(const EncodedFilm& film, Container container, const std::string& audio = "copy") {
    ASSERT_FALSE(HasFailure());
    result_ = folder_ / ("result." + std::string{name_of(container)});
    JoinRequest request = film.request(container, result_);
    request.audio = audio;
    auto report = join_film(request);
    ASSERT_TRUE(report) << report.error().what;
    report_ = *std::move(report);
    const auto verified = verify_film(
        {.result = result_, .source = film.source, .index = film.index, .report = report_, .segments = film.segments});
    ASSERT_TRUE(verified) << verified.error().what;
    EXPECT_EQ(verified->frames, static_cast<FrameNumber>(film.index.frames.size()));
  }
  std::string probe_result(const std::string& arguments) const {
    return output_of("ffprobe -v error " + arguments + " -of default=nw=1:nk=1 '" + result_.string() + "'");
  }
  /// The time in s of the first frame that is decoded of a stream.
  double first_time(const std::string& stream) const {
    const auto lines =
        lines_of(probe_result("-select_streams " + stream + " -read_intervals %+0.5 -show_entries frame=pts_time"));
    return lines.empty() ? NAN : std::stod(lines[0]);
  }

  std::filesystem::path result_;
  JoinReport report_;
};

TEST_F(CutFilm, TheIndexHoldsTheFramesOfThePartAndNoOthers) {
  const auto avi = draw("-f lavfi -i testsrc2=s=64x64:r=25:d=4 -c:v libx264 -bf 3 -g 20 -preset veryfast", "film.avi");
  for (const auto& film : {film_case("whole.mp4"), film_case("opengop.mkv"), film_case("interlaced.ts"), avi}) {
    SCOPED_TRACE(film.string());
    const auto whole = index_film(film, {});
    ASSERT_TRUE(whole);
    IndexSettings settings;
    settings.from = 1.21;
    settings.to = 2;
    settings.segments = {.longest = 8, .shortest = 3};
    const auto part = index_film(film, settings);
    ASSERT_TRUE(part) << part.error().what;
    ASSERT_TRUE(part->cut);
    // The sound of these films begins some ms before their frames.
    const FrameNumber before = film == film_case("whole.mp4") || film == film_case("interlaced.ts") ? 30 : 31;
    EXPECT_EQ(part->cut->frames_before, before);
    ASSERT_EQ(static_cast<FrameNumber>(part->frames.size()), 50 - before);
    EXPECT_TRUE(std::equal(part->frames.begin(), part->frames.end(), whole->frames.begin() + before));
    EXPECT_EQ(part->damage, "");
    const auto parsed = parse_film_index(to_text(*part));
    ASSERT_TRUE(parsed) << parsed.error().what;
    EXPECT_EQ(*parsed, *part);
    for (std::size_t segment = 0; segment < part->segments.size(); ++segment) {
      auto reader = SegmentReader::open(film, *part, part->segment(segment), settings_of(*part, {}));
      ASSERT_TRUE(reader);
      const FrameRange range = part->segment(segment);
      for (FrameNumber number = range.first; number < range.end; ++number) {
        const auto frame = (*reader)->next();
        ASSERT_TRUE(frame) << frame.error().what;
        EXPECT_EQ(hash_frame(**frame), whole->frames[static_cast<std::size_t>(before + number)].hash) << number;
      }
    }
  }
}

TEST_F(CutFilm, AnIndexPassThatWasStoppedContinuesWithAnotherPart) {
  IndexSettings settings;
  settings.partial = folder_ / "part";
  std::stop_source stop;
  settings.stop = stop.get_token();
  settings.to = 6;
  settings.progress = [&](FrameNumber frames, double) {
    if (frames == 60) stop.request_stop();
  };
  ASSERT_FALSE(index_film(film_case("opengop.mkv"), settings));
  settings.stop = {};
  settings.progress = {};
  settings.from = 1;
  settings.to = 2;
  const auto part = index_film(film_case("opengop.mkv"), settings);
  ASSERT_TRUE(part) << part.error().what;
  settings.partial.clear();
  const auto fresh = index_film(film_case("opengop.mkv"), settings);
  ASSERT_TRUE(fresh);
  EXPECT_EQ(*part, *fresh);
}

TEST_F(CutFilm, ALimitKeepsTheFirstFramesOfTheRange) {
  const auto avi = draw("-f lavfi -i testsrc2=s=64x64:r=25:d=4 -c:v libx264 -bf 3 -g 20 -preset veryfast", "film.avi");
  for (const auto& film : {film_case("whole.mp4"), film_case("opengop.mkv"), avi}) {
    SCOPED_TRACE(film.string());
    IndexSettings settings;
    settings.from = 1;
    settings.to = 3;
    const auto range = index_film(film, settings);
    ASSERT_TRUE(range);
    const auto count = static_cast<FrameNumber>(range->frames.size());
    for (const FrameNumber limit : {FrameNumber{1}, FrameNumber{10}, count, count + 1}) {
      SCOPED_TRACE(limit);
      settings.limit = limit;
      const auto part = index_film(film, settings);
      ASSERT_TRUE(part) << part.error().what;
      const FrameNumber wanted = std::min(limit, count);
      ASSERT_EQ(static_cast<FrameNumber>(part->frames.size()), wanted);
      EXPECT_TRUE(std::equal(part->frames.begin(), part->frames.end(), range->frames.begin()));
      EXPECT_EQ(part->cut->frames_before, range->cut->frames_before);
      const bool is_shorter = wanted < count;
      EXPECT_EQ(part->cut->end, is_shorter ? range->frames[static_cast<std::size_t>(wanted)].pts : range->cut->end);
      EXPECT_EQ(part->damage, "");
    }
  }
  IndexSettings settings;
  settings.limit = 1000000;
  const auto all = index_film(film_case("whole.mp4"), settings);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->frames, index_film(film_case("whole.mp4"), {})->frames);
  EXPECT_EQ(all->cut->end, std::nullopt);
}

TEST_F(CutFilm, PartsWithoutFramesAreRefused) {
  const auto refusal = [&](double from, double to) {
    IndexSettings settings;
    settings.from = from;
    settings.to = to;
    const auto index = index_film(film_case("whole.mp4"), settings);
    if (index) return std::string{};
    EXPECT_EQ(index.error().code, Errc::invalid_argument);
    return index.error().what;
  };
  EXPECT_THAT(refusal(100, 120), HasSubstr("no frame from 100 s to 120 s; the film is 8.0"));
  EXPECT_THAT(refusal(1.001, 1.002), HasSubstr("no frame from 1.001 s to 1.002 s; the film is 8.0"));
  EXPECT_THAT(refusal(2, 2), HasSubstr("not from 2 to 2 s"));
  EXPECT_THAT(refusal(-1, 2), HasSubstr("not from -1 to 2 s"));
  EXPECT_THAT(refusal(NAN, 2), HasSubstr("not from nan to 2 s"));
  EXPECT_THAT(refusal(0, INFINITY), HasSubstr("not from 0 to inf s"));
}

TEST_F(CutFilm, AllStreamsAreCutToThePart) {
  if (!has_program("ffprobe")) GTEST_SKIP() << "no ffprobe";
  const EncodedFilm film = encode(film_case("sink.mkv"), 1, 2.5);
  for (const Container container : {Container::mkv, Container::mp4}) {
    for (const char* audio : {"copy", "flac", "aac"}) {
      SCOPED_TRACE(std::string{name_of(container)} + " " + audio);
      join(film, container, audio);
      ASSERT_FALSE(HasFailure());
      const double shift =
          static_cast<double>(report_.shift.count) * report_.shift.unit.numerator / report_.shift.unit.denominator;
      EXPECT_LE(shift, container == Container::mp4 ? 0 : 0.097);  // a packet of FLAC
      EXPECT_NEAR(first_time("v:0"), shift, 1e-6);
      if (audio == std::string{"flac"}) {
        EXPECT_NEAR(first_time("a:0"), shift, 0.00101);
        EXPECT_NEAR(first_time("a:1"), shift, 0.00101);
      }
      const auto chapters = lines_of(probe_result("-show_entries chapter=start_time,end_time:chapter_tags=title"));
      ASSERT_EQ(chapters.size(), 6u);
      EXPECT_NEAR(std::stod(chapters[0]), shift, 0.001);
      EXPECT_NEAR(std::stod(chapters[1]), shift + 0.5, 0.01);
      EXPECT_NEAR(std::stod(chapters[4]), shift + 1.5, 0.01);
      EXPECT_EQ(chapters[2], "Arrival");
      EXPECT_EQ(chapters[5], "Cake");
      const std::string text =
          output_of("ffmpeg -v error -copyts -i '" + result_.string() + "' -map 0:s:0 -f srt - 2>/dev/null");
      // The source shows it from 0.507 to 1.507 s, the film begins there at 0.007 s.
      EXPECT_THAT(text, HasSubstr("Hello"));
      EXPECT_THAT(text, testing::Not(HasSubstr("00:00:01,507")));
    }
  }
  EXPECT_THAT(report_.plan.lost, testing::Not(testing::Contains(HasSubstr("chapters"))));
}

TEST_F(CutFilm, ClicksStayWhereTheyWere) {
  if (!has_program("ffprobe")) GTEST_SKIP() << "no ffprobe";
  const auto source = draw(
      "-f lavfi -i testsrc2=s=64x64:r=24000/1001:d=4 -f lavfi -i "
      "\"aevalsrc='if(lt(mod(t+0.25\\,0.5)\\,0.002)\\,0.7\\,0.02*sin(700*t))':s=48000:d=4\" -c:v libx264 -preset "
      "ultrafast -pix_fmt yuv420p -g 30 -c:a aac -b:a 128k",
      "film.mp4");
  const EncodedFilm film = encode(source, 1.3, 3.1);
  const double begin = static_cast<double>(film.index.frames[0].pts) / film.index.time_base.denominator;
  EXPECT_NEAR(begin, 32 * 1001 / 24000.0, 1e-9);
  for (const Container container : {Container::mp4, Container::mkv}) {
    for (const char* audio : {"copy", "flac", "aac", "opus"}) {
      SCOPED_TRACE(std::string{name_of(container)} + " " + audio);
      join(film, container, audio);
      ASSERT_FALSE(HasFailure());
      const std::string raw = output_of("ffmpeg -v error -i '" + result_.string() + "' -map 0:a -f s16le -");
      const double first = first_time("a:0") - first_time("v:0");
      std::vector<double> times;
      for (std::size_t i = 0; i + 1 < raw.size() / 2; ++i) {
        std::int16_t sample = 0;
        std::memcpy(&sample, raw.data() + (2 * i), 2);
        if (std::abs(sample) < 9000) continue;
        times.push_back(first + (static_cast<double>(i) / 48000));
        i += 4800;
      }
      ASSERT_EQ(times.size(), 3u);
      const double tolerance = (container == Container::mkv ? 0.0011 : 1e-6) + (3.0 / 48000);
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_NEAR(times[i], 1.75 + (0.5 * static_cast<double>(i)) - begin, tolerance) << i;
    }
  }
}

TEST_F(CutFilm, APartMayLackSomeStreams) {
  // The sound of late-audio.mp4 begins after this part.
  const EncodedFilm film = encode(film_case("late-audio.mp4"), {}, 0.3);
  for (const Container container : {Container::mkv, Container::mp4}) {
    for (const char* audio : {"copy", "aac", "opus", "flac"}) {
      join(film, container, audio);
      const PlannedStream& sound = report_.plan.streams[1];
      EXPECT_EQ(sound.fate == StreamFate::lost, container == Container::mp4);
      if (container == Container::mp4) {
        EXPECT_EQ(sound.reason, "it has nothing in this part of the film");
      }
    }
  }
}

}  // namespace
}  // namespace weir::film
