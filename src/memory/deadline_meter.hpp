#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "memory/meter.hpp"

namespace weir::memory {

/// A function that creates the meter that is read under a deadline, or returns null if there is nothing to measure.
using MeterFactory = std::function<std::shared_ptr<const Meter>()>;

/// Wraps a meter whose driver calls may hang. The inner meter is created with `make` and read on a separate thread. If
/// it does not answer a read within `timeout`, or no thread can be started, the reading is empty and has_timed_out()
/// returns true. While the thread hangs, no other thread is started and later reads do not wait. `name`, `side` and
/// `layer` must equal those of the meter that `make` creates. make_deadline_meter() itself reads the meter once. It
/// returns null if `make` returned null within `timeout`.
std::shared_ptr<const Meter> make_deadline_meter(std::string name, Side side, MeterLayer layer,
                                                 std::chrono::milliseconds timeout, MeterFactory make);

}  // namespace weir::memory
