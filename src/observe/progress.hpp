#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "observe/log.hpp"

namespace weir::observe {

using Seconds = std::chrono::duration<double>;

/// How far one item is.
struct ItemProgress {
  std::string name;        ///< fit for a message
  std::size_t number = 1;  ///< of `count` items
  std::size_t count = 1;
  double fraction = 0;    ///< 0..1
  double megapixels = 0;  ///< finished
  Seconds elapsed{};
};

/// "[2/10] page.png  45 %  6.7 MP/s  0:12 left" in at most `columns` characters; a long name loses its middle. No locale.
std::string format_progress(const ItemProgress& progress, int columns);

/// "0.42 s", "12.3 s", "4:07 min", "2:04:07 h".
std::string format_duration(Seconds time);

/// "4:07", "2:04:07".
std::string format_clock(Seconds time);

/// At most `most` bytes of a name: its middle is cut out, between characters; empty if there is no room for a sensible rest.
std::string shorten_name(const std::string& name, std::size_t max_bytes);

/// Shows one running item: on a terminal the status line, ten times a second at most; elsewhere a plain line every ten
/// seconds, so that short items make none. Not thread-safe.
class ProgressMeter {
 public:
  using Clock = std::chrono::steady_clock;
  explicit ProgressMeter(Log& log) : log_{log} {}
  void start(std::string name, std::size_t number, std::size_t count, Clock::time_point now);
  void update(double fraction, double megapixels, Clock::time_point now);
  void finish();

 private:
  Log& log_;
  ItemProgress item_;
  Clock::time_point start_time_{};
  Clock::time_point last_shown_{};
};

}  // namespace weir::observe
