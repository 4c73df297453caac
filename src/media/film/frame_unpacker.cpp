#include "media/film/frame_unpacker.hpp"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace weir::film {
namespace {

constexpr int kAlphaOfPalette = 3;  // byte of a palette's entry, as a number of 32 bits: blue, green, red, alpha

bool has_flag(const AVPixFmtDescriptor& format, std::uint64_t flag) { return (format.flags & flag) != 0; }

/// Returns whether the samples are RGB, or Y, Cb and Cr, or grey, in memory that a program can read.
bool has_readable_samples(const AVPixFmtDescriptor& format) {
  constexpr std::uint64_t kOthers = AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_BAYER;
  return !has_flag(format, kOthers) && !std::string_view{format.name}.starts_with("xyz");
}

int count_colours(const AVPixFmtDescriptor& format) {
  if (has_flag(format, AV_PIX_FMT_FLAG_PAL)) return 3;
  return format.nb_components - (has_flag(format, AV_PIX_FMT_FLAG_ALPHA) ? 1 : 0);
}

/// Returns the bits of a sample after unpacking; 0 if they differ between colours, or are more than 16.
int depth_of_samples(const AVPixFmtDescriptor& format) {
  int least = format.comp[0].depth, most = least;
  for (int i = 1; i < format.nb_components; ++i) {
    least = std::min(least, format.comp[i].depth);
    most = std::max(most, format.comp[i].depth);
  }
  if (most <= 8) return 8;
  return least == most && most <= 16 ? most : 0;
}

/// Reads one row of component `c` into `row`.
void read_row(const AVFrame& frame, const AVPixFmtDescriptor& format, int y, int c, std::vector<std::uint16_t>& row) {
  const std::uint8_t* data[4] = {frame.data[0], frame.data[1], frame.data[2], frame.data[3]};
  av_read_image_line2(row.data(), data, frame.linesize, &format, 0, y, c, static_cast<int>(row.size()), 0, 2);
}

/// Reads entries of a palette: the byte `byte` of each number of 32 bits.
void look_up(const AVFrame& frame, int byte, std::vector<std::uint16_t>& row) {
  for (std::uint16_t& sample : row) {
    std::uint32_t entry = 0;
    std::memcpy(&entry, frame.data[1] + (sizeof entry * sample), sizeof entry);
    sample = (entry >> (8 * byte)) & 0xff;
  }
}

/// Spreads samples of fewer than 8 bits over 0 to 255.
void widen(int depth, bool is_inverted, std::vector<std::uint16_t>& row) {
  const unsigned largest = (1U << static_cast<unsigned>(depth)) - 1;
  for (std::uint16_t& sample : row) {
    const unsigned value = is_inverted ? largest - sample : sample;
    sample = static_cast<std::uint16_t>(((value * 255) + (largest / 2)) / largest);
  }
}

void store_row(const std::vector<std::uint16_t>& row, int depth, std::uint8_t* to) {
  if (depth == 8)
    std::copy(row.begin(), row.end(), to);
  else
    std::memcpy(to, row.data(), row.size() * sizeof row[0]);
}

void unpack_component(const AVFrame& from, int c, AVFrame& to) {
  const auto& source = *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(from.format));
  const auto& target = *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(to.format));
  const bool has_palette = has_flag(source, AV_PIX_FMT_FLAG_PAL);
  const bool is_chroma = !has_flag(target, AV_PIX_FMT_FLAG_RGB) && c > 0;
  const int width = is_chroma ? AV_CEIL_RSHIFT(from.width, source.log2_chroma_w) : from.width;
  const int height = is_chroma ? AV_CEIL_RSHIFT(from.height, source.log2_chroma_h) : from.height;
  const int plane = target.comp[c].plane;
  std::vector<std::uint16_t> row(static_cast<std::size_t>(width));
  for (int y = 0; y < height; ++y) {
    read_row(from, source, y, has_palette ? 0 : c, row);
    if (has_palette)
      look_up(from, 2 - c, row);
    else if (source.comp[c].depth < 8)
      widen(source.comp[c].depth, from.format == AV_PIX_FMT_MONOWHITE, row);
    store_row(row, target.comp[c].depth, to.data[plane] + (static_cast<std::ptrdiff_t>(y) * to.linesize[plane]));
  }
}

}  // namespace

bool is_plain_planar(AVPixelFormat format) {
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
  if (description == nullptr || !has_readable_samples(*description)) return false;
  constexpr std::uint64_t kOthers =
      AV_PIX_FMT_FLAG_ALPHA | AV_PIX_FMT_FLAG_BE | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM;
  const int colours = description->nb_components;
  return !has_flag(*description, kOthers) && av_pix_fmt_count_planes(format) == colours &&
         (colours == 1 || colours == 3) && description->comp[0].depth >= 8 && description->comp[0].depth <= 16 &&
         description->comp[0].shift == 0;
}

std::optional<AVPixelFormat> find_planar_format(bool is_rgb, int colours, int depth, int chroma_shift_x,
                                                int chroma_shift_y) {
  const AVPixFmtDescriptor* format = nullptr;
  while ((format = av_pix_fmt_desc_next(format)) != nullptr) {
    const AVPixelFormat id = av_pix_fmt_desc_get_id(format);
    if (!is_plain_planar(id) || std::string_view{format->name}.starts_with("yuvj")) continue;
    if (format->nb_components == colours && has_flag(*format, AV_PIX_FMT_FLAG_RGB) == is_rgb &&
        format->comp[0].depth == depth && format->log2_chroma_w == chroma_shift_x &&
        format->log2_chroma_h == chroma_shift_y)
      return id;
  }
  return std::nullopt;
}

std::optional<AVPixelFormat> planar_format_of(AVPixelFormat format) {
  if (is_plain_planar(format)) return format;
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
  if (description == nullptr || !has_readable_samples(*description)) return std::nullopt;
  const bool is_rgb = has_flag(*description, AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL);
  const int colours = count_colours(*description);
  return find_planar_format(is_rgb, colours, depth_of_samples(*description), description->log2_chroma_w,
                            description->log2_chroma_h);
}

Result<FramePtr> unpack_frame(const AVFrame& frame) {
  const auto format = planar_format_of(static_cast<AVPixelFormat>(frame.format));
  if (!format) return Error{Errc::unsupported, "frames of a pixel format without planes"};
  FramePtr unpacked = make_frame();
  if (!unpacked) return Error{Errc::over_budget, "no memory for a frame"};
  unpacked->format = *format;
  unpacked->width = frame.width;
  unpacked->height = frame.height;
  if (const int result = av_frame_get_buffer(unpacked.get(), 0); result < 0) return ffmpeg_error(result, "frame");
  if (const int result = av_frame_copy_props(unpacked.get(), &frame); result < 0) return ffmpeg_error(result, "frame");
  const int colours = av_pix_fmt_desc_get(*format)->nb_components;
  for (int c = 0; c < colours; ++c) unpack_component(frame, c, *unpacked);
  return unpacked;
}

void pack_rgb(const AVFrame& planar, AVFrame& packed) {
  for (int y = 0; y < planar.height; ++y) {
    const auto row = [&](int plane) {
      return planar.data[plane] + (static_cast<std::ptrdiff_t>(y) * planar.linesize[plane]);
    };
    const std::uint8_t *green = row(0), *blue = row(1), *red = row(2);
    auto* to = reinterpret_cast<std::uint32_t*>(packed.data[0] + (static_cast<std::ptrdiff_t>(y) * packed.linesize[0]));
    for (int x = 0; x < planar.width; ++x)
      to[x] = (std::uint32_t{red[x]} << 16) | (std::uint32_t{green[x]} << 8) | std::uint32_t{blue[x]};
  }
}

bool has_transparency(const AVFrame& frame) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  if (format == nullptr || !has_flag(*format, AV_PIX_FMT_FLAG_ALPHA) || !has_readable_samples(*format)) return false;
  const bool has_palette = has_flag(*format, AV_PIX_FMT_FLAG_PAL);
  const int alpha = has_palette ? 0 : format->nb_components - 1;
  const unsigned opaque = (1U << static_cast<unsigned>(format->comp[alpha].depth)) - 1;
  std::vector<std::uint16_t> row(static_cast<std::size_t>(frame.width));
  for (int y = 0; y < frame.height; ++y) {
    read_row(frame, *format, y, alpha, row);
    if (has_palette) look_up(frame, kAlphaOfPalette, row);
    if (std::any_of(row.begin(), row.end(), [&](unsigned sample) { return sample != opaque; })) return true;
  }
  return false;
}

}  // namespace weir::film
