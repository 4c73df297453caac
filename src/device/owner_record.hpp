#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "device/process_identity.hpp"

namespace weir::device {

/// Who took a lease, as it stands in the lease file. For diagnosis and for nesting: whether a lease is held is said by
/// the lock alone, and any user may write here.
struct OwnerRecord {
  ProcessIdentity process;
  pid_t thread = 0;
  uid_t user = 0;
  std::string cgroup;  ///< the last line of /proc/self/cgroup
  std::string
      command;  ///< the name (program_name) of the program that uses the device; any user may read the file, so never its arguments
  std::string job;                          ///< both are taken out when the lease is given back
  std::int64_t acquired_at = 0;             ///< seconds since 1970
  std::uint64_t reserved_bytes = 0;         ///< bytes of device memory that the holder reserved
  std::string nonce;                        ///< 32 hexadecimal digits, another one for every lease
  std::optional<std::int64_t> released_at;  ///< set when the lease was given back in order
};

/// A record takes one page of the lease file.
inline constexpr std::size_t kRecordBytes = 4096;

/// Fills in everything about the calling thread, with a new nonce.
OwnerRecord make_owner_record(std::string job);

/// One line of JSON, filled up with spaces to kRecordSize; long texts lose their end.
std::string to_page(const OwnerRecord& record);

/// Empty if the page holds no record. Never fails on whatever stands there.
std::optional<OwnerRecord> parse_page(std::string_view page);

/// "pid 4242 'python train.py' of user 1000, job 'nightly', since 2026-11-21 10:20:05 (12 min)". One line.
std::string describe(const OwnerRecord& record, std::int64_t now);

/// The same of who holds a lock now: of one that has ended it says that what it left is being ended.
std::string describe_holder(const OwnerRecord& record, std::int64_t now);

std::int64_t unix_time_s();

}  // namespace weir::device
