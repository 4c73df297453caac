#pragma once

#include <cstdint>
#include <map>
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

using ItemNumber = std::uint32_t;  ///< index of an item in the worklist (the items of a run), from 0

/// How an item ended in this run.
enum class ItemStatus {
  done,     ///< processed successfully in this run
  skipped,  ///< done before
  failed,
  interrupted  ///< the run was stopped before the item ended
};
std::string_view name_of(ItemStatus status);

/// The final result of one item.
struct ItemResult {
  ItemNumber number = 0;
  ItemStatus status = ItemStatus::failed;
  std::string why;              ///< Decision::why for an item that was not processed or is `redone`; else empty
  bool redone = false;          ///< the item was processed, with Decision::replace set
  std::optional<Error> error;   ///< set for failed and interrupted items
  bool internal_error = false;  ///< the error is a defect of weir
  bool refused =
      false;  ///< no variant (way to process the item, Task::variants()) fits the memory, or no device is available
  std::string damage;              ///< for done and skipped items: the missing part of an input; empty: none
  std::string report;              ///< text of a JSON object of the task kind; may be empty
  std::vector<std::string> notes;  ///< messages for the user, one line each
  double amount = 0;               ///< work done, in RunSettings::unit
  double seconds = 0;              ///< ExecutionResult::total_s of the last attempt; 0 if no attempt was reported
  double sync_s = 0;               ///< time in fsync during the last attempt (ExecutionResult::sync_s)
  /// Seconds by stage of the last attempt (AttemptResult::stage_seconds), such as "network". Stages may overlap.
  std::map<std::string, double> stage_seconds;
  Bytes peak_rss;       ///< largest resident memory of the worker in the last attempt, read ten times a second
  int attempts = 0;     ///< number of attempts in this run
  std::string device;   ///< name of the device; empty for a skipped item
  std::string variant;  ///< name of the variant; empty for the first one (Task::variants())
  /// Another item of the run waits for this one (Stages). Totals count its work, but not the item.
  bool is_prerequisite = false;
};

/// Makes the result of an item that is not processed (any action except Action::work).
ItemResult result_without_work(ItemNumber number, const Decision& decision);

/// The totals of one device in a run.
struct DeviceTotals {
  std::string name;
  std::size_t items = 0;  ///< number of items done
  double amount = 0;      ///< work of these items, in RunSettings::unit
  double busy_s = 0;      ///< duration of all attempts, failed ones included
  /// Seconds by stage of all attempts, such as "decode", "network", "encode". A stage that takes nearly `busy_s` limits
  /// the speed.
  std::map<std::string, double> stage_seconds = {};
};

/// The place of an item in a stage of another item's prerequisites (Stages).
struct PartOf {
  std::string item;          ///< encode_path() of the first output of the item that waits
  int stage = 0;             ///< from 0
  std::size_t position = 0;  ///< in the stage, from 0
  std::size_t count = 0;     ///< number of items in the stage
};

/// The totals of a run.
struct Totals {
  std::size_t items = 0;            ///< number of all items of the run
  std::size_t done = 0;             ///< number of items processed successfully in this run
  std::size_t redone = 0;           ///< number of done items with ItemResult::redone
  std::size_t skipped = 0;          ///< number of items done before
  std::size_t failed = 0;           ///< number of items that failed, refused ones and internal errors included
  std::size_t refused = 0;          ///< number of failed items with ItemResult::refused
  std::size_t internal_errors = 0;  ///< number of failed items with ItemResult::internal_error
  std::size_t smaller_variant = 0;  ///< number of items done with a smaller variant
  std::size_t damaged = 0;          ///< number of done and skipped items that were made from a damaged input
  double amount = 0;                ///< work of the done items, in RunSettings::unit
  double seconds = 0;               ///< duration of the run
  bool interrupted = false;         ///< the run was stopped early, by a signal or for the reason in `fatal`
  std::optional<Error> fatal;       ///< why the run stopped early, if no signal did it: no device left, disk full
  std::vector<std::string> failure_messages;  ///< "page.png: truncated at row 512"; the first hundred
  std::vector<std::string> damage_messages;   ///< "page.png: the last 20 of 72 rows ..."; the first hundred
  std::vector<DeviceTotals> devices;

  /// Adds the result of an item that ended.
  void add(const Item& item, const ItemResult& result);
};

/// The progress of a run.
struct RunProgress {
  struct Device {
    std::string name;
    std::string item = {};  ///< empty: no item at the moment
    double fraction = 0;    ///< done fraction of the item, 0..1
    double amount = 0;      ///< work done of the item, in RunSettings::unit
    /// Work per second, in RunSettings::unit, over the last minute or since the start of the first item of this kind.
    double speed = 0;
    std::optional<double> item_remaining_s = {};  ///< remaining time of the item; empty while it is not known
  };
  /// An item that waits for others (Stages).
  struct WaitingItem {
    std::string name;          ///< its display name
    std::string kind;          ///< Item::task of the items for which it waits
    std::size_t finished = 0;  ///< of these, how many have ended, in this run or before
    std::size_t count = 0;     ///< their number
  };
  std::size_t finished_items = 0;  ///< number of items that ended: done, skipped or failed
  std::size_t total_items = 0;
  double amount = 0;                  ///< work done in this run, running items included, in RunSettings::unit
  double seconds = 0;                 ///< time since the start of the run
  std::optional<double> remaining_s;  ///< remaining time at the measured speed; empty while it is not known
  std::string idle_reason;            ///< StopController::idle_reason(), such as "paused"; empty: items can start
  std::vector<Device> devices;
  std::vector<WaitingItem> waiting = {};  ///< the first hundred
};

enum class Severity { note, warning, error };

/// Receives the events of a run, on the thread that runs the Coordinator or InProcessRun.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  /// The decision about an item; called once per item before any work on it.
  virtual void on_decision(const Item& item, const Decision& decision) = 0;
  /// An attempt at an item ended; another one may follow. `report` is the JSON object of the task kind.
  virtual void on_attempt(const Item& /*item*/, const std::string& /*report*/) {}
  /// An item ended.
  virtual void on_item_result(const Item& item, const ItemResult& result) = 0;
  virtual void on_progress(const RunProgress& progress) = 0;  ///< called a few times a second
  /// A message for the user.
  virtual void on_message(Severity severity, const std::string& text) = 0;
};

}  // namespace weir::jobs
