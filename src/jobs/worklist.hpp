#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "jobs/admission.hpp"
#include "jobs/run.hpp"

namespace weir::jobs {

/// What a run keeps of an item.
struct ItemState {
  bool is_ended = false;
  bool replaces_output = false;  ///< an output of ours stands there
  bool is_redone = false;
  std::uint8_t attempts = 0;
  std::uint16_t variant = 0;
  std::string why;
  Estimate estimate;
};

/// The items of a run with what is known of each: on which variant it is, how often it was tried, what it needs. Starts nothing.
/// Not thread-safe.
class Worklist {
 public:
  /// `items` must outlive it. `needs_file`: of LearnedNeeds.
  Worklist(const std::vector<Item>& items, std::filesystem::path needs_file);

  std::size_t size() const { return items_.size(); }
  std::size_t remaining() const { return remaining_; }  ///< that have not ended; interrupted ones count as such
  const Item& item(ItemNumber number) const { return items_[number]; }
  const ItemState& operator[](ItemNumber number) const { return states_[number]; }

  /// Takes the names of the variants from the first worker that has any; the same kind has the same ones everywhere.
  void set_variant_names(std::vector<std::string> names);
  /// Of the item; empty while the variants have no names.
  std::string variant_name(ItemNumber number) const;

  void set_decision(ItemNumber number, const Decision& decision);
  void set_estimate(ItemNumber number, Estimate estimate) { states_[number].estimate = std::move(estimate); }
  void count_attempt(ItemNumber number) { ++states_[number].attempts; }
  /// The disk was full: the item is no attempt the poorer, and what it was expected to write was too little, since it needs
  /// more than the `free` bytes that there were.
  void cancel_attempt(ItemNumber number, Bytes free);

  /// Goes to a smaller variant, the next by default. False if there is none such.
  bool use_smaller_variant(ItemNumber number) { return use_variant(number, states_[number].variant + std::size_t{1}); }
  bool use_variant(ItemNumber number, std::size_t variant);

  /// What it needs on a device, by its plan and by experience.
  Bytes memory_need(ItemNumber number, const std::string& device) const;
  /// It ran out of memory there all the same.
  void record_memory_shortage(ItemNumber number, const std::string& device);

  /// False if it had ended before.
  bool mark_ended(ItemNumber number, ItemStatus status);
  /// What is known now of its end: number, reason and variant.
  ItemResult make_result(ItemNumber number) const;

 private:
  const std::vector<Item>& items_;
  std::vector<ItemState> states_;
  std::vector<std::string> variant_names_;
  std::size_t remaining_;
  LearnedNeeds learned_needs_;
};

}  // namespace weir::jobs
