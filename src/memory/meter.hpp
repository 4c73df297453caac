#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "memory/reading.hpp"

namespace weir::memory {

/// The memory that a meter measures: that of the machine or that of a device. Only meters of the same side confirm each
/// other.
enum class Side { host, device };

/// The layer that counts the memory: the allocator that hands it out, or the system below it. A leak is reported as
/// confirmed when both grow.
enum class MeterLayer { allocator, system };

/// A memory counter that can be read repeatedly. Thread-safe.
class Meter {
 public:
  Meter() = default;
  virtual ~Meter() = default;
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;
  virtual std::string_view name() const = 0;
  virtual Side side() const = 0;
  virtual MeterLayer layer() const = 0;
  /// Returns the current value; empty if it cannot be read now. An empty reading is no evidence for or against a leak.
  virtual std::optional<Reading> read() const = 0;
  /// Returns whether the last read() gave up because no answer came in time.
  virtual bool has_timed_out() const { return false; }
};

using Meters = std::vector<std::shared_ptr<const Meter>>;

/// Creates a meter of the bytes that malloc has allocated and not freed (mallinfo2 of glibc), whether touched or not.
/// It has no readings if another allocator replaces malloc.
std::shared_ptr<const Meter> make_malloc_meter();
/// Creates a meter of the resident memory of the process, from /proc/self/statm.
std::shared_ptr<const Meter> make_resident_meter();

/// Creates a meter of a number that other code counts, such as a pool's bytes in use or a framework's counter. `read`
/// must be thread-safe; it returns an empty optional if it cannot read the number.
template <class Read>
std::shared_ptr<const Meter> make_counter_meter(std::string name, Side side, MeterLayer layer, Read read);

/// Returns the number of open descriptors of this process; -1 if /proc cannot be read.
int count_open_descriptors();

/// The meter that make_counter_meter() creates.
template <class Read>
class CounterMeter final : public Meter {
 public:
  CounterMeter(std::string name, Side side, MeterLayer layer, Read read_value)
      : name_{std::move(name)}, side_{side}, layer_{layer}, read_{std::move(read_value)} {}
  std::string_view name() const override { return name_; }
  Side side() const override { return side_; }
  MeterLayer layer() const override { return layer_; }
  std::optional<Reading> read() const override {
    const std::optional<Bytes> bytes = read_();
    if (!bytes) return std::nullopt;
    return Reading{.value = *bytes, .source = name_, .coverage = Coverage::process};
  }

 private:
  std::string name_;
  Side side_;
  MeterLayer layer_;
  Read read_;
};

template <class Read>
std::shared_ptr<const Meter> make_counter_meter(std::string name, Side side, MeterLayer layer, Read read) {
  return std::make_shared<CounterMeter<Read>>(std::move(name), side, layer, std::move(read));
}

}  // namespace weir::memory
