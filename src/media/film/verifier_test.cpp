#include "media/film/verifier.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include "joined_films.hpp"
#include "media/film/film_files.hpp"

namespace weir::film {
namespace {

using testing::HasSubstr;

class Verifier : public JoinedFilms {
 protected:
  /// Joins a film of 200 frames in two segments, with sound.
  void SetUp() override {
    JoinedFilms::SetUp();
    if (IsSkipped()) return;
    film_ = std::make_unique<EncodedFilm>(encode_film(film_case("whole.mkv"), {0, 100}, VideoCodec::x264, folder_));
    ASSERT_FALSE(HasFailure());
    auto report = join_film(film_->request(Container::mkv, folder_ / "result.mkv"));
    ASSERT_TRUE(report) << report.error().what;
    report_ = *std::move(report);
    ASSERT_EQ(verify(folder_ / "result.mkv"), "");
  }

  /// Returns the error of verify_film(); empty: none.
  std::string verify(const std::filesystem::path& result) const {
    const auto verified =
        verify_film({.result = result, .source = film_->source, .index = film_->index, .report = report_});
    if (verified) return {};
    EXPECT_EQ(verified.error().code, Errc::corrupt);
    return verified.error().what;
  }
  /// Copies the result with a filter of its packets, and returns the error of verify_film().
  std::string verify_filtered(const std::string& filter) const {
    const auto path = folder_ / "filtered.mkv";
    const std::string arguments = "-i '" + (folder_ / "result.mkv").string() + "' -c copy -map 0 " + filter +
                                  " -copyts -avoid_negative_ts disabled '" + path.string() + "' 2>/dev/null";
    EXPECT_TRUE(run_ffmpeg(arguments)) << arguments;
    return verify(path);
  }

  std::unique_ptr<EncodedFilm> film_;
  JoinReport report_;
};

TEST_F(Verifier, JoiningAndVerifyingReportProgressWithEachFrame) {
  std::vector<double> joined, verified;
  JoinRequest request = film_->request(Container::mkv, folder_ / "again.mkv");
  request.progress = [&](double fraction) { joined.push_back(fraction); };
  const auto report = join_film(request);
  ASSERT_TRUE(report) << report.error().what;
  const auto compared = verify_film({.result = folder_ / "again.mkv",
                                     .source = film_->source,
                                     .index = film_->index,
                                     .report = *report,
                                     .progress = [&](double fraction) { verified.push_back(fraction); }});
  ASSERT_TRUE(compared) << compared.error().what;
  for (const auto& fractions : {joined, verified}) {
    EXPECT_GE(fractions.size(), 400u);  // of 200 frames, and as many packets that are read or copied
    EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
    EXPECT_GE(fractions.front(), 0);
    EXPECT_LE(fractions.back(), 1);
  }
}

TEST_F(Verifier, FindsAMissingSegment) {
  if (!has_program("ffmpeg")) GTEST_SKIP() << "no ffmpeg";
  EXPECT_THAT(verify_filtered("-bsf:v 'noise=drop=gte(n\\,100)'"), HasSubstr("it has 100 of 200 frames"));
  EXPECT_THAT(verify_filtered("-bsf:v 'noise=drop=lt(n\\,100)'"), HasSubstr("frame 0 is shown at 4023"));
}

TEST_F(Verifier, FindsExchangedSegments) {
  if (!has_program("ffmpeg")) GTEST_SKIP() << "no ffmpeg";
  // The frames of each segment with the times of the other one.
  EXPECT_THAT(verify_filtered("-bsf:v 'setts=pts=if(lt(N\\,100)\\,PTS+4000\\,PTS-4000)'"), HasSubstr("frame "));
}

TEST_F(Verifier, FindsFramesThatAreNotThoseOfTheSegments) {
  std::swap(film_->segments[0], film_->segments[1]);
  const auto verified = verify_film({.result = folder_ / "result.mkv",
                                     .source = film_->source,
                                     .index = film_->index,
                                     .report = report_,
                                     .segments = film_->segments});
  ASSERT_FALSE(verified);
  EXPECT_THAT(verified.error().what, HasSubstr("frame 0 has other samples than in segment 0"));
}

TEST_F(Verifier, FindsAFrameThatIsShownAMillisecondTooLate) {
  if (!has_program("ffmpeg")) GTEST_SKIP() << "no ffmpeg";
  EXPECT_THAT(verify_filtered("-bsf:v 'setts=pts=PTS+eq(N\\,60)'"), HasSubstr("is shown at"));
}

TEST_F(Verifier, FindsSoundThatIsMovedOrMissing) {
  if (!has_program("ffmpeg")) GTEST_SKIP() << "no ffmpeg";
  EXPECT_THAT(verify_filtered("-bsf:a 'setts=pts=PTS+40:dts=DTS+40'"),
              HasSubstr("audio (stream 1 of the source): packet 0 is at"));
  EXPECT_THAT(verify_filtered("-bsf:a 'noise=drop=eq(n\\,30)'"),
              HasSubstr("audio (stream 1 of the source): packet 30 "));
  EXPECT_THAT(verify_filtered("-map -0:a"), HasSubstr("audio (stream 1 of the source) is missing"));
}

TEST_F(Verifier, FindsAChangedPacketOfSound) {
  std::int64_t position = -1;
  int size = 0;
  {
    auto input = open_input(folder_ / "result.mkv");
    ASSERT_TRUE(input);
    const PacketPtr packet = make_packet();
    for (int sound = 0; av_read_frame(input->get(), packet.get()) == 0; av_packet_unref(packet.get())) {
      if (packet->stream_index != 1 || ++sound != 40) continue;
      position = packet->pos;
      size = packet->size;
    }
  }
  ASSERT_GE(position, 0);
  // The position is that of the block, whose header has at least four bytes.
  std::fstream file{folder_ / "result.mkv", std::ios::in | std::ios::out | std::ios::binary};
  const std::int64_t place = position + (size / 2) + 4;
  file.seekg(place);
  const int byte = file.get();
  file.seekp(place);
  file.put(static_cast<char>(byte ^ 1));
  file.close();
  EXPECT_THAT(verify(folder_ / "result.mkv"), HasSubstr("audio (stream 1 of the source): packet 39 has other data"));
}

}  // namespace
}  // namespace weir::film
