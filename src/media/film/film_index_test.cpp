#include "media/film/film_index.hpp"

#include <unistd.h>

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/atomic_file.hpp"
#include "film_cases.hpp"
#include "media/film/frame_hash.hpp"
#include "media/film/index_pass.hpp"
#include "media/film/segment_reader.hpp"

namespace weir::film {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

FilmIndex small_index() {
  FilmIndex index;
  index.file = {1234, 5678};
  index.time_base = {1, 90000};
  index.width = 320;
  index.height = 180;
  index.orientation = {true, 270};
  index.pixel_format = "yuv420p";
  index.frames = {{.pts = -3, .duration = 10, .hash = 7, .is_key = true},
                  {.pts = 7,
                   .hash = ~std::uint64_t{0},
                   .is_damaged = true,
                   .is_interlaced = true,
                   .is_top_field_first = true,
                   .data_kinds = 5},
                  {.pts = 9, .content = FieldContent::bottom_first, .is_transparent = true, .data_kinds = 1 << 9}};
  index.cut = FilmCut{.frames_before = 8, .keys_before = {-500, -90}, .end = 20};
  index.segments = {0, 2};
  index.damage = "1 frames are damaged";
  return index;
}

TEST(FilmIndex, TheTextGivesTheSameIndexAgain) {
  const FilmIndex index = small_index();
  const auto again = parse_film_index(to_text(index));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(*again, index);
  EXPECT_EQ(index.segment(0), (FrameRange{0, 2}));
  EXPECT_EQ(index.segment(1), (FrameRange{2, 3}));
}

TEST(FilmIndex, ATextThatIsCutAnywhereIsCorrupt) {
  const std::string text = to_text(small_index());
  for (std::size_t length = 0; length < text.size(); ++length) {
    const auto index = parse_film_index(text.substr(0, length));
    ASSERT_FALSE(index) << length;
    EXPECT_EQ(index.error().code, Errc::corrupt);
  }
}

TEST(FilmIndex, ContradictionsAreCorrupt) {
  for (const auto& segments : {std::vector<FrameNumber>{1}, {0, 0}, {0, 3}, {0, 2, 1}, {-1, 0}}) {
    FilmIndex index = small_index();
    index.segments = segments;
    EXPECT_FALSE(parse_film_index(to_text(index)));
  }
  FilmIndex index = small_index();
  index.time_base = {0, 1};
  EXPECT_FALSE(parse_film_index(to_text(index)));
  EXPECT_FALSE(parse_film_index("[]\n"));
  EXPECT_FALSE(parse_frame_line("1 2 zz -"));
  EXPECT_FALSE(parse_frame_line("1 2 3 x"));
  EXPECT_FALSE(parse_frame_line("1 2 3"));
}

std::vector<IndexedFrame> frames_with_keys(FrameNumber count, const std::set<FrameNumber>& keys) {
  std::vector<IndexedFrame> frames;
  for (FrameNumber i = 0; i < count; ++i) frames.push_back({.pts = i, .is_key = keys.count(i) != 0});
  return frames;
}

TEST(Segments, EndAtTheLastKeyFrameThatIsNotTooFarAway) {
  const SegmentRules rules{.longest = 10, .shortest = 4};
  EXPECT_THAT(find_segments(frames_with_keys(30, {0, 4, 9, 20}), rules), ElementsAre(0, 9, 19));
  EXPECT_THAT(find_segments(frames_with_keys(40, {0}), rules), ElementsAre(0, 10, 20, 30));
}

TEST(Segments, AShortRestBelongsToTheLastSegment) {
  const SegmentRules rules{.longest = 10, .shortest = 4};
  EXPECT_THAT(find_segments(frames_with_keys(23, {0}), rules), ElementsAre(0, 10));
  EXPECT_THAT(find_segments(frames_with_keys(3, {0}), rules), ElementsAre(0));
  EXPECT_TRUE(find_segments({}, rules).empty());
}

TEST(TimesFromPackets, AscendAlsoWhereTheFileHasNone) {
  EXPECT_THAT(times_from_packets({std::nullopt, std::nullopt, 80, std::nullopt, 160}, 40),
              ElementsAre(0, 40, 80, 120, 160));
  EXPECT_THAT(times_from_packets({100, std::nullopt, 110, 110}, 40), ElementsAre(100, 140, 141, 142));
  EXPECT_THAT(times_from_packets({std::nullopt, std::nullopt}, 3), ElementsAre(0, 3));
  EXPECT_TRUE(times_from_packets({}, 1).empty());
}

/// What ../shared/cases/film/expected.tsv says about a film.
struct ExpectedFilm {
  std::size_t frames = 0;
  Fraction time_base;
  std::int64_t first_pts = 0, last_pts = 0;
  std::ptrdiff_t keys = 0;
};

const std::map<std::string, ExpectedFilm> kExpected{
    {"vfr.mp4", {87, {1, 90000}, 3690, 446190, 4}},     {"opengop.mkv", {200, {1, 1000}, 0, 7960, 9}},
    {"late-audio.mp4", {100, {1, 12800}, 0, 50688, 1}}, {"late-video.mkv", {100, {1, 1000}, 327, 4287, 1}},
    {"hdr10.mp4", {72, {1, 12288}, 0, 36352, 1}},       {"interlaced.ts", {75, {1, 90000}, 129600, 396000, 7}},
    {"rotated.mp4", {60, {1, 15360}, 0, 30208, 1}},     {"one-frame.mp4", {1, {1, 12800}, 0, 0, 1}},
    {"odd.webm", {50, {1, 1000}, 0, 1960, 1}},          {"odd-ffv1.mkv", {50, {1, 1000}, 0, 1960, 50}},
    {"sink.mkv", {96, {1, 1000}, 7, 3969, 1}},          {"truncated.mkv", {121, {1, 1000}, 23, 4823, 5}},
    {"whole.mp4", {200, {1, 16000}, 368, 127728, 8}},   {"scenes.mp4", {312, {1, 12288}, 0, 159232, 6}}};

class FilmCases : public WithFilmCases, public testing::WithParamInterface<std::string> {};

TEST_P(FilmCases, TheIndexHasAllFramesAndTheirTimes) {
  const auto index = index_film(film_case(GetParam()), {});
  ASSERT_TRUE(index) << index.error().what;
  const ExpectedFilm& expected = kExpected.at(GetParam());
  EXPECT_EQ(index->frames.size(), expected.frames);
  EXPECT_EQ(index->time_base, expected.time_base);
  EXPECT_EQ(index->frames.front().pts, expected.first_pts);
  EXPECT_EQ(index->frames.back().pts, expected.last_pts);
  EXPECT_EQ(std::count_if(index->frames.begin(), index->frames.end(), [](const auto& f) { return f.is_key; }),
            expected.keys);
  EXPECT_FALSE(index->has_decoding_times);
  EXPECT_EQ(index->damage.empty(), GetParam() != "truncated.mkv") << index->damage;
}

TEST_P(FilmCases, EverySegmentHasTheFramesOfTheIndexWhereverItBegins) {
  const auto path = film_case(GetParam());
  const auto index = index_film(path, {});
  ASSERT_TRUE(index) << index.error().what;
  const auto count = static_cast<FrameNumber>(index->frames.size());
  for (const FrameNumber length : {FrameNumber{1}, FrameNumber{7}, FrameNumber{48}}) {
    const FrameNumber step = std::max(length, count / 12);
    for (FrameNumber first = 0; first < count; first += step) {
      const FrameRange range{first, std::min(first + length, count)};
      auto reader = SegmentReader::open(path, *index, range, settings_of(*index, {}));
      ASSERT_TRUE(reader) << reader.error().what;
      for (FrameNumber number = range.first; number < range.end; ++number) {
        const auto frame = (*reader)->next();
        ASSERT_TRUE(frame) << number << ": " << frame.error().what;
        ASSERT_NE(*frame, nullptr) << number;
        ASSERT_EQ(hash_frame(**frame), index->frames[static_cast<std::size_t>(number)].hash) << number;
        ASSERT_EQ((*frame)->pts, index->frames[static_cast<std::size_t>(number)].pts) << number;
      }
      const auto end = (*reader)->next();
      ASSERT_TRUE(end);
      EXPECT_EQ(*end, nullptr);
    }
  }
}

std::vector<std::string> names_of_films() {
  std::vector<std::string> names;
  names.reserve(kExpected.size());
  for (const auto& [name, expected] : kExpected) names.push_back(name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(Film, FilmCases, testing::ValuesIn(names_of_films()), [](const auto& case_info) {
  std::string name = case_info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
});

class FilmFiles : public WithFilmCases {
 protected:
  std::filesystem::path folder_ =
      std::filesystem::path{testing::TempDir()} / ("weir_film_files_" + std::to_string(getpid()));
  void SetUp() override {
    WithFilmCases::SetUp();
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
};

/// Stops an index pass after `frames` frames, and then completes it.
void expect_resumed_index_is_the_same(const std::filesystem::path& film, const std::filesystem::path& partial,
                                      FrameNumber frames) {
  const auto whole = index_film(film, {});
  ASSERT_TRUE(whole) << whole.error().what;
  std::stop_source stop;
  IndexSettings settings;
  settings.partial = partial;
  settings.stop = stop.get_token();
  settings.progress = [&](FrameNumber done, double) {
    if (done == frames) stop.request_stop();
  };
  const auto stopped = index_film(film, settings);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Errc::cancelled);
  EXPECT_TRUE(std::filesystem::exists(partial));
  FrameNumber first_reported = -1;
  IndexSettings again;
  again.partial = partial;
  again.progress = [&](FrameNumber done, double) {
    if (first_reported < 0) first_reported = done;
  };
  const auto resumed = index_film(film, again);
  ASSERT_TRUE(resumed) << resumed.error().what;
  EXPECT_EQ(*resumed, *whole);
  EXPECT_EQ(first_reported, frames / 1000 * 1000 + 1) << "stored frames were decoded again";
  EXPECT_FALSE(std::filesystem::exists(partial));
}

TEST_F(FilmFiles, AnIndexPassThatWasStoppedContinues) {
  // Long enough for two steps of stored frames: 1,400 frames of 16x16 with B-frames.
  const auto film = folder_ / "long.mkv";
  const std::string draw =
      "-f lavfi -i testsrc2=s=32x32:r=25:d=100 -c:v mpeg4 -bf 2 -g 50 "
      "-c:a none '" +
      film.string() + "'";
  ASSERT_TRUE(run_ffmpeg(draw));
  expect_resumed_index_is_the_same(film, folder_ / "index.part", 1500);
}

TEST_F(FilmFiles, AFilmWithoutTimesGetsThemFromThePackets) {
  const auto film = folder_ / "b-frames.avi";
  const std::string draw =
      "-f lavfi -i testsrc2=s=64x64:r=25:d=4 -c:v libx264 -bf 3 "
      "-preset veryfast '" +
      film.string() + "'";
  ASSERT_TRUE(run_ffmpeg(draw));
  const auto index = index_film(film, {});
  ASSERT_TRUE(index) << index.error().what;
  ASSERT_EQ(index->frames.size(), 100);
  EXPECT_TRUE(index->has_decoding_times);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(index->frames[i].pts - index->frames[0].pts, i);
  auto reader = SegmentReader::open(film, *index, {50, 60}, settings_of(*index, {}));
  ASSERT_TRUE(reader);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE((*reader)->next());
}

TEST_F(FilmFiles, AChangedFilmIsFound) {
  const auto film = folder_ / "film.mp4";
  std::filesystem::copy_file(film_case("whole.mp4"), film);
  auto index = index_film(film, {});
  ASSERT_TRUE(index);
  index->frames[120].hash ^= 1;
  auto reader = SegmentReader::open(film, *index, {118, 124}, settings_of(*index, {}));
  ASSERT_TRUE(reader);
  ASSERT_TRUE((*reader)->next());
  ASSERT_TRUE((*reader)->next());
  const auto changed = (*reader)->next();
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().what, HasSubstr("frame 120 is not as in the index"));
}

TEST_F(FilmFiles, FilesThatAreNoFilmsAreRefusedWithTheirName) {
  const auto text = folder_ / "text.mkv";
  std::ofstream{text} << "no film\n";
  for (const auto& path : {text, film_case("truncated.mp4"), folder_ / "absent.mp4"}) {
    const auto index = index_film(path, {});
    ASSERT_FALSE(index);
    EXPECT_THAT(index.error().what, HasSubstr(path.filename().string()));
  }
}

}  // namespace
}  // namespace weir::film
