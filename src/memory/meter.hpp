#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "memory/reading.hpp"

namespace weir::memory {

/// Which memory a meter watches: that of the machine or that of a device. Only meters of one side confirm each other.
enum class Side { host, device };

/// Who counts: the code that hands memory out, or the system below it. A leak is believed when both grow.
enum class MeterLayer { allocator, system };

/// One number that can be read again and again. Thread-safe.
class Meter {
 public:
  Meter() = default;
  virtual ~Meter() = default;
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;
  virtual std::string_view name() const = 0;
  virtual Side side() const = 0;
  virtual MeterLayer layer() const = 0;
  /// Empty if it cannot be read now: such a reading neither confirms nor acquits.
  virtual std::optional<Reading> read() const = 0;
  /// Whether the last question was given up, because no answer came in time.
  virtual bool has_timed_out() const { return false; }
};

using Meters = std::vector<std::shared_ptr<const Meter>>;

/// Bytes that malloc has given out and not got back (mallinfo2 of glibc): what the process holds, touched or not.
std::shared_ptr<const Meter> make_malloc_meter();
/// Resident memory of the process, as /proc/self/statm has it.
std::shared_ptr<const Meter> make_resident_meter();

/// A number that somebody else counts: a pool's bytes in use, a framework's counter. `read` must be thread-safe; an empty
/// answer means that it cannot say.
template <class Read>
std::shared_ptr<const Meter> make_counter_meter(std::string name, Side side, MeterLayer layer, Read read);

/// Open descriptors of this process; -1 if /proc cannot be read.
int count_open_descriptors();

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
