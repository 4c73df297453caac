#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "media/film/ffmpeg.hpp"
#include "media/film/video_codec.hpp"

namespace weir::film {

// Data that frames carry beside their samples, such as closed captions: FFmpeg's side data. Those that the encoder
// repeats from the first frame (HdrData) or that the container stores are not among them.

/// Returns which kinds of data a frame carries: bit i for kind i of a fixed list of at most 10 kinds.
std::uint32_t frame_data_kinds(const AVFrame& frame);

/// Returns what a result in this codec lacks of these kinds of data: one line for each kind, for people.
std::vector<std::string> find_lost_frame_data(std::uint32_t kinds, VideoCodec codec);

/// Returns the closed captions of a frame (CEA-708 in the packets of ATSC A/53); empty if it has none.
std::span<const std::uint8_t> captions_of(const AVFrame& frame);
/// Adds closed captions to a frame that is encoded; empty ones are not added. Encoders that cannot store them leave
/// them out. Errors: over_budget.
Status add_captions(std::span<const std::uint8_t> captions, AVFrame& frame);

}  // namespace weir::film
