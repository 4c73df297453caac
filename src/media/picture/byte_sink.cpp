#include "media/picture/byte_sink.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/atomic_file.hpp"

namespace weir::media {

ByteSink::ByteSink(int fd, std::string name)
    : fd_{fd}, name_{std::move(name)}, buffer_{std::make_unique_for_overwrite<std::byte[]>(kBufferBytes)} {}

Status ByteSink::put(std::span<const std::byte> bytes) {
  if (!status_) return status_;
  if (bytes.empty()) return ok();
  size_ += bytes.size();
  if (buffered_bytes_ + bytes.size() > kBufferBytes)
    if (auto done = flush(); !done) return done;
  if (bytes.size() >= kBufferBytes) return write_out(bytes);
  std::memcpy(buffer_.get() + buffered_bytes_, bytes.data(), bytes.size());
  buffered_bytes_ += bytes.size();
  return ok();
}

Status ByteSink::flush() {
  if (!status_) return status_;
  const auto count = buffered_bytes_;
  buffered_bytes_ = 0;
  return write_out({buffer_.get(), count});
}

Status ByteSink::write_out(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int error = written < 0 ? errno : ENOSPC;
      const Errc code = errc_from_errno(error);
      const char* advice = code == Errc::disk_full ? "; free some space or write elsewhere" : "";
      status_ = Error{code, name_ + ": cannot be written: " + errno_text(error) + advice};
      return status_;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return ok();
}

}  // namespace weir::media
