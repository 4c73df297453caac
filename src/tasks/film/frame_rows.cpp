#include "tasks/film/frame_rows.hpp"

#include <algorithm>

namespace weir::film {

Status FrameRowReader::read(std::span<std::byte> rows) {
  if (rows.size() > bytes_.size() - position_) return Error{Errc::io, "read after the last row of a frame"};
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(position_), rows.size(), rows.begin());
  position_ += rows.size();
  return ok();
}

Status FrameRowWriter::write(std::span<const std::byte> rows) {
  if (rows.size() > bytes_.size() - position_) return Error{Errc::invalid_argument, "too many rows for a frame"};
  std::copy(rows.begin(), rows.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(position_));
  position_ += rows.size();
  return ok();
}

Result<media::WriteReport> FrameRowWriter::finish() {
  if (position_ != bytes_.size()) return Error{Errc::invalid_argument, "rows are missing in a frame"};
  return media::WriteReport{};
}

}  // namespace weir::film
