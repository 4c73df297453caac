#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "nn/cpu/packed_weights.hpp"
#include "nn/multi_pass_run.hpp"
#include "nn/rows.hpp"
#include "nn/vulkan/device_plan.hpp"

namespace weir::compute::vulkan {
struct Dispatch;
class FaultInjector;
class Instance;
struct DeviceInfo;
}  // namespace weir::compute::vulkan

namespace weir::nn::vulkan {

/// How features (the tensors between the layers) are stored on the device.
enum class DevicePrecision {
  automatic,  ///< float16 on a GPU that supports it, float32 on a software device
  float32,
  float16,
};

/// How to use a device.
struct EngineSettings {
  /// Limit of the memory that the engine uses on the device; zero: no other limit than the free memory. It never uses
  /// more than what is free, less a margin for other processes.
  Bytes memory;
  int tile = 0;  ///< side of a tile in input pixels; 0: the engine chooses it
  DevicePrecision precision = DevicePrecision::automatic;
  /// On a GPU, the engine chooses the fastest size of tiles: it measures the speeds of several sizes once for each
  /// device, driver, precision and network, and stores them in the user's cache folder. On a software device it does so
  /// only if this field is true.
  bool measure_software = false;
  /// True: tiles are copied to and from the device even where the kernels could use staging buffers as fast. For tests.
  bool always_copy = false;
  bool strict = false;     ///< true: Engine::run() fails at the first fault; false: it repeats the work after a fault
  int max_commands = 100;  ///< maximum number of commands in a submission (compute::vulkan::StreamSettings)
  int max_idle = 50;       ///< maximum number of idle memory blocks of each size that are kept for reuse
  /// Receives each dispatch (execution of a kernel) and its time; may be empty. If it is set, the device executes each
  /// dispatch alone.
  std::function<void(const compute::vulkan::Dispatch&, std::chrono::duration<double>)> on_dispatch = {};
  /// Simulates faults of the driver, for tests. Must outlive the engine; null: no simulated faults.
  compute::vulkan::FaultInjector* faults = nullptr;
};

/// The most rows that an EngineOutput receives at once.
inline constexpr int kMaxOutputRows = 64;

/// Receives the rows of a result. Only one of the two functions is called, the other one may be empty.
struct EngineOutput {
  OutputRows planes;    ///< called if TransferFormat::result_samples of the plan is false
  OutputBytes samples;  ///< called if TransferFormat::result_samples of the plan is true
};

/// Returns true if the error is a fault: an error of the device that may not occur again with smaller tiles, in
/// float32, after the device is opened again, or on the CPU.
inline bool is_device_fault(const Error& error) {
  return error.code == Errc::over_budget || error.code == Errc::device_lost || error.code == Errc::bad_values;
}

/// Counters of what happened on a device. Runs that only measure speeds are not counted.
struct EngineCounts {
  std::uint64_t attempts = 0;              ///< number of runs of a picture that began on the device, retries included
  std::uint64_t retries = 0;               ///< number of runs that repeat work after a fault
  std::uint64_t smaller_tile_retries = 0;  ///< number of retries with tiles of half the side
  std::uint64_t float32_retries = 0;       ///< number of retries in float32
  std::uint64_t reopened = 0;              ///< number of retries that opened the device again, successfully or not
  std::uint64_t cpu_fallbacks = 0;         ///< number of pictures that failed in all retries, for the CPU to compute
};

/// The memory of an engine, to compare it with a plan.
struct EngineMemory {
  Bytes weights, activations, staging, parameters;  ///< largest use of each MemoryKind since the device was opened
  Bytes allocated, idle, peak;         ///< BufferPoolStatistics of the pool, for memory of device and host together
  std::uint64_t hits = 0, misses = 0;  ///< number of requests served from idle memory, and of all others
  Bytes driver_reported;  ///< memory of the device that this process uses, as the driver reports it; zero: not reported
};

/// Runs a program on one Vulkan device, picture after picture. A picture is computed in tiles (rectangles), so that the
/// memory suffices. Owns the open device and all its memory. Not thread-safe.
class Engine {
 public:
  /// Creates an engine and opens the device. `graph` and `program` must outlive the engine.
  /// Errors: those of opening the device, and of a first test of its kernels.
  static Result<std::unique_ptr<Engine>> create(const Graph& graph, const Program& program,
                                                std::shared_ptr<compute::vulkan::Instance> instance,
                                                const compute::vulkan::DeviceInfo& device,
                                                const EngineSettings& settings);
  virtual ~Engine() = default;

  /// Returns name and driver of the device, for messages.
  virtual std::string device_name() const = 0;
  /// Plans a picture within the memory that the device has free now. `host` is the memory that the plan may use on the
  /// host. The first call may measure speeds, for some seconds.
  /// Errors: those of plan_tiles().
  virtual Result<DevicePlan> plan(Extent input, Bytes host, TransferFormat transfer) = 0;
  /// Returns the limits that plan() would use now.
  virtual DeviceLimits limits(Bytes host) const = 0;
  /// Runs one picture. The weights of the network are transposed and mirrored as `orientation` requires, the picture
  /// is not. Unless EngineSettings::strict is set, the run is repeated after a fault, up to three times: with tiles
  /// of half the side, then in float32, then with the device opened again; a change that is not possible is skipped.
  /// Each retry continues at the first row that was not passed on to `output` yet, and adds a message to `events`.
  /// Sets `next_row` to the number of result rows that were passed on, also after an error.
  /// Errors: those of input and output; cancelled; that of the last fault: over_budget, device_lost or bad_values;
  /// unsupported from the driver.
  virtual Status run(const DevicePlan& plan, Orientation orientation, InputRows& input, const EngineOutput& output,
                     const RunControl& control, int& next_row, std::vector<std::string>& events) = 0;

  /// Returns the counters since the engine was created.
  virtual EngineCounts counts() const = 0;
  /// Returns the current memory counters; all are zero if the device is not open.
  virtual EngineMemory memory() const = 0;
  /// Returns all idle memory to the driver. May be called repeatedly.
  virtual void cleanup() = 0;
};

}  // namespace weir::nn::vulkan
