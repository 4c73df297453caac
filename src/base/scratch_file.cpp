#include "base/scratch_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weir {
namespace {

Error scratch_error(const char* step, int error) {
  return Error{errc_from_errno(error), std::string{"row file in the spill folder: "} + step + ": " + errno_text(error) +
                                           "; name another --spill folder"};
}

}  // namespace

Result<ScratchFile> ScratchFile::create(const std::filesystem::path& folder) {
  auto file = open_scratch_file(folder);
  if (!file) return file.error();
  return ScratchFile{*std::move(file)};
}

Status ScratchFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto put = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return scratch_error("write", put < 0 ? errno : ENOSPC);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return ok();
}

Status ScratchFile::read_at(std::uint64_t offset, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const auto got = ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return scratch_error("read", errno);
    if (got == 0) {  // the end of the file: the other bytes were never written
      std::memset(bytes.data(), 0, bytes.size());
      return ok();
    }
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return ok();
}

}  // namespace weir
