#include "device/orphans.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "device/lease_nesting.hpp"
#include "device/marked_processes.hpp"

namespace weir::device {

std::vector<pid_t> find_orphans(std::string_view key, std::string_view own_nonce, std::string_view inherited,
                                const std::filesystem::path& root) {
  const auto family = parse_lease_claims(inherited);
  const auto is_family = [&](const LeaseClaim& claim) {
    return claim.nonce == own_nonce ||
           std::any_of(family.begin(), family.end(), [&](const LeaseClaim& own) { return own.nonce == claim.nonce; });
  };
  return find_with_variable(
      "WEIR_LEASE",
      [&](std::string_view value) {
        const auto claims = parse_lease_claims(value);
        return std::any_of(claims.begin(), claims.end(),
                           [&](const LeaseClaim& claim) { return claim.key == key && !is_family(claim); });
      },
      root);
}

std::vector<pid_t> find_claimants(std::string_view key, std::string_view nonce, const std::filesystem::path& root) {
  return find_with_variable(
      "WEIR_LEASE",
      [&](std::string_view value) {
        const auto claims = parse_lease_claims(value);
        return std::any_of(claims.begin(), claims.end(),
                           [&](const LeaseClaim& claim) { return claim.key == key && claim.nonce == nonce; });
      },
      root);
}

std::vector<EndedProcess> end_orphans(std::string_view key, std::string_view own_nonce, std::string_view inherited) {
  return end_processes([&] { return find_orphans(key, own_nonce, inherited); });
}

std::string reset_command(const Device& device) {
  switch (device.vendor) {
    case Vendor::nvidia:
      return "nvidia-smi --gpu-reset -i " + device.uuid;
    case Vendor::amd:
      return "amd-smi reset --gpureset --gpu all";
    case Vendor::intel:
      return "xpu-smi config --reset";
    case Vendor::other:
      break;
  }
  return {};
}

}  // namespace weir::device
