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

/// Reads a damaged PNG file as a stream of chunks with a correct structure. (A chunk has a length, a type, data and a
/// checksum.) The stream contains the signature, the header, the palette, the pixel data (chunks IDAT), intact optional
/// chunks before the pixel data, and an end marker (IEND), which is added if it is missing. All checksums are
/// recalculated. Bytes between chunks are omitted. The pixel data itself is not repaired. Not thread-safe.
/// Source: PNG specification, third edition (W3C), 5.3 "Chunk layout".
class PngRepairer {
 public:
  /// Reads the header of the file. Errors: corrupt, if the header is missing; io.
  static Result<PngRepairer> open(InputFilePtr file);

  /// Fills `into` with the next bytes of the repaired stream. Returns false if the stream ends before `into` is full,
  /// or after a failure.
  bool read(std::span<std::byte> into);
  /// Returns the error of the first failed read of the file; empty if there was none.
  const std::optional<Error>& failure() const { return failure_; }
  /// Returns the first fault so far that may affect the pixels, such as "the checksum of the palette is wrong"; empty:
  /// none. Rows are affected if they are decoded from bytes of the stream at or after the fault.
  const std::string& first_fault() const { return first_fault_; }
  /// Returns whether read() has added the end marker, because the file has none after its last readable chunk.
  bool ends_early() const { return ends_early_; }
  /// Returns whether the stream contained a chunk of pixel data that the end of the file truncates.
  bool has_truncated_pixels() const { return has_truncated_pixels_; }

  /// Returns whether each length of a chunk, up to the end of the pixel data, leads to the next chunk. If a length is
  /// wrong, a decoder would decode other data as pixels before it reaches the checksum. Reads only the headers of the
  /// chunks.
  static bool has_valid_lengths(const InputFile& file);
  /// Checks the chunk at byte offset `at`. Errors: io; corrupt, if the chunk is truncated or its checksum is wrong.
  static Status check_chunk(InputFilePtr file, std::uint64_t at);

 private:
  struct Chunk {
    std::uint64_t body_offset = 0;  ///< byte offset of its data in the file
    std::uint64_t size = 0;         ///< number of data bytes that are in the file
    std::uint32_t crc = 0;          ///< checksum calculated from type and data
    std::array<char, 4> type{};
    bool is_intact = false;  ///< the checksum in the file is right
  };
  explicit PngRepairer(InputFilePtr file) : file_{std::move(file)} {}
  Status read_header();
  std::optional<Chunk> read_chunk_at(std::uint64_t at);
  /// Sets chunk.crc from the bytes in the file; returns false if they cannot be read.
  bool compute_checksum(Chunk& chunk);
  std::optional<std::uint64_t> find_valid_chunk(std::uint64_t from);
  std::size_t read_at(std::uint64_t at, std::span<std::byte> into);
  void queue_next_chunk();
  void queue_chunk(const Chunk& chunk);
  void queue_end_marker();
  void record_fault(std::string what);

  InputFilePtr file_;
  std::uint64_t next_offset_ = 0;  // byte offset of the next chunk in the file
  std::vector<std::byte> head_;    // next bytes of the stream: start of the current chunk, or its checksum
  std::size_t head_read_ = 0;      // number of bytes of head_ that were passed on
  std::uint64_t body_offset_ = 0, body_remaining_ = 0;  // unread data of the current chunk in the file
  std::vector<std::byte> tail_;                         // checksum after the data of the current chunk
  bool has_pixels_ = false;                             // an IDAT chunk was queued
  bool is_finished_ = false;                            // the end marker was queued
  int searches_ = 0;                                    // number of calls of find_valid_chunk()
  bool ends_early_ = false;
  bool has_truncated_pixels_ = false;
  std::string first_fault_;
  std::optional<Error> failure_;
};

}  // namespace weir::media
