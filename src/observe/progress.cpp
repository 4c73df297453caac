#include "observe/progress.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace weir::observe {
namespace {

constexpr auto kTerminalInterval = std::chrono::milliseconds{100};  // between two updates of the status line
constexpr auto kLogInterval = std::chrono::seconds{10};             // between two lines, if there is no terminal
constexpr int kLogColumns = 200;                                    // longest line, if there is no terminal
constexpr std::string_view kEllipsis = "…";
constexpr double kMaxClockS = 3.6e8;  // 100,000 hours; longer times are shown as this

/// Returns whether a cut before the byte `at` would divide a UTF-8 character.
bool inside_character(const std::string& text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

}  // namespace

/// Counts bytes instead of terminal columns: a UTF-8 text has at least as many bytes as columns.
std::string shorten_name(const std::string& name, std::size_t max_bytes) {
  if (name.size() <= max_bytes) return name;
  if (max_bytes < 8) return {};
  std::size_t head = (max_bytes - kEllipsis.size()) / 2;
  std::size_t tail = name.size() - (max_bytes - kEllipsis.size() - head);
  while (head > 0 && inside_character(name, head)) --head;
  while (inside_character(name, tail)) ++tail;
  return name.substr(0, head) + std::string{kEllipsis} + name.substr(tail);
}

std::string format_clock(Seconds time) {
  const auto total = static_cast<long long>(std::llround(std::clamp(time.count(), 0.0, kMaxClockS)));
  if (total < 3600) return fmt::format("{}:{:02}", total / 60, total % 60);
  return fmt::format("{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
}

std::string format_duration(Seconds time) {
  if (time.count() < 1) return fmt::format("{:.2f} s", time.count());
  if (time.count() < 60) return fmt::format("{:.1f} s", time.count());
  return format_clock(time) + (time.count() < 3599.5 ? " min" : " h");  // format_clock() rounds 3599.5 s to an hour
}

std::string format_progress(const ItemProgress& progress, int columns) {
  const double fraction = std::clamp(progress.fraction, 0.0, 1.0);
  std::string rest = fmt::format("  {:3.0f} %", std::floor(fraction * 100));
  if (progress.elapsed.count() > 0)
    rest += fmt::format("  {:.2f} MP/s", progress.megapixels / progress.elapsed.count());
  if (fraction > 0) rest += fmt::format("  {} left", format_clock(progress.elapsed * (1 / fraction - 1)));
  const std::string head =
      progress.count > 1 ? fmt::format("[{}/{}] ", progress.number, progress.count) : std::string{};
  const std::size_t max_bytes = static_cast<std::size_t>(std::max(columns, 0));
  const std::size_t used_bytes = head.size() + rest.size();
  return (head + shorten_name(progress.name, max_bytes > used_bytes ? max_bytes - used_bytes : 0) + rest)
      .substr(0, max_bytes);
}

void ProgressMeter::start(std::string name, std::size_t number, std::size_t count, Clock::time_point now) {
  item_ = {.name = std::move(name), .number = number, .count = count};
  start_time_ = now;
  last_shown_ = now;
  log_.set_status(format_progress(item_, log_.columns() - 1));
}

void ProgressMeter::update(double fraction, double megapixels, Clock::time_point now) {
  if (now - last_shown_ < (log_.shows_status() ? Clock::duration{kTerminalInterval} : Clock::duration{kLogInterval}))
    return;
  last_shown_ = now;
  item_.fraction = fraction;
  item_.megapixels = megapixels;
  item_.elapsed = now - start_time_;
  if (log_.shows_status())
    log_.set_status(format_progress(item_, log_.columns() - 1));
  else
    log_.info(format_progress(item_, kLogColumns));
}

void ProgressMeter::finish() { log_.set_status({}); }

}  // namespace weir::observe
