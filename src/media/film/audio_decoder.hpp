#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "media/film/ffmpeg.hpp"
#include "media/film/times.hpp"

namespace weir::film {

/// A part of the sound of a stream: samples of a decoded frame, or silence before it, where the stream has none.
struct AudioPiece {
  const AVFrame* frame = nullptr;  ///< of silence: the frame after it, whose format it has
  bool is_silence = false;
  int first = 0;             ///< sample of the frame with which the piece begins
  std::int64_t samples = 0;  ///< per channel
};

/// Decodes the sound of a stream as one sequence of samples without gaps: where the times of the stream have a gap, it
/// gives silence, and where they overlap, it drops samples. So sample n is at the time of the first sample plus n divided by
/// the rate, for a stream of any length. Differences of a few ms are taken for the rounding of times by the
/// container. Not thread-safe.
class AudioDecoder {
 public:
  /// `window`: samples before and after it are left out; empty: none. Errors: unsupported; over_budget.
  static Result<std::unique_ptr<AudioDecoder>> open(const AVStream& stream, const std::optional<TimeWindow>& window);

  /// Gives the decoder a packet; null at the end. Call it after receive() returned nothing. Data that cannot be decoded are
  /// counted. Errors: over_budget.
  Status send(const AVPacket* packet);
  /// Returns the next piece, which is valid until the next call; nothing if a further packet is needed or the sound has
  /// ended. Errors: over_budget; corrupt, if the times of the stream jump by hours.
  Result<std::optional<AudioPiece>> receive();

  /// Returns the rate of the last piece, in samples per second.
  int rate() const { return rate_; }
  /// Returns the time of the first sample in units of `unit`. Call it after the first piece.
  std::int64_t first_time(AVRational unit) const;
  std::int64_t undecodable_packets() const { return undecodable_; }
  /// Returns the seconds of silence that fill gaps.
  double silence_seconds() const { return silence_seconds_; }
  /// Returns the seconds of sound that were dropped, because the times of the stream overlap.
  double dropped_seconds() const { return dropped_seconds_; }

 private:
  AudioDecoder() = default;
  Status place_frame();
  void begin_at(std::int64_t pts);
  void change_rate(int rate);
  AudioPiece take(bool is_silence, int first, std::int64_t samples);

  CodecPtr decoder_;
  FramePtr frame_ = make_frame();
  AVRational unit_{0, 1};  // of the stream
  std::optional<TimeWindow> window_;
  int rate_ = 0;
  std::int64_t origin_ = AV_NOPTS_VALUE;  // time of the first decoded sample, in unit_
  int first_rate_ = 0;                    // at the origin
  std::int64_t position_ = 0;             // of the next sample, counted from the origin
  std::int64_t begin_ = 0;                // position of the first sample of the window
  std::optional<std::int64_t> end_;       // position after the window
  std::int64_t silence_ = 0;              // samples of silence that are due before the frame
  int dropped_ = 0;                       // samples at the beginning of the frame that are left out
  bool has_frame_ = false;
  std::int64_t first_ = 0;  // position of the first sample that was returned
  bool has_first_ = false;
  std::int64_t undecodable_ = 0;
  double silence_seconds_ = 0, dropped_seconds_ = 0;
};

}  // namespace weir::film
