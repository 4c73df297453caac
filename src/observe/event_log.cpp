#include "observe/event_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>

#include <fmt/chrono.h>
#include <fmt/format.h>

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

}  // namespace

std::string timestamp_now() {
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), ms);
}

Status EventLog::add_file(const std::filesystem::path& path) {
  std::error_code problem;
  if (std::filesystem::file_size(path, problem) > kLongest && !problem) {
    auto older = path;
    std::filesystem::rename(path, older += ".1", problem);
  }
  FileDescriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)};
  if (!file)
    return Error{errc_of(errno), fmt::format("{}: cannot be written: {}", printable(path.native()), errno_text(errno))};
  const std::lock_guard lock{mutex_};
  files_.push_back(std::move(file));
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
  for (const FileDescriptor& file : files_) {
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) ++dropped_;
  }
}

std::size_t EventLog::dropped() const {
  const std::lock_guard lock{mutex_};
  return dropped_;
}

}  // namespace weir::observe
