#include "media/picture/png_repairer.hpp"

#include <isa-l/crc.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

namespace weir::media {
namespace {

// in bytes: size of the signature; size of the pieces that are read from the file
constexpr std::size_t kSignature = 8, kChunkRead = std::size_t{16} << 10;
/// The largest size of an ancillary chunk (a chunk that a decoder can ignore); a larger one is taken as damaged.
constexpr std::uint64_t kMaxAncillaryBytes = std::uint64_t{64} << 20;
constexpr std::uint32_t kHeaderSize = 13;  // data bytes of the chunk IHDR
constexpr int kMaxSearches = 16;           // searches per file; the rest of a file that needs more is dropped
constexpr int kMaxCandidates = 64;         // largest number of positions per search where a checksum is compared

std::uint32_t big_endian(const std::byte* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  return value;
}

/// Appends a big-endian number.
void append(std::vector<std::byte>& to, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<std::byte>(value >> shift));
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
std::string_view as_text(const std::array<char, 4>& type) { return {type.data(), type.size()}; }
/// Returns whether a decoder can ignore a chunk of this type.
bool is_ancillary(const std::array<char, 4>& type) { return type[0] >= 'a'; }
/// Continues the checksum `crc` with these bytes.
std::uint32_t update_crc(std::uint32_t crc, const void* bytes, std::size_t count) {
  return crc32_gzip_refl(crc, static_cast<const unsigned char*>(bytes), count);
}

}  // namespace

Result<PngRepairer> PngRepairer::open(InputFilePtr file) {
  PngRepairer repairer{std::move(file)};
  if (auto header = repairer.read_header(); !header) return header.error();
  return repairer;
}

bool PngRepairer::has_valid_lengths(const InputFile& file) {
  bool has_pixels = false;
  std::array<std::byte, 8> head{};
  for (std::uint64_t at = kSignature; at < file.size();) {
    const auto got = file.read_at(at, head);
    if (!got || *got < head.size()) return false;
    std::array<char, 4> type{};
    std::memcpy(type.data(), head.data() + 4, 4);
    const bool is_pixels = as_text(type) == "IDAT";
    if (has_pixels && !is_pixels && std::all_of(type.begin(), type.end(), is_letter)) return true;
    if (!std::all_of(type.begin(), type.end(), is_letter)) return false;
    has_pixels = has_pixels || is_pixels;
    at += head.size() + big_endian(head.data()) + 4;
  }
  return has_pixels;
}

Status PngRepairer::check_chunk(InputFilePtr file, std::uint64_t at) {
  PngRepairer reader{file};
  const auto chunk = reader.read_chunk_at(at);
  if (reader.failure_) return *reader.failure_;
  if (chunk && chunk->is_intact) return ok();
  const bool is_truncated = !chunk || chunk->body_offset + chunk->size + 4 > file->size();
  return file->error(Errc::corrupt,
                     std::string{"PNG: "} +
                         (is_truncated ? "the file ends too early" : "the checksum of the pixel data is wrong") +
                         "; the file is damaged, get it again");
}

std::size_t PngRepairer::read_at(std::uint64_t at, std::span<std::byte> into) {
  auto got = file_->read_at(at, into);
  if (got) return *got;
  if (!failure_) failure_ = got.error();
  return 0;
}

void PngRepairer::record_fault(std::string what) {
  if (first_fault_.empty()) first_fault_ = std::move(what);
}

/// Reads the signature and IHDR, which must be at the start of the file.
Status PngRepairer::read_header() {
  head_.resize(kSignature);
  const bool has_signature = read_at(0, head_) == kSignature;
  auto header = has_signature ? read_chunk_at(kSignature) : std::nullopt;
  if (failure_) return *failure_;
  if (!header || as_text(header->type) != "IHDR" || header->size != kHeaderSize)
    return file_->error(Errc::corrupt, "PNG: has no complete header; the file is damaged, get it again");
  if (!header->is_intact) record_fault("the checksum of the header is wrong");
  next_offset_ = header->body_offset + header->size + 4;
  queue_chunk(*header);
  return ok();
}

/// Reads the whole chunk at byte offset `at` to calculate its checksum. Returns nothing if the file cannot be read, or
/// if the bytes are not taken as a chunk: the type does not consist of letters, an ancillary chunk has more than
/// kMaxAncillaryBytes, or the chunk is longer than the rest of the file. (Pixel data may be longer.)
std::optional<PngRepairer::Chunk> PngRepairer::read_chunk_at(std::uint64_t at) {
  std::array<std::byte, 8> head{};
  if (read_at(at, head) < head.size()) return std::nullopt;
  Chunk chunk;
  std::memcpy(chunk.type.data(), head.data() + 4, 4);
  if (!std::all_of(chunk.type.begin(), chunk.type.end(), is_letter)) return std::nullopt;
  chunk.body_offset = at + head.size();
  chunk.size = big_endian(head.data());
  const bool is_truncated = chunk.body_offset + chunk.size > file_->size();
  if (is_truncated && as_text(chunk.type) != "IDAT") return std::nullopt;
  if (is_ancillary(chunk.type) && chunk.size > kMaxAncillaryBytes) return std::nullopt;
  if (is_truncated) chunk.size = file_->size() - chunk.body_offset;
  if (!compute_checksum(chunk)) return std::nullopt;
  std::array<std::byte, 4> stored{};
  const bool has_stored = read_at(chunk.body_offset + chunk.size, stored) == stored.size();
  chunk.is_intact = has_stored && big_endian(stored.data()) == chunk.crc;
  if (chunk.is_intact || !has_stored || as_text(chunk.type) == "IDAT") return chunk;
  Chunk pixels = chunk;  // the same chunk with the type IDAT; if its checksum is right then, only the type is damaged
  std::memcpy(pixels.type.data(), "IDAT", 4);
  pixels.is_intact = compute_checksum(pixels) && big_endian(stored.data()) == pixels.crc;
  if (!pixels.is_intact) return chunk;
  record_fault("the type of a chunk of pixels is wrong");
  return pixels;
}

bool PngRepairer::compute_checksum(Chunk& chunk) {
  chunk.crc = update_crc(0, chunk.type.data(), chunk.type.size());
  const auto piece = std::make_unique_for_overwrite<std::byte[]>(kChunkRead);
  for (std::uint64_t done = 0; done < chunk.size;) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kChunkRead, chunk.size - done));
    if (read_at(chunk.body_offset + done, {piece.get(), count}) < count) return false;
    chunk.crc = update_crc(chunk.crc, piece.get(), count);
    done += count;
  }
  return true;
}

/// Searches from byte offset `from` on. Returns the offset of the next chunk of pixel data, or end marker, that has a
/// correct checksum; nothing if there is none, or if kMaxSearches or kMaxCandidates is exceeded.
std::optional<std::uint64_t> PngRepairer::find_valid_chunk(std::uint64_t from) {
  if (++searches_ > kMaxSearches) return std::nullopt;
  std::vector<std::byte> piece(kChunkRead);
  int candidates = 0;
  while (from < file_->size()) {
    const auto got = read_at(from, piece);
    if (got < 8) return std::nullopt;
    for (std::size_t i = 0; i + 8 <= got; ++i) {
      if (std::memcmp(piece.data() + i + 4, "IDAT", 4) != 0 && std::memcmp(piece.data() + i + 4, "IEND", 4) != 0)
        continue;
      if (++candidates > kMaxCandidates) return std::nullopt;
      if (const auto chunk = read_chunk_at(from + i); chunk && chunk->is_intact) return from + i;
    }
    from += got - 7;  // 7: a chunk may start in the last bytes of the piece
  }
  return std::nullopt;
}

/// Finds the next chunk of the repaired stream and makes it the current chunk.
void PngRepairer::queue_next_chunk() {
  head_.clear();
  head_read_ = 0;
  while (!is_finished_) {
    if (next_offset_ >= file_->size()) return queue_end_marker();
    auto chunk = read_chunk_at(next_offset_);
    if (failure_) return;
    if (!chunk) {
      const auto next = find_valid_chunk(next_offset_ + 1);
      if (!next) return queue_end_marker();
      record_fault("there are bytes between its chunks that are no chunk");
      next_offset_ = *next;
      continue;
    }
    const auto type = as_text(chunk->type);
    if (type == "IEND") {
      is_finished_ = true;
      return queue_chunk(*chunk);
    }
    next_offset_ = chunk->body_offset + chunk->size + 4;
    const bool is_pixels = type == "IDAT";
    if (is_pixels && !chunk->is_intact) {
      // If the stored length is wrong, the end that it declares is inside another chunk or inside the chunk's own data,
      // and no chunk can be read there.
      const bool is_length_plausible =
          next_offset_ <= file_->size() && (read_chunk_at(next_offset_) || next_offset_ == file_->size());
      if (!is_length_plausible) {
        if (const auto next = find_valid_chunk(chunk->body_offset); next && *next >= chunk->body_offset + 4) {
          next_offset_ = *next;
          chunk->size = *next - 4 - chunk->body_offset;  // 4: the checksum
          if (!compute_checksum(*chunk)) return;
          record_fault("the length of its pixel data is wrong");
        } else {
          next_offset_ = file_->size();
        }
      }
      if (chunk->body_offset + chunk->size + 4 <= file_->size())
        record_fault("the checksum of the pixel data is wrong");
      else
        has_truncated_pixels_ = true;
    }
    const bool is_needed = is_pixels || type == "PLTE" || (is_ancillary(chunk->type) && chunk->is_intact);
    if (has_pixels_ && !is_pixels && !chunk->is_intact) record_fault("a chunk among the pixel data cannot be read");
    if (!is_needed || (has_pixels_ && !is_pixels)) continue;
    if (type == "PLTE" && !chunk->is_intact) record_fault("the checksum of the palette is wrong");
    has_pixels_ = has_pixels_ || is_pixels;
    return queue_chunk(*chunk);
  }
}

void PngRepairer::queue_chunk(const Chunk& chunk) {
  append(head_, static_cast<std::uint32_t>(chunk.size));
  for (const char c : chunk.type) head_.push_back(static_cast<std::byte>(c));
  body_offset_ = chunk.body_offset;
  body_remaining_ = chunk.size;
  tail_.clear();
  append(tail_, chunk.crc);
}

void PngRepairer::queue_end_marker() {
  is_finished_ = ends_early_ = true;
  Chunk end;
  std::memcpy(end.type.data(), "IEND", 4);
  end.crc = update_crc(0, "IEND", 4);
  queue_chunk(end);
}

bool PngRepairer::read(std::span<std::byte> into) {
  while (!into.empty() && !failure_) {
    const auto from_head = std::min(into.size(), head_.size() - head_read_);
    std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(head_read_), from_head, into.begin());
    head_read_ += from_head;
    into = into.subspan(from_head);
    const auto from_file = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), body_remaining_));
    if (from_file > 0 && read_at(body_offset_, into.first(from_file)) < from_file) return false;
    body_offset_ += from_file;
    body_remaining_ -= from_file;
    into = into.subspan(from_file);
    if (into.empty()) return true;
    if (!tail_.empty()) {
      head_ = std::exchange(tail_, {});
      head_read_ = 0;
      continue;
    }
    if (is_finished_) return false;
    queue_next_chunk();
  }
  return into.empty();
}

}  // namespace weir::media
