#include "memory/deadline_meter.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "memory/leak_judge.hpp"

namespace weir::memory {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kShort{50};
constexpr milliseconds kLong{60'000};

/// A driver that hangs from the moment it is told to, until it is let go.
struct HangingDriver {
  std::atomic<bool> hangs = false;
  std::atomic<int> asked = 0;
  std::promise<void> let_go;
  std::shared_future<void> gone = let_go.get_future().share();

  std::shared_ptr<const Meter> meter() {
    return make_counter_meter("driver", Side::device, Witness::system, [this, gone = gone]() -> std::optional<Bytes> {
      ++asked;
      if (hangs) gone.wait();
      return Bytes{7};
    });
  }
};

std::shared_ptr<const Meter> with_deadline(const std::shared_ptr<HangingDriver>& driver, milliseconds limit) {
  return make_deadline_meter("driver", Side::device, Witness::system, limit, [driver] { return driver->meter(); });
}

TEST(DeadlineMeter, AHangingDriverIsAskedOnceAndBelievedAgainWhenItAnswers) {
  const auto driver = std::make_shared<HangingDriver>();
  const auto meter = with_deadline(driver, kLong);
  ASSERT_TRUE(meter && meter->read());
  EXPECT_FALSE(meter->is_silent());

  const auto hung = std::make_shared<HangingDriver>();
  hung->hangs = true;
  const auto silent = with_deadline(hung, kShort);
  ASSERT_TRUE(silent) << "what does not answer is not what is not there";
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(silent->read());
  EXPECT_TRUE(silent->is_silent());
  EXPECT_EQ(hung->asked, 1);
  hung->hangs = false;
  hung->let_go.set_value();
  while (!silent->read()) std::this_thread::yield();  // bounded by the test's own limit
  EXPECT_FALSE(silent->is_silent());
}

TEST(DeadlineMeter, NothingToAskIsNoMeter) {
  EXPECT_EQ(make_deadline_meter("x", Side::device, Witness::system, kLong, [] { return nullptr; }), nullptr);
}

TEST(DeadlineMeter, TheVerdictSaysWhoDidNotAnswer) {
  const auto driver = std::make_shared<HangingDriver>();
  Meters meters;
  meters.push_back(with_deadline(driver, kShort));
  LeakJudge judge{std::move(meters), {}};
  const auto start = judge.enter();
  driver->hangs = true;
  const ScopeRecord record = judge.leave("a", start, false, {});
  EXPECT_EQ(record.unknown, "driver does not answer");
  driver->hangs = false;
  driver->let_go.set_value();
}

}  // namespace
}  // namespace weir::memory
