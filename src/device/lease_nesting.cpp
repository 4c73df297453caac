#include "device/lease_nesting.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

namespace weir::device {
namespace {

/// Parses "PID.START.NAMESPACE"; pid 0 if it is not valid.
ProcessIdentity parse_holder(std::string_view text) {
  std::array<std::uint64_t, 3> numbers{};
  for (std::uint64_t& number : numbers) {
    const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc{}) return {};
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    if (text.starts_with('.')) text.remove_prefix(1);
  }
  if (!text.empty() || numbers[0] > static_cast<std::uint64_t>(std::numeric_limits<pid_t>::max())) return {};
  return {.pid = static_cast<pid_t>(numbers[0]), .start_ticks = numbers[1], .boot_id = {}, .pid_namespace = numbers[2]};
}

/// Returns true if this thread may join the lease with this record: its holder must not be known to be dead. A lease of
/// this process can be joined only by the thread that acquired it; other threads wait like other processes.
bool may_join(const OwnerRecord& record) {
  if (record.released_at || liveness_of(record.process) == Liveness::dead) return false;
  return record.process.pid != ::getpid() || record.thread == ::gettid();
}

}  // namespace

std::string to_text(const LeaseClaim& claim) {
  std::string text = fmt::format("{}:{}@{}", claim.key, claim.nonce, claim.folder);
  if (claim.holder.pid > 0)
    text += fmt::format("/{}.{}.{}", claim.holder.pid, claim.holder.start_ticks, claim.holder.pid_namespace);
  return text;
}

bool may_have_living_holder(const LeaseClaim& claim) {
  if (claim.holder.pid <= 0) return false;
  ProcessIdentity holder = claim.holder;
  holder.boot_id = identify_this_process().boot_id;
  return liveness_of(holder) != Liveness::dead;
}

std::vector<LeaseClaim> parse_lease_claims(std::string_view text) {
  std::vector<LeaseClaim> claims;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view entry = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const std::size_t colon = entry.rfind(':');  // a key such as pci-0000:01:00.0 contains colons
    const std::size_t at_sign = entry.rfind('@');
    if (colon == std::string_view::npos || colon == 0 || at_sign == std::string_view::npos || at_sign <= colon + 1)
      continue;
    const std::string_view folder_and_holder = entry.substr(at_sign + 1);
    const std::size_t slash = std::min(folder_and_holder.find('/'), folder_and_holder.size());
    claims.push_back({.key = std::string{entry.substr(0, colon)},
                      .nonce = std::string{entry.substr(colon + 1, at_sign - colon - 1)},
                      .folder = std::string{folder_and_holder.substr(0, slash)},
                      .holder = parse_holder(folder_and_holder.substr(std::min(slash + 1, folder_and_holder.size())))});
  }
  return claims;
}

int find_claimed_slot(const LeaseFile& file, const LeaseClaim& claim) {
  for (int slot = 0; slot <= kMaxSlots; ++slot) {
    const auto record = file.read_record(slot);
    if (!record || record->nonce != claim.nonce) continue;
    const auto held = file.is_held(slot);
    return held && *held && may_join(*record) ? slot : -1;
  }
  return -1;
}

}  // namespace weir::device
