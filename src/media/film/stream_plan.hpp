#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "media/film/container.hpp"
#include "media/film/display.hpp"
#include "media/film/video_codec.hpp"

namespace weir::film {

/// What happens to a stream of the source.
enum class StreamFate {
  encoded,    ///< the film itself: replaced by the encoded segments
  copied,     ///< packet for packet
  converted,  ///< text subtitles, to the codec that the container has for them; sound, to that of PlanRequest::audio
  chapters,   ///< the titles of chapters as a stream, which the result has with its chapters
  lost
};

enum class StreamKind { video, audio, subtitles, attachment, cover, data };
/// Returns "video", "audio", "subtitles", "attachment", "cover" or "data".
std::string_view name_of(StreamKind kind);

/// One stream of the source, and its place in the result.
struct PlannedStream {
  int source = 0;             ///< index in the source
  std::optional<int> target;  ///< index in the result; empty: lost
  StreamKind kind = StreamKind::data;
  StreamFate fate = StreamFate::lost;
  AVCodecID codec = AV_CODEC_ID_NONE;  ///< in the result; of a lost stream, in the source
  std::string codec_name;              ///< FFmpeg's name of `codec`
  std::string language, title;         ///< empty: the source does not say it
  /// One line for people: of a lost stream, why; of a converted stream, from what; of a copied one, what to beware of.
  std::string reason;
  bool is_lossless = false;  ///< of converted sound: decoding gives the samples of the source
  /// Copied packets with decoding times that go back, which were moved forward. Set by join_film().
  std::int64_t moved_packets = 0;
};

/// What a result in a given container keeps of a source.
struct StreamPlan {
  Container container = Container::mkv;
  std::string audio = "copy";          ///< PlanRequest::audio
  int video_stream = 0;                ///< index in the source
  std::vector<PlannedStream> streams;  ///< in the order of the source
  /// What is lost beside streams: one line each, for people. join_film() adds what it finds after writing.
  std::vector<std::string> lost;

  /// Returns whether a stream is sound that is encoded anew.
  static bool is_encoded_audio(const PlannedStream& planned) {
    return planned.kind == StreamKind::audio && planned.fate == StreamFate::converted;
  }
  const PlannedStream& video() const { return streams[static_cast<std::size_t>(video_stream)]; }
  /// Returns the number of streams in the result.
  int count_targets() const;
  /// Returns a line for each lost stream, and then `lost`.
  std::vector<std::string> lost_lines() const;
};

/// What plan_streams() needs to know of the result.
struct PlanRequest {
  Container container = Container::mkv;
  VideoCodec codec = VideoCodec::x264;
  std::optional<int> video_stream = {};  ///< FilmIndex::video_stream; empty: find_video_stream()
  Orientation orientation = {};          ///< DisplayProperties::orientation of the result
  std::string audio = "copy";            ///< or the name of an encoder for all sound: open_audio_encoder()
};

/// Decides for each stream of a film whether the result has it, before any frame is computed. Attachments and covers
/// have the last places in the result. Errors: unsupported, if the container cannot hold the encoded film or the sound
/// of the source; the text names containers or codecs that can. Those of open_input() and open_audio_encoder().
Result<StreamPlan> plan_streams(const std::filesystem::path& source, const PlanRequest& request);
/// Does the same for a film that is open.
Result<StreamPlan> plan_streams(const AVFormatContext& source, const PlanRequest& request, const std::string& name);

}  // namespace weir::film
