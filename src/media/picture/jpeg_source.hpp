#pragma once

#include <cstddef>
#include <cstdio>

#include <jpeglib.h>  // after the two above, which it needs

#include <cstdint>
#include <optional>
#include <utility>

#include "media/picture/input_file.hpp"

namespace weir::media {

/// Supplies the bytes of a file to libjpeg. When libjpeg needs more bytes at the end of the file, the source adds an
/// end marker (EOI). libjpeg then warns (JWRN_HIT_MARKER) if pixels of the current scan are missing; if only the marker
/// was missing, nothing is lost. A failed read is an error of libjpeg (JERR_FILE_READ), and failure() returns its
/// reason. Cannot be moved, because libjpeg holds a pointer to it. Not thread-safe.
class JpegSource : private jpeg_source_mgr {
 public:
  explicit JpegSource(InputFilePtr file) : jpeg_source_mgr{}, file_{std::move(file)}, end_offset_{file_->size()} {}
  JpegSource(const JpegSource&) = delete;
  JpegSource& operator=(const JpegSource&) = delete;

  /// Makes this object the source of `codec` and starts at the first byte of the file.
  void start(jpeg_decompress_struct& codec);
  /// Returns whether an end marker was added since start().
  bool has_added_end_marker() const { return has_added_end_marker_; }
  /// Returns the error of reading the file; empty if there was none.
  std::optional<Error> failure() const { return input_ ? input_->failure() : std::nullopt; }

  /// Call it after libjpeg failed. Searches the last 64 KiB that libjpeg received for the start of a segment, and takes
  /// the last one found. The next start() supplies only the data before that segment. In a file of several scans (parts
  /// of the data of the whole picture) the bad segment is often between two scans, and the scans before it can be
  /// decoded. Returns false if no segment was found.
  bool truncate_before_failure();

 private:
  static JpegSource& source_of(j_decompress_ptr codec) { return *static_cast<JpegSource*>(codec->src); }
  // functions that libjpeg calls to get the next bytes, and to skip bytes
  static boolean fill(j_decompress_ptr codec);
  static void skip(j_decompress_ptr codec, long count);

  InputFilePtr file_;
  std::optional<InputCursor> input_;
  bool has_added_end_marker_ = false;
  std::uint64_t delivered_bytes_ = 0;  // number of bytes supplied since start()
  std::uint64_t end_offset_;           // byte offset in the file where the supplied data ends
};

}  // namespace weir::media
