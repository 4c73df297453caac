#include "tasks/reservation.hpp"

#include <fmt/format.h>

namespace weir::tasks {

Result<std::size_t> reserve(device::Lease& lease, const device::Device& device, const Wanted& wanted, bool& crowded) {
  const auto alone = lease.lock_promises();
  if (!alone) return alone.error();
  const auto holders = lease.other_holders();
  if (!holders) return holders.error();
  const Room room = measure_room(device, *holders, lease.claim());
  const auto variant =
      wanted.took ? choose_by_experience(*wanted.took, room) : choose_variant(wanted.variants, room, wanted.trust_unknown);
  crowded = !variant && room.known && !holders->empty();
  if (!variant) return Error{variant.error().code, fmt::format("{} {}", to_text(device), variant.error().what)};
  if (auto promised = lease.promise(wanted.took.value_or(wanted.variants[*variant].need)); !promised)
    return promised.error();
  return *variant;
}

}  // namespace weir::tasks
