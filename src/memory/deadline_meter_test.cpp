#include "memory/deadline_meter.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "memory/leak_detector.hpp"

namespace weir::memory {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kShort{50};
constexpr milliseconds kLong{60'000};

/// A fake driver that hangs when the test requests it, until it is released.
struct HangingDriver {
  std::atomic<bool> hangs = false;
  std::atomic<int> reads = 0;
  std::promise<void> release;  // ends the hanging reads
  std::shared_future<void> released = release.get_future().share();

  std::shared_ptr<const Meter> meter() {
    return make_counter_meter("driver", Side::device, MeterLayer::system,
                              [this, released = released]() -> std::optional<Bytes> {
                                ++reads;
                                if (hangs) released.wait();
                                return Bytes{7};
                              });
  }
};

std::shared_ptr<const Meter> with_deadline(const std::shared_ptr<HangingDriver>& driver, milliseconds limit) {
  return make_deadline_meter("driver", Side::device, MeterLayer::system, limit, [driver] { return driver->meter(); });
}

TEST(DeadlineMeter, AHangingDriverIsReadOnceUntilItAnswers) {
  const auto driver = std::make_shared<HangingDriver>();
  const auto meter = with_deadline(driver, kLong);
  ASSERT_TRUE(meter && meter->read());
  EXPECT_FALSE(meter->has_timed_out());

  const auto hung = std::make_shared<HangingDriver>();
  hung->hangs = true;
  const auto silent = with_deadline(hung, kShort);
  ASSERT_TRUE(silent) << "a meter that does not answer is not a missing meter";
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(silent->read());
  EXPECT_TRUE(silent->has_timed_out());
  EXPECT_EQ(hung->reads, 1);
  hung->hangs = false;
  hung->release.set_value();
  while (!silent->read()) std::this_thread::yield();  // bounded by the timeout of the test
  EXPECT_FALSE(silent->has_timed_out());
}

TEST(DeadlineMeter, ANullMeterIsNoMeter) {
  EXPECT_EQ(make_deadline_meter("x", Side::device, MeterLayer::system, kLong, [] { return nullptr; }), nullptr);
}

TEST(DeadlineMeter, TheVerdictNamesTheMeterThatDidNotAnswer) {
  const auto driver = std::make_shared<HangingDriver>();
  Meters meters;
  meters.push_back(with_deadline(driver, kShort));
  LeakDetector detector{std::move(meters), {}};
  const auto start = detector.begin_scope();
  driver->hangs = true;
  const ScopeRecord record = detector.end_scope("a", start, false, {});
  EXPECT_EQ(record.unmeasured_reason, "driver does not answer");
  driver->hangs = false;
  driver->release.set_value();
}

}  // namespace
}  // namespace weir::memory
