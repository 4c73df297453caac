#include "jobs/speed_meter.hpp"

#include <algorithm>

namespace weir::jobs {
namespace {

constexpr auto kMeasuredTime = std::chrono::seconds{60};
constexpr auto kPartTime = std::chrono::seconds{1};

}  // namespace

void SpeedMeter::restart(Clock::time_point now) {
  start_ = now;
  parts_.clear();
}

void SpeedMeter::add(double amount, Clock::time_point now) {
  if (parts_.empty() || now - parts_.back().start >= kPartTime) parts_.push_back({now, 0});
  parts_.back().amount += amount;
  while (now - parts_.front().start > kMeasuredTime) {
    start_ = parts_.front().start;
    parts_.pop_front();
  }
}

double SpeedMeter::per_second(Clock::time_point now) const {
  const Clock::time_point from = std::max(start_, now - kMeasuredTime);
  double amount = 0;
  for (const Part& part : parts_) amount += part.start >= from ? part.amount : 0;
  const double seconds = std::chrono::duration<double>(now - from).count();
  return amount > 0 && seconds > 0 ? amount / seconds : 0;
}

void SpeedMeter::exclude_pause(Clock::duration pause) {
  start_ += pause;
  for (Part& part : parts_) part.start += pause;
}

}  // namespace weir::jobs
