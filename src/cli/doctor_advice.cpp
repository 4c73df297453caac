#include "cli/doctor_advice.hpp"

#include <cstdint>
#include <filesystem>

#include <fmt/format.h>

#include "base/process_limits.hpp"
#include "base/text.hpp"
#include "cli/external_command.hpp"
#include "device/mask.hpp"
#include "device/policy.hpp"

namespace weir::cli {
namespace {

constexpr std::uint64_t kEnoughFiles = 64;  // open files; a run with one worker needs about thirty

/// Returns true if the request accepts a device. `hidden`: for each device the reason why the set mask variables hide
/// it, or an empty text; an empty list: no device is hidden.
bool accepts_any(const tasks::Machine& machine, const tasks::DeviceRequest& request,
                 const std::vector<std::string>& hidden) {
  return !device::choose_devices(machine.devices, request.policy, request.need, hidden).ranked.empty();
}

/// Returns the variables that hide devices, as "CUDA_VISIBLE_DEVICES and ROCR_VISIBLE_DEVICES".
std::string hiding_mask_names(const tasks::Machine& machine, const std::vector<std::string>& hidden) {
  std::string names;
  for (const auto& [name, value] : machine.masks) {
    for (const std::string& reason : hidden) {
      if (reason.find(name) == std::string::npos) continue;
      names += (names.empty() ? "" : " and ") + name;
      break;
    }
  }
  return names.empty() ? "the variable that hides it" : names;
}

}  // namespace

std::string advise_on_missing_device(const tasks::Machine& machine, const GuardArguments& args) {
  const tasks::DeviceRequest request = make_device_request(args);
  const auto hidden = device::find_hidden_reasons(machine.devices, machine.masks);
  if (accepts_any(machine, request, {}))
    return fmt::format("unset {}, or let it name an allowed device", hiding_mask_names(machine, hidden));
  tasks::DeviceRequest relaxed = request;
  relaxed.need = {};
  if (accepts_any(machine, relaxed, hidden)) return "ask for less with --need, or wait until others give memory back";
  relaxed = request;
  relaxed.policy.request.clear();
  if (accepts_any(machine, relaxed, hidden)) return "change --device; 'weir devices' lists the names";
  return "change allow, deny or min-memory, on the command line or in weir.toml; 'weir config' shows where each "
         "comes from";
}

std::string advise_on_lease_folder(const Environment& environment) {
  const auto lease_folder = environment("WEIR_LEASE_DIR");
  if (!lease_folder) return "install -d -m 1777 /run/lock/weir";
  if (!std::filesystem::path{*lease_folder}.is_absolute()) return "set WEIR_LEASE_DIR to an absolute path, or unset it";
  return fmt::format("install -d -m 1777 {}; or set WEIR_LEASE_DIR to a folder that can be written, or unset it",
                     quote_for_shell(*lease_folder));
}

std::string describe_descriptor_limit() {
  const auto files = open_files_limit();
  return !files || *files >= kEnoughFiles ? std::string{}
                                          : fmt::format("only {} files may be open at once (ulimit -n)", *files);
}

std::string describe_address_space_limit() {
  const auto addresses = address_space_limit();
  return addresses ? fmt::format("addresses are limited to {} (ulimit -v)", to_text(*addresses)) : std::string{};
}

std::vector<Finding> check_process_limits() {
  std::vector<Finding> findings;
  if (const std::string descriptor_limit = describe_descriptor_limit(); !descriptor_limit.empty())
    findings.push_back({Grade::bad, "limits", descriptor_limit, "ulimit -n 1024"});
  if (const std::string address_limit = describe_address_space_limit(); !address_limit.empty())
    findings.push_back({Grade::note, "limits",
                        address_limit + ": drivers that need more are not loaded, and their devices are not found",
                        "ulimit -v unlimited"});
  return findings;
}

}  // namespace weir::cli
