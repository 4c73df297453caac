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

// A lease is the exclusive or shared use of devices among the programs of weir on a machine. It is a lock on a file
// (LeaseFile) in the lease folder. A program under a lease passes it to its children in the variable WEIR_LEASE; they
// join the lease instead of waiting for it.

/// A request for a lease.
struct LeaseRequest {
  std::vector<std::string> keys = {};  ///< keys of the candidate devices (lease_key())
  std::size_t count = 1;               ///< number of devices to lease, all or none
  int slots = 0;                       ///< 0: exclusive use; N: shared use by at most N holders of each device
  std::chrono::milliseconds max_wait = std::chrono::seconds{1800};  ///< longest wait; 0: try once
  std::string job = {};                                             ///< job name for the OwnerRecord
  std::string program = {};  ///< program_name() for the OwnerRecord: the user of the device; empty: this program
};

/// A requested device that is not available, for a message while waiting.
struct BusyDevice {
  std::string key;
  std::vector<Holder> holders;  ///< empty: the device is free, but others wait for it with earlier requests
};
/// Returns one line about all devices: "pci-0000:01:00.0 is held by pid 4242 'python train.py' ...".
std::string describe(const std::vector<BusyDevice>& busy_devices);

/// Options for the wait for a lease.
struct WaitOptions {
  std::stop_token stop = {};  ///< a stop ends the wait with the error `cancelled`
  /// Called once, on the waiting thread, if the lease is not available at once. May be empty.
  std::function<void(const std::vector<BusyDevice>&)> on_wait = {};
  /// Called after each failed try, on the waiting thread; true ends the wait with the error `cancelled`. If the
  /// function throws, acquire_lease() leaves the queue and passes the exception on. May be empty.
  std::function<bool()> is_interrupted = {};
};

/// The lease of one or several devices while the object lives. If the process dies, the kernel ends the lease. In a
/// forked process the destructor of the copied object only closes its descriptors: the lease stays with the process
/// that acquired it. A lease is either acquired or joined (is_joined()).
class Lease {
 public:
  Lease(Lease&& other) noexcept = default;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { release(); }

  std::vector<std::string> keys() const;  ///< keys of the leased devices
  /// Returns true if this object uses a lease that an ancestor process, or this thread, has acquired.
  bool is_joined() const { return joined_; }
  /// Returns true if nobody else may use the devices. The lease that this object joined may be shared.
  bool is_exclusive() const;
  /// Returns the record of the previous holder of the (first) device, exclusive or shared (for shared use: of the same
  /// slot); empty if there was no previous holder, and for a joined lease.
  const std::optional<OwnerRecord>& previous_holder() const { return previous_holder_; }
  /// Returns the value of WEIR_LEASE for the environment of children, which then join this lease.
  std::string environment_value() const;
  /// Returns the claim for the (first) device in the children's WEIR_LEASE, without LeaseClaim::holder. Its texts are
  /// empty after release() and for a joined lease.
  LeaseClaim claim() const;
  /// Returns false if this object joined a lease that was released since; a lease file that cannot be read counts as
  /// released. Returns true for an acquired lease.
  bool is_intact() const;
  /// Returns the file descriptors of the open lease files, the parent's included. Their locks last until all copies of
  /// the descriptors are closed. A joined lease has none.
  std::vector<int> descriptors() const;
  /// Returns the other current holders of the (first) device. Errors: io.
  Result<std::vector<Holder>> other_holders() const;
  /// Locks the reservations (OwnerRecord::reserved_bytes: device memory that a sharing holder will use) of all devices
  /// in the lease folder until the returned object is destroyed: locks the folder's TicketCounter, but draws no ticket.
  /// Hold the lock while you read the reservations of others and write your own: without it two holders could reserve
  /// the same memory. Not for a released lease. Errors: io; timed_out if another process holds the lock for ten
  /// seconds.
  Result<TicketCounter> lock_reservations() const { return TicketCounter::lock(devices_.front().file.folder()); }
  /// Writes into the record (OwnerRecord::reserved_bytes) how much memory this holder will use, so that other holders
  /// leave it free. Does nothing for a joined lease. Errors: io.
  Status reserve_memory(Bytes bytes);
  /// Stores the lease of the card of this MIG instance in this object, which then holds it too. environment_value()
  /// contains both.
  void attach_parent(Lease parent) { parent_ = std::make_unique<Lease>(std::move(parent)); }
  const Lease* parent() const { return parent_.get(); }
  /// Releases all devices. May be called again.
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

/// Acquires `request.count` of the devices, or joins at once the valid lease in WEIR_LEASE of `environment` if it
/// includes that many of them. Requests for a device are served in the order of arrival; requests of dead processes are
/// dropped. `folder`: the lease folder (find_lease_folder()). Errors: timed_out, naming the holders; cancelled; io;
/// invalid_argument for a wrong request, or if WEIR_LEASE includes some of the devices but too few. Source: the order
/// by tickets follows Lamport's bakery algorithm, with two changes: a locked counter (TicketCounter) gives out the
/// tickets, and file locks, which the kernel releases when a process dies, replace the shared variables.
Result<Lease> acquire_lease(const std::filesystem::path& folder, const LeaseRequest& request,
                            const Environment& environment, const WaitOptions& waiting = {});

}  // namespace weir::device
