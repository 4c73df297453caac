#include "tasks/variants.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "device/orphans.hpp"
#include "device/policy.hpp"

namespace weir::tasks {
namespace {

/// Returns the memory on the device that the processes of one lease use.
Bytes memory_used_by(const device::Device& device, const device::LeaseClaim& lease) {
  const auto pids = device::find_lease_processes(lease);
  Bytes sum;
  for (const device::GpuProcess& process : device.processes) {
    const bool belongs_to_lease = std::find(pids.begin(), pids.end(), process.pid) != pids.end();
    if (belongs_to_lease && process.memory) sum += process.memory->value;
  }
  return sum;
}

}  // namespace

Result<std::vector<Variant>> parse_variants(std::string_view text) {
  std::vector<Variant> variants;
  for (const std::string& part : device::split_list(text)) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error{Errc::invalid_argument, fmt::format("'{}' is not a variant; write name=5G", printable(part))};
    const auto need = parse_bytes(std::string_view{part}.substr(equals + 1));
    if (!need) return need.error();
    if (!variants.empty() && *need >= variants.back().need)
      return Error{Errc::invalid_argument, fmt::format("variant '{}' must need less than the one before it",
                                                       printable(part.substr(0, equals)))};
    variants.push_back({part.substr(0, equals), *need});
  }
  if (variants.empty()) return Error{Errc::invalid_argument, "no variant is named"};
  return variants;
}

DeviceMemoryAvailability measure_availability(const device::Device& device, const std::vector<device::Holder>& holders,
                                              const device::LeaseClaim& own) {
  DeviceMemoryAvailability available;
  available.known = device.free && device.free->coverage != memory::Coverage::lower_bound;
  if (available.known) available.free = device.free->value;
  for (const device::Holder& holder : holders) {
    if (!holder.record || holder.record->nonce == own.nonce) continue;
    const device::LeaseClaim lease{lease_key(device), holder.record->nonce, own.folder};
    available.reserved += Bytes{holder.record->reserved_bytes} - memory_used_by(device, lease);
  }
  return available;
}

Result<std::size_t> choose_variant(const std::vector<Variant>& variants, const DeviceMemoryAvailability& available,
                                   bool trust_unknown) {
  if (!available.known && trust_unknown) return std::size_t{0};
  std::string needs;
  for (std::size_t i = 0; i < variants.size(); ++i) {
    if (variants[i].need == Bytes{}) return i;  // no need was given
    if (available.known && variants[i].need + kContextMargin + available.reserved <= available.free) return i;
    needs += fmt::format("{}{}{}", i == 0 ? "" : ", ",
                         variants[i].name.empty() ? "" : printable(variants[i].name) + " ", to_text(variants[i].need));
  }
  if (!available.known)
    return Error{Errc::over_budget,
                 fmt::format("needs {}, but the free memory is not known; --trust-unknown allows it", needs)};
  return Error{Errc::over_budget,
               fmt::format("needs {} and {} for its context; {} are free, {} of them promised to others", needs,
                           to_text(kContextMargin), to_text(available.free), to_text(available.reserved))};
}

Result<std::size_t> choose_by_last_need(Bytes last_need, const DeviceMemoryAvailability& available) {
  if (!available.known || last_need + available.reserved <= available.free) return std::size_t{0};
  return Error{
      Errc::over_budget,
      fmt::format("has {} free, {} of them promised to others, and this command took {} the last time; --need 0 "
                  "starts it anyway",
                  to_text(available.free), to_text(available.reserved), to_text(last_need))};
}

}  // namespace weir::tasks
