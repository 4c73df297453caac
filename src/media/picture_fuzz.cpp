// Any bytes are a picture or an error: opened, read to the end, and read again from the start.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "media/picture.hpp"

namespace {

constexpr std::uint64_t kMostPixels = 1 << 20;  // more is slow, not new
constexpr std::uint64_t kMostRowBytes = 1 << 20;

bool read_all(weir::media::PictureReader& reader) {
  std::vector<std::byte> row(reader.info().row_bytes());
  for (int y = 0; y < reader.info().height; ++y)
    if (!reader.read(row)) return false;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::media;
  const auto bytes = std::as_bytes(std::span{data, size});
  auto memory = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  auto reader = PictureReader::open({.path = "-", .bytes = std::move(memory)});
  if (!reader) return 0;
  const auto& info = (*reader)->info();
  if (info.width < 1 || info.height < 1) std::abort();  // open() promises both
  if ((*reader)->metadata() == nullptr) std::abort();
  const auto pixels = static_cast<std::uint64_t>(info.width) * static_cast<std::uint64_t>(info.height);
  if (pixels > kMostPixels || info.row_bytes() > kMostRowBytes) return 0;
  if (!read_all(**reader)) return 0;
  if (!(*reader)->rewind() || !read_all(**reader)) std::abort();  // what was read once is read again
  return 0;
}
