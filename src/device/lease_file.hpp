#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "device/fork_safe_file.hpp"
#include "device/owner_record.hpp"

namespace weir::device {

/// Sharers of one device at most.
inline constexpr int kMaxSlots = 64;

/// One holder of a lease as seen from outside.
struct Holder {
  int slot = 0;                       ///< 0: exclusive; else the number of the sharer
  std::optional<OwnerRecord> record;  ///< empty in the moment between taking the lock and writing the record
};

/// The lease file of one physical device, open. Its locks are bytes:
///   byte 0            write lock: the exclusive holder; read lock: each sharer
///   bytes 1..64       write lock: the sharer with this slot
///   byte 128 + n      read lock: each sharer who shares with n in all
///   byte 2^40 + n     write lock: the waiter with ticket n
/// and page k of its content is the record of the last holder of slot k. All locks end with this object, or with the
/// process. Not thread-safe.
class LeaseFile {
 public:
  /// Errors: io.
  static Result<LeaseFile> open(const std::filesystem::path& folder, const std::string& key);
  /// Only to see who holds the device: the file is not made, and its folder may be read-only. Empty if it is not there.
  /// Errors: io.
  static Result<std::optional<LeaseFile>> open_read_only(const std::filesystem::path& folder, const std::string& key);

  const std::string& key() const { return key_; }
  int descriptor() const { return file_.get(); }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path folder() const { return path_.parent_path(); }
  /// "DEVICE.INODE" of the folder: the same for every path to it, in this container and outside.
  const std::string& folder_id() const { return folder_id_; }
  bool is_current() const;  ///< false: the file was removed and another one may have its name

  /// Joins the queue. False if somebody has this ticket. Errors: io.
  Result<bool> enqueue(std::uint64_t ticket);
  /// Whether nobody alive waits with an earlier ticket. Errors: io.
  Result<bool> is_first(std::uint64_t ticket) const;
  Status leave_queue(std::uint64_t ticket);

  /// Takes the device for itself (`slots` 0) or as one of at most `slots` sharers (1 to 64), who all say the same number: the
  /// slot, or empty if it is not to be had now. Does not wait. Errors: io.
  Result<std::optional<int>> try_acquire(int slots);
  Status release();

  Status write_record(int slot, const OwnerRecord& record);
  std::optional<OwnerRecord> read_record(int slot) const;

  /// Who else holds the device now. Errors: io.
  Result<std::vector<Holder>> holders() const;
  /// Whether anybody has signed this file yet; false for one that was just made.
  bool has_record() const;
  /// Who holds the device through an earlier file of this name that was removed, as far as /proc/PID/fd may be read
  /// (processes of other users are not seen). Takes milliseconds.
  static std::vector<Holder> holders_of_removed_files(const std::filesystem::path& folder, const std::string& key);
  std::vector<Holder> holders_of_removed_files() const { return holders_of_removed_files(folder(), key_); }
  /// Whether somebody else holds slot `slot` now. Errors: io.
  Result<bool> is_held(int slot) const;
  /// How many others wait, counted up to 1000. Errors: io.
  Result<int> count_waiting() const;

 private:
  static Result<std::optional<LeaseFile>> open_as(const std::filesystem::path& folder, const std::string& key,
                                                  LockFileUse use);
  /// Whether all sharers share with so many in all; then others see it of this one too. Errors: io.
  Result<bool> agree_on_slots(int slots);
  LeaseFile(ForkSafeFile file, std::filesystem::path path, std::string key, std::string folder_id)
      : file_{std::move(file)}, path_{std::move(path)}, key_{std::move(key)}, folder_id_{std::move(folder_id)} {}
  ForkSafeFile file_;
  std::filesystem::path path_;
  std::string key_, folder_id_;
};

/// Who holds the device of `key`, through its lease file (as open_to_look found it) or through an earlier one that was removed.
/// Errors: io.
Result<std::vector<Holder>> holders_of(const std::optional<LeaseFile>& file, const std::filesystem::path& folder,
                                       const std::string& key);

/// The keys of all devices that have a lease file in the folder, sorted. Errors: io.
Result<std::vector<std::string>> list_lease_keys(const std::filesystem::path& folder);

/// The counter of a folder, locked: tickets are drawn and the queues joined while this object lives, so that no later
/// ticket stands in a queue before an earlier one.
class TicketCounter {
 public:
  /// Errors: io; timed_out if somebody keeps it for ten seconds.
  static Result<TicketCounter> lock(const std::filesystem::path& folder);
  /// A number that this counter has not given yet. Errors: io.
  Result<std::uint64_t> next_ticket();

 private:
  TicketCounter(ForkSafeFile file, std::string name) : file_{std::move(file)}, name_{std::move(name)} {}
  ForkSafeFile file_;  // its lock ends with it
  std::string name_;   // for messages
};

}  // namespace weir::device
