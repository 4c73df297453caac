#pragma once

#include "base/bytes.hpp"
#include "media/film/ffmpeg.hpp"
#include "media/film/frame_format.hpp"
#include "media/film/video_codec.hpp"

namespace weir::film {

/// Returns an upper bound of the memory that an encoder with these settings takes for frames of this format: frames
/// that wait for a decision or serve as references, and tables. The models are in docs/memory.md.
Bytes encoder_memory(const FrameFormat& frames, const EncodeSettings& settings);

/// What decoder_memory() needs to know of a stream.
struct DecoderTraits {
  AVCodecID codec = AV_CODEC_ID_NONE;
  int level = 0;       ///< AVCodecParameters::level; 0 or below: not known
  int references = 0;  ///< frames that the decoder stores as references; 0: not known
  int reordered = 0;   ///< AVCodecContext::has_b_frames
};

/// Returns the traits of a stream that an encoder with these settings makes.
DecoderTraits result_traits(const EncodeSettings& settings);

/// Returns an upper bound of the memory of a decoder with one thread, its frames, and the reader of its container, in a
/// process that has decoded a frame before (the libraries are in memory).
Bytes decoder_memory(const FrameFormat& frames, const DecoderTraits& stream);

}  // namespace weir::film
