#include "device/lease_nesting.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace weir::device {
namespace {

/// A holder in this process is joined by its own thread only: other threads wait like anybody else.
bool may_join(const OwnerRecord& record) {
  if (record.released || liveness_of(record.process) == Liveness::dead) return false;
  return record.process.pid != ::getpid() || record.thread == ::gettid();
}

}  // namespace

std::string to_text(const LeaseClaim& claim) { return fmt::format("{}:{}@{}", claim.key, claim.nonce, claim.folder); }

std::vector<LeaseClaim> parse_lease_claims(std::string_view text) {
  std::vector<LeaseClaim> claims;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view entry = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const std::size_t colon = entry.rfind(':');  // a key such as pci-0000:01:00.0 has colons of its own
    const std::size_t at = entry.rfind('@');
    if (colon == std::string_view::npos || colon == 0 || at == std::string_view::npos || at <= colon + 1) continue;
    claims.push_back({std::string{entry.substr(0, colon)}, std::string{entry.substr(colon + 1, at - colon - 1)},
                      std::string{entry.substr(at + 1)}});
  }
  return claims;
}

int find_claimed_slot(const LeaseFile& file, const LeaseClaim& claim) {
  for (int slot = 0; slot <= kMostSlots; ++slot) {
    const auto record = file.read_record(slot);
    if (!record || record->nonce != claim.nonce) continue;
    const auto held = file.is_held(slot);
    return held && *held && may_join(*record) ? slot : -1;
  }
  return -1;
}

}  // namespace weir::device
