#include "jobs/frame.hpp"

#include <fmt/format.h>

namespace weir::jobs {
namespace {

constexpr std::size_t kHeaderBytes = 8;  // 2 for the letters "wj", 2 for the version, 4 for the length (frame.hpp)

void append_little_endian(std::string& frame, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) frame += static_cast<char>(value >> (8 * i) & 0xFF);
}

std::uint32_t parse_little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return value;
}

}  // namespace

Result<std::string> to_frame(std::string_view message) {
  if (message.size() > kMaxMessageBytes)
    return Error{Errc::invalid_argument,
                 fmt::format("a message of {} bytes; at most {} are sent", message.size(), kMaxMessageBytes)};
  std::string frame{"wj"};
  frame.reserve(kHeaderBytes + message.size());
  append_little_endian(frame, kProtocolVersion, 2);
  append_little_endian(frame, static_cast<std::uint32_t>(message.size()), 4);
  frame += message;
  return frame;
}

Result<std::optional<std::string>> FrameReader::next() {
  const std::string_view rest = std::string_view{buffer_}.substr(at_);
  if (rest.size() < kHeaderBytes) {
    buffer_.erase(0, std::exchange(at_, 0));  // removes the frames that were returned
    return std::optional<std::string>{};
  }
  if (!rest.starts_with("wj")) return Error{Errc::corrupt, "the message has no header of weir"};
  if (const auto version = parse_little_endian(rest.substr(2, 2)); version != kProtocolVersion)
    return Error{Errc::unsupported, fmt::format("the other process speaks version {} of the messages, this one {}",
                                                version, kProtocolVersion)};
  const std::size_t length = parse_little_endian(rest.substr(4, 4));
  if (length > kMaxMessageBytes)
    return Error{Errc::corrupt,
                 fmt::format("a message of {} bytes; at most {} are accepted", length, kMaxMessageBytes)};
  if (rest.size() - kHeaderBytes < length) {
    buffer_.erase(0, std::exchange(at_, 0));
    return std::optional<std::string>{};
  }
  at_ += kHeaderBytes + length;
  return std::optional{std::string{rest.substr(kHeaderBytes, length)}};
}

}  // namespace weir::jobs
