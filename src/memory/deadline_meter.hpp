#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "memory/meter.hpp"

namespace weir::memory {

/// Makes the meter that is asked; null: there is nothing to ask.
using MeterFactory = std::function<std::shared_ptr<const Meter>()>;

/// A meter of one that may hang in a driver. It is made and asked in a thread of its own, which is given up after `limit`:
/// then the reading is empty and is_silent() true, and as long as that thread hangs no further one is started and nobody waits
/// again. `name`, `side` and `witness` are those of the meter that `make` makes. Null if `make` gives null in time.
std::shared_ptr<const Meter> make_deadline_meter(std::string name, Side side, MeterLayer layer,
                                                 std::chrono::milliseconds timeout, MeterFactory make);

}  // namespace weir::memory
