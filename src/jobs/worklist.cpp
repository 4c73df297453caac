#include "jobs/worklist.hpp"

#include <algorithm>
#include <utility>

namespace weir::jobs {

Worklist::Worklist(const std::vector<Item>& items, std::filesystem::path needs_file)
    : items_{items}, states_(items.size()), remaining_{items.size()}, needs_{std::move(needs_file)} {}

void Worklist::name_variants(std::vector<std::string> names) {
  if (variants_.empty()) variants_ = std::move(names);
}

std::string Worklist::variant_of(ItemNumber number) const {
  const std::size_t variant = states_[number].variant;
  return variant < variants_.size() ? variants_[variant] : std::string{};
}

void Worklist::set_decision(ItemNumber number, const Decision& decision) {
  ItemState& state = states_[number];
  state.why = decision.why;
  state.replace = decision.replace;
  state.redone = decision.replace && decision.action == Action::work;
}

void Worklist::take_back_attempt(ItemNumber number, Bytes free) {
  ItemState& state = states_[number];
  --state.attempts;
  const Bytes output = state.estimate.output;
  state.estimate.output = std::max(output + Bytes{output.count() / 4}, free + 1_MiB);
}

bool Worklist::lower_to(ItemNumber number, std::size_t variant) {
  ItemState& state = states_[number];
  if (variant <= state.variant || variant >= variants_.size()) return false;
  state.variant = static_cast<std::uint16_t>(variant);
  return true;
}

Bytes Worklist::need(ItemNumber number, const std::string& device) const {
  const Estimate& estimate = states_[number].estimate;
  return needs_.need(variant_of(number), estimate.size, device, estimate.ram);
}

void Worklist::learn_need(ItemNumber number, const std::string& device) {
  const Estimate& estimate = states_[number].estimate;
  (void)needs_.learn(variant_of(number), estimate.size, device, estimate.ram);
}

bool Worklist::end(ItemNumber number, ItemStatus status) {
  ItemState& state = states_[number];
  if (std::exchange(state.ended, true)) return false;
  if (status != ItemStatus::interrupted) --remaining_;
  state.estimate.size = {};
  return true;
}

ItemEnd Worklist::end_of(ItemNumber number) const {
  const ItemState& state = states_[number];
  ItemEnd end;
  end.number = number;
  end.redone = state.redone;
  end.why = state.redone ? state.why : std::string{};
  if (state.variant > 0) end.variant = variant_of(number);
  return end;
}

}  // namespace weir::jobs
