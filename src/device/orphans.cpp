#include "device/orphans.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "device/marked_processes.hpp"

namespace weir::device {

std::vector<pid_t> find_orphans(const LeaseClaim& own, std::string_view inherited, const std::filesystem::path& root) {
  const auto outer = parse_lease_claims(inherited);
  const auto is_orphaned = [&](const LeaseClaim& claim) {
    const bool is_outer =
        std::any_of(outer.begin(), outer.end(), [&](const LeaseClaim& one) { return one.nonce == claim.nonce; });
    return claim.key == own.key && claim.folder == own.folder && claim.nonce != own.nonce && !is_outer;
  };
  return find_with_variable(
      "WEIR_LEASE",
      [&](std::string_view value) {
        const auto claims = parse_lease_claims(value);
        return std::any_of(claims.begin(), claims.end(), is_orphaned);
      },
      root);
}

std::vector<pid_t> find_claimants(const LeaseClaim& lease, const std::filesystem::path& root) {
  return find_with_variable(
      "WEIR_LEASE",
      [&](std::string_view value) {
        const auto claims = parse_lease_claims(value);
        return std::any_of(claims.begin(), claims.end(), [&](const LeaseClaim& claim) {
          return claim.key == lease.key && claim.nonce == lease.nonce && claim.folder == lease.folder;
        });
      },
      root);
}

std::vector<EndedProcess> end_orphans(const LeaseClaim& own, std::string_view inherited) {
  return end_processes([&] { return find_orphans(own, inherited); });
}

std::string reset_command(const Device& device) {
  const std::string address = device.pci ? to_text(*device.pci) : std::string{};
  switch (device.vendor) {
    case Vendor::nvidia:
      return "nvidia-smi --gpu-reset -i " + (device.uuid.empty() ? address : device.uuid);
    case Vendor::amd:
      return address.empty() ? address : "amd-smi reset --gpureset --gpu " + address;
    case Vendor::intel:
      return address.empty() ? address : fmt::format("xpu-smi config -d {} --reset", address);
    case Vendor::other:
      break;
  }
  return {};
}

}  // namespace weir::device
