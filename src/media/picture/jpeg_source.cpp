#include "media/picture/jpeg_source.hpp"

#include <jerror.h>

#include <algorithm>
#include <vector>

namespace weir::media {

boolean JpegSource::fill(j_decompress_ptr codec) {
  static constexpr JOCTET kEndMarker[] = {0xff, JPEG_EOI};
  auto& self = source_of(codec);
  auto piece = self.input_->read_piece();
  // Without this error libjpeg would fill the rest of the picture, as at the end of a truncated file.
  if (self.input_->failure()) ERREXIT(codec, JERR_FILE_READ);
  piece = piece.first(
      static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), self.end_offset_ - self.delivered_bytes_)));
  self.delivered_bytes_ += piece.size();
  self.has_added_end_marker_ = piece.empty();
  self.next_input_byte = piece.empty() ? kEndMarker : reinterpret_cast<const JOCTET*>(piece.data());
  self.bytes_in_buffer = piece.empty() ? sizeof kEndMarker : piece.size();
  return TRUE;
}

void JpegSource::skip(j_decompress_ptr codec, long count) {
  auto& self = source_of(codec);
  auto remaining = static_cast<std::size_t>(count > 0 ? count : 0);
  while (remaining > self.bytes_in_buffer) {
    remaining -= self.bytes_in_buffer;
    fill(codec);
    if (self.has_added_end_marker_) return;
  }
  self.next_input_byte += remaining;
  self.bytes_in_buffer -= remaining;
}

void JpegSource::start(jpeg_decompress_struct& codec) {
  has_added_end_marker_ = false;
  delivered_bytes_ = 0;
  input_.emplace(file_);
  bytes_in_buffer = 0;
  init_source = [](j_decompress_ptr) {};
  term_source = [](j_decompress_ptr) {};
  resync_to_restart = jpeg_resync_to_restart;
  fill_input_buffer = fill;
  skip_input_data = skip;
  codec.src = this;
}

bool JpegSource::truncate_before_failure() {
  constexpr std::uint64_t kSearchBytes = (std::uint64_t{64} << 10) + 4;  // the longest segment, and two markers
  // byte offset in the file of the first byte that libjpeg has not used
  const auto position = delivered_bytes_ - std::min<std::uint64_t>(delivered_bytes_, bytes_in_buffer);
  const auto from = position - std::min(position, kSearchBytes);
  std::vector<std::byte> bytes(static_cast<std::size_t>(position - from));
  const auto got = file_->read_at(from, bytes);
  if (!got || *got < bytes.size()) return false;
  for (std::size_t i = bytes.size(); i-- > 1;) {
    const auto code = std::to_integer<unsigned>(bytes[i]);
    const bool is_restart = code >= JPEG_RST0 && code <= JPEG_RST0 + 7;
    if (bytes[i - 1] != std::byte{0xff} || code == 0 || code == 0xff || is_restart || from + i - 1 >= end_offset_)
      continue;
    end_offset_ = from + i - 1;
    return end_offset_ > 2;
  }
  return false;
}

}  // namespace weir::media
