// Finds the data of a WebP file that libvips does not report: further frames, unknown chunks, data behind the picture.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "media/picture/container_metadata.hpp"

namespace weir::media {
namespace {

// in bytes: "RIFF", the size and "WEBP"; the type and the size of a chunk
constexpr std::size_t kFileHead = 12, kChunkHead = 8;
constexpr int kMaxWebpChunks = 1 << 20;  // largest number of chunks of a file that are read
/// Chunks that contain samples, or describe them.
constexpr std::array<std::string_view, 5> kIgnoredWebpChunks{"VP8 ", "VP8L", "VP8X", "ALPH", "ANIM"};

std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

/// A chunk that libvips reads: its name for users, and the member of Metadata that contains it.
struct MetadataChunk {
  std::string_view type, name;
  Blob Metadata::*member;
};
constexpr std::array kMetadataChunks{MetadataChunk{"ICCP", "icc", &Metadata::icc},
                                     MetadataChunk{"EXIF", "exif", &Metadata::exif},
                                     MetadataChunk{"XMP ", "xmp", &Metadata::xmp}};

/// Records a chunk whose data are not copied to the output.
void record_chunk(std::string_view type, std::uint64_t size, Metadata& into) {
  const auto* known = std::find_if(kMetadataChunks.begin(), kMetadataChunks.end(),
                                   [&](const MetadataChunk& each) { return each.type == type; });
  if (known == kMetadataChunks.end())
    return record_omission(into, fmt::format("chunk {}", type),
                           type == "C2PA" ? "C2PA provenance is not carried" : "unknown");
  // The caller has stored what libvips read; if it is missing, libvips could not use the chunk.
  if (size > 0 && (into.*known->member).empty())
    record_omission(into, known->name, size > kMaxMetadataBytes ? "takes more than 4 MiB" : "damaged");
}

}  // namespace

void read_webp_chunks(const InputFile& file, Metadata& into) {
  std::array<std::byte, kFileHead> head{};
  auto got = file.read_at(0, head);
  if (!got || *got < head.size()) return;
  // The size of the container counts from byte 8 on. Containers and chunks are padded to an even size.
  const std::uint64_t riff_end = kChunkHead + little_endian(std::span{head}.subspan(4, 4));
  const std::uint64_t end = std::min(file.size(), riff_end + riff_end % 2);
  std::uint64_t frames = 0, at = kFileHead;
  for (int count = 0; at + kChunkHead <= end && count < kMaxWebpChunks; ++count) {
    std::array<std::byte, kChunkHead> chunk_head{};
    got = file.read_at(at, chunk_head);
    if (!got || *got < chunk_head.size()) return;
    const std::string type{reinterpret_cast<const char*>(chunk_head.data()), 4};
    const std::uint64_t size = little_endian(std::span{chunk_head}.subspan(4));
    at += kChunkHead + size + size % 2;
    if (type == "ANMF")
      ++frames;
    else if (std::find(kIgnoredWebpChunks.begin(), kIgnoredWebpChunks.end(), type) == kIgnoredWebpChunks.end())
      record_chunk(type, size, into);
  }
  if (end < file.size()) record_omission(into, "data behind the picture", fmt::format("{} bytes", file.size() - end));
  if (frames > 1) record_omission(into, "frames", fmt::format("the first of {}", frames));
}

}  // namespace weir::media
