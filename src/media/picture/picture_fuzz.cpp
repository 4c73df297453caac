// Any bytes are a picture or an error: opened, read to the end, and read again from the start, with damage refused and used.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "media/picture/picture.hpp"

namespace {

using namespace weir::media;
using Bytes = std::shared_ptr<const std::vector<std::byte>>;

constexpr std::uint64_t kMostPixels = 1 << 20;  // more is slow, not new
constexpr std::uint64_t kMostRowBytes = 1 << 20;

struct Pass {
  bool whole = false;  ///< all rows were read
  std::vector<std::byte> rows;
};

Pass read_all(PictureReader& reader) {
  Pass pass{true, {}};
  const std::size_t row = reader.info().row_bytes();
  pass.rows.resize(row * static_cast<std::size_t>(reader.info().height));
  for (std::size_t at = 0; at < pass.rows.size() && pass.whole; at += row)
    pass.whole = static_cast<bool>(reader.read({pass.rows.data() + at, row}));
  return pass;
}

/// Every pass must give the same. What was read, without rows if that failed or is too much.
Pass read_twice(const Bytes& bytes, Damaged damaged, std::vector<std::string>& damage) {
  auto reader = PictureReader::open({.path = "-", .bytes = bytes}, {.spill = {}, .damaged = damaged});
  if (!reader) return {};
  const auto& info = (*reader)->info();
  if (info.width < 1 || info.height < 1) std::abort();  // open() promises both
  if ((*reader)->metadata() == nullptr) std::abort();
  const auto pixels = static_cast<std::uint64_t>(info.width) * static_cast<std::uint64_t>(info.height);
  if (pixels > kMostPixels || info.row_bytes() > kMostRowBytes) return {};
  auto first = read_all(**reader);
  damage = (*reader)->damage();
  if (!first.whole) return first;
  if (!(*reader)->rewind()) std::abort();  // what was read once is read again
  const auto second = read_all(**reader);
  if (!second.whole || second.rows != first.rows || (*reader)->damage() != damage) std::abort();
  return first;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto all = std::as_bytes(std::span{data, size});
  const auto bytes = std::make_shared<const std::vector<std::byte>>(all.begin(), all.end());
  std::vector<std::string> damage;
  const auto strict = read_twice(bytes, Damaged::refuse, damage);
  if (!damage.empty()) std::abort();
  const auto used = read_twice(bytes, Damaged::use, damage);
  // A file that is whole is read alike; another is either not read or told of.
  if (strict.whole && (!used.whole || used.rows != strict.rows || !damage.empty())) std::abort();
  if (!strict.whole && used.whole && damage.empty()) std::abort();
  return 0;
}
