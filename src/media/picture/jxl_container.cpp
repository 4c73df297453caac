#include "media/picture/jxl_container.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/atomic_file.hpp"

namespace weir::media {
namespace {

constexpr std::size_t kBoxHeader = 8;  // in bytes
// the first two boxes of a container
constexpr std::string_view kSignatureBox{"\0\0\0\x0cJXL \r\n\x87\n", 12};
constexpr std::string_view kFileTypeBox{
    "\0\0\0\x14"
    "ftypjxl \0\0\0\0jxl ",
    20};

std::uint64_t big_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (const auto byte : bytes) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

struct Box {
  std::string type;
  std::uint64_t body_offset = 0, end_offset = 0;  // byte offsets in the file
};

// Reads the header of the box at byte offset `at`. `read_at` reads bytes of the file and returns their number. Returns
// nothing if there is no box or it is damaged.
template <class ReadAt>
std::optional<Box> read_box_at(std::uint64_t at, std::uint64_t file_size, ReadAt&& read_at) {
  std::array<std::byte, 16> head{};
  const std::size_t got = read_at(at, head);
  if (got < kBoxHeader) return std::nullopt;
  auto size = big_endian(std::span{head}.first(4));
  Box box{std::string{reinterpret_cast<const char*>(head.data()) + 4, 4}, at + kBoxHeader, 0};
  // size 1: the size follows in 8 bytes; size 0: the box extends to the end of the file
  if (size == 1 && got == head.size()) {
    size = big_endian(std::span{head}.last(8));
    box.body_offset += 8;
  }
  if (size == 0) size = file_size - at;
  if (size < box.body_offset - at || size > file_size - at) return std::nullopt;
  box.end_offset = at + size;
  return box;
}

Status put_text(ByteSink& sink, std::string_view text) { return sink.put(std::as_bytes(std::span{text})); }

// Writes the length and the type of a box. body_bytes 0: the box extends to the end of the file.
Status put_box_header(ByteSink& sink, std::string_view type, std::uint64_t body_bytes) {
  const std::uint64_t box_bytes = body_bytes == 0 ? 0 : body_bytes + kBoxHeader;
  std::array<std::byte, 4> size{};  // big-endian
  for (int i = 0; i < 4; ++i) size[i] = static_cast<std::byte>(box_bytes >> (24 - 8 * i));
  if (auto put = sink.put(size); !put) return put;
  return put_text(sink, type);
}

Status put_metadata(const Metadata& metadata, ByteSink& sink) {
  if (!metadata.exif.empty()) {
    if (auto put = put_box_header(sink, "Exif", metadata.exif.size() + 4); !put) return put;
    if (auto put = put_text(sink, {"\0\0\0\0", 4}); !put) return put;  // offset of the TIFF header
    if (auto put = sink.put(metadata.exif); !put) return put;
  }
  if (metadata.xmp.empty()) return ok();
  if (auto put = put_box_header(sink, "xml ", metadata.xmp.size()); !put) return put;
  return sink.put(metadata.xmp);
}

// Copies the bytes from byte offset `from` to byte offset `to` of the file.
Status copy(int fd, std::uint64_t from, std::uint64_t to, ByteSink& sink) {
  std::array<std::byte, 16384> piece;
  while (from < to) {
    const auto got =
        ::pread(fd, piece.data(), std::min<std::uint64_t>(piece.size(), to - from), static_cast<off_t>(from));
    if (got <= 0) return Error{Errc::io, sink.name() + ": JPEG XL: " + errno_text(got < 0 ? errno : EIO)};
    if (auto put = sink.put(std::span{piece}.first(static_cast<std::size_t>(got))); !put) return put;
    from += static_cast<std::uint64_t>(got);
  }
  return ok();
}

}  // namespace

Status write_jxl_with_metadata(int fd, const Metadata& metadata, ByteSink& sink) {
  struct stat attributes {};
  if (::fstat(fd, &attributes) != 0) return Error{Errc::io, sink.name() + ": JPEG XL: " + errno_text(errno)};
  const auto size = static_cast<std::uint64_t>(attributes.st_size);
  const auto read_at = [&](std::uint64_t at, std::span<std::byte> bytes) {
    const auto got = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    return got < 0 ? std::size_t{0} : static_cast<std::size_t>(got);
  };
  // The metadata follows after the boxes that must be first in a container. A bare codestream becomes the last box.
  std::uint64_t at = 0;
  auto box = read_box_at(0, size, read_at);
  const bool is_container = box && box->type == "JXL ";
  while (is_container && box && (box->type == "JXL " || box->type == "ftyp" || box->type == "jxll")) {
    at = box->end_offset;
    box = read_box_at(at, size, read_at);
  }
  if (is_container) {
    if (auto put = copy(fd, 0, at, sink); !put) return put;
  } else {
    if (auto put = put_text(sink, kSignatureBox); !put) return put;
    if (auto put = put_text(sink, kFileTypeBox); !put) return put;
  }
  if (auto put = put_metadata(metadata, sink); !put) return put;
  if (!is_container)
    if (auto put = put_box_header(sink, "jxlc", 0); !put) return put;
  if (auto put = copy(fd, at, size, sink); !put) return put;
  return sink.flush();
}

}  // namespace weir::media
