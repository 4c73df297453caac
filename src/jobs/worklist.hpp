#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "jobs/admission.hpp"
#include "jobs/run.hpp"

namespace weir::jobs {

/// The state of an item in a run.
struct ItemState {
  bool is_ended = false;         ///< its final result is known
  bool replaces_output = false;  ///< an existing output may be replaced (Decision::replace)
  bool goes_first = false;       ///< it is processed before all items without this flag (Stages::goes_first)
  bool is_redone = false;        ///< `replaces_output` is set, and the item is processed (Action::work)
  std::uint8_t attempts = 0;     ///< number of attempts; includes those that lack of memory prevented
  std::uint16_t variant = 0;     ///< index of the variant (Task::variants()) for the next attempt
  std::string why;               ///< Decision::why
  Estimate estimate;             ///< for the variant `variant`
};

/// The items of a run and the state of each. Starts no work. Not thread-safe.
class Worklist {
 public:
  /// `items` must outlive the object. `needs_file`: file of LearnedNeeds; empty: no file.
  Worklist(const std::vector<Item>& items, std::filesystem::path needs_file);

  std::size_t size() const { return states_.size(); }
  /// Returns the number of items that have not ended; interrupted items count as not ended.
  std::size_t remaining() const { return remaining_; }
  const Item& item(ItemNumber number) const {
    return number < items_.size() ? items_[number] : added_[number - items_.size()];
  }
  /// Adds a prerequisite of another item (stages.hpp) and returns its number. References to other items stay valid.
  ItemNumber add(Item item);
  const ItemState& operator[](ItemNumber number) const { return states_[number]; }

  /// Stores the names of the variants once; later calls have no effect, since all workers of a run have the same
  /// variants.
  void set_variant_names(std::vector<std::string> names);
  /// Returns the name of the item's variant; empty while the names are not known.
  std::string variant_name(ItemNumber number) const;

  /// Stores the reason of the decision and whether the output may be replaced.
  void set_decision(ItemNumber number, const Decision& decision);
  void set_estimate(ItemNumber number, Estimate estimate) { states_[number].estimate = std::move(estimate); }
  void set_goes_first(ItemNumber number) { states_[number].goes_first = true; }
  /// Adds one to the item's number of attempts.
  void count_attempt(ItemNumber number) { ++states_[number].attempts; }
  /// Reverts count_attempt() for an attempt that failed because the disk was full. Since the expected output
  /// (Estimate::output) was too small, raises it by a quarter, and at least to 1 MiB more than `free`, the free space
  /// of the disk.
  void cancel_attempt_for_disk(ItemNumber number, Bytes free);

  /// Changes the item to the next smaller variant. Returns false if the item has the smallest one already.
  bool use_smaller_variant(ItemNumber number) { return use_variant(number, states_[number].variant + std::size_t{1}); }
  /// Changes the item to `variant`. Returns false, and changes nothing, if no such variant exists or it is not smaller.
  bool use_variant(ItemNumber number, std::size_t variant);

  /// Returns the memory of the process (Estimate::ram) that the item needs on the device with this name: its estimate,
  /// or the learned need if that is larger.
  Bytes memory_need(ItemNumber number, const std::string& device) const;
  /// Records that the item ran out of memory on the device although its estimate fitted.
  void record_memory_shortage(ItemNumber number, const std::string& device);

  /// Marks the item as ended. Returns false if it had ended before.
  bool mark_ended(ItemNumber number, ItemStatus status);
  /// Makes a result with the fields that are known before an attempt ends: `number`, `variant`, and for an item with
  /// ItemState::is_redone also `redone` and `why`.
  ItemResult make_result(ItemNumber number) const;

 private:
  const std::vector<Item>& items_;  // the items with which the run began
  std::deque<Item> added_;          // those that were added later; their numbers continue those of items_
  std::vector<ItemState> states_;
  std::vector<std::string> variant_names_;
  std::size_t remaining_;
  LearnedNeeds learned_needs_;
};

}  // namespace weir::jobs
