#include "media/film/film_io.hpp"

extern "C" {
#include <libavutil/mem.h>
}

#include <algorithm>
#include <cstdio>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/descriptor_io.hpp"

namespace weir::film {
namespace {

constexpr int kBufferBytes = 1 << 16;  // as much as a pipe of Linux holds
constexpr std::size_t kNutEnd = 12;    // the last bytes of a NUT file: the length of its index, and a checksum

}  // namespace

Result<std::unique_ptr<FilmIo>> FilmIo::open(int fd, Direction direction, std::string name, std::stop_token stop) {
  std::unique_ptr<FilmIo> io{new FilmIo{fd, std::move(name), std::move(stop)}};
  auto* buffer = static_cast<std::uint8_t*>(av_malloc(kBufferBytes));
  const bool writes = direction == Direction::write;
  if (buffer != nullptr) {
    io->context_ = avio_alloc_context(buffer, kBufferBytes, writes ? 1 : 0, io.get(), writes ? nullptr : read,
                                      writes ? write : nullptr, writes && is_regular_file(fd) ? seek : nullptr);
  }
  if (io->context_ == nullptr) {
    av_free(buffer);
    return Error{Errc::over_budget, "no memory for a film's file"};
  }
  return io;
}

FilmIo::~FilmIo() {
  if (context_ != nullptr) av_freep(&context_->buffer);  // FFmpeg may have replaced it
  avio_context_free(&context_);
}

int FilmIo::keep_error(const Error& error) {
  if (!error_) error_ = Error{error.code, fmt::format("{}: {}", name_, error.what)};
  return error.code == Errc::cancelled ? AVERROR_EXIT : error.code == Errc::disk_full ? AVERROR(ENOSPC) : AVERROR(EIO);
}

int FilmIo::read(void* self, std::uint8_t* buffer, int size) {
  FilmIo& io = *static_cast<FilmIo*>(self);
  const std::span bytes{buffer, static_cast<std::size_t>(size)};
  const auto got = read_available(io.fd_, std::as_writable_bytes(bytes), io.stop_);
  if (!got) return io.keep_error(got.error());
  if (*got == 0) return AVERROR_EOF;
  io.bytes_ += *got;
  const std::size_t kept = std::min(*got, kNutEnd);
  io.last_.append(reinterpret_cast<const char*>(buffer) + (*got - kept), kept);
  if (io.last_.size() > kNutEnd) io.last_.erase(0, io.last_.size() - kNutEnd);
  return static_cast<int>(*got);
}

int FilmIo::write(void* self, std::uint8_t* buffer, int size) {
  FilmIo& io = *static_cast<FilmIo*>(self);
  const std::span<const std::uint8_t> bytes{buffer, static_cast<std::size_t>(size)};
  if (auto written = write_available(io.fd_, std::as_bytes(bytes), io.stop_); !written)
    return io.keep_error(written.error());
  io.bytes_ += bytes.size();
  return size;
}

std::int64_t FilmIo::seek(void* self, std::int64_t offset, int whence) {
  FilmIo& io = *static_cast<FilmIo*>(self);
  if (whence == AVSEEK_SIZE) {
    const auto file_size = size_of_file(io.fd_);
    return file_size ? static_cast<std::int64_t>(*file_size) : AVERROR(EIO);
  }
  if (whence != SEEK_SET || offset < 0) return AVERROR(EINVAL);  // FFmpeg computes absolute positions itself
  if (auto set = set_position(io.fd_, static_cast<std::uint64_t>(offset)); !set) return io.keep_error(set.error());
  return offset;
}

bool FilmIo::ends_with_nut_index() const {
  // The index ends with its own length in 8 bytes, highest first, and 4 bytes of a checksum.
  if (last_.size() < kNutEnd) return false;
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; ++i) length = length << 8U | static_cast<std::uint8_t>(last_[i]);
  return length > kNutEnd && length < bytes_;
}

}  // namespace weir::film
