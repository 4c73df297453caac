#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "compute/vulkan/buffer_pool.hpp"
#include "compute/vulkan/dispatch.hpp"
#include "compute/vulkan/hazard_tracker.hpp"
#include "compute/vulkan/logical_device.hpp"
#include "compute/vulkan/queue_dependencies.hpp"

namespace weir::compute::vulkan {

struct Submission;

/// Multiplications that a GPU of 80 GFLOP/s makes in a tenth of a second; none is slower.
inline constexpr double kDefaultMaxMultiplications = 4e9;

struct StreamSettings {
  int max_commands = 100;  ///< `stream.max-commands`: of a submission
  double max_multiplications =
      kDefaultMaxMultiplications;  ///< of a submission: a tenth of a second, far below a driver's watchdog
  int max_submissions = 8;         ///< under way at once; the next waits for the oldest
  /// For measuring: each run of a kernel is then submitted alone, waited for, and told with how long that took.
  std::function<void(const Dispatch& dispatch, std::chrono::duration<double> time)> on_dispatch = {};
};

struct StreamStatistics {
  std::uint64_t commands = 0;  ///< recorded
  std::uint64_t submissions = 0;
  std::uint64_t barriers = 0;
  std::uint64_t queue_waits = 0;  ///< submissions that waited for one of the stream beside it
  double multiplications = 0;
  std::uint64_t submissions_created =
      0;  ///< sets of command buffer, fence and descriptors: how many the stream ever had to make
};

/// Records commands for a device and submits them by itself; what has ended gives its command buffer, descriptors and
/// temporaries back. No command is dropped: one that cannot be recorded or submitted is an error, and so is everything
/// after it. Commands take effect in the order in which they were recorded. Not thread-safe. Device and pool must outlive it.
class Stream {
 public:
  static Result<std::unique_ptr<Stream>> create(LogicalDevice& device, StreamSettings settings = {});
  /// A second stream of the same device, on its queue for copies: for copy, fill and show_host alone. What either does takes
  /// effect after what the other was given before, where the uses that they declare collide, and else at the same time.
  /// `first` is new, has no other stream beside it, and must outlive this one. Errors: those of the driver; unsupported
  /// without timeline semaphores.
  static Result<std::unique_ptr<Stream>> create_transfer_stream(Stream& first);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Errors, of all: device_lost (a submission that hangs too); over_budget or unsupported from the driver.
  Status dispatch(const Dispatch& dispatch);
  /// Of equal sizes.
  Status copy(Slice from, Slice to);
  /// Every 4 bytes of the slice become `value`; its size is a multiple of 4.
  Status fill(Slice slice, std::uint32_t value);
  /// Once the commands so far have ended, the host sees what they wrote there.
  Status make_host_readable(Slice slice);
  /// Kept until the commands so far have ended.
  Status keep_alive(Buffer temporary);

  /// Submits what is recorded. Returns the number of the submission that everything so far has ended with.
  Result<Ticket> flush();
  /// Until that submission, and all before it, have ended.
  Status wait(Ticket ticket);
  Status sync();
  /// Until all that was submitted has ended, whatever has failed before; what hangs is given up.
  void drain();

  /// From the next command on; for a device whose speed is known by now.
  void set_max_multiplications(double value) { settings_.max_multiplications = value; }
  double max_multiplications() const { return settings_.max_multiplications; }

  /// Nothing has failed so far; after a failure everything fails.
  bool is_ok() const { return static_cast<bool>(status_); }
  StreamStatistics statistics() const { return statistics_; }

 private:
  Stream(LogicalDevice& device, QueueRole queue, StreamSettings settings);
  static Result<std::unique_ptr<Stream>> create(LogicalDevice& device, QueueRole queue, StreamSettings settings);
  Status begin_submission();
  Status end_submission();
  Status create_submission();
  Status record_dispatch(const Dispatch& dispatch);
  Status insert_barriers(std::span<const Access> accesses);
  Status wait_other_queue(std::span<const Access> accesses);
  Status submit_if_full(double multiplications);
  Status wait_for_oldest();
  void recycle_oldest();
  Status fail(Error error);
  Status attach(Stream& other, std::shared_ptr<QueueDependencies> dependencies);
  void detach();

  LogicalDevice& device_;
  QueueRole queue_;
  StreamSettings settings_;
  HazardTracker hazards_;
  std::unique_ptr<Submission> open_submission_;
  std::deque<std::unique_ptr<Submission>> in_flight_;  // oldest first
  std::vector<std::unique_ptr<Submission>> free_submissions_;
  Ticket last_submitted_ = 0;
  StreamStatistics statistics_;
  Status status_ = ok();
  // Where another stream is beside it:
  Stream* other_stream_ = nullptr;
  std::shared_ptr<QueueDependencies> queue_dependencies_;
  VkSemaphore timeline_ = VK_NULL_HANDLE;  // has the number of the last submission that ended
};

}  // namespace weir::compute::vulkan
