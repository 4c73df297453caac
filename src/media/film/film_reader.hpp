#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "media/film/codec_memory.hpp"
#include "media/film/ffmpeg.hpp"
#include "media/film/film_io.hpp"

namespace weir::film {

/// How a film is decoded. Damaged frames depend on the number of decoder threads, so a film is always decoded with the
/// settings that its index names.
struct ReadSettings {
  int threads = 1;  ///< decoder threads
  std::optional<int> video_stream =
      {};                    ///< index of the stream to decode; empty: the one that find_video_stream() names
  bool all_streams = false;  ///< reads the packets of all streams, for end_time(); only one stream is decoded
  /// Called with each packet of the other streams, in the order of the film; empty: they are not needed. An error ends
  /// the reading.
  std::function<Status(AVPacket& packet)> other_packets = {};
  /// Where the film is read, from its beginning to its end; the path is then a name for messages. Null: the file. It must
  /// outlive the reader.
  FilmIo* io = nullptr;
  std::stop_token stop = {};  ///< reading ends soon after a stop is requested, with the error `cancelled`
};

/// Returns the index of the stream that is the film itself: the best video stream that is not a cover picture; -1 if
/// there is none.
int find_video_stream(const AVFormatContext& input);

/// One decoded frame. It is valid until the next call of FilmReader::next() or seek().
struct DecodedFrame {
  const AVFrame* frame = nullptr;   ///< null: the film has ended
  std::optional<std::int64_t> pts;  ///< presentation time in units of the stream's time base; empty: the file has none
  /// Decoding time of the packet with the same rank: the n-th frame since open() or seek() has that of the n-th packet.
  std::optional<std::int64_t> decoding_time;
  bool is_damaged = false;  ///< the decoder filled in or guessed a part of the frame
};

/// Decodes the video stream of a film in presentation order. Not thread-safe.
///
/// Some files, such as AVI with B-frames, give many frames no presentation time. Packets are stored in the order of
/// their decoding times, and a frame with B-frames is presented later than it is decoded. So the times at which frames
/// are presented are the decoding times in ascending order: DecodedFrame::decoding_time.
class FilmReader {
 public:
  /// Opens a film and its decoder. Errors: io; corrupt (no film, or no readable header); unsupported (no video stream,
  /// or no decoder for it).
  static Result<std::unique_ptr<FilmReader>> open(const std::filesystem::path& path, const ReadSettings& settings);

  const AVFormatContext& input() const { return *input_; }
  AVFormatContext& input() { return *input_; }
  const AVStream& stream() const { return *input_->streams[stream_]; }
  /// Returns what decoder_memory() needs to know; complete once a frame was decoded.
  DecoderTraits decoder_traits() const;

  /// Decodes the next frame. Data that cannot be decoded are skipped and counted in skipped_packets().
  /// Errors: io; over_budget; cancelled; those of ReadSettings::other_packets; corrupt, if so many packets in sequence cannot be read that the rest of the
  /// film is lost.
  Result<DecodedFrame> next();
  /// Continues at the last key frame at or before `pts`, or near it: some containers seek imprecisely, so the caller
  /// compares the frames that follow with the index. Errors: io, corrupt, if the container cannot seek.
  Status seek(std::int64_t pts);
  /// Returns the number of packets that could not be read, are incomplete, or could not be decoded since open() or seek().
  std::int64_t skipped_packets() const { return skipped_packets_; }
  /// Returns the latest end of a packet that was read, of any stream, in units of 1/AV_TIME_BASE s; 0 before the first.
  std::int64_t end_time() const { return end_time_; }
  /// Returns whether a film in y4m or NUT that was read from ReadSettings::io to its end lacks the end of its data: y4m
  /// ends with a whole frame, NUT with an index.
  bool is_cut_off() const;

 private:
  FilmReader() = default;
  Status open_decoder(const ReadSettings& settings);
  /// Reads packets until one of the video stream was given to the decoder, or the input has ended.
  Status feed_decoder();
  DecodedFrame describe_frame();
  Status take_packet();
  void note_end_of_packet();

  std::filesystem::path path_;
  std::stop_token stop_;
  std::function<Status(AVPacket& packet)> other_packets_;
  const FilmIo* io_ = nullptr;
  InputPtr input_;
  int stream_ = -1;
  CodecPtr decoder_;
  FramePtr frame_ = make_frame();
  PacketPtr packet_ = make_packet();
  bool has_pending_packet_ = false;  // packet_ was read and not yet accepted by the decoder
  bool input_ended_ = false;
  std::int64_t skipped_packets_ = 0;
  std::int64_t end_time_ = 0;
  std::int64_t end_position_ = 0;            // of the last packet of the video stream, in bytes
  std::deque<std::int64_t> decoding_times_;  // of the packets that were read, without those of returned frames
};

}  // namespace weir::film
