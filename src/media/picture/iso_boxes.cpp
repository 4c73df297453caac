#include "media/picture/iso_boxes.hpp"

#include <algorithm>
#include <array>

namespace weir::media {

std::vector<IsoBox> iso_boxes(const InputFile& file, std::uint64_t at, std::uint64_t end) {
  constexpr std::size_t kMost = 4096, kShortHead = 8, kLongHead = 16;
  std::vector<IsoBox> found;
  end = std::min(end, file.size());
  while (found.size() < kMost && at + kShortHead <= end) {
    std::array<std::byte, kLongHead> head{};
    auto got = file.read_at(at, head);
    if (!got || *got < kShortHead) break;
    IsoNumbers numbers{std::span{head}.first(*got)};
    std::uint64_t size = numbers.next(4), head_bytes = kShortHead;
    std::string type = numbers.text(4);
    if (size == 1) {
      size = numbers.next(8);
      head_bytes = kLongHead;
    }
    if (size == 0) size = end - at;
    if (size < head_bytes || size > end - at) break;
    found.push_back({std::move(type), at + head_bytes, at + size});
    at += size;
  }
  return found;
}

std::optional<Blob> iso_body(const InputFile& file, const IsoBox& box, std::uint64_t limit) {
  if (box.size() > limit) return std::nullopt;
  Blob body(static_cast<std::size_t>(box.size()));
  auto got = file.read_at(box.body, body);
  if (!got || *got < body.size()) return std::nullopt;
  return body;
}

std::span<const std::byte> IsoNumbers::take(std::size_t bytes) {
  if (bytes > left_.size()) {
    good_ = false;
    left_ = {};
    return {};
  }
  const auto taken = left_.first(bytes);
  left_ = left_.subspan(bytes);
  return taken;
}

std::uint64_t IsoNumbers::next(std::size_t bytes) {
  std::uint64_t value = 0;
  for (const auto byte : take(bytes)) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

std::string IsoNumbers::text(std::size_t bytes) {
  const auto taken = take(bytes);
  return {reinterpret_cast<const char*>(taken.data()), taken.size()};
}

std::string IsoNumbers::line() {
  const auto end = std::find(left_.begin(), left_.end(), std::byte{0});
  std::string found = text(static_cast<std::size_t>(end - left_.begin()));
  if (!left_.empty()) take(1);
  return found;
}

}  // namespace weir::media
