#include "media/picture/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.hpp"

namespace weir::media {

Result<InputFilePtr> InputFile::open(const PictureSource& source) {
  auto made = std::make_shared<InputFile>();
  made->name_ = source.path.empty() ? "(memory)" : printable(source.path.native());
  if (source.bytes != nullptr) {
    made->memory_ = source.bytes;
    made->size_ = source.bytes->size();
  } else {
    // O_NONBLOCK: opening a pipe without a writer must not wait.
    made->file_ = FileDescriptor{::open(source.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!made->file_) return made->error(Errc::io, "cannot be opened: " + errno_text(errno));
    struct stat attributes {};
    if (::fstat(made->fd(), &attributes) != 0) return made->error(Errc::io, "cannot be opened: " + errno_text(errno));
    if (S_ISDIR(attributes.st_mode)) return made->error(Errc::io, "is a folder, not a picture");
    if (!S_ISREG(attributes.st_mode))
      return made->error(Errc::io, "is not a regular file; give it on standard input as -");
    made->size_ = static_cast<std::uint64_t>(attributes.st_size);
  }
  if (made->size_ == 0) return made->error(Errc::corrupt, "is empty (0 bytes); get the picture again");
  return InputFilePtr{std::move(made)};
}

std::span<const std::byte> InputFile::bytes() const {
  return memory_ == nullptr ? std::span<const std::byte>{} : std::span<const std::byte>{*memory_};
}

Result<std::size_t> InputFile::read_at(std::uint64_t offset, std::span<std::byte> into) const {
  if (offset >= size_) return std::size_t{0};
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset));
  if (memory_ != nullptr) {
    std::copy_n(memory_->begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());  // `into` may be empty
    return count;
  }
  std::size_t done = 0;
  while (done < count) {
    const auto got = ::pread(fd(), into.data() + done, count - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error(Errc::io, "cannot be read: " + errno_text(errno));
    if (got == 0) break;  // the file has become shorter since it was opened
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::optional<Error> InputFile::find_read_error() const {
  constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
  if (memory_ != nullptr) return std::nullopt;
  const auto piece = std::make_unique_for_overwrite<std::byte[]>(kPieceBytes);
  for (std::uint64_t at = 0; at < size_; at += kPieceBytes)
    if (auto got = read_at(at, {piece.get(), kPieceBytes}); !got) return got.error();
  return std::nullopt;
}

std::span<const std::byte> InputCursor::read_piece() {
  if (failure_) return {};
  auto got = file_->read_at(offset_, {buffer_.get(), kPieceBytes});
  if (!got) {
    failure_ = got.error();
    return {};
  }
  offset_ += *got;
  return {buffer_.get(), *got};
}

bool InputCursor::read(std::span<std::byte> into) {
  while (!into.empty()) {
    if (remaining_.empty()) remaining_ = read_piece();
    if (remaining_.empty()) return false;
    const auto count = std::min(into.size(), remaining_.size());
    std::memcpy(into.data(), remaining_.data(), count);
    into = into.subspan(count);
    remaining_ = remaining_.subspan(count);
  }
  return true;
}

}  // namespace weir::media
