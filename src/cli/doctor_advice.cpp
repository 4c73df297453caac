#include "cli/doctor_advice.hpp"

#include <cstdint>
#include <filesystem>

#include <fmt/format.h>

#include "base/process_limits.hpp"
#include "base/text.hpp"
#include "cli/foreign_command.hpp"
#include "device/mask.hpp"
#include "device/policy.hpp"

namespace weir::cli {
namespace {

constexpr std::uint64_t kEnoughFiles = 64;  // a run of one worker takes about thirty

bool leaves_any(const tasks::Machine& machine, const tasks::DeviceWish& wish, const std::vector<std::string>& hidden) {
  return !device::choose(machine.devices, wish.policy, wish.need, hidden).order.empty();
}

/// The variables that hide devices, as "CUDA_VISIBLE_DEVICES and ROCR_VISIBLE_DEVICES".
std::string masks_that_hide(const tasks::Machine& machine, const std::vector<std::string>& hidden) {
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

std::string mend_for_no_device(const tasks::Machine& machine, const GuardArguments& args) {
  const tasks::DeviceWish wish = wish_of(args);
  const auto hidden = device::hidden_by(machine.devices, machine.masks);
  if (leaves_any(machine, wish, {}))
    return fmt::format("unset {}, or let it name an allowed device", masks_that_hide(machine, hidden));
  tasks::DeviceWish less = wish;
  less.need = {};
  if (leaves_any(machine, less, hidden)) return "ask for less with --need, or wait until others give memory back";
  less = wish;
  less.policy.request.clear();
  if (leaves_any(machine, less, hidden)) return "change --device; 'weir devices' lists the names";
  return "change allow, deny or min-memory, on the command line or in weir.toml; 'weir config' says where each comes "
         "from";
}

std::string mend_for_leases(const Environment& environment) {
  const auto set = environment("WEIR_LEASE_DIR");
  if (!set) return "install -d -m 1777 /run/lock/weir";
  if (!std::filesystem::path{*set}.is_absolute()) return "set WEIR_LEASE_DIR to an absolute path, or unset it";
  return fmt::format("install -d -m 1777 {}; or set WEIR_LEASE_DIR to a folder that can be written, or unset it",
                     shell_word(*set));
}

std::string too_few_descriptors() {
  const auto files = open_files_limit();
  return !files || *files >= kEnoughFiles ? std::string{}
                                          : fmt::format("only {} files may be open at once (ulimit -n)", *files);
}

std::string limited_addresses() {
  const auto addresses = addresses_limit();
  return addresses ? fmt::format("addresses are limited to {} (ulimit -v)", to_text(*addresses)) : std::string{};
}

std::vector<Finding> look_at_limits() {
  std::vector<Finding> findings;
  if (const std::string few = too_few_descriptors(); !few.empty())
    findings.push_back({Grade::bad, "limits", few, "ulimit -n 1024"});
  if (const std::string limited = limited_addresses(); !limited.empty())
    findings.push_back({Grade::note, "limits",
                        limited + ": drivers that find no room are not loaded, and their devices are not seen",
                        "ulimit -v unlimited"});
  return findings;
}

}  // namespace weir::cli
