#include "media/film/segment_encoder.hpp"

#include <unistd.h>

#include <gmock/gmock.h>

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <cstring>
#include <fstream>
#include <iterator>

#include "media/film/frame_hash.hpp"
#include "media/film/index_pass.hpp"

namespace weir::film {
namespace {

using testing::HasSubstr;

/// A temporary folder with a segment.
class SegmentFile : public testing::Test {
 protected:
  std::filesystem::path folder_ =
      std::filesystem::path{testing::TempDir()} / ("weir_segment_" + std::to_string(getpid()));
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
};

FrameFormat format_of(AVPixelFormat pixel_format, int width = 96, int height = 64) {
  FramePtr frame = make_frame();
  frame->format = pixel_format;
  frame->width = width;
  frame->height = height;
  auto format = describe_format(*frame);
  EXPECT_TRUE(format);
  return *format;
}

/// Draws a slanted edge that moves with the frame number.
void draw(AVFrame& frame, const FrameFormat& format, int number) {
  for (int i = 0; i < format.colours; ++i) {
    const PlaneSize size = i == 0 ? format.luma_size() : format.chroma_size();
    for (int y = 0; y < size.height; ++y) {
      std::uint8_t* row = frame.data[i] + (static_cast<std::ptrdiff_t>(y) * frame.linesize[i]);
      for (int x = 0; x < size.width; ++x) {
        const int sample = x + y < number * 3 ? 60 + number : 180 - (x & 7);
        if (format.depth == 8)
          row[x] = static_cast<std::uint8_t>(sample);
        else
          reinterpret_cast<std::uint16_t*>(row)[x] = static_cast<std::uint16_t>(sample << (format.depth - 8));
      }
    }
  }
}

const std::vector<std::int64_t> kUnevenTimes{3690, 7447, 11250, 15003, 22500, 67500, 71253, 71254, 78750, 82503};

/// Encodes frames at kUnevenTimes and returns the hashes of the frames that were given to the encoder.
std::vector<std::uint64_t> write_segment(const std::filesystem::path& path, const SegmentFormat& format,
                                         const EncodeSettings& settings) {
  std::vector<std::uint64_t> hashes;
  auto encoder = SegmentEncoder::create(path, format, settings);
  EXPECT_TRUE(encoder) << encoder.error().what;
  if (!encoder) return hashes;
  for (std::size_t i = 0; i < kUnevenTimes.size(); ++i) {
    auto frame = (*encoder)->next_frame();
    EXPECT_TRUE(frame);
    draw(**frame, format.frames, static_cast<int>(i));
    hashes.push_back(hash_frame(**frame));
    EXPECT_TRUE((*encoder)->write(kUnevenTimes[i], 3753));
  }
  const auto size = (*encoder)->finish();
  EXPECT_TRUE(size) << size.error().what;
  EXPECT_EQ(size->count(), std::filesystem::file_size(path));
  return hashes;
}

struct CodecCase {
  VideoCodec codec;
  AVPixelFormat format;
};

class SegmentOfCodec : public SegmentFile, public testing::WithParamInterface<CodecCase> {};

TEST_P(SegmentOfCodec, KeepsUnevenTimesAndIsTheSameTwice) {
  const SegmentFormat format{.frames = format_of(GetParam().format), .time_base = {1, 90000}, .frame_rate = {24, 1}};
  const EncodeSettings settings{.codec = GetParam().codec, .threads = 2};
  const auto hashes = write_segment(folder_ / "a.nut", format, settings);
  write_segment(folder_ / "b.nut", format, settings);
  const auto bytes_of = [&](const char* name) {
    std::ifstream file{folder_ / name, std::ios::binary};
    return std::string{std::istreambuf_iterator<char>{file}, {}};
  };
  EXPECT_EQ(bytes_of("a.nut"), bytes_of("b.nut"));
  const auto index = index_film(folder_ / "a.nut", {});
  ASSERT_TRUE(index) << index.error().what;
  ASSERT_EQ(index->frames.size(), kUnevenTimes.size());
  EXPECT_EQ(index->time_base, format.time_base);
  EXPECT_EQ(index->pixel_format, av_get_pix_fmt_name(GetParam().format));
  EXPECT_TRUE(index->frames.front().is_key);
  for (std::size_t i = 0; i < kUnevenTimes.size(); ++i) {
    EXPECT_EQ(index->frames[i].pts, kUnevenTimes[i]);
    if (GetParam().codec == VideoCodec::ffv1) {
      EXPECT_EQ(index->frames[i].hash, hashes[i]) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Film, SegmentOfCodec,
    testing::Values(CodecCase{VideoCodec::x264, AV_PIX_FMT_YUV420P}, CodecCase{VideoCodec::x264, AV_PIX_FMT_YUV420P10},
                    CodecCase{VideoCodec::x265, AV_PIX_FMT_YUV420P}, CodecCase{VideoCodec::x265, AV_PIX_FMT_YUV422P10},
                    CodecCase{VideoCodec::av1, AV_PIX_FMT_YUV420P}, CodecCase{VideoCodec::av1, AV_PIX_FMT_YUV420P10},
                    CodecCase{VideoCodec::ffv1, AV_PIX_FMT_YUV420P}, CodecCase{VideoCodec::ffv1, AV_PIX_FMT_YUV444P10},
                    CodecCase{VideoCodec::ffv1, AV_PIX_FMT_GRAY8}),
    [](const auto& case_info) {
      return std::string{name_of(case_info.param.codec)} + "_" + av_get_pix_fmt_name(case_info.param.format);
    });

TEST_F(SegmentFile, CoarseUnitsOfTimeAreKept) {
  for (const Fraction unit : {Fraction{1, 25}, Fraction{1001, 24000}, Fraction{1, 1000}, Fraction{1, 3}}) {
    const SegmentFormat format{.frames = format_of(AV_PIX_FMT_YUV420P), .time_base = unit};
    write_segment(folder_ / "a.nut", format, {});
    const auto index = index_film(folder_ / "a.nut", {});
    ASSERT_TRUE(index) << index.error().what;
    const AVRational written{index->time_base.numerator, index->time_base.denominator};
    const AVRational factor = av_div_q({unit.numerator, unit.denominator}, written);
    ASSERT_EQ(factor.den, 1);
    for (std::size_t i = 0; i < kUnevenTimes.size(); ++i) EXPECT_EQ(index->frames[i].pts, kUnevenTimes[i] * factor.num);
  }
}

TEST_F(SegmentFile, UnknownOptionsAndValuesAreRefusedByName) {
  const SegmentFormat format{.frames = format_of(AV_PIX_FMT_YUV420P), .time_base = {1, 25}};
  EncodeSettings settings;
  settings.options = {{"no-such-option", "1"}};
  const auto unknown = SegmentEncoder::create(folder_ / "a.nut", format, settings);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::invalid_argument);
  EXPECT_THAT(unknown.error().what, HasSubstr("no-such-option"));
  settings.options.clear();
  settings.preset = "fastest";
  const auto wrong = SegmentEncoder::create(folder_ / "a.nut", format, settings);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Errc::invalid_argument);
}

TEST_F(SegmentFile, AnEncoderThatIsGivenUpEndsAtOnce) {
  const SegmentFormat format{.frames = format_of(AV_PIX_FMT_YUV420P), .time_base = {1, 25}};
  for (const VideoCodec codec : {VideoCodec::av1, VideoCodec::x264, VideoCodec::x265}) {
    for (const int frames : {0, 1, 40}) {
      auto encoder = SegmentEncoder::create(folder_ / "a.nut", format, {.codec = codec, .threads = 2});
      ASSERT_TRUE(encoder);
      for (int i = 0; i < frames; ++i) {
        auto frame = (*encoder)->next_frame();
        ASSERT_TRUE(frame);
        draw(**frame, format.frames, i);
        ASSERT_TRUE((*encoder)->write(i, 1));
      }
    }
  }
}

TEST_F(SegmentFile, AMissingFolderIsReportedAtOnce) {
  const SegmentFormat format{.frames = format_of(AV_PIX_FMT_YUV420P), .time_base = {1, 25}};
  for (const VideoCodec codec : {VideoCodec::av1, VideoCodec::x264, VideoCodec::x265})
    EXPECT_FALSE(SegmentEncoder::create(folder_ / "absent" / "a.nut", format, {.codec = codec, .threads = 2}));
}

TEST_F(SegmentFile, AFullDiskIsReported) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const SegmentFormat format{.frames = format_of(AV_PIX_FMT_YUV420P), .time_base = {1, 25}};
  EncodeSettings settings{.codec = VideoCodec::ffv1};
  auto encoder = SegmentEncoder::create("/dev/full", format, settings);
  if (encoder) {
    for (int i = 0; i < 500 && encoder; ++i) {
      auto frame = (*encoder)->next_frame();
      ASSERT_TRUE(frame);
      draw(**frame, format.frames, i);
      if (auto written = (*encoder)->write(i, 1); !written) {
        EXPECT_EQ(written.error().code, Errc::disk_full) << written.error().what;
        return;
      }
    }
    const auto finished = (*encoder)->finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().code, Errc::disk_full) << finished.error().what;
    return;
  }
  EXPECT_EQ(encoder.error().code, Errc::disk_full) << encoder.error().what;
}

TEST(FormatForCodec, ADepthIsKeptOrRefused) {
  const auto ten_bits = format_for_codec(format_of(AV_PIX_FMT_YUV420P10), VideoCodec::x264);
  ASSERT_TRUE(ten_bits);
  EXPECT_EQ(ten_bits->pixel_format, AV_PIX_FMT_YUV420P10);
  const auto twelve_bits = format_for_codec(format_of(AV_PIX_FMT_YUV420P12), VideoCodec::x264);
  ASSERT_FALSE(twelve_bits);
  EXPECT_THAT(twelve_bits.error().what, HasSubstr("--codec x265 or ffv1 can"));
  const auto half_chroma = format_for_codec(format_of(AV_PIX_FMT_YUV422P), VideoCodec::av1);
  ASSERT_FALSE(half_chroma);
  EXPECT_THAT(half_chroma.error().what, HasSubstr("x264"));
}

TEST(FormatForCodec, DvOfNtscGetsMoreChroma) {
  const auto format = format_for_codec(format_of(AV_PIX_FMT_YUV411P, 720, 480), VideoCodec::x264);
  ASSERT_TRUE(format) << format.error().what;
  EXPECT_EQ(format->pixel_format, AV_PIX_FMT_YUV422P);
}

}  // namespace
}  // namespace weir::film
