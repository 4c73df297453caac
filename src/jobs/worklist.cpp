#include "jobs/worklist.hpp"

#include <algorithm>
#include <utility>

namespace weir::jobs {

Worklist::Worklist(const std::vector<Item>& items, std::filesystem::path needs_file)
    : items_{items}, states_(items.size()), remaining_{items.size()}, learned_needs_{std::move(needs_file)} {}

ItemNumber Worklist::add(Item item) {
  added_.push_back(std::move(item));
  states_.emplace_back();
  ++remaining_;
  return static_cast<ItemNumber>(states_.size() - 1);
}

void Worklist::set_variant_names(std::vector<std::string> names) {
  if (variant_names_.empty()) variant_names_ = std::move(names);
}

std::string Worklist::variant_name(ItemNumber number) const {
  const std::size_t variant = states_[number].variant;
  return variant < variant_names_.size() ? variant_names_[variant] : std::string{};
}

void Worklist::set_decision(ItemNumber number, const Decision& decision) {
  ItemState& state = states_[number];
  state.why = decision.why;
  state.replaces_output = decision.replace;
  state.is_redone = decision.replace && decision.action == Action::work;
}

void Worklist::cancel_attempt_for_disk(ItemNumber number, Bytes free) {
  ItemState& state = states_[number];
  --state.attempts;
  const Bytes output = state.estimate.output;  // too small, since the disk was full before the output was complete
  state.estimate.output = std::max(output + Bytes{output.count() / 4}, free + 1_MiB);
}

bool Worklist::use_variant(ItemNumber number, std::size_t variant) {
  ItemState& state = states_[number];
  if (variant <= state.variant || variant >= variant_names_.size()) return false;
  state.variant = static_cast<std::uint16_t>(variant);
  return true;
}

Bytes Worklist::memory_need(ItemNumber number, const std::string& device) const {
  const Estimate& estimate = states_[number].estimate;
  return learned_needs_.need(variant_name(number), estimate.input_size, device, estimate.ram);
}

void Worklist::record_memory_shortage(ItemNumber number, const std::string& device) {
  const Estimate& estimate = states_[number].estimate;
  (void)learned_needs_.raise_need(variant_name(number), estimate.input_size, device, estimate.ram);
}

bool Worklist::mark_ended(ItemNumber number, ItemStatus status) {
  ItemState& state = states_[number];
  if (std::exchange(state.is_ended, true)) return false;
  if (status != ItemStatus::interrupted) --remaining_;
  state.estimate.input_size = {};  // frees the text, such as "1200x1800"; it is not needed any more
  return true;
}

ItemResult Worklist::make_result(ItemNumber number) const {
  const ItemState& state = states_[number];
  ItemResult result;
  result.number = number;
  result.redone = state.is_redone;
  result.why = state.is_redone ? state.why : std::string{};
  if (state.variant > 0) result.variant = variant_name(number);
  return result;
}

}  // namespace weir::jobs
