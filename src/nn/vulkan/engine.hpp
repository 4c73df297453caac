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

enum class DevicePrecision {
  automatic,  ///< float16 features on a GPU that stores them, float32 on a software device
  float32,
  float16,
};

/// How a device is to be used.
struct EngineSettings {
  Bytes memory;  ///< the line on the device's memory; zero: what it has free, less a margin
  int tile = 0;  ///< side of a tile in pixels; 0: chosen
  DevicePrecision precision = DevicePrecision::automatic;
  /// Which size of tiles is the fastest is measured once for each device, driver and network, and remembered in the
  /// user's cache folder; not on software devices, unless this is set.
  bool measure_software = false;
  /// Tiles are copied to and from the device though its kernels can as well read and write what the host sees; for tests.
  bool always_copy = false;
  bool strict = false;     ///< a fault is an error at once; nothing is repeated
  int max_commands = 100;  ///< of a submission
  int max_idle = 50;       ///< blocks of memory of one size that are kept for reuse
  /// See compute::vulkan::StreamSettings; for measuring kernel by kernel.
  std::function<void(const compute::vulkan::Dispatch&, std::chrono::duration<double>)> on_dispatch = {};
  /// Stands between weir and the driver; for tests. Must outlive the engine.
  compute::vulkan::FaultInjector* faults = nullptr;
};

/// Takes the rows of a result: of the two, the one that the plan's transfer says.
struct EngineOutput {
  OutputRows planes;
  OutputBytes samples;
};

/// What another tile, another precision, the device opened anew or at last the CPU may mend.
inline bool is_device_fault(const Error& error) {
  return error.code == Errc::over_budget || error.code == Errc::device_lost || error.code == Errc::bad_values;
}

/// What happened on a device, counted.
struct EngineCounts {
  std::uint64_t attempts = 0;
  std::uint64_t retries = 0;               ///< runs that were begun anew after a fault
  std::uint64_t smaller_tile_retries = 0;  ///< of them with half the tile
  std::uint64_t float32_retries = 0;       ///< of them in float32
  std::uint64_t reopened = 0;              ///< times that the device was opened anew
  std::uint64_t cpu_fallbacks = 0;         ///< pictures that were left to the CPU
};

/// What is in use, against which a plan can be held.
struct EngineMemory {
  Bytes weights, activations, staging, parameters;  ///< the most that was in use of each
  Bytes allocated, idle, peak;                      ///< of the pool, device's and host's together
  std::uint64_t hits = 0, misses = 0;
  Bytes driver_reported;  ///< what the driver says that this process has; zero if it does not say
};

/// Runs a program on pictures on one Vulkan device. Owns the device and what lies on it, from picture to picture.
/// Not thread-safe.
class Engine {
 public:
  /// Graph and program must outlive it. Errors: those of opening the device.
  static Result<std::unique_ptr<Engine>> create(const Graph& graph, const Program& program,
                                                std::shared_ptr<compute::vulkan::Instance> instance,
                                                const compute::vulkan::DeviceInfo& device,
                                                const EngineSettings& settings);
  virtual ~Engine() = default;

  /// The device's name and driver, as messages say them.
  virtual std::string device_name() const = 0;
  /// The plan for a picture with what the device has free now. `host`: what it may take of the host's memory.
  /// Errors: those of plan_tiles.
  virtual Result<DevicePlan> plan(Extent input, Bytes host, TransferFormat transfer) = 0;
  virtual DeviceLimits limits(Bytes host) const = 0;
  /// Runs one picture. What goes wrong on the device is mended step by step (half the tile, float32, the device opened
  /// anew), from the rows on that were not passed on yet; every step is added to `events`.
  /// `next_row`: rows of the result that were passed on, whatever comes of it.
  /// Errors: those of input and output; cancelled; what the last step met: over_budget, device_lost or bad_values.
  virtual Status run(const DevicePlan& plan, Orientation orientation, InputRows& input, const EngineOutput& output,
                     const RunControl& control, int& next_row, std::vector<std::string>& events) = 0;

  virtual EngineCounts counts() const = 0;
  virtual EngineMemory memory() const = 0;
  /// Gives all memory that no picture needs back to the driver; may be called again.
  virtual void cleanup() = 0;
};

}  // namespace weir::nn::vulkan
