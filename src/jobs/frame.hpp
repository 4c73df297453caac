#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir::jobs {

// Messages between coordinator and worker. A message is the text of a JSON object. On the socket it is sent as a frame:
// the two letters "wj", the version of the protocol (16 bits) and the length of the text in bytes (32 bits), both
// little-endian, then the text (docs/jobs.md).

inline constexpr std::uint16_t kProtocolVersion = 1;
inline constexpr std::size_t kMaxMessageBytes = std::size_t{4} << 20;

/// Returns the frame of a message. Errors: invalid_argument if the message is longer than kMaxMessageBytes.
Result<std::string> to_frame(std::string_view message);

/// Splits a stream of bytes into messages. After an error every further call of next() returns that error.
class FrameReader {
 public:
  /// Appends received bytes.
  void feed(std::string_view bytes) { buffer_ += bytes; }
  /// Returns the next complete message, or nothing if more bytes are needed. Errors: corrupt (not a frame, or its
  /// length is above the limit), unsupported (another version; the text names both).
  Result<std::optional<std::string>> next();

 private:
  std::string buffer_;
  std::size_t at_ = 0;  // offset in buffer_ of the next frame
};

}  // namespace weir::jobs
