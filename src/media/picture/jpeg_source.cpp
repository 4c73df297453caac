#include "media/picture/jpeg_source.hpp"

#include <algorithm>
#include <vector>

namespace weir::media {

boolean JpegSource::fill(j_decompress_ptr codec) {
  static constexpr JOCTET kEnd[] = {0xff, JPEG_EOI};
  auto& self = of(codec);
  auto piece = self.input_->next_piece();
  piece = piece.first(static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), self.end_ - self.taken_)));
  self.taken_ += piece.size();
  self.at_end_ = piece.empty();
  self.next_input_byte = piece.empty() ? kEnd : reinterpret_cast<const JOCTET*>(piece.data());
  self.bytes_in_buffer = piece.empty() ? sizeof kEnd : piece.size();
  return TRUE;
}

void JpegSource::skip(j_decompress_ptr codec, long count) {
  auto& self = of(codec);
  auto left = static_cast<std::size_t>(count > 0 ? count : 0);
  while (left > self.bytes_in_buffer) {
    left -= self.bytes_in_buffer;
    fill(codec);
    if (self.at_end_) return;
  }
  self.next_input_byte += left;
  self.bytes_in_buffer -= left;
}

void JpegSource::start(jpeg_decompress_struct& codec) {
  at_end_ = false;
  taken_ = 0;
  input_.emplace(file_);
  bytes_in_buffer = 0;
  init_source = [](j_decompress_ptr) {};
  term_source = [](j_decompress_ptr) {};
  resync_to_restart = jpeg_resync_to_restart;
  fill_input_buffer = fill;
  skip_input_data = skip;
  codec.src = this;
}

bool JpegSource::cut_before_failure() {
  constexpr std::uint64_t kReach = (std::uint64_t{64} << 10) + 4;  // the longest segment
  const auto here = taken_ - std::min<std::uint64_t>(taken_, bytes_in_buffer);
  const auto from = here - std::min(here, kReach);
  std::vector<std::byte> bytes(static_cast<std::size_t>(here - from));
  const auto got = file_->read_at(from, bytes);
  if (!got || *got < bytes.size()) return false;
  for (std::size_t i = bytes.size(); i-- > 1;) {
    const auto code = std::to_integer<unsigned>(bytes[i]);
    const bool restart = code >= JPEG_RST0 && code <= JPEG_RST0 + 7;
    if (bytes[i - 1] != std::byte{0xff} || code == 0 || code == 0xff || restart || from + i - 1 >= end_) continue;
    end_ = from + i - 1;
    return end_ > 2;
  }
  return false;
}

}  // namespace weir::media
