#include "base/file_facts.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <fstream>
#include <memory>
#include <system_error>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/text.hpp"

namespace weir {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;

Error file_error(const std::filesystem::path& path, std::string_view step, int error) {
  return {errc_from_errno(error), fmt::format("{}: {}: {}", printable(path.native()), step, errno_text(error))};
}

std::string hexadecimal(XXH128_hash_t hash) { return fmt::format("{:016x}{:016x}", hash.high64, hash.low64); }

ssize_t read_some(int fd, void* buffer, std::size_t max_bytes) {
  ssize_t got = 0;
  do got = ::read(fd, buffer, max_bytes);
  while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

std::optional<FileFacts> file_facts(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return FileFacts{static_cast<std::uint64_t>(info.st_size),
                   std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

Status check_own_file(const std::filesystem::path& path, std::string_view beginning, std::string_view kind) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return ok();
  std::ifstream file{path, std::ios::binary};
  std::string start(beginning.size(), '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(file.gcount()));
  if (start.empty() && !file.bad()) return ok();
  if (start == beginning) return ok();
  return Error{Errc::exists,
               fmt::format("{}: exists and is no {}; it is not replaced", printable(path.native()), kind)};
}

bool is_executable(const std::filesystem::path& path) { return ::access(path.c_str(), X_OK) == 0; }

bool is_writable_folder(const std::filesystem::path& path) { return ::access(path.c_str(), W_OK | X_OK) == 0; }

Result<std::string> hash_file(const std::filesystem::path& path, const std::function<void()>& progress) {
  const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return file_error(path, "cannot be opened", errno);
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state{XXH3_createState(), XXH3_freeState};
  const auto piece = std::make_unique_for_overwrite<char[]>(kReadBytes);
  XXH3_128bits_reset(state.get());
  for (;;) {
    const ssize_t got = read_some(file.get(), piece.get(), kReadBytes);
    if (got < 0) return file_error(path, "cannot be read", errno);
    if (got == 0) return hexadecimal(XXH3_128bits_digest(state.get()));
    XXH3_128bits_update(state.get(), piece.get(), static_cast<std::size_t>(got));
    if (progress) progress();
  }
}

std::string hash_text(std::string_view text) { return hexadecimal(XXH3_128bits(text.data(), text.size())); }

Status sync_folder(const std::filesystem::path& folder) {
  const auto path = folder.empty() ? std::filesystem::path{"."} : folder;
  const FileDescriptor opened{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!opened) return file_error(path, "cannot be opened", errno);
  if (::fsync(opened.get()) != 0 && errno != EINVAL) return file_error(path, "cannot be synced", errno);
  return ok();
}

Status remove_file(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) return ok();
  return file_error(path, "cannot be removed", errno);
}

Result<std::optional<std::string>> read_bounded_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};  // a pipe does not block
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return std::optional<std::string>{};
  if (!file) return file_error(path, "cannot be opened", errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return file_error(path, "cannot be read", errno);
  if (!S_ISREG(info.st_mode) || static_cast<std::uint64_t>(info.st_size) > max_bytes)
    return Error{Errc::corrupt,
                 fmt::format("{}: is not a regular file of at most {} bytes", printable(path.native()), max_bytes)};
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t got = read_some(file.get(), text.data() + filled, text.size() - filled);
    if (got < 0) return file_error(path, "cannot be read", errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return std::optional{std::move(text)};
}

}  // namespace weir
