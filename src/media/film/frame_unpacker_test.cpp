// Compares unpacked frames with the samples that were packed: by hand for some formats, by packing again for all.
#include "media/film/frame_unpacker.hpp"

#include <gtest/gtest.h>

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <array>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include "media/film/frame_format.hpp"

namespace weir::film {
namespace {

constexpr int kWidth = 37, kHeight = 22;  // no multiple of the blocks of any format across

/// Returns a frame whose memory is random.
FramePtr random_frame(AVPixelFormat format, int width = kWidth, int height = kHeight) {
  FramePtr frame = make_frame();
  frame->format = format;
  frame->width = width;
  frame->height = height;
  EXPECT_EQ(av_frame_get_buffer(frame.get(), 0), 0);
  std::mt19937 random{7};
  for (int plane = 0; plane < AV_NUM_DATA_POINTERS && frame->buf[plane] != nullptr; ++plane)
    for (std::size_t i = 0; i < static_cast<std::size_t>(frame->buf[plane]->size); ++i)
      frame->buf[plane]->data[i] = static_cast<std::uint8_t>(random());
  if (format == AV_PIX_FMT_PAL8)
    for (int i = 0; i < AVPALETTE_SIZE; ++i) frame->data[1][i] = static_cast<std::uint8_t>(random());
  return frame;
}

int sample_of(const AVFrame& frame, int plane, int x, int y, int bytes = 1) {
  const std::uint8_t* row = frame.data[plane] + (static_cast<std::ptrdiff_t>(y) * frame.linesize[plane]);
  if (bytes == 1) return row[x];
  std::uint16_t sample = 0;
  std::memcpy(&sample, row + (x * std::ptrdiff_t{2}), sizeof sample);
  return sample;
}

/// Where a packed format has the sample of a plane of the unpacked frame.
struct HandCase {
  AVPixelFormat format, planar;
  std::function<int(const AVFrame& packed, int plane, int x, int y)> packed_sample;
};

/// Returns byte `places[plane]` of a pixel of `step` bytes; planes of RGB are green, blue, red.
auto in_pixel(std::array<int, 3> places, int step) {
  return [=](const AVFrame& f, int plane, int x, int y) {
    return sample_of(f, 0, (x * step) + places[static_cast<std::size_t>(plane)], y);
  };
}

int palette_entry(const AVFrame& frame, int plane, int x, int y) {
  std::uint32_t entry = 0;
  std::memcpy(&entry, frame.data[1] + (sizeof entry * static_cast<std::size_t>(sample_of(frame, 0, x, y))),
              sizeof entry);
  constexpr int kShifts[3] = {8, 0, 16};  // green, blue, red
  return static_cast<int>((entry >> kShifts[plane]) & 0xff);
}

std::vector<HandCase> hand_cases() {
  const auto yuyv = [](const AVFrame& f, int p, int x, int y) {
    return sample_of(f, 0, p == 0 ? 2 * x : (4 * x) + (2 * p) - 1, y);
  };
  const auto uyvy = [](const AVFrame& f, int p, int x, int y) {
    return sample_of(f, 0, p == 0 ? (2 * x) + 1 : (4 * x) + (2 * (p - 1)), y);
  };
  const auto nv12 = [](const AVFrame& f, int p, int x, int y) {
    return p == 0 ? sample_of(f, 0, x, y) : sample_of(f, 1, (2 * x) + p - 1, y);
  };
  const auto p010 = [](const AVFrame& f, int p, int x, int y) {
    return (p == 0 ? sample_of(f, 0, x, y, 2) : sample_of(f, 1, (2 * x) + p - 1, y, 2)) >> 6;
  };
  const auto same = [](const AVFrame& f, int p, int x, int y) { return sample_of(f, p, x, y); };
  const auto rgb48 = [](const AVFrame& f, int p, int x, int y) {
    return sample_of(f, 0, (3 * x) + (p == 0 ? 1 : p == 1 ? 2 : 0), y, 2);
  };
  const auto bit = [](bool is_white_0) {
    return [=](const AVFrame& f, int, int x, int y) {
      return (((sample_of(f, 0, x / 8, y) >> (7 - (x % 8))) & 1) != 0) != is_white_0 ? 255 : 0;
    };
  };
  return {
      {AV_PIX_FMT_YUYV422, AV_PIX_FMT_YUV422P, yuyv},
      {AV_PIX_FMT_UYVY422, AV_PIX_FMT_YUV422P, uyvy},
      {AV_PIX_FMT_NV12, AV_PIX_FMT_YUV420P, nv12},
      {AV_PIX_FMT_P010LE, AV_PIX_FMT_YUV420P10LE, p010},
      {AV_PIX_FMT_RGB24, AV_PIX_FMT_GBRP, in_pixel({1, 2, 0}, 3)},
      {AV_PIX_FMT_BGR24, AV_PIX_FMT_GBRP, in_pixel({1, 0, 2}, 3)},
      {AV_PIX_FMT_BGR0, AV_PIX_FMT_GBRP, in_pixel({1, 0, 2}, 4)},
      {AV_PIX_FMT_RGBA, AV_PIX_FMT_GBRP, in_pixel({1, 2, 0}, 4)},
      {AV_PIX_FMT_ARGB, AV_PIX_FMT_GBRP, in_pixel({2, 3, 1}, 4)},
      {AV_PIX_FMT_RGB48LE, AV_PIX_FMT_GBRP16LE, rgb48},
      {AV_PIX_FMT_PAL8, AV_PIX_FMT_GBRP, palette_entry},
      {AV_PIX_FMT_GBRAP, AV_PIX_FMT_GBRP, same},
      {AV_PIX_FMT_YUVA420P, AV_PIX_FMT_YUV420P, same},
      {AV_PIX_FMT_YA8, AV_PIX_FMT_GRAY8, [](const AVFrame& f, int, int x, int y) { return sample_of(f, 0, 2 * x, y); }},
      {AV_PIX_FMT_MONOBLACK, AV_PIX_FMT_GRAY8, bit(false)},
      {AV_PIX_FMT_MONOWHITE, AV_PIX_FMT_GRAY8, bit(true)}};
}

TEST(FrameUnpacker, GivesEverySampleOfThePackedFrame) {
  for (const HandCase& hand : hand_cases()) {
    const FramePtr packed = random_frame(hand.format, 36, 22);
    const auto unpacked = unpack_frame(*packed);
    const std::string name = av_get_pix_fmt_name(hand.format);
    ASSERT_TRUE(unpacked) << name;
    ASSERT_EQ((*unpacked)->format, hand.planar) << name;
    const auto format = describe_format(*packed);
    ASSERT_TRUE(format) << name;
    EXPECT_EQ(format->pixel_format, hand.planar) << name;
    const int bytes = format->depth == 8 ? 1 : 2;
    for (int plane = 0; plane < format->colours; ++plane) {
      const PlaneSize size = plane == 0 || format->is_rgb ? format->luma_size() : format->chroma_size();
      for (int y = 0; y < size.height; ++y)
        for (int x = 0; x < size.width; ++x)
          ASSERT_EQ(sample_of(**unpacked, plane, x, y, bytes), hand.packed_sample(*packed, plane, x, y))
              << name << " plane " << plane << " x " << x << " y " << y;
    }
  }
}

/// Returns all samples of a component of a frame.
std::vector<std::uint16_t> component_of(const AVFrame& frame, int c) {
  const AVPixFmtDescriptor& format = *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  const bool is_chroma = (format.flags & AV_PIX_FMT_FLAG_RGB) == 0 && (c == 1 || c == 2);
  const int width = is_chroma ? AV_CEIL_RSHIFT(frame.width, format.log2_chroma_w) : frame.width;
  const int height = is_chroma ? AV_CEIL_RSHIFT(frame.height, format.log2_chroma_h) : frame.height;
  std::vector<std::uint16_t> samples(static_cast<std::size_t>(width) * height);
  const std::uint8_t* data[4] = {frame.data[0], frame.data[1], frame.data[2], frame.data[3]};
  for (int y = 0; y < height; ++y)
    av_read_image_line2(&samples[static_cast<std::size_t>(y) * width], data, frame.linesize, &format, 0, y, c, width, 0,
                        2);
  return samples;
}

TEST(FrameUnpacker, EveryFormatOfIntegersKeepsItsSamplesInTheSamePlaces) {
  int formats = 0;
  const AVPixFmtDescriptor* source = nullptr;
  while ((source = av_pix_fmt_desc_next(source)) != nullptr) {
    const AVPixelFormat id = av_pix_fmt_desc_get_id(source);
    const auto planar = planar_format_of(id);
    if (!planar || (source->flags & AV_PIX_FMT_FLAG_PAL) != 0) continue;
    ++formats;
    const FramePtr packed = random_frame(id);
    const auto unpacked = unpack_frame(*packed);
    ASSERT_TRUE(unpacked) << source->name;
    const AVPixFmtDescriptor& target = *av_pix_fmt_desc_get(*planar);
    EXPECT_TRUE(is_plain_planar(*planar));
    EXPECT_EQ(target.log2_chroma_w, source->log2_chroma_w) << source->name;
    EXPECT_EQ(target.log2_chroma_h, source->log2_chroma_h) << source->name;
    EXPECT_EQ(target.flags & AV_PIX_FMT_FLAG_RGB, source->flags & AV_PIX_FMT_FLAG_RGB) << source->name;
    for (int c = 0; c < target.nb_components; ++c) {
      auto samples = component_of(**unpacked, c);
      const int depth = source->comp[c].depth;
      if (depth < 8) {  // back to fewer bits
        for (auto& sample : samples) sample = static_cast<std::uint16_t>(sample >> (8 - depth));
        if (id == AV_PIX_FMT_MONOWHITE)
          for (auto& sample : samples) sample ^= 1;
      } else {
        EXPECT_EQ(target.comp[c].depth, depth) << source->name;
      }
      EXPECT_EQ(samples, component_of(*packed, c)) << source->name << " component " << c;
    }
  }
  EXPECT_GT(formats, 150);
}

TEST(FrameUnpacker, FormatsWithoutIntegersOfColoursAreRefusedByName) {
  for (const AVPixelFormat id :
       {AV_PIX_FMT_GRAYF32LE, AV_PIX_FMT_XYZ12LE, AV_PIX_FMT_BAYER_RGGB8, AV_PIX_FMT_GBRPF32LE}) {
    EXPECT_FALSE(planar_format_of(id)) << av_get_pix_fmt_name(id);
    const FramePtr frame = random_frame(id);
    EXPECT_FALSE(unpack_frame(*frame));
    const auto format = describe_format(*frame);
    ASSERT_FALSE(format);
    EXPECT_EQ(format.error().code, Errc::unsupported);
    EXPECT_NE(format.error().what.find(av_get_pix_fmt_name(id)), std::string::npos) << format.error().what;
  }
  EXPECT_FALSE(planar_format_of(AV_PIX_FMT_VAAPI));
  EXPECT_FALSE(planar_format_of(AV_PIX_FMT_NONE));
}

TEST(FrameUnpacker, OnePixelThatIsNotOpaqueIsTransparency) {
  for (const AVPixelFormat id : {AV_PIX_FMT_RGBA, AV_PIX_FMT_YUVA420P, AV_PIX_FMT_YUVA444P10LE, AV_PIX_FMT_PAL8}) {
    const FramePtr frame = random_frame(id);
    const bool is_planar = id == AV_PIX_FMT_YUVA420P || id == AV_PIX_FMT_YUVA444P10LE;
    const int alpha = is_planar ? 3 : id == AV_PIX_FMT_PAL8 ? 1 : 0;
    const int bytes = id == AV_PIX_FMT_PAL8 ? AVPALETTE_SIZE : frame->linesize[alpha] * kHeight;
    std::memset(frame->data[alpha], 0xff, static_cast<std::size_t>(bytes));
    if (id == AV_PIX_FMT_YUVA444P10LE) {
      for (int i = 0; i < frame->linesize[3] * kHeight; i += 2) {
        const std::uint16_t opaque = 1023;
        std::memcpy(frame->data[3] + i, &opaque, sizeof opaque);
      }
    }
    EXPECT_FALSE(has_transparency(*frame)) << av_get_pix_fmt_name(id);
    if (id == AV_PIX_FMT_PAL8) frame->data[0][5] = 9;
    frame->data[alpha][id == AV_PIX_FMT_PAL8 ? (9 * 4) + 3 : id == AV_PIX_FMT_RGBA ? 7 : 6] = 17;
    EXPECT_TRUE(has_transparency(*frame)) << av_get_pix_fmt_name(id);
  }
  EXPECT_FALSE(has_transparency(*random_frame(AV_PIX_FMT_RGB24)));
}

}  // namespace
}  // namespace weir::film
