#include "media/picture/tiff_tree.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <functional>
#include <limits>

#include <fmt/format.h>

#include "base/round_up.hpp"

namespace weir::media {
namespace {

// largest number of tags of a directory that are read; largest size of the values of a tag that are read
constexpr std::size_t kMaxTags = 4096, kMaxValueBytes = std::size_t{64} << 10;
constexpr int kMaxDepth = 2;  // levels of subdirectories
constexpr std::array kPointers{kExifPointer, kGpsPointer, kInteropPointer};

bool is_pointer(std::uint16_t tag) { return std::find(kPointers.begin(), kPointers.end(), tag) != kPointers.end(); }

// types of numbers of 64 bits, which exist only in BigTIFF, and the types of the same numbers with 32 bits
constexpr std::uint16_t kLong8Type = 16, kSignedLong8Type = 17, kIfd8Type = 18;
constexpr std::uint16_t kLongType = 4, kSignedLongType = 9, kIfdType = 13;

// Returns the size in bytes of one value of a type; 0: unknown type.
std::size_t type_bytes(std::uint16_t type) {
  constexpr std::array<std::size_t, 19> kBytes{0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};
  return type < kBytes.size() ? kBytes[type] : 0;
}
// Returns the size in bytes of the numbers in a value of a type; a fraction consists of two numbers.
std::size_t number_bytes(std::uint16_t type) {
  constexpr std::uint16_t kFractionType = 5, kSignedFraction = 10;
  return type == kFractionType || type == kSignedFraction ? 4 : type_bytes(type);
}

// Reads bytes at an offset; returns false if not all of them can be read.
using ReadAt = std::function<bool(std::uint64_t, std::span<std::byte>)>;

/// Reads the first directory of a TIFF file or an EXIF block, and its subdirectories.
class TiffTreeReader {
 public:
  explicit TiffTreeReader(ReadAt read) : read_{std::move(read)} {}

  std::optional<TiffDirectory> read() {
    std::array<std::byte, 16> head{};
    if (!read_(0, std::span{head}.first(8))) return std::nullopt;
    little_endian_ = head[0] == std::byte{'I'};
    if (head[0] != head[1] || (!little_endian_ && head[0] != std::byte{'M'})) return std::nullopt;
    constexpr std::uint64_t kTiffMagic = 42, kBigTiffMagic = 43;
    const auto magic = to_number(std::span{head}.subspan(2, 2));
    is_bigtiff_ = magic == kBigTiffMagic;
    if (!is_bigtiff_ && magic != kTiffMagic) return std::nullopt;
    if (is_bigtiff_ && !read_(0, head)) return std::nullopt;
    return read_directory(to_number(is_bigtiff_ ? std::span{head}.subspan(8, 8) : std::span{head}.subspan(4, 4)), 0);
  }

 private:
  std::uint64_t to_number(std::span<const std::byte> bytes) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      value = value << 8 | std::to_integer<std::uint64_t>(bytes[little_endian_ ? bytes.size() - 1 - i : i]);
    return value;
  }

  std::optional<TiffDirectory> read_directory(std::uint64_t at, int depth) {
    const std::size_t count_bytes = is_bigtiff_ ? 8 : 2, entry_bytes = is_bigtiff_ ? 20 : 12;
    std::array<std::byte, 8> count{};
    if (at == 0 || !read_(at, std::span{count}.first(count_bytes))) return std::nullopt;
    const auto entries = std::min<std::uint64_t>(to_number(std::span{count}.first(count_bytes)), kMaxTags);
    TiffDirectory made{.little_endian = little_endian_, .has_next = false, .tags = {}, .subdirectories = {}};
    for (std::uint64_t i = 0; i < entries; ++i) {
      std::array<std::byte, 20> entry{};
      if (!read_(at + count_bytes + i * entry_bytes, std::span{entry}.first(entry_bytes))) break;
      add_entry(made, std::span{entry}.first(entry_bytes), at + count_bytes + i * entry_bytes, depth);
    }
    std::array<std::byte, 8> next{};
    const auto next_offset = std::span{next}.first(is_bigtiff_ ? 8 : 4);
    made.has_next = read_(at + count_bytes + entries * entry_bytes, next_offset) && to_number(next_offset) != 0;
    return made;
  }

  // Adds the tag or subdirectory of an entry of a directory to `to`. `at` is the byte offset of the entry.
  void add_entry(TiffDirectory& to, std::span<const std::byte> entry, std::uint64_t at, int depth) {
    const std::size_t field_bytes = is_bigtiff_ ? 8 : 4;  // bytes of the count field, and of the value field
    const auto tag = static_cast<std::uint16_t>(to_number(entry.first(2)));
    const auto type = static_cast<std::uint16_t>(to_number(entry.subspan(2, 2)));
    const std::uint64_t count = to_number(entry.subspan(4, field_bytes)),
                        value = to_number(entry.subspan(4 + field_bytes, field_bytes));
    if (type_bytes(type) == 0) return;
    if (is_pointer(tag)) {
      if (depth >= kMaxDepth) return;
      constexpr std::uint16_t kShortType = 3;
      // An offset has at least 32 bits, so a pointer of type SHORT is damaged.
      auto subdirectory = type == kShortType ? std::nullopt : read_directory(value, depth + 1);
      if (subdirectory) to.subdirectories.push_back({tag, *std::move(subdirectory)});
      return;
    }
    constexpr std::uint64_t kMaxCount = std::numeric_limits<std::uint32_t>::max();
    TiffTag made{
        .tag = tag, .type = type, .count = static_cast<std::uint32_t>(std::min(count, kMaxCount)), .value = {}};
    // A large count is not multiplied, because the product could overflow.
    const std::uint64_t bytes = count > kMaxValueBytes ? kMaxValueBytes + 1 : count * type_bytes(type);
    if (bytes <= kMaxValueBytes && held_bytes_ + bytes <= kMaxTextBytes) {
      made.value.resize(static_cast<std::size_t>(bytes));
      // The value field contains the values if they fit into it, or else their offset.
      if (!read_(bytes <= field_bytes ? at + 4 + field_bytes : value, made.value)) return;
      held_bytes_ += bytes;
      narrow_numbers(made);
    }
    to.tags.push_back(std::move(made));
  }

  // Converts numbers of 64 bits to 32 bits, because EXIF blocks, and the TIFF files that weir writes, cannot contain
  // others. If a number does not fit, the value becomes empty.
  void narrow_numbers(TiffTag& tag) const {
    if (tag.type != kLong8Type && tag.type != kSignedLong8Type && tag.type != kIfd8Type) return;
    constexpr std::size_t kWideBytes = 8, kNarrowBytes = 4;
    Blob narrow;
    for (std::size_t at = 0; at < tag.value.size(); at += kWideBytes) {
      const auto bytes = std::span{tag.value}.subspan(at, kWideBytes);
      const std::uint64_t number = to_number(bytes);
      const auto as_signed = static_cast<std::int64_t>(number);
      const bool fits = tag.type == kSignedLong8Type ? as_signed == static_cast<std::int32_t>(as_signed)
                                                     : number <= std::numeric_limits<std::uint32_t>::max();
      if (!fits) return tag.value.clear();
      const auto low_half = bytes.subspan(little_endian_ ? 0 : kNarrowBytes, kNarrowBytes);
      narrow.insert(narrow.end(), low_half.begin(), low_half.end());
    }
    tag.value = std::move(narrow);
    tag.type = tag.type == kLong8Type ? kLongType : tag.type == kSignedLong8Type ? kSignedLongType : kIfdType;
  }

  ReadAt read_;
  bool little_endian_ = true, is_bigtiff_ = false;
  std::uint64_t held_bytes_ = 0;  // sum of the sizes of all values that were read
};

/// Writes directories in the form of TIFF (not BigTIFF). A directory has the number of its entries (2 bytes), the
/// entries (12 bytes each), and the offset of the next directory (4 bytes, here 0: none). An entry has the tag (at byte
/// 0), the type of the values (2), their number (4), and the values or their offset (8).
class TiffTreeWriter {
 public:
  explicit TiffTreeWriter(std::uint32_t at) : at_{at} {}

  Blob write(const TiffDirectory& tree) {
    write_directory(tree);
    return std::move(out_);
  }

 private:
  // Writes a number into out_ at index `at`.
  void put_number(std::size_t at, std::uint32_t value, std::size_t bytes, bool little) {
    for (std::size_t i = 0; i < bytes; ++i)
      out_[at + (little ? i : bytes - 1 - i)] = static_cast<std::byte>(value >> (8 * i));
  }

  // Writes the entries in the order of their tags, then the values that do not fit into an entry, and the
  // subdirectories. Returns the offset of the directory in the file.
  std::uint32_t write_directory(const TiffDirectory& tree) {
    out_.resize(round_up(out_.size(), 2));
    const std::size_t start = out_.size(), entries = tree.tags.size() + tree.subdirectories.size();
    out_.resize(start + 2 + 12 * entries + 4);
    put_number(start, static_cast<std::uint32_t>(entries), 2, tree.little_endian);
    // tag number; its subdirectory, or null for other tags
    std::vector<std::pair<std::uint16_t, const TiffDirectory*>> order;
    for (const TiffTag& tag : tree.tags) order.emplace_back(tag.tag, nullptr);
    for (const auto& [tag, subdirectory] : tree.subdirectories) order.emplace_back(tag, &subdirectory);
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::size_t entry = start + 2;
    for (const auto& [number, subdirectory] : order) {
      put_number(entry, number, 2, tree.little_endian);
      if (subdirectory != nullptr) {
        const std::uint32_t offset = write_directory(*subdirectory);
        put_number(entry + 2, kLongType, 2, tree.little_endian);
        put_number(entry + 4, 1, 4, tree.little_endian);
        put_number(entry + 8, offset, 4, tree.little_endian);
      } else {
        put_tag(entry, *tree.find(number), tree.little_endian);
      }
      entry += 12;
    }
    return at_ + static_cast<std::uint32_t>(start);
  }

  // Writes type, count and value of a tag. `entry` is the index in out_ of the directory entry.
  void put_tag(std::size_t entry, const TiffTag& tag, bool little) {
    assert(!tag.is_unread());
    put_number(entry + 2, tag.type, 2, little);
    put_number(entry + 4, tag.count, 4, little);
    std::size_t offset = entry + 8;
    if (tag.value.size() > 4) {
      out_.resize(round_up(out_.size(), 2));
      offset = out_.size();
      put_number(entry + 8, at_ + static_cast<std::uint32_t>(offset), 4, little);
      out_.resize(offset + tag.value.size());
    }
    std::copy(tag.value.begin(), tag.value.end(), out_.begin() + static_cast<std::ptrdiff_t>(offset));
  }

  std::uint32_t at_;  // byte offset in the file of the start of out_
  Blob out_;
};

}  // namespace

const TiffTag* TiffDirectory::find(std::uint16_t tag) const {
  const auto found = std::find_if(tags.begin(), tags.end(), [&](const TiffTag& each) { return each.tag == tag; });
  return found == tags.end() ? nullptr : &*found;
}

std::vector<double> TiffDirectory::read_numbers(std::uint16_t tag) const {
  const TiffTag* found = find(tag);
  if (found == nullptr) return {};
  const TiffNumberReader values{found->value, little_endian};
  std::vector<double> out;
  constexpr std::uint16_t kShortType = 3, kFractionType = 5;
  for (std::size_t at = 0; at + type_bytes(found->type) <= found->value.size(); at += type_bytes(found->type)) {
    if (found->type == kShortType) out.push_back(values.u16(at));
    if (found->type == kLongType) out.push_back(values.u32(at));
    if (found->type == kFractionType)
      out.push_back(values.u32(at + 4) == 0 ? 0 : 1.0 * values.u32(at) / values.u32(at + 4));
  }
  return out;
}

std::optional<TiffDirectory> read_tiff_tree(const InputFile& file) {
  return TiffTreeReader{[&](std::uint64_t at, std::span<std::byte> into) {
           auto got = file.read_at(at, into);
           return got && *got == into.size();
         }}
      .read();
}

std::optional<TiffDirectory> read_tiff_tree(std::span<const std::byte> block) {
  return TiffTreeReader{[&](std::uint64_t at, std::span<std::byte> into) {
           if (at > block.size() || into.size() > block.size() - at) return false;
           std::copy_n(block.begin() + static_cast<std::ptrdiff_t>(at), into.size(), into.begin());
           return true;
         }}
      .read();
}

namespace {

// Adds the tags that `original` has and `copy` lacks to `missing`. `copy` may be null.
void add_missing(const TiffDirectory& original, const TiffDirectory* copy, std::vector<std::uint16_t>& missing) {
  constexpr std::uint16_t kOrientationOfPage = 0x0112;
  for (const TiffTag& tag : original.tags)
    if (tag.tag != kOrientationOfPage && (copy == nullptr || copy->find(tag.tag) == nullptr))
      missing.push_back(tag.tag);
  for (const auto& [pointer, subdirectory] : original.subdirectories) {
    const TiffDirectory* other = nullptr;
    if (copy != nullptr)
      for (const auto& [tag, each] : copy->subdirectories)
        if (tag == pointer) other = &each;
    add_missing(subdirectory, other, missing);
  }
}

}  // namespace

std::vector<std::uint16_t> find_missing_tags(std::span<const std::byte> original, std::span<const std::byte> copy) {
  std::vector<std::uint16_t> missing;
  const auto original_tree = read_tiff_tree(original), copy_tree = read_tiff_tree(copy);
  if (original_tree) add_missing(*original_tree, copy_tree ? &*copy_tree : nullptr, missing);
  constexpr std::uint16_t kThumbnail = 0x0201;
  if (original_tree && original_tree->has_next && !(copy_tree && copy_tree->has_next)) missing.push_back(kThumbnail);
  return missing;
}

std::vector<std::uint16_t> remove_unread_tags(TiffDirectory& tree) {
  std::vector<std::uint16_t> removed;
  for (const TiffTag& tag : tree.tags)
    if (tag.is_unread()) removed.push_back(tag.tag);
  std::erase_if(tree.tags, [](const TiffTag& tag) { return tag.is_unread(); });
  for (auto& [pointer, subdirectory] : tree.subdirectories) {
    const auto below = remove_unread_tags(subdirectory);
    removed.insert(removed.end(), below.begin(), below.end());
  }
  return removed;
}

std::string list_tag_numbers(std::span<const std::uint16_t> numbers) {
  constexpr std::size_t kMaxNamed = 8;
  std::string names;
  for (const std::uint16_t number : numbers.first(std::min(numbers.size(), kMaxNamed)))
    names += fmt::format(" {:#06x}", number);
  return numbers.size() > kMaxNamed ? names + fmt::format(" and {} more", numbers.size() - kMaxNamed) : names;
}

Blob write_tiff_tree(const TiffDirectory& tree, std::uint32_t at) { return TiffTreeWriter{at}.write(tree); }

void set_byte_order(TiffDirectory& tree, bool little) {
  if (tree.little_endian == little) return;
  tree.little_endian = little;
  for (TiffTag& tag : tree.tags) {
    const std::size_t bytes = number_bytes(tag.type);
    for (std::size_t at = 0; bytes > 1 && at + bytes <= tag.value.size(); at += bytes)
      std::reverse(tag.value.begin() + static_cast<std::ptrdiff_t>(at),
                   tag.value.begin() + static_cast<std::ptrdiff_t>(at + bytes));
  }
  for (auto& [tag, subdirectory] : tree.subdirectories) set_byte_order(subdirectory, little);
}

}  // namespace weir::media
