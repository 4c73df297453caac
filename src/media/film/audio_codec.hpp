#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "media/film/container.hpp"
#include "media/film/ffmpeg.hpp"

namespace weir::film {

/// The value of PlanRequest::audio with which sound is copied packet for packet.
inline constexpr std::string_view kCopyAudio = "copy";

/// An encoder of sound, open for the sound of one source stream.
struct AudioEncoder {
  CodecPtr context = {};        ///< its time base is one sample
  bool is_lossless = false;     ///< decoding gives the samples of the source bit for bit
  std::string conversion = {};  ///< for people: "from pcm_s24le, 44100 to 48000 Hz"
};

/// Returns whether `name` is "copy" or the name of an encoder that works here. Errors: invalid_argument, for any other
/// text; unsupported, if FFmpeg was built without the encoder. Both name those that work.
Status check_audio_name(const std::string& name);

/// Opens the encoder that users call `name` for the sound of a stream. It keeps the rate if the encoder takes it, and the
/// channels; it never mixes channels. Errors: those of check_audio_name(); unsupported, if the encoder does not take this
/// number of channels (the text names encoders that do), or if the stream does not say what its samples are.
Result<AudioEncoder> open_audio_encoder(const std::string& name, const AVCodecParameters& source);

/// Returns "aac or opus": the encoders that can encode a stream for a container.
std::string audio_codecs_for(Container container, const AVCodecParameters& source);

/// Returns the layout of the channels of a stream; the usual one for their number if the stream does not say it. Its order
/// is AV_CHANNEL_ORDER_NATIVE, or the layout is not a standard one.
AVChannelLayout standard_layout(const AVChannelLayout& layout);

}  // namespace weir::film
