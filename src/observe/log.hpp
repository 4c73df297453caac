#pragma once

#include <memory>
#include <string_view>

namespace weir::observe {

enum class Verbosity { quiet, normal };

/// What a person reads on standard error: lines, and at the bottom of a terminal one status line that is written over
/// again and again. Quiet keeps the errors alone. Thread-safe.
class Log {
 public:
  explicit Log(Verbosity verbosity);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void error(std::string_view line);
  void warning(std::string_view line);  ///< not when quiet
  void info(std::string_view line);     ///< not when quiet

  /// Replaces the status line; an empty one goes away. Nothing happens when quiet or not on a terminal.
  void set_status(std::string_view line);
  bool shows_status() const;  ///< on a terminal and not quiet
  int columns() const;        ///< of the terminal; 80 if it does not say

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::observe
