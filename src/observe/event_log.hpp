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

/// Severity of an event.
enum class Level { debug, info, warning, error };

/// A log of events for programs: one JSON object per line, {"time", "level", "event", "pid", ...}. docs/events.md lists
/// the events and their fields. Each line is written with one call, so that several processes may append to one file. A
/// line that cannot be written is dropped and counted; first_error() returns the reason, which the owner of the log
/// reports. Thread-safe.
class EventLog {
 public:
  /// Creates a log without files: events are discarded.
  EventLog() = default;
  /// Adds a file that events are appended to. If it is longer than 64 MiB, it is first renamed to FILE.1. Errors: exists, if the
  /// file is no such log; io,
  /// disk_full.
  Status add_file(const std::filesystem::path& path);

  using Fields = nlohmann::json;  ///< a JSON object
  /// Appends an event with its fields to all files.
  void write(Level level, std::string_view event, const Fields& fields = Fields::object());
  /// Returns the number of lines that could not be written, counted for each file.
  std::size_t dropped_lines() const;
  /// Returns why the first dropped line could not be written, with its file; empty if no line was dropped.
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

/// Returns the current time in UTC as "2026-11-21T14:30:00.123Z".
std::string timestamp_now();

}  // namespace weir::observe
