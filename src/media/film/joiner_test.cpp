#include "media/film/joiner.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include "joined_films.hpp"
#include "media/film/film_files.hpp"
#include "media/film/frame_hash.hpp"

namespace weir::film {
namespace {

using testing::HasSubstr;

std::string probe(const std::filesystem::path& film, const std::string& arguments) {
  return output_of("ffprobe -v error " + arguments + " -of default=nw=1:nk=1 '" + film.string() + "' 2>/dev/null");
}

/// The presentation times in s of all packets of a stream ("v:0") in ascending order, as ffprobe reads them.
std::vector<double> times_of(const std::filesystem::path& film, const std::string& stream) {
  std::vector<double> times;
  for (const std::string& line : lines_of(probe(film, "-select_streams " + stream + " -show_entries packet=pts_time")))
    if (line.find_first_not_of("-0123456789.") == std::string::npos) times.push_back(std::stod(line));
  std::sort(times.begin(), times.end());
  return times;
}

double seconds(std::int64_t count, Fraction unit) {
  return static_cast<double>(count) * unit.numerator / unit.denominator;
}

/// Compares a result with its source by ffprobe alone.
void expect_times_by_ffprobe(const EncodedFilm& film, const JoinReport& report, const std::filesystem::path& result) {
  if (!has_program("ffprobe")) return;
  const double shift = seconds(report.shift.count, report.shift.unit);
  const bool is_rounded = report.plan.container == Container::mkv;
  const std::vector<double> times = times_of(result, "v:0");
  ASSERT_EQ(times.size(), film.index.frames.size());
  for (std::size_t i = 0; i < times.size(); ++i) {
    ASSERT_NEAR(times[i] - shift, seconds(film.index.frames[i].pts, film.index.time_base), is_rounded ? 0.00051 : 2e-6)
        << i;
  }
  const double first_frame = seconds(film.index.frames[0].pts, film.index.time_base);
  for (int audio = 0; audio < 2; ++audio) {
    const std::string stream = "a:" + std::to_string(audio);
    const std::vector<double> before = times_of(film.source, stream), after = times_of(result, stream);
    ASSERT_EQ(before.size(), after.size());
    if (before.empty()) continue;
    // Two roundings to ms in MKV; ffprobe prints microseconds.
    ASSERT_NEAR(after[0] - times[0], before[0] - first_frame, is_rounded ? 0.00101 : 0.00052) << stream;
  }
}

/// Lists of cuts for a film with so many frames.
std::vector<std::vector<FrameNumber>> cuts_of(FrameNumber count) {
  std::vector<std::vector<FrameNumber>> lists{{0}};
  if (count > 3) lists.push_back({0, count / 3, (2 * count / 3) + 1});
  if (count > 20) {
    lists.emplace_back();
    for (FrameNumber first = 0; first < count; first += 11) lists.back().push_back(first);
  }
  return lists;
}

const std::map<std::string, FrameNumber> kFilms{{"vfr.mp4", 87},         {"opengop.mkv", 200}, {"late-audio.mp4", 100},
                                                {"late-video.mkv", 100}, {"hdr10.mp4", 72},    {"interlaced.ts", 75},
                                                {"rotated.mp4", 60},     {"one-frame.mp4", 1}, {"odd.webm", 50},
                                                {"odd-ffv1.mkv", 50},    {"sink.mkv", 96},     {"truncated.mkv", 121},
                                                {"whole.mp4", 200}};

class JoinCases : public JoinedFilms, public testing::WithParamInterface<std::string> {
 protected:
  void expect_join(const EncodedFilm& film, Container container) {
    const auto output = folder_ / ("result." + std::string{name_of(container)});
    const auto report = join_film(film.request(container, output));
    ASSERT_TRUE(report) << report.error().what;
    EXPECT_EQ(report->size.count(), std::filesystem::file_size(output));
    for (const PlannedStream& stream : report->plan.streams) EXPECT_EQ(stream.moved_packets, 0) << stream.source;
    const auto verified = verify_film(
        {.result = output, .source = film.source, .index = film.index, .report = *report, .segments = film.segments});
    ASSERT_TRUE(verified) << verified.error().what;
    EXPECT_EQ(verified->frames, kFilms.at(GetParam()));
    if (container != Container::mkv || film.index.time_base == Fraction{1, 1000}) {
      EXPECT_TRUE(verified->has_exact_times);
    }
    expect_times_by_ffprobe(film, *report, output);
  }
};

TEST_P(JoinCases, ResultsHaveTheFramesAndStreamsOfTheSource) {
  if (GetParam() == "odd.webm") GTEST_SKIP() << "x264 takes no odd sizes with chroma at half resolution";
  for (const auto& cuts : cuts_of(kFilms.at(GetParam()))) {
    SCOPED_TRACE(std::to_string(cuts.size()) + " segments");
    const EncodedFilm film = encode_film(film_case(GetParam()), cuts, VideoCodec::x264, folder_);
    ASSERT_FALSE(HasFailure());
    for (const Container container : {Container::mkv, Container::mp4, Container::mov}) {
      SCOPED_TRACE(name_of(container));
      // MOV has no Opus.
      if (container == Container::mov && (GetParam() == "sink.mkv" || GetParam() == "late-video.mkv")) continue;
      expect_join(film, container);
    }
  }
}

TEST_P(JoinCases, LosslessResultsHaveTheSamples) {
  const FrameNumber count = kFilms.at(GetParam());
  const EncodedFilm film = encode_film(film_case(GetParam()), cuts_of(count).back(), VideoCodec::ffv1, folder_);
  ASSERT_FALSE(HasFailure());
  expect_join(film, Container::mkv);
  const auto index = index_film(folder_ / "result.mkv", {});
  ASSERT_TRUE(index) << index.error().what;
  ASSERT_EQ(index->frames.size(), film.index.frames.size());
  for (std::size_t i = 0; i < index->frames.size(); ++i)
    ASSERT_EQ(index->frames[i].hash, film.index.frames[i].hash) << i;
}

std::vector<std::string> names_of_joined_films() {
  std::vector<std::string> names;
  names.reserve(kFilms.size());
  for (const auto& [name, frames] : kFilms) names.push_back(name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(Film, JoinCases, testing::ValuesIn(names_of_joined_films()), [](const auto& case_info) {
  std::string name = case_info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
});

/// Returns the stream of a plan that was this one in the source.
const PlannedStream& planned(const StreamPlan& plan, int source) {
  return plan.streams[static_cast<std::size_t>(source)];
}

class JoinDetails : public JoinedFilms {
 protected:
  /// Joins and verifies a film, and stores the report in report_ and the path in result_.
  void join(const EncodedFilm& film, Container container) {
    ASSERT_FALSE(HasFailure());
    result_ = folder_ / ("result." + std::string{name_of(container)});
    auto report = join_film(film.request(container, result_));
    ASSERT_TRUE(report) << report.error().what;
    report_ = *std::move(report);
    const auto verified = verify_film(
        {.result = result_, .source = film.source, .index = film.index, .report = report_, .segments = film.segments});
    ASSERT_TRUE(verified) << verified.error().what;
  }
  /// Draws a film with ffmpeg from other films and returns its path.
  std::filesystem::path draw(const std::string& arguments, const std::string& name) {
    std::filesystem::path path = folder_ / name;
    EXPECT_TRUE(run_ffmpeg(arguments + " '" + path.string() + "'")) << arguments;
    return path;
  }

  std::filesystem::path result_;
  JoinReport report_;
};

TEST_F(JoinDetails, MkvKeepsEverythingOfAFilmWithEverything) {
  const auto source = film_case("sink.mkv");
  join(encode_film(source, {0, 50}, VideoCodec::x264, folder_), Container::mkv);
  ASSERT_FALSE(HasFailure());
  EXPECT_THAT(report_.plan.lost, testing::IsEmpty());
  for (const PlannedStream& stream : report_.plan.streams) EXPECT_NE(stream.fate, StreamFate::lost) << stream.source;
  EXPECT_EQ(planned(report_.plan, 2).language, "eng");
  EXPECT_EQ(planned(report_.plan, 2).title, "Commentary");
  EXPECT_EQ(planned(report_.plan, 5).kind, StreamKind::attachment);
  EXPECT_EQ(planned(report_.plan, 6).kind, StreamKind::cover);
  EXPECT_EQ(report_.shift.count, 0);
  if (!has_program("ffprobe")) return;
  for (const char* entries :
       {"-show_entries stream=codec_type,codec_name:stream_tags=language,title,filename,mimetype:stream_disposition",
        "-show_chapters", "-show_entries format_tags=title",
        "-select_streams s -show_entries packet=pts,duration,size,data_hash -show_data_hash md5",
        "-select_streams a -show_entries packet=pts,size,data_hash -show_data_hash md5"}) {
    EXPECT_EQ(probe(result_, entries), probe(source, entries)) << entries;
  }
  if (!has_program("mkvmerge")) return;
  const auto identify = [](const std::filesystem::path& path) {
    return output_of(
        "mkvmerge -J '" + path.string() + "' | grep -E " +
        "'content_type|file_name.*(ttf|jpg)|\"size\"|num_entries|\"language\"|track_name|flag_|forced_|default_track|"
        "codec_delay|minimum_timestamp|\"title\"' | grep -v num_entries.*: | grep -v result.mkv");
  };
  EXPECT_EQ(identify(result_), identify(source));
}

TEST_F(JoinDetails, Mp4ConvertsTextAndReportsWhatItCannotHold) {
  join(encode_film(film_case("sink.mkv"), {0, 50}, VideoCodec::x264, folder_), Container::mp4);
  ASSERT_FALSE(HasFailure());
  for (const int subtitles : {3, 4}) {
    EXPECT_EQ(planned(report_.plan, subtitles).fate, StreamFate::converted);
    EXPECT_EQ(planned(report_.plan, subtitles).codec_name, "mov_text");
  }
  EXPECT_EQ(planned(report_.plan, 5).fate, StreamFate::lost);
  EXPECT_THAT(planned(report_.plan, 5).reason, HasSubstr("mp4 cannot store attachments; mkv can"));
  EXPECT_EQ(planned(report_.plan, 6).fate, StreamFate::copied);
  if (!has_program("ffprobe")) return;
  EXPECT_EQ(probe(result_, "-select_streams a -show_entries stream_tags=language"), "deu\neng\n");
  const std::string text = output_of("ffmpeg -v error -i '" + result_.string() + "' -map 0:s:0 -f srt -");
  EXPECT_THAT(text, HasSubstr("00:00:00,507 --> 00:00:01,507\nHello"));
  const std::string ass = output_of("ffmpeg -v error -i '" + result_.string() + "' -map 0:s:1 -f srt -");
  EXPECT_THAT(ass, testing::AllOf(HasSubstr("00:00:01,007 --> 00:00:02,007\n"), HasSubstr("Bonjour")));
  const std::string chapters = probe(result_, "-show_entries chapter=start_time,end_time:chapter_tags=title");
  EXPECT_THAT(chapters, HasSubstr("0.000000\n1.500000\nArrival\n1.500000\n4.0"));
  EXPECT_EQ(probe(result_, "-select_streams v:1 -show_entries stream=codec_name"), "mjpeg\n");
}

TEST_F(JoinDetails, HdrAndColourTagsAreInTheContainer) {
  const EncodedFilm film = encode_film(film_case("hdr10.mp4"), {0, 30}, VideoCodec::x265, folder_);
  for (const Container container : {Container::mkv, Container::mp4}) {
    join(film, container);
    ASSERT_FALSE(HasFailure());
    EXPECT_THAT(report_.plan.lost, testing::IsEmpty());
    if (!has_program("ffprobe")) continue;
    const char* entries =
        "-select_streams v -show_entries "
        "stream=pix_fmt,color_range,color_space,color_transfer,color_primaries,chroma_location";
    EXPECT_EQ(probe(result_, entries), "yuv420p10le\ntv\nbt2020nc\nsmpte2084\nbt2020\ntopleft\n");
    std::multiset<double> values;
    for (const std::string& line :
         lines_of(probe(result_,
                        "-select_streams v -show_entries stream_side_data=red_x,green_y,white_point_x,"
                        "max_luminance,min_luminance,max_content,max_average"))) {
      const auto slash = line.find('/');
      values.insert(std::stod(line) / (slash == std::string::npos ? 1 : std::stod(line.substr(slash + 1))));
    }
    EXPECT_THAT(values, testing::ElementsAre(0.0001, 0.3127, 0.68, 0.69, 400, 1000, 1000));
    if (container == Container::mp4) {
      EXPECT_EQ(probe(result_, "-select_streams v -show_entries stream=codec_tag_string"), "hvc1\n");
    }
  }
}

TEST_F(JoinDetails, LosslessFilmsHaveColourTagsInTheContainer) {
  EncodedFilm film = encode_film(film_case("interlaced.ts"), {0, 30}, VideoCodec::ffv1, folder_);
  film.display.field_order = AV_FIELD_TT;
  join(film, Container::mkv);
  ASSERT_FALSE(HasFailure());
  EXPECT_THAT(report_.plan.lost, testing::IsEmpty());
  if (!has_program("ffprobe")) return;
  EXPECT_EQ(probe(result_, "-select_streams v -show_entries stream=sample_aspect_ratio,color_space,field_order"),
            "16:15\nbt470bg\ntt\n");
}

TEST_F(JoinDetails, TheOrientationIsKeptByMp4AndReportedByMkv) {
  EncodedFilm film = encode_film(film_case("rotated.mp4"), {0}, VideoCodec::x264, folder_);
  EXPECT_EQ(film.display.orientation, (Orientation{.degrees = 90}));
  for (const bool is_mirrored : {false, true}) {
    for (const int degrees : {90, 180, 270, 0}) {
      film.display.orientation = {.is_mirrored = is_mirrored, .degrees = degrees};
      join(film, Container::mp4);
      ASSERT_FALSE(HasFailure());
      const auto input = open_input(result_);
      ASSERT_TRUE(input);
      EXPECT_EQ(orientation_of(*(*input)->streams[0]), film.display.orientation);
      EXPECT_THAT(report_.plan.lost, testing::IsEmpty());
    }
  }
  film.display.orientation = {.degrees = 90};
  join(film, Container::mp4);
  if (has_program("ffprobe")) {
    EXPECT_EQ(probe(result_, "-show_entries stream_side_data=displaymatrix"),
              probe(film.source, "-show_entries stream_side_data=displaymatrix"));
  }
  join(film, Container::mkv);
  EXPECT_THAT(report_.plan.lost, testing::ElementsAre(HasSubstr("mkv cannot store it; mp4 or mov can")));
}

TEST_F(JoinDetails, SoundOfTransportStreamsLosesItsHeaders) {
  const auto source = draw(
      "-f lavfi -i testsrc2=s=64x64:r=25:d=3 -f lavfi -i sine=440:d=3 -f lavfi -i testsrc2=s=48x48:r=25:d=3 -map 0 "
      "-map 1 "
      "-map 2 -c:v libx264 -preset ultrafast -bf 2 -c:a aac",
      "film.ts");
  const EncodedFilm film = encode_film(source, {0, 30}, VideoCodec::x264, folder_);
  for (const Container container : {Container::mkv, Container::mp4}) {
    join(film, container);
    ASSERT_FALSE(HasFailure());
    if (has_program("ffprobe")) {
      EXPECT_EQ(lines_of(probe(result_, "-show_entries stream=codec_type")),
                (std::vector<std::string>{"video", "audio", "video"}));
      EXPECT_EQ(times_of(result_, "v:1").size(), 75);
    }
    const std::string sound = "ffmpeg -v error -i '" + result_.string() + "' -map 0:a -f md5 -";
    if (has_program("ffmpeg")) {
      EXPECT_EQ(output_of(sound), output_of("ffmpeg -v error -i '" + source.string() + "' -map 0:a -f md5 -"));
    }
  }
}

TEST_F(JoinDetails, AnMp4WithCoverChaptersAndTitlesKeepsThem) {
  const auto mkv = film_case("sink.mkv");
  const auto cover = film_case("cover.jpg");
  const auto source = draw(
      "-i '" + mkv.string() + "' -i '" + cover.string() +
          "' -map 0:v:0 -map 0:a:1 -map 0:s:0 -map 1:v -c:v copy -c:a copy -c:s mov_text -disposition:v:1 attached_pic "
          "-metadata:s:a:0 handler_name=Comments -metadata artist=Somebody",
      "film.mp4");
  const EncodedFilm film = encode_film(source, {0, 40}, VideoCodec::x264, folder_);
  for (const Container container : {Container::mp4, Container::mkv}) {
    join(film, container);
    ASSERT_FALSE(HasFailure());
    EXPECT_THAT(report_.plan.lost, testing::IsEmpty());
    if (!has_program("ffprobe")) continue;
    EXPECT_EQ(probe(result_, "-show_entries format_tags=artist"), "Somebody\n");
    EXPECT_EQ(probe(result_, "-select_streams a -show_entries stream_tags=handler_name,language"),
              container == Container::mp4 ? "eng\nComments\n" : "eng\nComments\n");
    EXPECT_EQ(lines_of(probe(result_, "-show_entries chapter_tags=title")),
              (std::vector<std::string>{"Arrival", "Cake"}));
    EXPECT_EQ(lines_of(probe(result_, "-show_entries stream_disposition=attached_pic")).size(),
              container == Container::mp4 ? 5 : 4);
    const auto text_of = [](const std::filesystem::path& path) {
      return output_of("ffmpeg -v error -copyts -i '" + path.string() + "' -map 0:s -f srt -");
    };
    EXPECT_THAT(text_of(source), HasSubstr("Hello"));
    if (report_.shift.count == 0) {
      EXPECT_EQ(text_of(result_), text_of(source));
    }
  }
}

TEST_F(JoinDetails, WebmHoldsAv1AndOpus) {
  const auto source =
      draw("-f lavfi -i testsrc2=s=64x64:r=25:d=2 -f lavfi -i sine=440:d=2 -i '" + film_case("s.srt").string() +
               "' -map 0 -map 1 -map 2 -c:v libvpx-vp9 -deadline realtime -c:a libopus -c:s webvtt",
           "film.webm");
  join(encode_film(source, {0, 20}, VideoCodec::av1, folder_), Container::webm);
  ASSERT_FALSE(HasFailure());
  EXPECT_THAT(report_.plan.lost, testing::IsEmpty());
  for (const PlannedStream& stream : report_.plan.streams) EXPECT_NE(stream.fate, StreamFate::lost) << stream.reason;
}

TEST_F(JoinDetails, SoundMayBeginBeforeZero) {
  const auto source = draw("-i '" + film_case("late-video.mkv").string() +
                               "' -c copy -bsf:a setts=pts=PTS-700:dts=DTS-700 -avoid_negative_ts disabled",
                           "film.mkv");
  const EncodedFilm film = encode_film(source, {0, 40}, VideoCodec::x264, folder_);
  for (const Container container : {Container::mkv, Container::mp4}) {
    join(film, container);
    ASSERT_FALSE(HasFailure());
    EXPECT_GT(report_.shift.count, 0);
    if (!has_program("ffprobe")) continue;
    EXPECT_NEAR(times_of(result_, "a:0")[0] - times_of(result_, "v:0")[0],
                times_of(source, "a:0")[0] - times_of(source, "v:0")[0], 0.001);
    EXPECT_GE(times_of(result_, "v:0")[0], 0);
  }
}

TEST_F(JoinDetails, TheFilmMayBeginBeforeZero) {
  const EncodedFilm film = encode_film(film_case("opengop.mkv"), {0, 60}, VideoCodec::x264, folder_, 3000);
  ASSERT_EQ(film.index.frames[0].pts, -3000);
  for (const Container container : {Container::mkv, Container::mp4}) {
    join(film, container);
    ASSERT_FALSE(HasFailure());
    EXPECT_EQ(report_.shift.count, 3000);
    if (!has_program("ffprobe")) continue;
    EXPECT_EQ(times_of(result_, "v:0")[1], 0.04);
  }
}

TEST_F(JoinDetails, AFilmWithoutPresentationTimesIsJoined) {
  const auto source = draw(
      "-f lavfi -i testsrc2=s=64x64:r=25:d=3 -f lavfi -i sine=440:d=3 -c:v libx264 -bf 3 -preset veryfast -c:a "
      "libmp3lame",
      "film.avi");
  const EncodedFilm film = encode_film(source, {0, 40}, VideoCodec::x264, folder_);
  EXPECT_TRUE(film.index.has_decoding_times);
  for (const Container container : {Container::mkv, Container::mp4}) {
    join(film, container);
    ASSERT_FALSE(HasFailure());
  }
}

TEST_F(JoinDetails, NutHoldsFilmAndSound) {
  for (const char* name : {"whole.mp4", "late-video.mkv"}) {
    join(encode_film(film_case(name), {0, 40}, VideoCodec::x264, folder_), Container::nut);
    ASSERT_FALSE(HasFailure());
  }
}

TEST_F(JoinDetails, AFullDiskIsReported) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const EncodedFilm film = encode_film(film_case("vfr.mp4"), {0, 40}, VideoCodec::x264, folder_);
  for (const Container container : {Container::mkv, Container::mp4}) {
    const auto report = join_film(film.request(container, "/dev/full"));
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, Errc::disk_full) << report.error().what;
    EXPECT_TRUE(std::filesystem::exists("/dev/full"));
  }
}

TEST(StreamPlan, ImpossiblePairsAreRefusedWithWhatWouldDo) {
  if (film_case("complete").empty()) GTEST_SKIP() << "no film cases";
  const auto refusal = [](const std::string& film, Container container, VideoCodec codec) {
    const auto plan = plan_streams(film_case(film), {.container = container, .codec = codec});
    if (plan) return std::string{};
    EXPECT_EQ(plan.error().code, Errc::unsupported);
    return plan.error().what;
  };
  EXPECT_EQ(refusal("opengop.mkv", Container::webm, VideoCodec::x264),
            "webm cannot hold films of x264: use mkv or mp4 or mov, or the codec av1");
  EXPECT_EQ(refusal("opengop.mkv", Container::mp4, VideoCodec::ffv1),
            "mp4 cannot hold films of ffv1: use mkv, or the codec x264 or x265 or av1");
  EXPECT_THAT(refusal("late-video.mkv", Container::mov, VideoCodec::x264),
              HasSubstr("mov cannot hold audio opus (stream 1): use mkv or mp4 or webm"));
  EXPECT_THAT(refusal("whole.mp4", Container::webm, VideoCodec::av1), HasSubstr("webm cannot hold audio aac"));
  EXPECT_EQ(refusal("whole.mp4", Container::mp4, VideoCodec::av1), "");
}

TEST_F(JoinDetails, WrongSegmentsAreNamed) {
  const EncodedFilm film = encode_film(film_case("vfr.mp4"), {0, 30, 60}, VideoCodec::x264, folder_);
  const auto output = folder_ / "result.mkv";
  const auto refusal = [&](const EncodedFilm& wrong) {
    const auto report = join_film(wrong.request(Container::mkv, output));
    EXPECT_FALSE(std::filesystem::exists(output));
    return report ? std::string{} : report.error().what;
  };
  EncodedFilm wrong = film;
  std::swap(wrong.segments[1], wrong.segments[2]);
  EXPECT_THAT(refusal(wrong), HasSubstr("segment 1 ("));
  wrong = film;
  wrong.segments.pop_back();
  EXPECT_THAT(refusal(wrong), HasSubstr("the film has 3 segments, 2 were given"));
  wrong = film;
  wrong.segments[2] = folder_ / "absent.nut";
  EXPECT_THAT(refusal(wrong), HasSubstr("segment 2: "));
  wrong = film;
  wrong.segments[1] = folder_ / "half.nut";
  std::filesystem::copy_file(film.segments[1], wrong.segments[1]);
  std::filesystem::resize_file(wrong.segments[1], std::filesystem::file_size(wrong.segments[1]) / 2);
  EXPECT_THAT(refusal(wrong), testing::AllOf(HasSubstr("segment 1 ("), HasSubstr(" of 30 frames")));
  wrong = film;
  wrong.segments[2] = folder_ / "other.nut";
  encode_segment(wrong, wrong.index.segment(2), wrong.segments[2], {.codec = VideoCodec::x264, .preset = "fast"});
  EXPECT_THAT(refusal(wrong), testing::AllOf(HasSubstr("segment 2 ("), HasSubstr("extradata")));
  wrong = film;
  wrong.codec = VideoCodec::x265;
  EXPECT_THAT(refusal(wrong), HasSubstr("it holds h264, not hevc"));
  std::stop_source stop;
  stop.request_stop();
  JoinRequest request = film.request(Container::mkv, output);
  request.stop = stop.get_token();
  const auto stopped = join_film(request);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Errc::cancelled);
  EXPECT_FALSE(std::filesystem::exists(output));
}

}  // namespace
}  // namespace weir::film
