#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "device/lease_file.hpp"

namespace weir::device {

// Nested leases: a process that holds a lease passes the variable WEIR_LEASE to its children, which join the lease
// instead of waiting for the device that their parent holds.

/// One entry of WEIR_LEASE: it claims that the process with this variable runs under the lease of one device. The text
/// is "KEY:NONCE@FOLDER/HOLDER", or "KEY:NONCE@FOLDER" without a holder; entries are separated by commas.
struct LeaseClaim {
  std::string key;     ///< key of the device (lease_key())
  std::string nonce;   ///< OwnerRecord::nonce of the lease
  std::string folder;  ///< LeaseFile::folder_id: leases of the same device in two folders are different leases
  /// The process that acquired the lease. Its text is PID.START.NAMESPACE: process id, start_ticks and pid_namespace.
  /// boot_id is left out, since no process outlives a reboot. pid 0: the entry contains no holder.
  ProcessIdentity holder = {};
};
/// Converts a claim to the text of its entry.
std::string to_text(const LeaseClaim& claim);
/// Parses the value of WEIR_LEASE; leaves out entries that are not valid.
std::vector<LeaseClaim> parse_lease_claims(std::string_view text);

/// Returns false if the process claim.holder is dead or the claim has no holder. Returns true if the process lives, or
/// if this cannot be determined because the process is in another PID namespace.
bool may_have_living_holder(const LeaseClaim& claim);

/// Returns the slot (Holder::slot) of the claimed lease in this lease file, or -1 if the calling thread may not join
/// that lease. The thread may join the lease if all of this is true:
/// - a slot's record has the claim's nonce, and the lease was not released,
/// - an open LeaseFile other than `file` holds the slot now,
/// - the process in the record is not known to be dead,
/// - that process is another process, or it is this process and the calling thread acquired the lease.
int find_claimed_slot(const LeaseFile& file, const LeaseClaim& claim);

}  // namespace weir::device
