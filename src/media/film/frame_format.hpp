#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "media/film/ffmpeg.hpp"
#include "media/film/planes.hpp"

namespace weir::film {

/// How the samples of a frame encode colours: the numbers of ITU-T H.273, as FFmpeg names them.
struct ColourTags {
  AVColorSpace matrix = AVCOL_SPC_UNSPECIFIED;
  AVColorPrimaries primaries = AVCOL_PRI_UNSPECIFIED;
  AVColorTransferCharacteristic transfer = AVCOL_TRC_UNSPECIFIED;
  AVColorRange range = AVCOL_RANGE_UNSPECIFIED;
  AVChromaLocation chroma_location = AVCHROMA_LOC_UNSPECIFIED;
  bool operator==(const ColourTags&) const = default;
};

/// The layout of a film's frames in memory.
struct FrameFormat {
  AVPixelFormat pixel_format = AV_PIX_FMT_NONE;  ///< planar, and not one of those that imply the range (yuvj420p)
  int width = 0, height = 0;                     ///< in pixels
  int depth = 8;                                 ///< bits of a sample, 8 to 16
  int colours = 3;                               ///< 3, or 1 for a grey film
  bool is_rgb = false;                           ///< the planes are green, blue and red; otherwise Y, Cb and Cr
  int chroma_shift_x = 0;                        ///< log2 of the horizontal distance of chroma samples, in pixels
  int chroma_shift_y = 0;                        ///< the same, vertical
  ColourTags colour;                             ///< complete: what the film does not say is guessed as players do
  std::vector<std::string> guessed;  ///< names of the tags that the film does not give: "matrix", "primaries", ...

  SampleType sample_type() const { return depth == 8 ? SampleType::uint8 : SampleType::uint16; }
  PlaneSize luma_size() const { return {width, height}; }
  /// Returns luma_size() with a last column and row added where chroma samples lie beside two pixels and the size is odd.
  PlaneSize padded_luma_size() const {
    const PlaneSize chroma = chroma_size();
    return {chroma.width << chroma_shift_x, chroma.height << chroma_shift_y};
  }
  PlaneSize chroma_size() const {
    return {AV_CEIL_RSHIFT(width, chroma_shift_x), AV_CEIL_RSHIFT(height, chroma_shift_y)};
  }
};

/// Describes the frames of a film, after unpack_frame() where the decoder gives no plain planes. `frame`: any frame of
/// it, as decoded. Tags that the film lacks get the values that players assume: BT.709 from 577 rows on, BT.601 of PAL
/// or NTSC below, limited range, chroma samples as in MPEG-2. Errors: unsupported, for a pixel format without
/// planar_format_of().
Result<FrameFormat> describe_format(const AVFrame& frame);

/// Returns the same format with another size in pixels.
FrameFormat with_size(FrameFormat format, int width, int height);

}  // namespace weir::film
