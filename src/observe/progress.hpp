#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "observe/log.hpp"

namespace weir::observe {

using Seconds = std::chrono::duration<double>;

/// Progress of one item.
struct ItemProgress {
  std::string name;        ///< printable name of the item
  std::size_t number = 1;  ///< position of the item among all items, from 1 to `count`
  std::size_t count = 1;   ///< number of items
  double fraction = 0;     ///< finished part, 0 to 1
  double megapixels = 0;   ///< finished part in megapixels of the result
  Seconds elapsed{};       ///< time since the item started
};

/// Returns "[2/10] page.png  45 %  6.7 MP/s  0:12 left" in at most `columns` bytes (in UTF-8 no text is wider than its
/// number of bytes). The middle of a long name is cut out; "[2/10]" is omitted for a single item. Does not depend on
/// the locale.
std::string format_progress(const ItemProgress& progress, int columns);

/// Returns a duration such as "0.42 s", "12.3 s", "4:07 min", "2:04:07 h".
std::string format_duration(Seconds time);

/// Returns a duration such as "4:07" or "2:04:07".
std::string format_clock(Seconds time);

/// Shortens a name to at most `max_bytes` bytes: an ellipsis replaces its middle, cut at character boundaries. Returns
/// an empty text if the name is too long and `max_bytes` is less than 8.
std::string shorten_name(const std::string& name, std::size_t max_bytes);

/// Shows the progress of one running item. On a terminal it updates the status line at most ten times per second.
/// Elsewhere it logs a line every ten seconds while the item runs, so that short items log nothing. Not thread-safe.
class ProgressMeter {
 public:
  using Clock = std::chrono::steady_clock;
  explicit ProgressMeter(Log& log) : log_{log} {}
  /// Starts the display for the next item, at position `number` (from 1) of `count` items.
  void start(std::string name, std::size_t number, std::size_t count, Clock::time_point now);
  /// Shows the progress if the last display is old enough. `fraction` (0 to 1) is the finished part of the item,
  /// `megapixels` the same part in megapixels of the result.
  void update(double fraction, double megapixels, Clock::time_point now);
  /// Removes the status line.
  void finish();

 private:
  Log& log_;
  ItemProgress item_;
  Clock::time_point start_time_{};
  Clock::time_point last_shown_{};
};

}  // namespace weir::observe
