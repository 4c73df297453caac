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

/// The largest number of holders that share one device.
inline constexpr int kMaxSlots = 64;

/// One holder of a lease, as another process reads it.
struct Holder {
  int slot = 0;                       ///< 0: the exclusive holder; 1 to 64: a sharing holder
  std::optional<OwnerRecord> record;  ///< empty between the acquisition of the lock and the write of the record
};

/// The open lease file of one physical device. Processes lock single bytes of it (OFD locks of fcntl(2); the bytes need
/// not exist):
///   byte 0            write lock: the exclusive holder; read lock: each sharing holder
///   bytes 1..64       write lock: the sharing holder with this slot
///   byte 128 + n      read lock: each sharing holder that allows n holders in total
///   byte 2^40 + n     write lock: the waiter with ticket n
/// The content consists of pages of kRecordBytes: page k is the record of the last holder of slot k. All locks of this
/// object end when it is destroyed, unless a forked child has a copy of its descriptor, or when the process ends. Not
/// thread-safe.
class LeaseFile {
 public:
  /// Opens the lease file of the device with this key, and creates it if it is missing. Errors: io; invalid_argument
  /// for a key that cannot be part of a file name.
  static Result<LeaseFile> open(const std::filesystem::path& folder, const std::string& key);
  /// Opens the file only to read who holds the device: does not create it, and the folder may be read-only. Returns an
  /// empty value if the file does not exist. Errors: as open().
  static Result<std::optional<LeaseFile>> open_read_only(const std::filesystem::path& folder, const std::string& key);

  const std::string& key() const { return key_; }
  int descriptor() const { return file_.get(); }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path folder() const { return path_.parent_path(); }
  /// Returns "DEVICE.INODE" of the folder, which is the same for every path to it, inside and outside containers.
  const std::string& folder_id() const { return folder_id_; }
  /// Returns false if the file was removed; another file may now have its path.
  bool is_current() const;

  /// Joins the queue of waiters with a ticket from the TicketCounter. Returns false if another process has this ticket.
  /// Errors: io.
  Result<bool> enqueue(std::uint64_t ticket);
  /// Returns true if no living process waits with an earlier ticket. Errors: io.
  Result<bool> is_first(std::uint64_t ticket) const;
  /// Leaves the queue. Errors: io.
  Status leave_queue(std::uint64_t ticket);

  /// Tries once to acquire the device: exclusively if `slots` is 0, else as one of at most `slots` (1 to 64) sharing
  /// holders, which must all give the same number. Returns the acquired slot (Holder::slot), or nothing if the device
  /// is not available now. Errors: io.
  Result<std::optional<int>> try_acquire(int slots);
  /// Releases the device. Errors: io.
  Status release();

  /// Writes the record of a slot. Errors: io.
  Status write_record(int slot, const OwnerRecord& record);
  /// Reads the record of a slot; returns nothing if its page contains no valid record.
  std::optional<OwnerRecord> read_record(int slot) const;
  /// Reads the record of the last holder of any slot: of all records the one with the latest OwnerRecord::acquired_at.
  std::optional<OwnerRecord> read_last_record() const;

  /// Returns the holders of the device now, except this object. Errors: io.
  Result<std::vector<Holder>> holders() const;
  /// Returns true if any holder has ever written a record; false for a new file.
  bool has_record() const;
  /// Returns the holders that locked an earlier file of this path, which was removed since. Their locks do not exclude
  /// holders of the new file. Reads /proc/PID/fd, so processes of other users are not found. Takes milliseconds.
  static std::vector<Holder> holders_of_removed_files(const std::filesystem::path& folder, const std::string& key);
  std::vector<Holder> holders_of_removed_files() const { return holders_of_removed_files(folder(), key_); }
  /// Returns true if another process (or another LeaseFile of this process) holds the slot now. Errors: io.
  Result<bool> is_held(int slot) const;
  /// Returns the number of waiters in the queue of the device, without this object, at most 1000. Errors: io.
  Result<int> count_waiting() const;

 private:
  static Result<std::optional<LeaseFile>> open_as(const std::filesystem::path& folder, const std::string& key,
                                                  LockFileUse use);
  /// Locks the byte 128 + slots and returns true, if all other sharing holders allow the same number `slots` of
  /// holders; else returns false. Errors: io.
  Result<bool> agree_on_slots(int slots);
  LeaseFile(ForkSafeFile file, std::filesystem::path path, std::string key, std::string folder_id)
      : file_{std::move(file)}, path_{std::move(path)}, key_{std::move(key)}, folder_id_{std::move(folder_id)} {}
  ForkSafeFile file_;
  std::filesystem::path path_;
  std::string key_, folder_id_;
};

/// Returns the holders of the device with this key: those of its lease `file` (from open_read_only(); may be empty),
/// or, if that file has no record of a holder yet, those of earlier files that were removed. Errors: io.
Result<std::vector<Holder>> holders_of(const std::optional<LeaseFile>& file, const std::filesystem::path& folder,
                                       const std::string& key);

/// Returns the sorted keys of all devices that have a lease file in the folder. Errors: io.
Result<std::vector<std::string>> list_lease_keys(const std::filesystem::path& folder);

/// The locked ticket counter of a lease folder (the file "tickets"). Tickets number the waiters in the order of
/// arrival. Draw a ticket and join all queues while this object lives, so that no later ticket enters a queue first.
class TicketCounter {
 public:
  /// Waits for the lock and returns the counter. Errors: io; timed_out if another process holds it for ten seconds.
  static Result<TicketCounter> lock(const std::filesystem::path& folder);
  /// Returns the next ticket, one more than the last. (It starts again at 1 if the file has an impossible content.)
  /// Errors: io.
  Result<std::uint64_t> next_ticket();

 private:
  TicketCounter(ForkSafeFile file, std::string name) : file_{std::move(file)}, name_{std::move(name)} {}
  ForkSafeFile file_;  // its lock ends when it is closed
  std::string name_;   // for messages
};

}  // namespace weir::device
