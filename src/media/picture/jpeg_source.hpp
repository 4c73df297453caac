#pragma once

#include <cstddef>
#include <cstdio>

#include <jpeglib.h>  // after the two above, which it needs

#include <cstdint>
#include <optional>
#include <utility>

#include "media/picture/input_file.hpp"

namespace weir::media {

/// The bytes of a file as libjpeg asks for them. At their end an end marker is put: if pixels are still missing the decoder
/// warns (JWRN_HIT_MARKER), and if only the marker was missing nothing is lost. Stays where it is; not thread-safe.
class JpegSource : private jpeg_source_mgr {
 public:
  explicit JpegSource(InputFilePtr file) : jpeg_source_mgr{}, file_{std::move(file)}, end_offset_{file_->size()} {}
  JpegSource(const JpegSource&) = delete;
  JpegSource& operator=(const JpegSource&) = delete;

  /// Feeds `codec` from the first byte on.
  void start(jpeg_decompress_struct& codec);
  /// An end marker was made up.
  bool has_added_end_marker() const { return has_added_end_marker_; }
  /// The failure of reading the file.
  std::optional<Error> failure() const { return input_ ? input_->failure() : std::nullopt; }

  /// What ends the decoding of a file of several scans stands in a segment between them: without it and all behind it what
  /// was read before can be had from the next start on. False if there is no such segment.
  bool truncate_before_failure();

 private:
  static JpegSource& source_of(j_decompress_ptr codec) { return *static_cast<JpegSource*>(codec->src); }
  static boolean fill(j_decompress_ptr codec);
  static void skip(j_decompress_ptr codec, long count);

  InputFilePtr file_;
  std::optional<InputCursor> input_;
  bool has_added_end_marker_ = false;
  std::uint64_t delivered_bytes_ = 0;  // bytes that were given to libjpeg
  std::uint64_t end_offset_;           // of the bytes that are given to it
};

}  // namespace weir::media
