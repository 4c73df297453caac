// Finds interlaced films among the drawn ones, and deinterlaces them in ranges that are cut anywhere.
#include "media/film/interlacing.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "film_cases.hpp"
#include "folder.hpp"
#include "media/film/frame_hash.hpp"
#include "media/film/index_pass.hpp"
#include "media/film/prepared_reader.hpp"

namespace weir::film {
namespace {

using testing::HasSubstr;
using Frames = Deinterlacing::Frames;

/// Returns an index of frames with one flag, of which these numbers look progressive, and like each order of fields.
FilmIndex index_of(bool is_flagged, int progressive, int top, int bottom, int undetermined) {
  FilmIndex index;
  const auto add = [&](int count, FieldContent content) {
    for (int i = 0; i < count; ++i)
      index.frames.push_back({.is_interlaced = is_flagged, .is_top_field_first = is_flagged, .content = content});
  };
  add(progressive, FieldContent::progressive);
  add(top, FieldContent::top_first);
  add(bottom, FieldContent::bottom_first);
  add(undetermined, FieldContent::undetermined);
  return index;
}

TEST(Interlacing, FlagsAreFollowedUnlessTheContentContradicts) {
  const auto decide = [](const FilmIndex& index) { return decide_deinterlacing(index, Deinterlace::automatic); };
  // Numbers of idet for films that are drawn, scroll or hardly move.
  for (const FilmIndex& index :
       {index_of(false, 12, 48, 40, 0), index_of(false, 15, 99, 86, 0), index_of(false, 8, 38, 26, 0),
        index_of(false, 51, 37, 2, 222), index_of(false, 0, 74, 76, 1), index_of(false, 257, 0, 0, 1183),
        index_of(false, 0, 12, 0, 0)}) {
    const auto decided = decide(index);
    ASSERT_TRUE(decided) << decided.error().what;
    EXPECT_EQ(decided->frames, Frames::none);
  }
  for (const FilmIndex& index : {index_of(true, 0, 75, 0, 0), index_of(true, 0, 0, 0, 100),
                                 index_of(true, 300, 100, 2, 50), index_of(true, 10, 0, 0, 0)}) {
    const auto decided = decide(index);
    ASSERT_TRUE(decided) << decided.error().what;
    EXPECT_EQ(decided->frames, Frames::flagged);
  }
  // A known limit: a pattern that scrolls by two rows per frame is taken for interlaced.
  EXPECT_FALSE(decide(index_of(false, 0, 150, 1, 0)));
  const auto unflagged = decide(index_of(false, 20, 130, 1, 20));
  ASSERT_FALSE(unflagged);
  EXPECT_EQ(unflagged.error().code, Errc::invalid_argument);
  EXPECT_EQ(
      unflagged.error().what,
      "171 frames of the film are flagged as progressive, but 131 of these look interlaced; give --deinterlace on "
      "if it is interlaced, and off if it is not");
  const auto flagged = decide(index_of(true, 900, 0, 3, 100));
  ASSERT_FALSE(flagged);
  EXPECT_THAT(flagged.error().what, HasSubstr("900 of these look progressive"));
}

TEST(Interlacing, TheUserDecidesWithoutAQuestion) {
  const FilmIndex contradictory = index_of(false, 20, 0, 130, 20);
  EXPECT_EQ(*decide_deinterlacing(contradictory, Deinterlace::off), Deinterlacing{});
  EXPECT_EQ(*decide_deinterlacing(contradictory, Deinterlace::on), (Deinterlacing{Frames::all, false}));
  EXPECT_EQ(field_order_of(contradictory), AV_FIELD_PROGRESSIVE);
  EXPECT_EQ(field_order_of(index_of(true, 1, 0, 0, 0)), AV_FIELD_TT);
  for (const auto value : {Deinterlace::automatic, Deinterlace::on, Deinterlace::off})
    EXPECT_EQ(deinterlace_named(name_of(value)), value);
  EXPECT_FALSE(deinterlace_named("maybe"));
}

class Deinterlaced : public WithFilmCases {
 protected:
  /// Draws a film of two fields per frame; `marks`: options that flag its frames, or not.
  std::filesystem::path draw(const std::string& name, const std::string& fields, const std::string& marks) {
    auto film = folder_ / name;
    EXPECT_TRUE(run_ffmpeg("-f lavfi -i mandelbrot=s=96x64:r=50 -vf tinterlace=" + fields + " -frames:v 30 " + marks +
                           " '" + film.string() + "'"));
    return film;
  }
  test::Folder folder_;
};

TEST_F(Deinterlaced, OnlyInterlacedFilmsAreFoundAndNoOtherOneIsAskedFor) {
  for (const char* name :
       {"vfr.mp4", "opengop.mkv", "late-audio.mp4", "late-video.mkv", "hdr10.mp4", "rotated.mp4", "one-frame.mp4",
        "odd.webm", "odd-ffv1.mkv", "sink.mkv", "truncated.mkv", "whole.mp4", "scenes.mp4", "interlaced.ts"}) {
    const auto index = index_film(film_case(name), {});
    ASSERT_TRUE(index) << name;
    const auto decided = decide_deinterlacing(*index, Deinterlace::automatic);
    ASSERT_TRUE(decided) << name << ": " << decided.error().what;
    EXPECT_EQ(decided->frames, name == std::string{"interlaced.ts"} ? Frames::flagged : Frames::none) << name;
  }
}

TEST_F(Deinterlaced, AFilmWithoutFlagsWhoseFieldsDifferIsAContradiction) {
  const auto index = index_film(draw("plain.mkv", "interleave_bottom,setfield=prog", "-c:v ffv1 -pix_fmt yuv420p"), {});
  ASSERT_TRUE(index);
  EXPECT_FALSE(index->frames[5].is_interlaced);
  EXPECT_EQ(index->frames[5].content, FieldContent::bottom_first);
  EXPECT_FALSE(decide_deinterlacing(*index, Deinterlace::automatic));
  EXPECT_EQ(*decide_deinterlacing(*index, Deinterlace::on), (Deinterlacing{Frames::all, false}));
}

/// Returns the hashes of the frames of a range, deinterlaced.
std::vector<std::uint64_t> deinterlaced(const std::filesystem::path& film, const FilmIndex& index, FrameRange range,
                                        const Deinterlacing& how) {
  std::vector<std::uint64_t> hashes;
  auto reader = PreparedReader::open(film, index, range, how, settings_of(index, {}));
  EXPECT_TRUE(reader);
  for (;;) {
    const auto frame = (*reader)->next();
    EXPECT_TRUE(frame) << (frame ? "" : frame.error().what);
    if (!frame || *frame == nullptr) return hashes;
    EXPECT_FALSE(is_interlaced(**frame));
    hashes.push_back(hash_frame(**frame));
  }
}

TEST_F(Deinterlaced, FramesAreTheSameWhereverTheFilmIsCut) {
  const auto plain = draw("plain.mkv", "interleave_bottom", "-c:v ffv1 -g 1 -pix_fmt yuv422p10le");
  for (const auto& film : {film_case("interlaced.ts"), plain}) {
    const auto index = index_film(film, {});
    ASSERT_TRUE(index);
    const auto count = static_cast<FrameNumber>(index->frames.size());
    for (const Deinterlacing& how : {Deinterlacing{Frames::flagged}, Deinterlacing{Frames::all, false}}) {
      const auto whole = deinterlaced(film, *index, {0, count}, how);
      ASSERT_EQ(static_cast<FrameNumber>(whole.size()), count);
      EXPECT_NE(whole[3], index->frames[3].hash);
      for (const FrameNumber length : {1, 2, 7}) {
        for (FrameNumber first = 0; first < count; first += length) {
          const FrameRange range{first, std::min(first + length, count)};
          const auto part = deinterlaced(film, *index, range, how);
          ASSERT_EQ(part, (std::vector(whole.begin() + range.first, whole.begin() + range.end))) << first;
        }
      }
    }
  }
}

TEST_F(Deinterlaced, AFrameEqualToTheOneBeforeMayDeinterlaceToAnother) {
  FilmIndex index;
  for (const std::uint64_t hash : {1, 2, 2, 2, 2, 3}) index.frames.push_back({.hash = hash, .is_interlaced = true});
  const auto repeated = [&](const Deinterlacing& how) {
    std::string text;
    for (FrameNumber i = 0; i < 6; ++i) text += PreparedReader::repeats_last(index, how, i) ? 'r' : '-';
    return text;
  };
  EXPECT_EQ(repeated({}), "--rrr-");
  EXPECT_EQ(repeated({Frames::flagged}), "---r--");
}

}  // namespace
}  // namespace weir::film
