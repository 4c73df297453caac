#include "media/film/frame_converter.hpp"

#include <gtest/gtest.h>

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "media/film/frame_hash.hpp"

namespace weir::film {
namespace {

FramePtr make_picture(AVPixelFormat format, int width, int height) {
  FramePtr frame = make_frame();
  frame->format = format;
  frame->width = width;
  frame->height = height;
  EXPECT_EQ(av_frame_get_buffer(frame.get(), 0), 0);
  return frame;
}

/// Fills all planes with random samples of the whole range of the depth: also values that no film should have.
void fill_with_noise(AVFrame& frame, const FrameFormat& format, unsigned seed) {
  std::mt19937 random{seed};
  for (int i = 0; i < format.colours; ++i) {
    const PlaneSize size = i == 0 ? format.luma_size() : format.chroma_size();
    for (int y = 0; y < size.height; ++y) {
      std::uint8_t* row = frame.data[i] + (static_cast<std::ptrdiff_t>(y) * frame.linesize[i]);
      for (int x = 0; x < size.width; ++x) {
        const auto sample = static_cast<unsigned>(random() & ((1U << format.depth) - 1U));
        if (format.depth == 8)
          row[x] = static_cast<std::uint8_t>(sample);
        else
          reinterpret_cast<std::uint16_t*>(row)[x] = static_cast<std::uint16_t>(sample);
      }
    }
  }
}

struct ConverterCase {
  AVPixelFormat format;
  AVColorSpace matrix = AVCOL_SPC_UNSPECIFIED;
  AVColorRange range = AVCOL_RANGE_UNSPECIFIED;
  AVChromaLocation location = AVCHROMA_LOC_UNSPECIFIED;
};

class Converter : public testing::TestWithParam<ConverterCase> {};

TEST_P(Converter, ANetworkThatChangesNothingGivesTheSamplesOfTheFilm) {
  for (const auto& [width, height] : {std::pair{64, 48}, std::pair{101, 67}}) {
    const FramePtr frame = make_picture(GetParam().format, width, height);
    frame->colorspace = GetParam().matrix;
    frame->color_range = GetParam().range;
    frame->chroma_location = GetParam().location;
    const auto format = describe_format(*frame);
    ASSERT_TRUE(format) << format.error().what;
    auto converter = FrameConverter::create(*format, with_size(*format, width, height), {width, height});
    ASSERT_TRUE(converter) << converter.error().what;
    const FramePtr result = make_picture(GetParam().format, width, height);
    NetworkFrame picture;
    for (unsigned seed = 1; seed < 4; ++seed) {
      fill_with_noise(*frame, *format, seed);
      ASSERT_TRUE((*converter)->to_network(*frame, picture));
      ASSERT_TRUE((*converter)->to_frame(picture.samples, picture.remainder, *result));
      EXPECT_EQ(hash_frame(*result), hash_frame(*frame)) << width << "x" << height << " seed " << seed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Film, Converter,
    testing::Values(ConverterCase{AV_PIX_FMT_YUV420P}, ConverterCase{AV_PIX_FMT_YUV420P, AVCOL_SPC_BT709},
                    ConverterCase{AV_PIX_FMT_YUVJ420P}, ConverterCase{AV_PIX_FMT_YUV422P},
                    ConverterCase{AV_PIX_FMT_YUV444P}, ConverterCase{AV_PIX_FMT_YUV411P},
                    ConverterCase{AV_PIX_FMT_GRAY8}, ConverterCase{AV_PIX_FMT_GBRP},
                    ConverterCase{AV_PIX_FMT_YUV420P10, AVCOL_SPC_BT2020_NCL, AVCOL_RANGE_MPEG, AVCHROMA_LOC_TOPLEFT},
                    ConverterCase{AV_PIX_FMT_YUV420P12, AVCOL_SPC_BT2020_NCL}, ConverterCase{AV_PIX_FMT_YUV422P10},
                    ConverterCase{AV_PIX_FMT_GBRP10}, ConverterCase{AV_PIX_FMT_GRAY10},
                    ConverterCase{AV_PIX_FMT_YUV420P, AVCOL_SPC_BT470BG, AVCOL_RANGE_MPEG, AVCHROMA_LOC_CENTER}),
    [](const auto& case_info) {
      return std::string{av_get_pix_fmt_name(case_info.param.format)} + "_" + std::to_string(case_info.index);
    });

constexpr std::array kOrientations{Orientation{false, 90}, Orientation{false, 180}, Orientation{false, 270},
                                   Orientation{true, 0},   Orientation{true, 90},   Orientation{true, 180},
                                   Orientation{true, 270}};

int sample_at(const AVFrame& frame, int plane, int x, int y, int depth) {
  const std::uint8_t* row = frame.data[plane] + (static_cast<std::ptrdiff_t>(y) * frame.linesize[plane]);
  return depth == 8 ? row[x] : reinterpret_cast<const std::uint16_t*>(row)[x];
}

/// Returns sample (x, y) of a plane of `size` after it is turned.
int turned_sample(const AVFrame& frame, int plane, PlaneSize size, const Orientation& turn, int x, int y, int depth) {
  const auto [from_x, from_y] = turn.degrees == 90    ? std::pair{y, size.height - 1 - x}
                                : turn.degrees == 180 ? std::pair{size.width - 1 - x, size.height - 1 - y}
                                : turn.degrees == 270 ? std::pair{size.width - 1 - y, x}
                                                      : std::pair{x, y};
  return sample_at(frame, plane, turn.is_mirrored ? size.width - 1 - from_x : from_x, from_y, depth);
}

/// Converts a frame to a picture for the network and back, turned, and returns how many samples of each plane differ
/// from the turned planes.
std::array<int, 3> differences_after_turn(AVPixelFormat pixel_format, AVChromaLocation location, PlaneSize size,
                                          const Orientation& turn) {
  const FramePtr frame = make_picture(pixel_format, size.width, size.height);
  frame->chroma_location = location;
  const auto source = describe_format(*frame);
  EXPECT_TRUE(source);
  fill_with_noise(*frame, *source, 5);
  const FrameFormat format = turned_format(*source, turn);
  auto converter = FrameConverter::create(*source, format, format.luma_size(), turn);
  EXPECT_TRUE(converter) << (converter ? "" : converter.error().what);
  const FramePtr result = make_picture(format.pixel_format, format.width, format.height);
  NetworkFrame picture;
  EXPECT_TRUE((*converter)->to_network(*frame, picture));
  EXPECT_TRUE((*converter)->to_frame(picture.samples, picture.remainder, *result));
  std::array<int, 3> differences{};
  for (int plane = 0; plane < source->colours; ++plane) {
    const PlaneSize from = plane == 0 ? source->luma_size() : source->chroma_size();
    const PlaneSize to = plane == 0 ? format.luma_size() : format.chroma_size();
    for (int y = 0; y < to.height; ++y)
      for (int x = 0; x < to.width; ++x)
        differences[static_cast<std::size_t>(plane)] +=
            to.width == turned_size(from, turn).width && to.height == turned_size(from, turn).height &&
                    sample_at(*result, plane, x, y, format.depth) ==
                        turned_sample(*frame, plane, from, turn, x, y, format.depth)
                ? 0
                : 1;
  }
  return differences;
}

TEST(FrameConverterTest, TurnedFramesHaveTheTurnedSamplesOfTheFilm) {
  for (const AVPixelFormat format : {AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P10, AV_PIX_FMT_YUV444P, AV_PIX_FMT_GBRP,
                                     AV_PIX_FMT_GRAY8, AV_PIX_FMT_GBRP10}) {
    for (const Orientation& turn : kOrientations) {
      // The middle of four pixels stays there.
      for (const PlaneSize size : {PlaneSize{64, 48}, PlaneSize{38, 54}}) {
        EXPECT_EQ(differences_after_turn(format, AVCHROMA_LOC_CENTER, size, turn), (std::array{0, 0, 0}))
            << av_get_pix_fmt_name(format) << (turn.is_mirrored ? " mirrored " : " ") << turn.degrees;
      }
    }
  }
}

TEST(FrameConverterTest, ChromaBesideTheFirstColumnIsExactAboveAndBelow) {
  for (const AVPixelFormat format : {AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P10}) {
    for (const Orientation& turn : kOrientations) {
      const auto differences = differences_after_turn(format, AVCHROMA_LOC_LEFT, {64, 48}, turn);
      EXPECT_EQ(differences[0], 0) << turn.degrees;
      const bool is_beside_second_column = turn == Orientation{false, 180} || turn == Orientation{true, 0};
      EXPECT_EQ(differences[1] == 0, !is_beside_second_column) << turn.is_mirrored << turn.degrees;
    }
  }
}

TEST(FrameConverterTest, QuarterTurnsOfUnevenChromaHaveOneChromaSampleForEachPixel) {
  for (const auto& [format, turned] :
       {std::pair{AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV444P}, std::pair{AV_PIX_FMT_YUV422P10, AV_PIX_FMT_YUV444P10},
        std::pair{AV_PIX_FMT_YUV411P, AV_PIX_FMT_YUV444P}, std::pair{AV_PIX_FMT_YUV440P, AV_PIX_FMT_YUV444P}}) {
    const FramePtr frame = make_picture(format, 64, 48);
    const auto source = describe_format(*frame);
    ASSERT_TRUE(source);
    EXPECT_EQ(turned_format(*source, {false, 90}).pixel_format, turned);
    EXPECT_EQ(turned_format(*source, {false, 180}).pixel_format, format);
    EXPECT_EQ(differences_after_turn(format, AVCHROMA_LOC_UNSPECIFIED, {64, 48}, {false, 90})[0], 0);
    EXPECT_EQ(differences_after_turn(format, AVCHROMA_LOC_UNSPECIFIED, {101, 67}, {true, 270})[0], 0);
  }
}

TEST(FrameConverterTest, ChromaKeepsItsPlaceWhenTurned) {
  // A ramp of chroma across: its value tells the place. 4:2:2 and 4:2:0, odd and even sizes, each orientation.
  for (const AVPixelFormat pixel_format : {AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV411P}) {
    for (const PlaneSize size : {PlaneSize{64, 64}, PlaneSize{61, 63}}) {
      for (const Orientation& turn : kOrientations) {
        const FramePtr frame = make_picture(pixel_format, size.width, size.height);
        const auto source = describe_format(*frame);
        const ChromaOrigin origin = chroma_origin(*source);
        const PlaneSize chroma = source->chroma_size();
        for (int y = 0; y < size.height; ++y) std::fill_n(frame->data[0] + (y * frame->linesize[0]), size.width, 120);
        for (int plane = 1; plane < 3; ++plane)
          for (int y = 0; y < chroma.height; ++y)
            for (int x = 0; x < chroma.width; ++x)
              frame->data[plane][(y * frame->linesize[plane]) + x] =
                  static_cast<std::uint8_t>(96 + origin.x + (x << source->chroma_shift_x));
        const FrameFormat format = turned_format(*source, turn);
        auto converter = FrameConverter::create(*source, format, format.luma_size(), turn);
        ASSERT_TRUE(converter);
        const FramePtr result = make_picture(format.pixel_format, format.width, format.height);
        NetworkFrame picture;
        ASSERT_TRUE((*converter)->to_network(*frame, picture));
        ASSERT_TRUE((*converter)->to_frame(picture.samples, picture.remainder, *result));
        const ChromaOrigin turned_origin = chroma_origin(format);
        const PlaneSize turned_chroma = format.chroma_size();
        double largest = 0;
        for (int y = 6; y < turned_chroma.height - 6; ++y) {  // without the edges, where nothing continues the ramp
          for (int x = 6; x < turned_chroma.width - 6; ++x) {
            const double at_x = turned_origin.x + (x << format.chroma_shift_x);
            const double at_y = turned_origin.y + (y << format.chroma_shift_y);
            double source_x = turn.degrees == 0     ? at_x
                              : turn.degrees == 90  ? at_y
                              : turn.degrees == 180 ? size.width - 1 - at_x
                                                    : size.width - 1 - at_y;
            if (turn.is_mirrored) source_x = size.width - 1 - source_x;
            largest = std::max(largest, std::abs(sample_at(*result, 1, x, y, 8) - (96 + source_x)));
          }
        }
        EXPECT_LE(largest, 0.6) << av_get_pix_fmt_name(pixel_format) << " " << size.width << " " << turn.is_mirrored
                                << turn.degrees;
      }
    }
  }
}

TEST(FrameConverterTest, WhiteBlackAndGreyOfLimitedRangeAreThoseOfTheNetwork) {
  const FramePtr frame = make_picture(AV_PIX_FMT_YUV420P, 32, 2);
  frame->colorspace = AVCOL_SPC_BT709;
  const auto format = describe_format(*frame);
  ASSERT_TRUE(format);
  for (int i = 1; i < 3; ++i) std::fill_n(frame->data[i], 16, 128);
  const std::uint8_t luma[3] = {16, 126, 235};
  for (int y = 0; y < 2; ++y) {
    std::uint8_t* row = frame->data[0] + (y * frame->linesize[0]);
    for (int x = 0; x < 32; ++x) row[x] = luma[std::min(x / 12, 2)];
  }
  auto converter = FrameConverter::create(*format, with_size(*format, 32, 2), {32, 2});
  ASSERT_TRUE(converter);
  NetworkFrame picture;
  ASSERT_TRUE((*converter)->to_network(*frame, picture));
  const double grey = 65535.0 * (126 - 16) / 219;
  for (int colour = 0; colour < 3; ++colour) {
    EXPECT_EQ(picture.samples[colour], 0);
    EXPECT_NEAR(picture.samples[18 * 3 + colour], grey, 1);
    EXPECT_EQ(picture.samples[30 * 3 + colour], 65535);
  }
}

TEST(FrameConverterTest, ColoursAreThoseOfTheMatrix) {
  // Red of BT.709 in limited range: Y 63, Cb 102, Cr 240 (rounded).
  const FramePtr frame = make_picture(AV_PIX_FMT_YUV444P, 16, 1);
  frame->colorspace = AVCOL_SPC_BT709;
  const std::uint8_t red[3] = {63, 102, 240};
  for (int i = 0; i < 3; ++i) std::fill_n(frame->data[i], 16, red[i]);
  const auto format = describe_format(*frame);
  ASSERT_TRUE(format);
  auto converter = FrameConverter::create(*format, with_size(*format, 16, 1), {16, 1});
  ASSERT_TRUE(converter);
  NetworkFrame picture;
  ASSERT_TRUE((*converter)->to_network(*frame, picture));
  EXPECT_NEAR(picture.samples[0], 65535, 300);
  EXPECT_NEAR(picture.samples[1], 0, 300);
  EXPECT_NEAR(picture.samples[2], 0, 300);
}

TEST(FrameConverterTest, AnEnlargedFrameKeepsValuesOutsideTheRangeOfDisplays) {
  const FramePtr frame = make_picture(AV_PIX_FMT_YUV420P, 16, 16);
  for (int i = 0; i < 3; ++i) std::fill_n(frame->data[i], frame->linesize[i] * (i == 0 ? 16 : 8), i == 0 ? 250 : 128);
  const auto format = describe_format(*frame);
  ASSERT_TRUE(format);
  auto converter = FrameConverter::create(*format, with_size(*format, 32, 32), {32, 32});
  ASSERT_TRUE(converter);
  NetworkFrame picture;
  ASSERT_TRUE((*converter)->to_network(*frame, picture));
  const std::vector<std::uint16_t> white(std::size_t{32} * 32 * 3, 65535);
  const FramePtr result = make_picture(AV_PIX_FMT_YUV420P, 32, 32);
  ASSERT_TRUE((*converter)->to_frame(white, picture.remainder, *result));
  EXPECT_EQ(result->data[0][0], 250);
  EXPECT_EQ(result->data[0][(16 * result->linesize[0]) + 16], 250);
  EXPECT_EQ(result->data[1][0], 128);
}

TEST(FrameConverterTest, AResultOfTheNetworkIsResizedToTheFrame) {
  const FramePtr frame = make_picture(AV_PIX_FMT_YUV420P, 16, 16);
  for (int i = 0; i < 3; ++i) std::fill_n(frame->data[i], frame->linesize[i] * (i == 0 ? 16 : 8), i == 0 ? 16 : 128);
  const auto format = describe_format(*frame);
  ASSERT_TRUE(format);
  auto converter = FrameConverter::create(*format, with_size(*format, 24, 24), {32, 32});
  ASSERT_TRUE(converter) << converter.error().what;
  NetworkFrame picture;
  ASSERT_TRUE((*converter)->to_network(*frame, picture));
  std::vector<std::uint16_t> left_half_white(std::size_t{32} * 32 * 3, 0);
  for (std::size_t i = 0; i < left_half_white.size(); ++i)
    if (i / 3 % 32 < 16) left_half_white[i] = 65535;
  const FramePtr result = make_picture(AV_PIX_FMT_YUV420P, 24, 24);
  ASSERT_TRUE((*converter)->to_frame(left_half_white, picture.remainder, *result));
  EXPECT_EQ(result->data[0][0], 235);
  EXPECT_EQ(result->data[0][8], 235);
  EXPECT_EQ(result->data[0][15], 16);
  EXPECT_EQ(result->data[0][(23 * result->linesize[0]) + 23], 16);
}

TEST(FrameFormatTest, MissingTagsAreGuessedAsPlayersDo) {
  const auto matrix_of = [](int height) {
    const FramePtr frame = make_picture(AV_PIX_FMT_YUV420P, 64, height);
    return describe_format(*frame);
  };
  EXPECT_EQ(matrix_of(480)->colour.matrix, AVCOL_SPC_SMPTE170M);
  EXPECT_EQ(matrix_of(576)->colour.matrix, AVCOL_SPC_BT470BG);
  EXPECT_EQ(matrix_of(720)->colour.matrix, AVCOL_SPC_BT709);
  EXPECT_EQ(matrix_of(720)->guessed.size(), 5);
}

}  // namespace
}  // namespace weir::film
