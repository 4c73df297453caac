#pragma once

// What the tests of joining have in common. Included by tests only.

#include <gtest/gtest.h>
#include <unistd.h>

extern "C" {
#include <libavutil/frame.h>
}

#include <filesystem>
#include <string>
#include <vector>

#include "film_cases.hpp"
#include "media/film/index_pass.hpp"
#include "media/film/joiner.hpp"
#include "media/film/segment_encoder.hpp"
#include "media/film/segment_reader.hpp"
#include "media/film/verifier.hpp"

namespace weir::film {

/// A film, its index, and its own frames encoded unchanged as segments.
struct EncodedFilm {
  std::filesystem::path source;
  FilmIndex index;
  std::vector<std::filesystem::path> segments;
  VideoCodec codec = VideoCodec::x264;
  DisplayProperties display;

  JoinRequest request(Container container, const std::filesystem::path& output) const {
    return {.source = source,
            .index = index,
            .segments = segments,
            .output = output,
            .container = container,
            .codec = codec,
            .display = display};
  }
};

/// Encodes one segment of a film.
inline void encode_segment(EncodedFilm& film, FrameRange range, const std::filesystem::path& path,
                           const EncodeSettings& settings) {
  auto reader = SegmentReader::open(film.source, film.index, range, settings_of(film.index, {}));
  ASSERT_TRUE(reader) << reader.error().what;
  std::unique_ptr<SegmentEncoder> encoder;
  for (FrameNumber number = range.first; number < range.end; ++number) {
    const auto frame = (*reader)->next();
    ASSERT_TRUE(frame) << frame.error().what;
    ASSERT_NE(*frame, nullptr);
    if (!encoder) {
      const auto format = describe_format(**frame);
      ASSERT_TRUE(format) << format.error().what;
      film.display.colour = format->colour;
      film.display.sample_aspect = {(*frame)->sample_aspect_ratio.num, (*frame)->sample_aspect_ratio.den};
      if (range.first == 0) film.display.hdr = hdr_data_of(**frame);
      auto created = SegmentEncoder::create(path,
                                            {.frames = *format,
                                             .time_base = film.index.time_base,
                                             .frame_rate = {25, 1},
                                             .sample_aspect = film.display.sample_aspect,
                                             .hdr = film.display.hdr,
                                             .time_offset = segment_time_offset(film.index)},
                                            settings);
      ASSERT_TRUE(created) << created.error().what;
      encoder = *std::move(created);
    }
    auto copy = encoder->next_frame();
    ASSERT_TRUE(copy);
    ASSERT_GE(av_frame_copy(*copy, *frame), 0);
    const IndexedFrame& indexed = film.index.frames[static_cast<std::size_t>(number)];
    const auto written = encoder->write(indexed.pts, indexed.duration);
    ASSERT_TRUE(written) << written.error().what;
  }
  const auto size = encoder->finish();
  ASSERT_TRUE(size) << size.error().what;
}

/// Encodes a film that is cut at these frames; an empty list leaves the cuts of the index. `earlier`: is subtracted
/// from all times in the index. `settings`: of the index.
inline EncodedFilm encode_film(const std::filesystem::path& source, const std::vector<FrameNumber>& cuts,
                               VideoCodec codec, const std::filesystem::path& folder, std::int64_t earlier = 0,
                               const IndexSettings& settings_of_index = {}) {
  EncodedFilm film;
  film.source = source;
  film.codec = codec;
  auto index = index_film(source, settings_of_index);
  EXPECT_TRUE(index) << index.error().what;
  if (!index) return film;
  film.index = *std::move(index);
  for (IndexedFrame& frame : film.index.frames) frame.pts -= earlier;
  if (!cuts.empty()) film.index.segments = cuts;
  auto input = FilmReader::open(source, {});
  EXPECT_TRUE(input);
  film.display.orientation = orientation_of((*input)->stream());
  EncodeSettings settings{.codec = codec};
  if (codec == VideoCodec::x264 || codec == VideoCodec::x265) settings.preset = "ultrafast";
  // B-frames in all of them, with presets that have none.
  if (codec == VideoCodec::x264) settings.options = {{"bf", "3"}, {"b-pyramid", "normal"}};
  for (std::size_t i = 0; i < film.index.segments.size(); ++i) {
    film.segments.push_back(folder / (std::to_string(cuts.size()) + "-" + std::to_string(i) + ".nut"));
    encode_segment(film, film.index.segment(i), film.segments.back(), settings);
  }
  return film;
}

/// A temporary folder, and the films.
class JoinedFilms : public WithFilmCases {
 protected:
  std::filesystem::path folder_;
  void SetUp() override {
    WithFilmCases::SetUp();
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    for (char& c : name)
      if (c == '/') c = '_';
    folder_ = std::filesystem::path{testing::TempDir()} / ("weir_join_" + name + "_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
};

}  // namespace weir::film
