#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/paths.hpp"
#include "base/result.hpp"
#include "device/lease_file.hpp"
#include "device/lease_nesting.hpp"

namespace weir::device {

/// What is asked for. A key names a physical device (Device::lease_key).
struct LeaseRequest {
  std::vector<std::string> keys = {};  ///< candidates
  std::size_t count = 1;               ///< how many of them, all or nothing
  int slots = 0;                       ///< 0: exclusive; N: as one of at most N sharers of each device
  std::chrono::milliseconds max_wait = std::chrono::seconds{1800};
  std::string job = {};      ///< for the record
  std::string program = {};  ///< for the record: what it is taken for; empty: this program
};

/// Who stands in the way, for a message while waiting.
struct BusyDevice {
  std::string key;
  std::vector<Holder> holders;
};
/// "pci-0000:01:00.0 is held by pid 4242 'python train.py' ...": one line for all.
std::string describe(const std::vector<BusyDevice>& busy_devices);

/// How to wait.
struct WaitOptions {
  std::stop_token stop = {};
  /// Called once when the lease is not to be had at once, on the waiting thread. May be empty.
  std::function<void(const std::vector<BusyDevice>&)> on_wait = {};
  /// Asked before each pause, on the waiting thread: true ends the wait as `cancelled`. What it throws passes through, and
  /// nothing is left in the queue. May be empty.
  std::function<bool()> is_interrupted = {};
};

/// Exclusive or shared use of devices, for as long as the object lives. The kernel ends it with the process, whatever
/// ends that. In a process made by fork the copy only closes its descriptors: the lease stays with the one that took it.
class Lease {
 public:
  Lease(Lease&& other) noexcept = default;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { release(); }

  std::vector<std::string> keys() const;
  bool is_joined() const { return joined_; }  ///< part of a lease that a parent (or this thread) holds
  /// Who had the (first) device before, as the lease file said; empty for the first lease, or a joined one.
  const std::optional<OwnerRecord>& previous_holder() const { return previous_holder_; }
  /// For WEIR_LEASE in the environment of children, who then join instead of waiting for their parent.
  std::string environment_value() const;
  /// The (first) device as children name it; empty texts after release() and for a joined lease.
  LeaseClaim claim() const;
  /// Whether it holds: a joined lease no longer does once the one that it joined was given back. Errors: none; a file that cannot
  /// be read counts as given back.
  bool is_intact() const;
  /// The open lease files, whose locks live as long as any copy of these descriptors. None of a joined lease.
  std::vector<int> descriptors() const;
  /// Who else holds the (first) device now. Errors: io.
  Result<std::vector<Holder>> other_holders() const;
  /// Held while the promises of others are read and one's own is made: two sharers that look at the same time would both
  /// find the room free. Not for a released lease. Errors: io; timed_out if somebody keeps it for ten seconds.
  Result<TicketCounter> lock_reservations() const { return TicketCounter::lock(devices_.front().file.folder()); }
  /// Writes into the record how much memory this holder will take, for the admission of others. Not for a joined lease.
  /// Errors: io.
  Status reserve_memory(Bytes bytes);
  /// Keeps a lease of what the device is a part of for as long as this one; it is in environment() too.
  void attach_parent(Lease parent) { parent_ = std::make_unique<Lease>(std::move(parent)); }
  const Lease* parent() const { return parent_.get(); }
  /// Gives everything back. May be called again.
  void release();

 private:
  friend class LeaseAcquirer;
  struct HeldDevice {
    LeaseFile file;
    int slot;
    std::string nonce;
  };
  Lease() = default;
  std::vector<HeldDevice> devices_;
  OwnerRecord record_;
  std::optional<OwnerRecord> previous_holder_;
  std::unique_ptr<Lease> parent_;
  bool joined_ = false;
};

/// Takes `request.count` of the devices, waiting in the order of arrival: whoever asked for a device earlier and is alive
/// has it earlier. A caller whose environment holds the WEIR_LEASE of a living lease of enough of these devices joins it
/// at once. Errors: timed_out with the holders named; cancelled; invalid_argument; io.
/// Source  the order of tickets is Lamport's bakery, with locks that the kernel ends in place of flags.
Result<Lease> acquire_lease(const std::filesystem::path& folder, const LeaseRequest& request,
                            const Environment& environment, const WaitOptions& waiting = {});

}  // namespace weir::device
