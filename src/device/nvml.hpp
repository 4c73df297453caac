#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/shared_library.hpp"
#include "device/device.hpp"
#include "device/nvml_api.hpp"

namespace weir::device::nvml {

/// The loaded and initialised NVML (NVIDIA Management Library); the destructor shuts it down. It makes no CUDA context.
/// Thread-safe, as NVML is.
class Library {
 public:
  /// Loads and initialises NVML. Errors: unsupported: no such library, or no driver.
  static Result<Library> open();
  Library(Library&& other) noexcept;
  Library& operator=(Library&&) = delete;
  ~Library();

  /// Returns the current values of every card. Values that NVML does not report stay empty; a card for which NVML
  /// returns no handle (lost, or not permitted) is left out. Errors: unsupported if the cards cannot be counted.
  Result<std::vector<weir::device::Device>> devices() const;

  /// The memory of one card.
  struct Memory {
    std::optional<memory::Reading> total, free, used;
  };
  /// Reads only the memory of one card, which is faster than devices(). Errors: unsupported if there is no such card.
  Result<Memory> memory_of(const PciAddress& card) const;

  /// Returns the memory of a process on one card; empty if NVML does not report it. `host_pid`: the process id on
  /// the host, outside any container.
  std::optional<memory::Reading> memory_of_process(const PciAddress& card, pid_t host_pid) const;

 private:
  Library(SharedLibrary library, const Functions& functions) : library_{library}, functions_{functions} {}
  std::optional<nvml::Device> find(const PciAddress& card) const;
  // nvml::Device is the library's handle of a device.
  Memory read_memory(nvml::Device device) const;
  /// Returns the processes on the device. Sets `can_list` to false if NVML cannot list them here, else to true.
  std::vector<GpuProcess> read_processes(nvml::Device device, bool& can_list) const;
  std::vector<MigInstance> read_mig(nvml::Device device) const;
  weir::device::Device describe(nvml::Device device) const;

  SharedLibrary library_;
  Functions functions_;
  bool started_ = true;  // false after a move: the destructor does not shut NVML down
};

}  // namespace weir::device::nvml
