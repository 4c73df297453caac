#include "media/picture/tiff_extra_tags.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "base/atomic_file.hpp"
#include "base/round_up.hpp"
#include "media/picture/tiff_tree.hpp"

namespace weir::media {
namespace {

constexpr std::size_t kHeaderBytes = 8, kEntryBytes = 12;  // sizes of the file header and of a directory entry
constexpr std::uint16_t kIptcTag = 33723, kUndefinedType = 7, kOrientationTag = 274;

Error make_tags_error(const std::string& name, Errc code, const std::string& reason) {
  return Error{code, name + ": TIFF tags: " + reason};
}

Status read_all(int fd, std::uint64_t at, std::span<std::byte> into, const std::string& name) {
  while (!into.empty()) {
    const auto got = ::pread(fd, into.data(), into.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return make_tags_error(name, Errc::io, errno_text(errno));
    if (got == 0) return make_tags_error(name, Errc::io, "the file ends too early");
    at += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return ok();
}

Status write_all(int fd, std::uint64_t at, std::span<const std::byte> bytes, const std::string& name) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int problem = written < 0 ? errno : ENOSPC;  // a write of no bytes sets no errno
      return make_tags_error(name, errc_from_errno(problem), errno_text(problem));
    }
    at += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return ok();
}

// Reads the entries of the first directory. TiffTag::value contains the four bytes of the value field, also if they are
// the offset of a value elsewhere in the file, because such values stay where they are.
Result<TiffDirectory> read_entries(int fd, std::span<const std::byte> header, const std::string& name) {
  const TiffNumberReader numbers{header};
  const std::uint64_t at = numbers.u32(4);
  Blob count(2);
  if (auto got = read_all(fd, at, count, name); !got) return got.error();
  Blob entries(TiffNumberReader{count, numbers.is_little_endian()}.u16(0) * kEntryBytes);
  if (auto got = read_all(fd, at + count.size(), entries, name); !got) return got.error();
  const TiffNumberReader values{entries, numbers.is_little_endian()};
  TiffDirectory made{.little_endian = numbers.is_little_endian(), .has_next = false, .tags = {}, .subdirectories = {}};
  for (std::size_t entry = 0; entry < entries.size(); entry += kEntryBytes) {
    const auto value = std::span{entries}.subspan(entry + 8, 4);
    made.tags.push_back({.tag = values.u16(entry),
                         .type = values.u16(entry + 2),
                         .count = values.u32(entry + 4),
                         .value = Blob(value.begin(), value.end())});
  }
  return made;
}

// Adds the tags of the EXIF block that the page lacks, and the subdirectories of the block.
void add_exif(TiffDirectory& page, const Blob& exif) {
  auto tree = read_tiff_tree(exif);
  if (!tree) return;
  remove_unread_tags(*tree);
  set_byte_order(*tree, page.little_endian);
  for (TiffTag& tag : tree->tags)
    if (tag.tag != kOrientationTag && page.find(tag.tag) == nullptr) page.tags.push_back(std::move(tag));
  page.subdirectories = std::move(tree->subdirectories);
}

}  // namespace

Status add_tiff_tags(int fd, const Metadata& metadata, const std::string& name) {
  Blob header(kHeaderBytes);
  struct stat attributes {};
  if (::fstat(fd, &attributes) != 0) return make_tags_error(name, Errc::io, errno_text(errno));
  if (auto got = read_all(fd, 0, header, name); !got) return got;
  const TiffNumberReader numbers{header};
  const auto directory_offset = round_up(static_cast<std::uint64_t>(attributes.st_size), 2);
  // A BigTIFF has no header that has_header() accepts, so it gets this message too.
  if (!numbers.has_header() || directory_offset + metadata.bytes() * 2 > std::numeric_limits<std::uint32_t>::max())
    return Error{Errc::unsupported, name + ": TIFF: no room for further tags"};
  auto page = read_entries(fd, header, name);
  if (!page) return page.error();
  add_exif(*page, metadata.exif);
  if (!metadata.iptc.empty() && page->find(kIptcTag) == nullptr)
    page->tags.push_back({.tag = kIptcTag,
                          .type = kUndefinedType,
                          .count = static_cast<std::uint32_t>(metadata.iptc.size()),
                          .value = metadata.iptc});
  const auto at = static_cast<std::uint32_t>(directory_offset);
  if (auto written = write_all(fd, at, write_tiff_tree(*page, at), name); !written) return written;
  // The header refers to the new directory only after it was written, so that a failure leaves a valid file.
  for (std::size_t i = 0; i < 4; ++i)
    header[4 + (page->little_endian ? i : 3 - i)] = static_cast<std::byte>(at >> (8 * i));
  return write_all(fd, 0, header, name);
}

}  // namespace weir::media
