#include "media/picture/iso_boxes.hpp"

#include <algorithm>
#include <array>

namespace weir::media {

std::vector<IsoBox> read_iso_boxes(const InputFile& file, std::uint64_t at, std::uint64_t end) {
  constexpr std::size_t kMaxBoxes = 4096, kShortHead = 8, kLongHead = 16;
  std::vector<IsoBox> found;
  end = std::min(end, file.size());
  while (found.size() < kMaxBoxes && at + kShortHead <= end) {
    std::array<std::byte, kLongHead> head{};
    auto got = file.read_at(at, head);
    if (!got || *got < kShortHead) break;
    IsoBodyReader numbers{std::span{head}.first(*got)};
    std::uint64_t size = numbers.read_number(4), head_bytes = kShortHead;
    std::string type = numbers.read_text(4);
    if (size == 1) {  // the size follows in 8 bytes
      size = numbers.read_number(8);
      head_bytes = kLongHead;
    }
    if (size == 0) size = end - at;  // the box extends to the end
    if (size < head_bytes || size > end - at) break;
    found.push_back({std::move(type), at + head_bytes, at + size});
    at += size;
  }
  return found;
}

std::optional<Blob> read_iso_body(const InputFile& file, const IsoBox& box, std::uint64_t limit) {
  if (box.body_bytes() > limit) return std::nullopt;
  Blob body(static_cast<std::size_t>(box.body_bytes()));
  auto got = file.read_at(box.body_offset, body);
  if (!got || *got < body.size()) return std::nullopt;
  return body;
}

std::span<const std::byte> IsoBodyReader::take_bytes(std::size_t bytes) {
  if (bytes > remaining_.size()) {
    good_ = false;
    remaining_ = {};
    return {};
  }
  const auto taken = remaining_.first(bytes);
  remaining_ = remaining_.subspan(bytes);
  return taken;
}

std::uint64_t IsoBodyReader::read_number(std::size_t bytes) {
  std::uint64_t value = 0;
  for (const auto byte : take_bytes(bytes)) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

std::string IsoBodyReader::read_text(std::size_t bytes) {
  const auto taken = take_bytes(bytes);
  return {reinterpret_cast<const char*>(taken.data()), taken.size()};
}

std::string IsoBodyReader::read_c_string() {
  const auto end = std::find(remaining_.begin(), remaining_.end(), std::byte{0});
  std::string found = read_text(static_cast<std::size_t>(end - remaining_.begin()));
  if (!remaining_.empty()) take_bytes(1);
  return found;
}

}  // namespace weir::media
