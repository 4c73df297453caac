#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "device/lease_file.hpp"

namespace weir::device {

/// One entry of WEIR_LEASE: "KEY:NONCE@FOLDER/HOLDER", several by comma. FOLDER is LeaseFile::folder_id: leases of another
/// folder are other leases, although they name the same device. HOLDER is "PID.START.NAMESPACE" of who took the lease.
struct LeaseClaim {
  std::string key, nonce, folder;
  ProcessIdentity holder = {};  ///< without boot_id: no process outlives a boot; pid 0: the entry names nobody
};
std::string to_text(const LeaseClaim& claim);
std::vector<LeaseClaim> parse_lease_claims(std::string_view text);

/// Whether who took the lease may live: also where that cannot be told from here. False for an entry that names nobody.
bool may_have_living_holder(const LeaseClaim& claim);

/// The slot that the lease named by `claim` holds on this device, or -1: the record has its nonce, the lock is held, its
/// holder is not known to be dead, and it is another process or this very thread.
int find_claimed_slot(const LeaseFile& file, const LeaseClaim& claim);

}  // namespace weir::device
