#include "observe/event_log.hpp"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <system_error>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/file_facts.hpp"
#include "base/open_file.hpp"
#include "base/text.hpp"
#include "base/this_process.hpp"

namespace weir::observe {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{64} << 20;  // a longer file is renamed before it is opened again

constexpr std::string_view kLineStart = "{\"time\":\"";  // of every line, see write()

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
  if (auto own = check_own_file(path, kLineStart, "log of weir"); !own) return own;
  FileDescriptor file = open_to_append(path);
  if (file && rotate_if_long(path, file.get(), kMaxFileBytes)) file = open_to_append(path);
  if (!file)
    return Error{errc_from_errno(errno),
                 fmt::format("{}: cannot be written: {}", printable(path.native()), errno_text(errno))};
  const std::lock_guard lock{mutex_};
  files_.push_back({path, std::move(file)});
  return ok();
}

void EventLog::write(Level level, std::string_view event, const Fields& fields) {
  const std::lock_guard lock{mutex_};
  if (files_.empty()) return;
  std::string text = fmt::format(R"({{"time":"{}","level":"{}","event":"{}","pid":{})", timestamp_now(), name_of(level),
                                 event, process_id());
  const std::string object = fields.dump(-1, ' ', false, Fields::error_handler_t::replace);
  if (!fields.empty()) text.append(",").append(object, 1, object.size() - 2);  // without its braces
  text += "}\n";
  for (const File& file : files_) {
    const auto written = append_in_one_write(file.descriptor.get(), text);
    if (written) continue;
    ++dropped_lines_;
    if (!first_error_)
      first_error_ = Error{written.error().code, fmt::format("{}: cannot be written: {}; events are missing there",
                                                             printable(file.path.native()), written.error().what)};
  }
}

std::optional<Error> EventLog::first_error() const {
  const std::lock_guard lock{mutex_};
  return first_error_;
}

std::size_t EventLog::dropped_lines() const {
  const std::lock_guard lock{mutex_};
  return dropped_lines_;
}

}  // namespace weir::observe
