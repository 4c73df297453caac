#include "device/orphans.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "device/marked_processes.hpp"

namespace weir::device {

EarlierProcesses find_earlier_processes(const LeaseClaim& own, std::string_view inherited,
                                        const std::filesystem::path& root) {
  const auto inherited_claims = parse_lease_claims(inherited);
  const auto is_earlier = [&](const LeaseClaim& claim) {
    const bool is_inherited = std::any_of(inherited_claims.begin(), inherited_claims.end(),
                                          [&](const LeaseClaim& one) { return one.nonce == claim.nonce; });
    return claim.key == own.key && claim.folder == own.folder && claim.nonce != own.nonce && !is_inherited;
  };
  EarlierProcesses earlier;
  visit_processes_with_variable(
      "WEIR_LEASE",
      [&](pid_t pid, std::string_view value) {
        const auto claims = parse_lease_claims(value);
        if (std::none_of(claims.begin(), claims.end(), is_earlier)) return;
        const bool holder_lives = std::any_of(claims.begin(), claims.end(), may_have_living_holder);
        (holder_lives ? earlier.possibly_owned : earlier.orphans).push_back(pid);
      },
      root);
  return earlier;
}

std::vector<pid_t> find_lease_processes(const LeaseClaim& lease, const std::filesystem::path& root) {
  std::vector<pid_t> found;
  visit_processes_with_variable(
      "WEIR_LEASE",
      [&](pid_t pid, std::string_view value) {
        const auto claims = parse_lease_claims(value);
        const bool same = std::any_of(claims.begin(), claims.end(), [&](const LeaseClaim& claim) {
          return claim.key == lease.key && claim.nonce == lease.nonce && claim.folder == lease.folder;
        });
        if (same) found.push_back(pid);
      },
      root);
  return found;
}

std::vector<EndedProcess> end_orphans(const LeaseClaim& own, std::string_view inherited) {
  return end_processes([&] { return find_earlier_processes(own, inherited).orphans; });
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
