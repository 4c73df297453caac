#include "tasks/reservation.hpp"

#include <fmt/format.h>

namespace weir::tasks {

Result<std::size_t> reserve(device::Lease& lease, const device::Device& device, const Wanted& wanted, bool& crowded) {
  const auto alone = lease.lock_promises();
  if (!alone) return alone.error();
  const auto holders = lease.other_holders();
  if (!holders) return holders.error();
  const Room room = measure_room(device, *holders, lease.claim());
  const auto rung =
      wanted.took ? choose_by_experience(*wanted.took, room) : choose_rung(wanted.ladder, room, wanted.trust_unknown);
  crowded = !rung && room.known && !holders->empty();
  if (!rung) return Error{rung.error().code, fmt::format("{} {}", to_text(device), rung.error().what)};
  if (auto promised = lease.promise(wanted.took.value_or(wanted.ladder[*rung].need)); !promised)
    return promised.error();
  return *rung;
}

}  // namespace weir::tasks
