#include "compute/vulkan/crossings.hpp"

#include <algorithm>

namespace weir::compute::vulkan {

Ticket Crossings::before(Lane lane, std::span<const Access> uses) const {
  const std::vector<Open>& theirs = of(other(lane)).open;
  const auto last = std::find_if(theirs.rbegin(), theirs.rend(), [&](const Open& open) {
    return std::any_of(uses.begin(), uses.end(), [&](const Access& use) { return collide(open.access, use); });
  });
  if (last == theirs.rend() || last->ticket <= of(lane).waited) return 0;
  return last->ticket;
}

void Crossings::waited(Lane lane, Ticket ticket) { of(lane).waited = std::max(of(lane).waited, ticket); }

void Crossings::record(Lane lane, Ticket ticket, std::span<const Access> uses) {
  for (const Access& use : uses) of(lane).open.push_back({use, ticket});
}

void Crossings::ended(Lane lane, Ticket ticket) {
  std::erase_if(of(lane).open, [&](const Open& open) { return open.ticket <= ticket; });
}

}  // namespace weir::compute::vulkan
