#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "base/result.hpp"
#include "compute/vulkan/device.hpp"
#include "compute/vulkan/hazards.hpp"
#include "compute/vulkan/pool.hpp"

namespace weir::compute::vulkan {

/// A buffer at a place of a kernel, and what the kernel does with it.
struct Use {
  Place place = Place::sources;
  std::uint32_t index = 0;  ///< of the sources
  Slice slice;
  bool read = true, write = false;
};

/// One run of a kernel. What it reads and writes must all be among `uses`.
struct Dispatch {
  KernelId kernel;
  std::vector<Use> uses;
  std::array<std::byte, kPushBytes> push{};
  std::array<std::uint32_t, 3> groups{1, 1, 1};  ///< of invocations; at most 65535 on an axis
  double multiplications = 0;

  Dispatch& source(std::uint32_t index, Slice slice) { return add({Place::sources, index, slice, true, false}); }
  Dispatch& read(Place place, Slice slice) { return add({place, 0, slice, true, false}); }
  Dispatch& write(Place place, Slice slice) { return add({place, 0, slice, false, true}); }
  Dispatch& change(Place place, Slice slice) { return add({place, 0, slice, true, true}); }
  template <class T>
  Dispatch& constants(const T& values) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= kPushBytes);
    std::memcpy(push.data(), &values, sizeof values);
    return *this;
  }

 private:
  Dispatch& add(const Use& use) {
    uses.push_back(use);
    return *this;
  }
};

struct StreamSettings {
  int max_commands = 100;            ///< `stream.max_commands`: of a submission
  double max_multiplications = 4e9;  ///< of a submission: a slow GPU's tenth of a second, far below a driver's watchdog
  int max_submissions = 8;           ///< under way at once; the next waits for the oldest
  /// For measuring: each run of a kernel is then submitted alone, waited for, and told with how long that took.
  std::function<void(const Dispatch& dispatch, std::chrono::duration<double> time)> watch = {};
};

struct StreamStatistics {
  std::uint64_t commands = 0;  ///< recorded
  std::uint64_t submissions = 0;
  std::uint64_t barriers = 0;
  double multiplications = 0;
  std::uint64_t made = 0;  ///< sets of command buffer, fence and descriptors: how many the stream ever had to make
};

/// The number of a submission; smaller ones end before larger ones.
using Ticket = std::uint64_t;

/// Records commands for a device and submits them by itself; what has ended gives its command buffer, descriptors and
/// temporaries back. No command is dropped: one that cannot be recorded or submitted is an error, and so is everything
/// after it. Commands take effect in the order in which they were recorded. Not thread-safe. Device and pool must outlive it.
class Stream {
 public:
  static Result<std::unique_ptr<Stream>> create(Device& device, StreamSettings settings = {});
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
  Status show_host(Slice slice);
  /// Kept until the commands so far have ended.
  Status keep(Buffer temporary);

  /// Submits what is recorded. Returns the number of the submission that everything so far has ended with.
  Result<Ticket> flush();
  /// Until that submission, and all before it, have ended.
  Status wait(Ticket ticket);
  Status sync();

  /// Nothing has failed so far; after a failure everything fails.
  bool good() const { return static_cast<bool>(status_); }
  StreamStatistics statistics() const { return statistics_; }

 private:
  struct Submission;
  Stream(Device& device, StreamSettings settings);
  Status begin();
  Status end();
  Result<std::unique_ptr<Submission>> make_submission();
  Status record(const Dispatch& dispatch);
  Status settle(std::span<const Access> uses);
  Result<VkDescriptorSet> bind(const Dispatch& dispatch);
  Status count(double multiplications);
  Status wait_for_oldest();
  void recycle_oldest();
  Status fail(Error error);

  Device& device_;
  StreamSettings settings_;
  Hazards hazards_;
  std::unique_ptr<Submission> open_;
  std::deque<std::unique_ptr<Submission>> under_way_;  // oldest first
  std::vector<std::unique_ptr<Submission>> spare_;
  Ticket submitted_ = 0;
  StreamStatistics statistics_;
  Status status_ = ok();
};

}  // namespace weir::compute::vulkan
