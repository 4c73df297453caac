#pragma once

#include <memory>
#include <string_view>

namespace weir::observe {

/// Quiet mode writes errors only.
enum class Verbosity { quiet, normal };

/// Messages for people on standard error: lines. On a terminal there is also a status at the bottom, of one or
/// several lines, which is overwritten again and again. In quiet mode only errors are written. Thread-safe.
class Log {
 public:
  explicit Log(Verbosity verbosity);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Writes a line; warning() and info() do nothing in quiet mode.
  void error(std::string_view line);
  void warning(std::string_view line);
  void info(std::string_view line);

  /// Replaces the status, whose lines must be shorter than columns(); an empty text removes it. Does nothing in quiet mode or if standard error is not a
  /// terminal.
  void set_status(std::string_view text);
  bool shows_status() const;  ///< Returns whether a status can be shown: on a terminal and not quiet.
  int columns() const;        ///< Returns the width of the terminal in characters; 80 if it is unknown.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::observe
