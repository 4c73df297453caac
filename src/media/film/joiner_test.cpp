#include "media/film/joiner.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include "joined_films.hpp"
#include "media/film/film_files.hpp"
#include "media/film/frame_hash.hpp"

namespace weir::film {
namespace {

using testing::HasSubstr;

std::string probe(const std::filesystem::path& film, const std::string& arguments) {
  return output_of("ffprobe -v error " + arguments + " -of default=nw=1:nk=1 '" + film.string() + "'");
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
    EXPECT_EQ(report->moved_packets, 0);
    const auto verified =
        verify_film({.result = output, .source = film.source, .index = film.index, .report = *report});
    ASSERT_TRUE(verified) << verified.error().what;
    EXPECT_EQ(verified->frames, kFilms.at(GetParam()));
    if (container != Container::mkv || film.index.time_base == Fraction{1, 1000}) {
      EXPECT_TRUE(verified->has_exact_times);
    }
    expect_times_by_ffprobe(film, *report, output);
  }
};

TEST_P(JoinCases, ResultsHaveTheFramesAndStreamsOfTheSource) {
  for (const auto& cuts : cuts_of(kFilms.at(GetParam()))) {
    SCOPED_TRACE(std::to_string(cuts.size()) + " segments");
    // x264 takes no odd sizes with chroma at half resolution.
    const VideoCodec codec = GetParam() == "odd.webm" ? VideoCodec::av1 : VideoCodec::x264;
    if (codec == VideoCodec::av1 && cuts.size() > 3) continue;  // it is slow to begin
    const EncodedFilm film = encode_film(film_case(GetParam()), cuts, codec, folder_);
    ASSERT_FALSE(HasFailure());
    for (const Container container : {Container::mkv, Container::mp4, Container::mov}) {
      SCOPED_TRACE(name_of(container));
      if (container == Container::mov && codec == VideoCodec::av1) continue;
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
  for (const auto& [name, frames] : kFilms) names.push_back(name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(Film, JoinCases, testing::ValuesIn(names_of_joined_films()), [](const auto& case_info) {
  std::string name = case_info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
});

}  // namespace
}  // namespace weir::film
