// Fuzz target: opens the bytes as a picture and reads all rows twice with each damage policy. Each policy must
// result in a picture or an error.
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
using FileContent = std::shared_ptr<const std::vector<std::byte>>;

constexpr std::uint64_t kMaxPixels = 1 << 20;  // larger pictures are slow and test nothing new
constexpr std::uint64_t kMaxRowBytes = 1 << 20;

/// The result of one reading of a picture.
struct Reading {
  bool is_complete = false;  ///< all rows were read
  std::vector<std::byte> rows;
};

Reading read_all(PictureReader& reader) {
  Reading reading{true, {}};
  const std::size_t row = reader.info().row_bytes();
  reading.rows.resize(row * static_cast<std::size_t>(reader.info().height));
  for (std::size_t at = 0; at < reading.rows.size() && reading.is_complete; at += row)
    reading.is_complete = static_cast<bool>(reader.read({reading.rows.data() + at, row}));
  return reading;
}

/// Reads the picture twice and checks that both readings yield the same rows and damage. Returns the first reading; its
/// `is_complete` is false if reading failed or the picture is too large.
Reading read_twice(const FileContent& bytes, DamagePolicy policy, std::vector<std::string>& damage) {
  auto reader = PictureReader::open({.path = "-", .bytes = bytes}, {.spill_folder = {}, .damaged = policy});
  if (!reader) return {};
  const auto& info = (*reader)->info();
  if (info.width < 1 || info.height < 1) std::abort();  // open() guarantees both
  if ((*reader)->metadata() == nullptr) std::abort();
  const auto pixels = static_cast<std::uint64_t>(info.width) * static_cast<std::uint64_t>(info.height);
  if (pixels > kMaxPixels || info.row_bytes() > kMaxRowBytes) return {};
  auto first = read_all(**reader);
  damage = (*reader)->damage();
  if (!first.is_complete) return first;
  if (!(*reader)->rewind()) std::abort();  // a second reading must be possible
  const auto second = read_all(**reader);
  if (!second.is_complete || second.rows != first.rows || (*reader)->damage() != damage) std::abort();
  return first;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto all = std::as_bytes(std::span{data, size});
  const auto bytes = std::make_shared<const std::vector<std::byte>>(all.begin(), all.end());
  std::vector<std::string> damage;
  const auto refusing = read_twice(bytes, DamagePolicy::refuse, damage);
  if (!damage.empty()) std::abort();
  const auto using_damaged = read_twice(bytes, DamagePolicy::use, damage);
  // If DamagePolicy::refuse accepts the file, DamagePolicy::use yields the same rows and reports no damage. If only
  // DamagePolicy::use accepts it, it reports damage.
  if (refusing.is_complete && (!using_damaged.is_complete || using_damaged.rows != refusing.rows || !damage.empty()))
    std::abort();
  if (!refusing.is_complete && using_damaged.is_complete && damage.empty()) std::abort();
  return 0;
}
