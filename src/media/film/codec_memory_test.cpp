#include "media/film/codec_memory.hpp"

#include <gtest/gtest.h>

namespace weir::film {
namespace {

FrameFormat frames_of(int width, int height) {
  FrameFormat frames;
  frames.pixel_format = AV_PIX_FMT_YUV420P;
  frames.width = width;
  frames.height = height;
  frames.chroma_shift_x = frames.chroma_shift_y = 1;
  return frames;
}
double mib_of(Bytes bytes) { return static_cast<double>(bytes.count()) / (1 << 20); }

struct Measured {
  VideoCodec codec;
  const char* preset;
  int width, height, threads;
  double mib;
};

// Growth of VmHWM, in MiB (docs/memory.md).
TEST(CodecMemory, EncodersNeedWhatWasMeasuredAndLittleMore) {
  for (const Measured& one :
       {Measured{VideoCodec::x264, "ultrafast", 1280, 720, 1, 25.2},
        Measured{VideoCodec::x264, "veryfast", 1280, 720, 8, 164.3},
        Measured{VideoCodec::x264, "", 1920, 1080, 1, 363.9},
        Measured{VideoCodec::x264, "veryslow", 1280, 720, 1, 347.5},
        Measured{VideoCodec::x265, "ultrafast", 1920, 1080, 1, 241.4},
        Measured{VideoCodec::x265, "", 1280, 720, 8, 223.8}, Measured{VideoCodec::av1, "12", 3840, 2160, 1, 800.1},
        Measured{VideoCodec::av1, "", 1280, 720, 1, 184.0}, Measured{VideoCodec::ffv1, "", 1920, 1080, 1, 323.5}}) {
    const double planned = mib_of(encoder_memory(frames_of(one.width, one.height),
                                                 {.codec = one.codec, .preset = one.preset, .threads = one.threads}));
    EXPECT_GE(planned, one.mib) << name_of(one.codec) << " " << one.preset << " " << one.width;
    EXPECT_LE(planned, one.mib / 0.85) << name_of(one.codec) << " " << one.preset << " " << one.width;
  }
}

TEST(CodecMemory, OptionsThatHoldMoreFramesNeedMore) {
  const FrameFormat frames = frames_of(1280, 720);
  const auto with = [&](VideoCodec codec, const char* name, const char* value) {
    return encoder_memory(frames, {.codec = codec, .options = {{name, value}}});
  };
  const Bytes usual = encoder_memory(frames, {.codec = VideoCodec::x264});
  EXPECT_GT(with(VideoCodec::x264, "rc-lookahead", "100"), usual);
  EXPECT_LT(with(VideoCodec::x264, "rc-lookahead", "10"), usual);
  EXPECT_EQ(with(VideoCodec::x264, "x264-params", "weightp=0:rc-lookahead=10"),
            with(VideoCodec::x264, "rc-lookahead", "10"));
  EXPECT_GT(with(VideoCodec::x264, "refs", "16"), usual);
  EXPECT_GT(with(VideoCodec::x264, "x264opts", "threads=8"), usual);
  EXPECT_EQ(with(VideoCodec::x264, "rc-lookahead", "many"), usual);
  EXPECT_GT(with(VideoCodec::x265, "x265-params", "rc-lookahead=60"),
            encoder_memory(frames, {.codec = VideoCodec::x265}));
  EXPECT_EQ(encoder_memory(frames, {.codec = VideoCodec::x264, .preset = "no such"}),
            encoder_memory(frames, {.codec = VideoCodec::x264, .preset = "placebo"}));
}

TEST(CodecMemory, DecodersNeedWhatWasMeasured) {
  const FrameFormat frames = frames_of(1920, 1080);
  EXPECT_GE(mib_of(decoder_memory(frames, {.codec = AV_CODEC_ID_H264, .references = 16, .reordered = 2})), 72);
  EXPECT_GE(mib_of(decoder_memory(frames, {.codec = AV_CODEC_ID_HEVC, .level = 120})), 35.4);
  EXPECT_GE(mib_of(decoder_memory(frames, {.codec = AV_CODEC_ID_AV1})), 30.6);
  EXPECT_LT(decoder_memory(frames, {.codec = AV_CODEC_ID_PRORES}), decoder_memory(frames, {.codec = AV_CODEC_ID_NONE}));
}

}  // namespace
}  // namespace weir::film
