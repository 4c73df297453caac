#pragma once

#include <optional>

#include "base/result.hpp"
#include "media/film/ffmpeg.hpp"

namespace weir::film {

/// Returns whether the samples of this format can be used as they are: each colour in a plane of its own, without
/// alpha, as integers of 8 to 16 bits of this machine.
bool is_plain_planar(AVPixelFormat format);

/// Returns the planar format for these components: 1 (grey) or 3, chroma samples at distances of 2^shift pixels. Empty
/// if FFmpeg has no such format. Full range has no formats of its own here (as yuvj420p): ColourTags::range tells it.
std::optional<AVPixelFormat> find_planar_format(bool is_rgb, int colours, int depth, int chroma_shift_x,
                                                int chroma_shift_y);

/// Returns the planar format that holds the samples of this format, without alpha, in the same places; the format
/// itself if is_plain_planar(). Samples of fewer than 8 bits get 8. Empty if there is none: hardware formats, floating
/// point, and encodings that are neither RGB nor Y, Cb and Cr.
std::optional<AVPixelFormat> planar_format_of(AVPixelFormat format);

/// Copies the samples of a frame of any format, without alpha, into new planes of planar_format_of(), and all
/// properties. Every sample keeps its value. Those of fewer than 8 bits are spread over 0 to 255, palettes are looked
/// up. Errors: unsupported, if there is no such format; over_budget.
Result<FramePtr> unpack_frame(const AVFrame& frame);

/// Copies a frame of AV_PIX_FMT_GBRP to one of AV_PIX_FMT_0RGB32 of the same size, with writable memory.
void pack_rgb(const AVFrame& planar, AVFrame& packed);

/// Returns whether a pixel of the frame is transparent, in whole or in part.
bool has_transparency(const AVFrame& frame);

}  // namespace weir::film
