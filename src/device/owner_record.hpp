#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "device/process_identity.hpp"

namespace weir::device {

/// The holder of a lease, as stored in the lease file (LeaseFile), for messages and nested leases. It does not show
/// whether the lease is held: only the lock does. Any user may write the record.
struct OwnerRecord {
  ProcessIdentity process;  ///< the process that acquired the lease
  pid_t thread = 0;         ///< id of the thread that acquired the lease
  uid_t user = 0;
  std::string cgroup;  ///< last line of /proc/self/cgroup
  /// program_name() of the program that uses the device, without its arguments, since any user may read the file.
  std::string command;
  std::string job;                          ///< job name; cleared, like `command`, when the lease is released
  std::int64_t acquired_at = 0;             ///< seconds since 1970
  std::uint64_t reserved_bytes = 0;         ///< device memory that the holder has reserved (Lease::reserve_memory)
  std::string nonce;                        ///< 32 random hexadecimal digits, different for every lease
  std::optional<std::int64_t> released_at;  ///< when the holder released the lease, in seconds since 1970
};

/// Size of a record: one page of the lease file.
inline constexpr std::size_t kRecordBytes = 4096;

/// Makes the record of the calling thread, with the current time and a new nonce.
OwnerRecord make_owner_record(std::string job);

/// Returns one line of JSON, padded with spaces to kRecordBytes; long texts are cut at their end.
std::string to_page(const OwnerRecord& record);

/// Parses a page; returns nothing if it contains no record. (Any user may write any content into the lease file.)
std::optional<OwnerRecord> parse_page(std::string_view page);

/// Returns one line: "pid 4242 'python train.py' of user 1000, job 'nightly', since 2026-11-21 10:20:05 (12 min)".
/// `now`: unix_time_s().
std::string describe(const OwnerRecord& record, std::int64_t now);

/// Returns describe() for the record of a lease that is held now. If its process has ended, adds that the guardian,
/// which still holds the lock, ends the remaining processes.
std::string describe_holder(const OwnerRecord& record, std::int64_t now);

/// Returns the current time in seconds since 1970.
std::int64_t unix_time_s();

}  // namespace weir::device
