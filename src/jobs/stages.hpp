#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "jobs/item.hpp"
#include "jobs/run.hpp"

namespace weir::jobs {

/// The items that must be done before another item is processed: its prerequisites. They are items like all others: they
/// are skipped if they were done before, are distributed over the devices, and may have prerequisites of their own. An
/// item that is skipped needs no prerequisites.
struct Prerequisites {
  /// Returns the prerequisites of `item` in one stage. They are made in stages, because those of a stage may depend on the
  /// results of the stage before: the segments of a film, on its index. The coordinator calls the function with stage 0
  /// once the item is to be processed, and with each next stage once all prerequisites of the stage before are done. An
  /// empty list means that no further stage exists; then the item itself is processed. If the function is empty, no item
  /// has prerequisites. Errors: the item fails with the error.
  std::function<Result<std::vector<Item>>(const Item& item, int stage)> items_of_stage = {};
  /// Removes what the prerequisites of `item` have left, if it left anything; may be empty. The coordinator calls it for
  /// each item that is done, after its record was written, and for each that is skipped because it was done before, since
  /// the run that did it may have been killed before the call. `records`: RecordRules::folder. Errors: reported as a
  /// warning.
  std::function<Status(const Item& item, const std::filesystem::path& records)> release = {};

  explicit operator bool() const { return items_of_stage != nullptr; }
};

/// The items that wait for others. It holds only numbers and starts nothing. Not thread-safe.
class Stages {
 public:
  /// An item whose prerequisites of one stage have all ended.
  struct StageEnd {
    ItemNumber item = 0;
    std::optional<Error> failure;  ///< why the item cannot be processed: the first of its prerequisites that failed
  };

  /// An item that waits for the prerequisites of one stage.
  struct WaitingItem {
    ItemNumber item = 0;
    ItemNumber first = 0;   ///< the first of its prerequisites; the others follow it in the worklist
    std::size_t count = 0;  ///< their number
    std::size_t left = 0;   ///< of these, those that have not ended
  };

  /// The place of a prerequisite.
  struct Part {
    ItemNumber item = 0;  ///< the item that waits for it
    int stage = 0;        ///< from 0
    ItemNumber first = 0;
    std::size_t count = 0;  ///< the stage consists of so many items from number `first` on
  };

  /// Returns the stage that follows for the item: 0, then 1, and so on.
  int next_stage(ItemNumber item) { return next_stage_[item]++; }
  /// Makes the item wait for `count` items (at least 1) from number `first` on.
  void wait(ItemNumber item, ItemNumber first, std::size_t count);
  /// Returns true if another item waits, or has waited, for this item.
  bool is_prerequisite(ItemNumber item) const { return parts_.contains(item); }
  /// Returns the place of an item for which another one waits, or has waited; nullptr for other items.
  const Part* part(ItemNumber item) const;
  /// Returns true if the item is to be processed before others, because more work follows from it: it has waited for
  /// prerequisites, or it is the only one of a first stage, whose result says what follows (an index).
  bool goes_first(ItemNumber item) const;
  /// Returns true if an item waits for the only one of its first stage, so that the rest of its work is not known yet.
  bool has_unknown_work() const;
  /// Returns the items that wait, at most `max_count`, in the order of the worklist.
  std::vector<WaitingItem> waiting(std::size_t max_count) const;
  /// Records that an item has ended, with its error if it failed. Returns the item that waited for it, if no other
  /// prerequisite of its stage is left. `name`: the ended item's name, for the message.
  std::optional<StageEnd> end(ItemNumber item, const std::string& name, const std::optional<Error>& error);

 private:
  struct Waiting {
    ItemNumber first = 0;   // of the prerequisites of this stage
    std::size_t count = 0;  // their number
    std::size_t left = 0;   // of these, those that have not ended
    std::optional<Error> failure;
  };
  bool waits_for_first(ItemNumber item, const Waiting& waiting) const;

  std::map<ItemNumber, int> next_stage_;
  std::map<ItemNumber, Part> parts_;       // by prerequisite
  std::map<ItemNumber, Waiting> waiting_;  // by waiting item
};

}  // namespace weir::jobs
