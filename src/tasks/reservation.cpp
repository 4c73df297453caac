#include "tasks/reservation.hpp"

#include <fmt/format.h>

namespace weir::tasks {

Result<std::size_t> reserve_memory(device::Lease& lease, const device::Device& device, const MemoryRequest& request,
                                   bool& may_fit_later) {
  const auto lock = lease.lock_reservations();
  if (!lock) return lock.error();
  const auto holders = lease.other_holders();
  if (!holders) return holders.error();
  const DeviceMemoryAvailability available = measure_availability(device, *holders, lease.claim());
  const auto variant = request.last_need ? choose_by_last_need(*request.last_need, available)
                                         : choose_variant(request.variants, available, request.trust_unknown);
  may_fit_later = !variant && available.known && !holders->empty();
  if (!variant) return Error{variant.error().code, fmt::format("{} {}", to_text(device), variant.error().what)};
  if (auto reserved = lease.reserve_memory(request.last_need.value_or(request.variants[*variant].need)); !reserved)
    return reserved.error();
  return *variant;
}

}  // namespace weir::tasks
