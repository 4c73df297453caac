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

/// Number of multiplications, each with an addition, that a GPU with 80 GFLOP/s performs in a tenth of a second. No GPU
/// is assumed to be slower.
inline constexpr double kDefaultMaxMultiplications = 4e9;

struct StreamSettings {
  int max_commands = 100;  ///< setting `stream.max-commands`: maximum number of commands in a submission
  /// Number of multiplications at which a submission is full. It limits the time of a submission to about a tenth of a
  /// second, far less than a driver's watchdog allows.
  double max_multiplications = kDefaultMaxMultiplications;
  /// Maximum number of submissions in flight (submitted and not known to have ended). When it is reached, the stream
  /// waits for the oldest one before it records a further one.
  int max_submissions = 8;
  /// Callback for measurements, called after each dispatch with the time that it took; may be empty. If it is set, the
  /// stream submits each dispatch alone and waits for it; the time is measured on the host and includes both.
  std::function<void(const Dispatch& dispatch, std::chrono::duration<double> time)> on_dispatch = {};
};

struct StreamStatistics {
  std::uint64_t commands = 0;             ///< number of dispatches, copies, fills and make_host_readable() calls
  std::uint64_t submissions = 0;          ///< number of submissions to the queue
  std::uint64_t barriers = 0;             ///< number of barriers that the stream has added before commands
  std::uint64_t queue_waits = 0;          ///< number of submissions that wait for a submission of the other stream
  double multiplications = 0;             ///< sum of Dispatch::multiplications
  std::uint64_t submissions_created = 0;  ///< number of Submission objects created, each of which is used many times
};

/// Records commands for one queue of a device. A submission is a batch of commands that the device gets at once; the
/// stream submits automatically when the batch is full (StreamSettings), and reuses the Vulkan objects of submissions
/// that have ended. The results are those of executing the commands one after the other. If a call fails, all later
/// calls return the same error. Not thread-safe. The device, and the pools of buffers given to keep_alive(), must
/// outlive the stream.
class Stream {
 public:
  /// Creates a stream on the compute queue. Errors: those of error_from_result().
  static Result<std::unique_ptr<Stream>> create(LogicalDevice& device, StreamSettings settings = {});
  /// Creates a second stream of the same device, on its transfer queue. Of the commands, the new stream accepts only
  /// copy(), fill() and make_host_readable(). The two streams run at the same time; a command waits for an
  /// earlier command of the other stream only if their accesses conflict. `first` must be unused, have no second stream
  /// yet, and outlive the new stream.
  /// Errors: those of error_from_result(); unsupported without timeline semaphores.
  static Result<std::unique_ptr<Stream>> create_transfer_stream(Stream& first);
  /// Waits as drain() does. Recorded commands that are not submitted yet are dropped.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Errors of the functions below that return a Status or Result: the error of an earlier call; device_lost, also when
  // a submission hangs; over_budget or unsupported from the driver.

  /// Records the execution of a kernel; on the compute queue only.
  Status dispatch(const Dispatch& dispatch);
  /// Records a copy; both slices have the same size.
  Status copy(Slice from, Slice to);
  /// Records a fill: sets all 4-byte words of the slice to `value`. The size of the slice is a multiple of 4.
  Status fill(Slice slice, std::uint32_t value);
  /// Records a barrier for the host: after a wait for this command, the host can read what earlier commands wrote to
  /// the slice.
  Status make_host_readable(Slice slice);
  /// Takes the buffer and destroys it (gives it back to its pool) after all commands so far have ended.
  Status keep_alive(Buffer temporary);

  /// Submits the recorded commands, if there are any, and does not wait. Returns the ticket of the last submission
  /// (0: there was none): when this submission has ended, all commands so far have ended.
  Result<Ticket> flush();
  /// Waits until this submission and all earlier ones of this stream have ended. `ticket` is a result of flush().
  Status wait(Ticket ticket);
  /// Submits the recorded commands and waits until all have ended.
  Status sync();
  /// Waits until all submissions have ended, even after an error; submits nothing. If a submission hangs, abandons the
  /// device.
  void drain();

  /// Sets StreamSettings::max_multiplications for later commands; for callers that have measured the device's speed.
  void set_max_multiplications(double value) { settings_.max_multiplications = value; }
  double max_multiplications() const { return settings_.max_multiplications; }

  /// Returns whether no call has failed so far.
  bool is_ok() const { return static_cast<bool>(status_); }
  StreamStatistics statistics() const { return statistics_; }

 private:
  Stream(LogicalDevice& device, QueueRole queue, StreamSettings settings);
  static Result<std::unique_ptr<Stream>> create(LogicalDevice& device, QueueRole queue, StreamSettings settings);
  /// Opens a submission, if none is open; may first wait for the oldest submission in flight.
  Status begin_submission();
  /// Submits the open submission.
  Status end_submission();
  /// Adds a new Submission object to free_submissions_.
  Status create_submission();
  Status record_dispatch(const Dispatch& dispatch);
  /// Prepares a command with these accesses: makes it wait for the other stream (wait_other_queue()), opens a
  /// submission if none is open, and records the barrier that the command needs.
  Status insert_barriers(std::span<const Access> accesses);
  /// Makes the next command, which has these accesses, wait for conflicting commands of the other stream.
  Status wait_other_queue(std::span<const Access> accesses);
  /// Counts a recorded command, and submits if the submission is full.
  Status submit_if_full(double multiplications);
  /// Waits until the oldest submission in flight has ended. If it hangs, abandons the device and returns device_lost.
  Status wait_for_oldest();
  /// Makes the oldest submission in flight reusable. It must have ended, or the device must be lost and no longer use
  /// it.
  void recycle_oldest();
  /// Stores the first error in status_ and returns status_.
  Status fail(Error error);
  /// Connects this stream to the other stream of the device.
  Status attach(Stream& other, std::shared_ptr<QueueDependencies> dependencies);
  /// Removes this connection and its semaphore. Neither stream may have a submission in flight.
  void detach();

  LogicalDevice& device_;
  QueueRole queue_;
  StreamSettings settings_;
  HazardTracker hazards_;
  std::unique_ptr<Submission> open_submission_;        // receives the commands; null: none is open
  std::deque<std::unique_ptr<Submission>> in_flight_;  // oldest first
  std::vector<std::unique_ptr<Submission>> free_submissions_;
  Ticket last_submitted_ = 0;  // ticket of the last submission
  StreamStatistics statistics_;
  Status status_ = ok();
  // Set if another stream is attached:
  Stream* other_stream_ = nullptr;
  std::shared_ptr<QueueDependencies> queue_dependencies_;
  VkSemaphore timeline_ = VK_NULL_HANDLE;  // its value is the ticket of the last submission that ended
};

}  // namespace weir::compute::vulkan
