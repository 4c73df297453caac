#include "media/picture/png_mender.hpp"

#include <isa-l/crc.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

namespace weir::media {
namespace {

constexpr std::size_t kSignature = 8, kChunkRead = std::size_t{16} << 10;
constexpr std::uint64_t kLongestAncillary = std::uint64_t{64} << 20;
constexpr std::uint32_t kHeaderSize = 13;
constexpr int kMostSearches = 16;    // for chunks in bytes that are none: more is a file of garbage
constexpr int kMostCandidates = 64;  // of one search, whose checksums are compared

std::uint32_t big_endian(const std::byte* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  return value;
}

void append(std::vector<std::byte>& to, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<std::byte>(value >> shift));
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
std::string_view text_of(const std::array<char, 4>& type) { return {type.data(), type.size()}; }
bool is_ancillary(const std::array<char, 4>& type) { return type[0] >= 'a'; }
/// The checksum of what `so_far` was of and these bytes behind it.
std::uint32_t crc_of(std::uint32_t so_far, const void* bytes, std::size_t count) {
  return crc32_gzip_refl(so_far, static_cast<const unsigned char*>(bytes), count);
}

}  // namespace

Result<PngMender> PngMender::open(InputFilePtr file) {
  PngMender mender{std::move(file)};
  if (auto header = mender.read_header(); !header) return header.error();
  return mender;
}

bool PngMender::has_good_lengths(const InputFile& file) {
  bool pixels = false;
  std::array<std::byte, 8> head{};
  for (std::uint64_t at = kSignature; at < file.size();) {
    const auto got = file.read_at(at, head);
    if (!got || *got < head.size()) return false;
    std::array<char, 4> type{};
    std::memcpy(type.data(), head.data() + 4, 4);
    const bool is_pixels = text_of(type) == "IDAT";
    if (pixels && !is_pixels && std::all_of(type.begin(), type.end(), is_letter)) return true;
    if (!std::all_of(type.begin(), type.end(), is_letter)) return false;
    pixels = pixels || is_pixels;
    at += head.size() + big_endian(head.data()) + 4;
  }
  return pixels;
}

Status PngMender::check_chunk(InputFilePtr file, std::uint64_t at) {
  PngMender reader{file};
  const auto chunk = reader.chunk_at(at);
  if (reader.failure_) return *reader.failure_;
  if (chunk && chunk->whole) return ok();
  const bool cut = !chunk || chunk->body + chunk->size + 4 > file->size();
  return file->error(Errc::corrupt, std::string{"PNG: "} +
                                        (cut ? "the file ends too early" : "the checksum of the pixel data is wrong") +
                                        "; the file is damaged, get it again");
}

std::size_t PngMender::read(std::uint64_t at, std::span<std::byte> into) {
  auto got = file_->read_at(at, into);
  if (got) return *got;
  if (!failure_) failure_ = got.error();
  return 0;
}

void PngMender::suspect(std::string what) {
  if (doubt_.empty()) doubt_ = std::move(what);
}

/// The signature and IHDR, which must be where they belong.
Status PngMender::read_header() {
  head_.resize(kSignature);
  const bool there = read(0, head_) == kSignature;
  auto header = there ? chunk_at(kSignature) : std::nullopt;
  if (failure_) return *failure_;
  if (!header || text_of(header->type) != "IHDR" || header->size != kHeaderSize)
    return file_->error(Errc::corrupt, "PNG: has no whole header; the file is damaged, get it again");
  if (!header->whole) suspect("the checksum of the header is wrong");
  at_ = header->body + header->size + 4;
  put(*header);
  return ok();
}

/// Reads all of the chunk for its checksum. Empty if there is none: no letters in its type, or more data than there are,
/// unless these are pixels.
std::optional<PngMender::Chunk> PngMender::chunk_at(std::uint64_t at) {
  std::array<std::byte, 8> head{};
  if (read(at, head) < head.size()) return std::nullopt;
  Chunk chunk;
  std::memcpy(chunk.type.data(), head.data() + 4, 4);
  if (!std::all_of(chunk.type.begin(), chunk.type.end(), is_letter)) return std::nullopt;
  chunk.body = at + head.size();
  chunk.size = big_endian(head.data());
  const bool cut = chunk.body + chunk.size > file_->size();
  if (cut && text_of(chunk.type) != "IDAT") return std::nullopt;
  if (is_ancillary(chunk.type) && chunk.size > kLongestAncillary) return std::nullopt;
  if (cut) chunk.size = file_->size() - chunk.body;
  if (!add_checksum(chunk)) return std::nullopt;
  std::array<std::byte, 4> stored{};
  const bool has_stored = read(chunk.body + chunk.size, stored) == stored.size();
  chunk.whole = has_stored && big_endian(stored.data()) == chunk.crc;
  if (chunk.whole || !has_stored || text_of(chunk.type) == "IDAT") return chunk;
  Chunk pixels = chunk;  // whose type is damaged
  std::memcpy(pixels.type.data(), "IDAT", 4);
  pixels.whole = add_checksum(pixels) && big_endian(stored.data()) == pixels.crc;
  if (!pixels.whole) return chunk;
  suspect("the type of a chunk of pixels is wrong");
  return pixels;
}

bool PngMender::add_checksum(Chunk& chunk) {
  chunk.crc = crc_of(0, chunk.type.data(), chunk.type.size());
  const auto piece = std::make_unique_for_overwrite<std::byte[]>(kChunkRead);
  for (std::uint64_t done = 0; done < chunk.size;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kChunkRead, chunk.size - done));
    if (read(chunk.body + done, {piece.get(), wanted}) < wanted) return false;
    chunk.crc = crc_of(chunk.crc, piece.get(), wanted);
    done += wanted;
  }
  return true;
}

/// Where the next chunk of pixels, or the end marker, begins whose checksum fits.
std::optional<std::uint64_t> PngMender::find_chunk(std::uint64_t from) {
  if (++searches_ > kMostSearches) return std::nullopt;
  std::vector<std::byte> piece(kChunkRead);
  int candidates = 0;
  while (from < file_->size()) {
    const auto got = read(from, piece);
    if (got < 8) return std::nullopt;
    for (std::size_t i = 0; i + 8 <= got; ++i) {
      if (std::memcmp(piece.data() + i + 4, "IDAT", 4) != 0 && std::memcmp(piece.data() + i + 4, "IEND", 4) != 0)
        continue;
      if (++candidates > kMostCandidates) return std::nullopt;
      if (const auto chunk = chunk_at(from + i); chunk && chunk->whole) return from + i;
    }
    from += got - 7;
  }
  return std::nullopt;
}

/// The next chunk that is to be handed out.
void PngMender::advance() {
  head_.clear();
  head_taken_ = 0;
  while (!over_) {
    if (at_ >= file_->size()) return put_end();
    auto chunk = chunk_at(at_);
    if (failure_) return;
    if (!chunk) {
      const auto next = find_chunk(at_ + 1);
      if (!next) return put_end();
      suspect("there are bytes between its chunks that are no chunk");
      at_ = *next;
      continue;
    }
    const auto type = text_of(chunk->type);
    if (type == "IEND") {
      over_ = true;
      return put(*chunk);
    }
    at_ = chunk->body + chunk->size + 4;
    const bool is_pixels = type == "IDAT";
    if (is_pixels && !chunk->whole) {
      // A length that is wrong reaches into chunks that follow, or ends within its own data.
      const bool fits = at_ <= file_->size() && (chunk_at(at_) || at_ == file_->size());
      if (!fits) {
        if (const auto next = find_chunk(chunk->body); next && *next >= chunk->body + 4) {
          at_ = *next;
          chunk->size = *next - 4 - chunk->body;
          if (!add_checksum(*chunk)) return;
          suspect("the length of its pixel data is wrong");
        } else {
          at_ = file_->size();
        }
      }
      if (chunk->body + chunk->size + 4 <= file_->size())
        suspect("the checksum of the pixel data is wrong");
      else
        cut_ = true;
    }
    const bool wanted = is_pixels || type == "PLTE" || (is_ancillary(chunk->type) && chunk->whole);
    if (pixels_ && !is_pixels && !chunk->whole) suspect("a chunk among the pixel data cannot be read");
    if (!wanted || (pixels_ && !is_pixels)) continue;
    if (type == "PLTE" && !chunk->whole) suspect("the checksum of the palette is wrong");
    pixels_ = pixels_ || is_pixels;
    return put(*chunk);
  }
}

void PngMender::put(const Chunk& chunk) {
  append(head_, static_cast<std::uint32_t>(chunk.size));
  for (const char c : chunk.type) head_.push_back(static_cast<std::byte>(c));
  body_ = chunk.body;
  left_ = chunk.size;
  tail_.clear();
  append(tail_, chunk.crc);
}

void PngMender::put_end() {
  over_ = ended_early_ = true;
  Chunk end;
  std::memcpy(end.type.data(), "IEND", 4);
  end.crc = crc_of(0, "IEND", 4);
  put(end);
}

bool PngMender::take(std::span<std::byte> into) {
  while (!into.empty() && !failure_) {
    const auto from_head = std::min(into.size(), head_.size() - head_taken_);
    std::memcpy(into.data(), head_.data() + head_taken_, from_head);
    head_taken_ += from_head;
    into = into.subspan(from_head);
    const auto from_file = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_));
    if (from_file > 0 && read(body_, into.first(from_file)) < from_file) return false;
    body_ += from_file;
    left_ -= from_file;
    into = into.subspan(from_file);
    if (into.empty()) return true;
    if (!tail_.empty()) {
      head_ = std::exchange(tail_, {});
      head_taken_ = 0;
      continue;
    }
    if (over_) return false;
    advance();
  }
  return into.empty();
}

}  // namespace weir::media
