#pragma once

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/atomic_file.hpp"
#include "base/result.hpp"

namespace weir::observe {

enum class Level { debug, info, warning, error };

/// What happened, for machines: one JSON object a line, {"time", "level", "event", "pid", ...}. docs/events.md names the
/// events and their fields. A line is written with one call, so that several processes may append to one file; a line that
/// cannot be written is dropped and counted, and problem() says why: whoever opened the log tells it. Thread-safe.
class EventLog {
 public:
  /// Writes nowhere.
  EventLog() = default;
  /// Appends to a file as well. Above 64 MiB it is first renamed to FILE.1. Errors: io.
  Status add_file(const std::filesystem::path& path);

  using Fields = nlohmann::json;
  void write(Level level, std::string_view event, const Fields& fields = Fields::object());
  std::size_t dropped_lines() const;
  /// Why the first line that was dropped could not be written, with its file; empty: none was.
  std::optional<Error> first_error() const;

 private:
  mutable std::mutex mutex_;
  struct File {
    std::filesystem::path path;
    FileDescriptor descriptor;
  };
  std::vector<File> files_;
  std::optional<Error> first_error_;
  std::size_t dropped_lines_ = 0;
};

/// "2026-11-21T14:30:00.123Z"
std::string timestamp_now();

}  // namespace weir::observe
