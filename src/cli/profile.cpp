#include "cli/profile.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

namespace weir::cli {
namespace {

constexpr std::array kProfiles{
    Profile{.name = "dev", .log = true, .lease = false},
    Profile{.name = "ci", .lease = true, .fragmentation_pct = 50},
    Profile{.name = "production", .log = true, .lease = true},
};

}  // namespace

const Profile* find_profile(std::string_view name) {
  const auto* found =
      std::find_if(kProfiles.begin(), kProfiles.end(), [&](const Profile& profile) { return profile.name == name; });
  return found == kProfiles.end() ? nullptr : found;
}

Profile selected_profile(const GuardArguments& args) {
  const Profile* found = find_profile(args.profile);
  return found == nullptr ? Profile{} : *found;
}

Bytes max_fragmentation(const GuardArguments& args) {
  // Computed in two parts, so that the product does not overflow.
  const auto percent = static_cast<std::uint64_t>(selected_profile(args).fragmentation_pct);
  return Bytes{args.max_fragmentation.count() / 100 * percent + args.max_fragmentation.count() % 100 * percent / 100};
}

std::string event_log_path(const Arguments& args, const Environment& environment) {
  if (!args.batch.log.empty() || !selected_profile(args.guard).log) return args.batch.log;
  const std::filesystem::path state = user_state_folder(environment);
  if (state.empty()) return {};
  std::error_code ignored;  // opening the file fails then, which is reported
  std::filesystem::create_directories(state, ignored);
  return (state / "events.jsonl").native();
}

}  // namespace weir::cli
