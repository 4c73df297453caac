#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir::jobs {

/// Messages between coordinator and worker. A frame is "wj", the version (16 bits) and the length (32 bits), both
/// little-endian, then the text, which is a JSON object (docs/jobs.md).
inline constexpr std::uint16_t kProtocolVersion = 1;
inline constexpr std::size_t kMaxMessageBytes = std::size_t{4} << 20;

/// Errors: invalid_argument if the message is longer than kLongestMessage.
Result<std::string> to_frame(std::string_view message);

/// Takes a stream of bytes apart. After an error it stays in that error.
class FrameReader {
 public:
  void feed(std::string_view bytes) { buffer_ += bytes; }
  /// The next whole message; empty if more bytes are needed. Errors: corrupt (no frame, or one of too great a length),
  /// unsupported (another version, both named).
  Result<std::optional<std::string>> next();

 private:
  std::string buffer_;
  std::size_t at_ = 0;
};

}  // namespace weir::jobs
