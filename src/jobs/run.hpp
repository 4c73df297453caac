#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "jobs/decision.hpp"
#include "jobs/item.hpp"
#include "jobs/task.hpp"

namespace weir::jobs {

using ItemNumber = std::uint32_t;  ///< place in the worklist, from 0

enum class ItemStatus { done, skipped, failed, interrupted };
std::string_view name_of(ItemStatus status);

/// The end of one item.
struct ItemEnd {
  ItemNumber number = 0;
  ItemStatus status = ItemStatus::failed;
  std::string why;             ///< it was skipped or redone; empty for a first time
  bool redone = false;         ///< an output of ours was replaced
  std::optional<Error> error;  ///< of failed and interrupted
  bool fault = false;
  bool refused = false;  ///< for want of memory with the smallest variant
  std::string damaged;   ///< of done and skipped: what of an input was not there; empty: nothing
  std::string report;    ///< the kind's JSON object; may be empty
  std::vector<std::string> notes;
  double amount = 0;  ///< in the kind's unit
  double seconds = 0;
  double sync_s = 0;
  std::string device;
  std::string variant;  ///< its name if it is not the first; else empty
};

/// Of an item that is not to be worked on.
ItemEnd end_without_work(ItemNumber number, const Decision& decision);

struct DeviceTotals {
  std::string name;
  std::size_t items = 0;
  double amount = 0;
  double busy_s = 0;
};

struct Totals {
  std::size_t items = 0;
  std::size_t done = 0;     ///< in this run
  std::size_t redone = 0;   ///< of these, instead of an older result
  std::size_t skipped = 0;  ///< done before
  std::size_t failed = 0;   ///< refused ones and faults included
  std::size_t refused = 0;
  std::size_t faults = 0;
  std::size_t smaller_variant = 0;
  std::size_t damaged = 0;  ///< of those done and skipped, made from a damaged input
  double amount = 0;
  double seconds = 0;
  bool interrupted = false;
  std::optional<Error> fatal;         ///< why the run stopped: no device, no disk
  std::vector<std::string> failures;  ///< "page.png: truncated at row 512"; the first hundred
  std::vector<std::string> damages;   ///< "page.png: the last 20 of 72 rows ..."; the first hundred
  std::vector<DeviceTotals> devices;

  void count(const Item& item, const ItemEnd& end);
};

/// How far a run is.
struct RunProgress {
  struct Device {
    std::string name;
    std::string item;     ///< empty: none at the moment
    double fraction = 0;  ///< of the item
  };
  std::size_t ended = 0, items = 0;
  double amount = 0;             ///< done in this run, running items included
  double seconds = 0;            ///< since the work began
  std::optional<double> left_s;  ///< by measured speed; empty while it is not known
  std::string halted;            ///< "paused", "waiting for room on the disk"; empty: running
  std::vector<Device> devices;
};

enum class Loudness { note, warning, error };

/// Is told what happens, on the thread that runs the coordinator.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void decided(const Item& item, const Decision& decision) = 0;  ///< once per item, before any work
  /// A try at the item came to its end, before it is known whether another follows. `report` is the kind's JSON object.
  virtual void tried(const Item& /*item*/, const std::string& /*report*/) {}
  virtual void ended(const Item& item, const ItemEnd& end) = 0;
  virtual void progress(const RunProgress& progress) = 0;  ///< a few times a second
  virtual void said(Loudness loudness, const std::string& text) = 0;
};

}  // namespace weir::jobs
