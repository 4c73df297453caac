#include "audit/write_text.hpp"

#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/text.hpp"

namespace weir::audit {

Status write_text(const std::filesystem::path& path, std::string_view text, bool overwrite) {
  auto file = AtomicFile::create(path, overwrite);
  if (!file) return file.error();
  while (!text.empty()) {
    const ssize_t count = ::write(file->fd(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error{Errc::io, fmt::format("{}: {}", printable(path.native()), errno_text(errno))};
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return file->commit();
}

}  // namespace weir::audit
