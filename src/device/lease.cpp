#include "device/lease.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.hpp"
#include "device/file_write_monitor.hpp"
#include "device/lease_nesting.hpp"

namespace weir::device {
namespace {

using Clock = std::chrono::steady_clock;
using Files = std::vector<LeaseFile>;

// The time between two tries to acquire the devices begins with the first value and doubles up to the second.
constexpr std::chrono::microseconds kFirstRetryInterval{500};
constexpr std::chrono::microseconds kMaxRetryInterval = std::chrono::milliseconds{20};
// The same after a write to a lease file: a holder writes into the file just before it unlocks the file.
constexpr std::chrono::microseconds kUnlockRetryInterval{100};
// The same while a process holds a lease file that was removed: each try then searches /proc, which takes milliseconds.
constexpr std::chrono::microseconds kSearchRetryInterval = std::chrono::milliseconds{200};

/// Opens the lease files of the requested devices, each once, in the order of the keys. Errors: invalid_argument, io.
Result<Files> open_files(const std::filesystem::path& folder, const LeaseRequest& request) {
  std::vector<std::string> keys = request.keys;
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (request.count == 0 || keys.size() < request.count)
    return Error{Errc::invalid_argument,
                 fmt::format("{} devices are requested, but only {} may be leased", request.count, keys.size())};
  if (request.slots < 0 || request.slots > kMaxSlots)
    return Error{Errc::invalid_argument,
                 fmt::format("{} sharers: 1 to {} can share a device", request.slots, kMaxSlots)};
  Files files;
  for (const std::string& key : keys) {
    auto file = LeaseFile::open(folder, key);
    if (!file) return file.error();
    files.push_back(*std::move(file));
  }
  return files;
}

/// Draws one ticket and joins the queues of all files with it.
Result<std::uint64_t> join_queues(const std::filesystem::path& folder, Files& files) {
  auto counter = TicketCounter::lock(folder);
  if (!counter) return counter.error();
  for (;;) {  // ends: each round draws a new ticket, and at most as many tickets are in use as there are waiters
    const auto ticket = counter->next_ticket();
    if (!ticket) return ticket.error();
    bool joined = true;
    for (LeaseFile& file : files) {
      const auto enqueued = file.enqueue(*ticket);
      if (!enqueued) return enqueued.error();
      joined = joined && *enqueued;
    }
    if (joined) return *ticket;
    for (LeaseFile& file : files) (void)static_cast<bool>(file.leave_queue(*ticket));
  }
}

/// A place in the queues of the files. The destructor leaves the queues by unlocking. Closing the files would not be
/// enough, because a forked child may have copies of their descriptors.
class QueuePlace {
 public:
  QueuePlace(Files& files, std::uint64_t ticket) : files_{files}, ticket_{ticket} {}
  QueuePlace(const QueuePlace&) = delete;
  QueuePlace& operator=(const QueuePlace&) = delete;
  ~QueuePlace() {
    for (LeaseFile& file : files_) (void)static_cast<bool>(file.leave_queue(ticket_));
  }

 private:
  Files& files_;
  std::uint64_t ticket_;
};

/// A device that was acquired: the index of its lease file in Files, and the slot.
struct AcquiredDevice {
  std::size_t file;
  int slot;
};

/// Acquires request.count devices, or none if too few are available now. Does not wait. Acquires a device only if no
/// waiter with an earlier ticket is in its queue, so holding it for a moment delays no earlier waiter. Errors: io.
Result<std::vector<AcquiredDevice>> try_acquire_all(Files& files, const LeaseRequest& request, std::uint64_t ticket) {
  std::vector<AcquiredDevice> taken;
  for (std::size_t i = 0; i < files.size() && taken.size() < request.count; ++i) {
    const auto first = files[i].is_first(ticket);
    if (!first) return first.error();
    if (!*first) continue;
    const auto slot = files[i].try_acquire(request.slots);
    if (!slot) return slot.error();
    if (*slot) taken.push_back({i, **slot});
  }
  if (taken.size() == request.count) return taken;
  for (const AcquiredDevice& acquired : taken) {
    if (auto released = files[acquired.file].release(); !released) return released.error();
  }
  return std::vector<AcquiredDevice>{};
}

/// Returns all requested devices with their holders. A device whose holders cannot be read has none.
std::vector<BusyDevice> find_busy_devices(const Files& files) {
  std::vector<BusyDevice> found;
  for (const LeaseFile& file : files) {
    auto holders = file.holders();
    if (holders && holders->empty() && !file.has_record()) holders = file.holders_of_removed_files();
    found.push_back({file.key(), holders ? *std::move(holders) : std::vector<Holder>{}});
  }
  return found;
}

std::string seconds_text(std::chrono::milliseconds time) {
  return fmt::format("{:.1f} s", std::chrono::duration<double>(time).count());
}

bool all_current(const Files& files) {
  return std::all_of(files.begin(), files.end(), [](const LeaseFile& file) { return file.is_current(); });
}

/// Returns those of the acquired devices that another process holds with a lock on an earlier lease file, which was
/// removed since: the lock on the new file does not exclude that holder. Holders of the leases in `inherited`
/// (WEIR_LEASE of this process) do not count.
std::vector<BusyDevice> find_holders_of_removed_files(const Files& files, const std::vector<AcquiredDevice>& taken,
                                                      std::string_view inherited) {
  const auto inherited_claims = parse_lease_claims(inherited);
  const auto is_inherited = [&](const Holder& holder) {
    return holder.record && std::any_of(inherited_claims.begin(), inherited_claims.end(),
                                        [&](const LeaseClaim& claim) { return claim.nonce == holder.record->nonce; });
  };
  std::vector<BusyDevice> found;
  for (const AcquiredDevice& acquired : taken) {
    const LeaseFile& file = files[acquired.file];
    if (file.has_record()) continue;  // the holder that wrote the record has checked this already
    auto holders = file.holders_of_removed_files();
    std::erase_if(holders, is_inherited);
    if (!holders.empty()) found.push_back({file.key() + " (its lease file was removed)", std::move(holders)});
  }
  return found;
}

FileWriteMonitor monitor_files(const Files& files) {
  FileWriteMonitor monitor;
  for (const LeaseFile& file : files) monitor.add_file(file.path());
  return monitor;
}

/// Waits in the queue until the devices are available, and returns them. Returns an empty list if a lease file was
/// replaced meanwhile; the caller must start again. Between two tries it waits for a write to one of the lease files,
/// at most for `retry_interval`, since the monitor does not detect every write.
/// Errors: timed_out, cancelled, io.
Result<std::vector<AcquiredDevice>> wait_and_acquire(Files& files, const LeaseRequest& request, std::uint64_t ticket,
                                                     Clock::time_point deadline, const Environment& environment,
                                                     const WaitOptions& waiting) {
  const std::string inherited = environment("WEIR_LEASE").value_or("");
  std::vector<BusyDevice> held_by_removed_files;
  std::optional<FileWriteMonitor> write_monitor;
  auto retry_interval = kFirstRetryInterval;
  for (bool reported = false;; reported = true) {
    auto taken = try_acquire_all(files, request, ticket);
    if (!taken) return taken.error();
    if (!all_current(files)) return std::vector<AcquiredDevice>{};
    held_by_removed_files.clear();
    if (!taken->empty()) {
      held_by_removed_files = find_holders_of_removed_files(files, *taken, inherited);
      if (held_by_removed_files.empty()) return taken;
      for (const AcquiredDevice& acquired : *taken)
        if (auto released = files[acquired.file].release(); !released) return released.error();
      retry_interval = kSearchRetryInterval;
    }
    if (waiting.stop.stop_requested() || (waiting.is_interrupted && waiting.is_interrupted()))
      return Error{Errc::cancelled, "interrupted while waiting for a device"};
    if (Clock::now() >= deadline)
      return Error{Errc::timed_out, fmt::format("no device within {}: {}", seconds_text(request.max_wait),
                                                describe(held_by_removed_files.empty() ? find_busy_devices(files)
                                                                                       : held_by_removed_files))};
    if (!reported && waiting.on_wait)
      waiting.on_wait(held_by_removed_files.empty() ? find_busy_devices(files) : held_by_removed_files);
    if (!write_monitor) write_monitor = monitor_files(files);
    const auto left = std::chrono::ceil<std::chrono::microseconds>(deadline - Clock::now());
    if (write_monitor->wait(std::min(retry_interval, left)) && held_by_removed_files.empty())
      retry_interval = kUnlockRetryInterval;
    else
      retry_interval = std::min<std::chrono::microseconds>(
          retry_interval * 2, held_by_removed_files.empty() ? kMaxRetryInterval : kSearchRetryInterval);
  }
}

}  // namespace

std::string describe(const std::vector<BusyDevice>& busy_devices) {
  std::string text;
  for (const BusyDevice& busy : busy_devices) {
    text += fmt::format("{}{} ", text.empty() ? "" : "; ", printable(busy.key));
    if (busy.holders.empty()) text += "is free, but others asked for it earlier";
    for (std::size_t i = 0; i < busy.holders.size(); ++i) {
      const auto& record = busy.holders[i].record;
      text += i == 0 ? "is held by " : " and by ";
      text += record ? describe_holder(*record, unix_time_s()) : "a process whose record is not written yet";
    }
  }
  return text;
}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    release();
    devices_ = std::move(other.devices_);
    record_ = std::move(other.record_);
    previous_holder_ = std::move(other.previous_holder_);
    parent_ = std::move(other.parent_);
    joined_ = other.joined_;
  }
  return *this;
}

std::vector<std::string> Lease::keys() const {
  std::vector<std::string> keys;
  for (const HeldDevice& held : devices_) keys.push_back(held.file.key());
  return keys;
}

std::vector<int> Lease::descriptors() const {
  std::vector<int> all;
  if (!joined_)
    for (const HeldDevice& held : devices_) all.push_back(held.file.descriptor());
  if (parent_) {
    const auto more = parent_->descriptors();
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

LeaseClaim Lease::claim() const {
  if (devices_.empty() || joined_) return {};
  return {devices_.front().file.key(), record_.nonce, devices_.front().file.folder_id()};
}

bool Lease::is_intact() const {
  return !joined_ || std::all_of(devices_.begin(), devices_.end(), [](const HeldDevice& held) {
    return find_claimed_slot(held.file, {held.file.key(), held.nonce, held.file.folder_id()}) >= 0;
  });
}

bool Lease::is_exclusive() const {
  return std::all_of(devices_.begin(), devices_.end(), [](const HeldDevice& held) { return held.slot == 0; });
}

std::string Lease::environment_value() const {
  std::string text;
  for (const HeldDevice& held : devices_) {
    if (!text.empty()) text += ',';
    LeaseClaim claim{held.file.key(), held.nonce, held.file.folder_id()};
    const auto record = held.file.read_record(held.slot);
    if (record && record->nonce == held.nonce) claim.holder = record->process;
    text += to_text(claim);
  }
  if (parent_) text += ',' + parent_->environment_value();
  return text;
}

Result<std::vector<Holder>> Lease::other_holders() const {
  if (devices_.empty()) return std::vector<Holder>{};
  return devices_.front().file.holders();
}

Status Lease::reserve_memory(Bytes bytes) {
  if (joined_) return ok();
  record_.reserved_bytes = bytes.count();
  for (HeldDevice& held : devices_) {
    if (auto written = held.file.write_record(held.slot, record_); !written) return written;
  }
  return ok();
}

void Lease::release() {
  if (!joined_ && record_.process.pid == ::getpid()) {
    record_.released_at = unix_time_s();
    record_.command.clear();
    record_.job.clear();
    for (HeldDevice& held : devices_) {
      (void)static_cast<bool>(held.file.write_record(held.slot, record_));
      (void)static_cast<bool>(held.file.release());  // closing is not enough: a forked child may have a copy open
    }
  }
  devices_.clear();
  parent_.reset();
}

/// The two ways to make a Lease.
class LeaseAcquirer {
 public:
  /// Joins the valid leases in WEIR_LEASE of `environment`; returns an empty value if they include none of these
  /// devices. Errors: invalid_argument if they include too few.
  static Result<std::optional<Lease>> join(Files& files, const LeaseRequest& request, const Environment& environment) {
    Lease lease;
    lease.joined_ = true;
    for (LeaseClaim& claim : parse_lease_claims(environment("WEIR_LEASE").value_or(""))) {
      const auto file = std::find_if(files.begin(), files.end(), [&](const LeaseFile& candidate) {
        return candidate.key() == claim.key && candidate.folder_id() == claim.folder;
      });
      if (file == files.end() || lease.devices_.size() == request.count) continue;
      const int slot = find_claimed_slot(*file, claim);
      if (slot < 0) continue;
      lease.devices_.push_back({std::move(*file), slot, std::move(claim.nonce)});
      files.erase(file);
    }
    if (lease.devices_.empty()) return std::optional<Lease>{};
    if (lease.devices_.size() == request.count) return std::optional{std::move(lease)};
    return Error{Errc::invalid_argument, fmt::format("{} devices are requested inside a lease of {}; lease all at once",
                                                     request.count, lease.devices_.size())};
  }

  /// Makes the lease of the acquired devices: writes their records and leaves their queues. Errors: io.
  static Result<Lease> make(Files& files, const std::vector<AcquiredDevice>& taken, const LeaseRequest& request,
                            std::uint64_t ticket) {
    Lease lease;
    lease.record_ = make_owner_record(request.job);
    if (!request.program.empty()) lease.record_.command = request.program;
    for (const AcquiredDevice& acquired : taken)
      lease.devices_.push_back({std::move(files[acquired.file]), acquired.slot, lease.record_.nonce});
    // An exclusive lease (slot 0) follows the last holder of any slot; a shared lease follows the last holder of its own
    // slot, as the other slots may still be held.
    const Lease::HeldDevice& first_device = lease.devices_.front();
    lease.previous_holder_ = first_device.slot == 0 ? first_device.file.read_last_record()
                                                    : first_device.file.read_record(first_device.slot);
    for (Lease::HeldDevice& held : lease.devices_) {
      if (auto written = held.file.write_record(held.slot, lease.record_); !written) return written.error();
      if (auto left = held.file.leave_queue(ticket); !left) return left.error();
    }
    return lease;
  }
};

Result<Lease> acquire_lease(const std::filesystem::path& folder, const LeaseRequest& request,
                            const Environment& environment, const WaitOptions& waiting) {
  const Clock::time_point deadline = Clock::now() + request.max_wait;
  for (;;) {  // repeats only if lease files are removed meanwhile; the deadline limits it
    auto files = open_files(folder, request);
    if (!files) return files.error();
    auto joined = LeaseAcquirer::join(*files, request, environment);
    if (!joined) return joined.error();
    if (*joined) return **std::move(joined);
    const auto ticket = join_queues(folder, *files);
    if (!ticket) return ticket.error();
    const QueuePlace place{*files, *ticket};
    const auto taken = wait_and_acquire(*files, request, *ticket, deadline, environment, waiting);
    if (!taken) return taken.error();
    if (!taken->empty()) return LeaseAcquirer::make(*files, *taken, request, *ticket);
    if (Clock::now() >= deadline) return Error{Errc::timed_out, "the lease files are removed again and again"};
  }
}

}  // namespace weir::device
