#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/picture/input_file.hpp"

namespace weir::media {

/// The chunks of a damaged PNG file as a stream without faults in its structure: what lies between chunks and ancillary
/// chunks with a wrong checksum are left out, pixels (IDAT) are handed on as far as the file has them, with checksums that
/// fit, and an end marker is put. Pixels themselves are not mended. Not thread-safe.
/// Source: PNG specification, third edition (W3C), 5.3 "Chunk layout".
class PngRepairer {
 public:
  /// Errors: corrupt, if the file's header is not there.
  static Result<PngRepairer> open(InputFilePtr file);

  /// Fills `into`; false after the end marker.
  bool read(std::span<std::byte> into);
  const std::optional<Error>& failure() const { return failure_; }
  /// What was found wrong so far with what the pixels are made from, the first of it: "the checksum of the palette is wrong".
  /// It concerns the rows that are decoded from the bytes taken since.
  const std::string& first_fault() const { return first_fault_; }
  /// The file ended before its end marker.
  bool ends_early() const { return ends_early_; }
  /// Pixel data were handed out that the file's end cuts off.
  bool has_truncated_pixels() const { return has_truncated_pixels_; }

  /// Whether the lengths of all chunks up to the pixel data's end can be true: a wrong one makes pixels of what is none
  /// before a checksum tells it. Reads no more than the chunks' headers.
  static bool has_valid_lengths(const InputFile& file);
  /// Errors: corrupt, if the chunk at this place is cut off or its checksum is wrong.
  static Status check_chunk(InputFilePtr file, std::uint64_t at);

 private:
  struct Chunk {
    std::uint64_t body_offset = 0;  ///< where its data start in the file
    std::uint64_t size = 0;         ///< of the data that are there
    std::uint32_t crc = 0;          ///< that fits
    std::array<char, 4> type{};
    bool is_intact = false;  ///< with the checksum that fits
  };
  explicit PngRepairer(InputFilePtr file) : file_{std::move(file)} {}
  Status read_header();
  std::optional<Chunk> read_chunk_at(std::uint64_t at);
  bool compute_checksum(Chunk& chunk);
  std::optional<std::uint64_t> find_valid_chunk(std::uint64_t from);
  std::size_t read_at(std::uint64_t at, std::span<std::byte> into);
  void queue_next_chunk();
  void queue_chunk(const Chunk& chunk);
  void queue_end_marker();
  void record_fault(std::string what);

  InputFilePtr file_;
  std::uint64_t next_offset_ = 0;  // of the next chunk in the file
  std::vector<std::byte> head_;    // a length and a type, or a checksum
  std::size_t head_read_ = 0;
  std::uint64_t body_offset_ = 0, body_remaining_ = 0;  // of the chunk that is handed out
  std::vector<std::byte> tail_;                         // its checksum
  bool has_pixels_ = false;                             // an IDAT was put
  bool is_finished_ = false;
  int searches_ = 0;
  bool ends_early_ = false;
  bool has_truncated_pixels_ = false;
  std::string first_fault_;
  std::optional<Error> failure_;
};

}  // namespace weir::media
