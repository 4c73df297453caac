#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "enhance/picture_upscaler.hpp"
#include "media/film/codec_memory.hpp"
#include "media/film/display.hpp"
#include "media/film/frame_format.hpp"
#include "media/film/interlacing.hpp"
#include "media/film/segment_encoder.hpp"
#include "media/film/video_codec.hpp"

namespace weir::film {

/// The frames of a film, those of its result, and the plan of one frame.
struct FilmFrames {
  FrameFormat source;
  DecoderTraits decoder = {};        ///< of the source; set by the caller
  Orientation turn = {};             ///< of the pixels, before the network
  Deinterlacing deinterlacing = {};  ///< before that; set by the caller
  SegmentFormat format;              ///< of the result
  PlaneSize network_result;
  enhance::UpscalePlan plan;
};

/// Describes the frames of a film and how its result is shown, by the first decoded frame and its stream. `turn`: how the
/// pixels are turned. The format of
/// the result's frames and the plan are those of plan_frames(). Errors: those of describe_format().
Result<FilmFrames> describe_frames(const AVFrame& first, const AVStream& stream, Orientation turn);

/// Plans the enlargement of described frames and their encoding: sets FilmFrames::format.frames, network_result and
/// plan, whose memory includes decoder, waiting frames, encoder and `other`. Errors: those of enhance::final_size(),
/// format_for_codec() and PictureUpscaler::plan().
Status plan_frames(FilmFrames& film, enhance::PictureUpscaler& upscaler, const enhance::UpscaleSettings& settings,
                   const EncodeSettings& encode, Bytes other = {});

}  // namespace weir::film
