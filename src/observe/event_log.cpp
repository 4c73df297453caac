#include "observe/event_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/file_locks.hpp"
#include "base/text.hpp"

namespace weir::observe {
namespace {

constexpr std::uintmax_t kLongest = std::uintmax_t{64} << 20;

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "info";
}

FileDescriptor open_to_append(const std::filesystem::path& path) {
  return FileDescriptor{::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)};
}

/// Renames a file that is too long to FILE.1; true if it is to be opened anew. Of several processes that see the same long
/// file one renames it, under its lock: a second rename would put the new file in the place of the old one.
bool put_aside(const std::filesystem::path& path, int file) {
  struct stat own {};
  if (::fstat(file, &own) != 0 || static_cast<std::uintmax_t>(own.st_size) <= kLongest) return false;
  const auto taken = try_lock(file, kWholeFile, LockKind::write);
  if (!taken || !*taken) return false;  // another does it: this process's lines go into FILE.1
  struct stat named {};
  const bool gone = ::stat(path.c_str(), &named) != 0 || named.st_ino != own.st_ino || named.st_dev != own.st_dev;
  if (gone) return true;
  auto older = path;
  older += ".1";
  return ::rename(path.c_str(), older.c_str()) == 0;
}

}  // namespace

std::string timestamp_now() {
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), ms);
}

Status EventLog::add_file(const std::filesystem::path& path) {
  FileDescriptor file = open_to_append(path);
  if (file && put_aside(path, file.get())) file = open_to_append(path);
  if (!file)
    return Error{errc_of(errno), fmt::format("{}: cannot be written: {}", printable(path.native()), errno_text(errno))};
  const std::lock_guard lock{mutex_};
  files_.push_back({path, std::move(file)});
  return ok();
}

void EventLog::write(Level level, std::string_view event, const Fields& fields) {
  const std::lock_guard lock{mutex_};
  if (files_.empty()) return;
  std::string text = fmt::format(R"({{"time":"{}","level":"{}","event":"{}","pid":{})", timestamp_now(), name_of(level),
                                 event, ::getpid());
  const std::string rest = fields.dump(-1, ' ', false, Fields::error_handler_t::replace);
  if (!fields.empty()) text.append(",").append(rest, 1, rest.size() - 2);
  text += "}\n";
  for (const File& file : files_) {
    const ssize_t written = ::write(file.descriptor.get(), text.data(), text.size());
    if (written == static_cast<ssize_t>(text.size())) continue;
    const int why = written < 0 ? errno : ENOSPC;  // a part of a line: the room ended there
    ++dropped_;
    if (!problem_)
      problem_ = Error{errc_of(why), fmt::format("{}: cannot be written: {}; events are missing there",
                                                 printable(file.path.native()), errno_text(why))};
  }
}

std::optional<Error> EventLog::problem() const {
  const std::lock_guard lock{mutex_};
  return problem_;
}

std::size_t EventLog::dropped() const {
  const std::lock_guard lock{mutex_};
  return dropped_;
}

}  // namespace weir::observe
