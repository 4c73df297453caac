#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/shared_library.hpp"
#include "device/device.hpp"
#include "device/nvml_api.hpp"

namespace weir::device::nvml {

/// NVML, loaded and started; shut down with this object. It makes no CUDA context. Thread-safe, as NVML is.
class Library {
 public:
  /// Errors: unsupported: no such library, or no driver behind it.
  static Result<Library> open();
  Library(Library&& other) noexcept;
  Library& operator=(Library&&) = delete;
  ~Library();

  /// What NVML says of every card now. A card that cannot be asked (lost, or not permitted) is left out of the list only
  /// if not even its place is known. Errors: unsupported.
  Result<std::vector<weir::device::Device>> devices() const;

  /// Memory of one card, without asking for anything else: for sampling. Errors: unsupported if there is no such card.
  struct Memory {
    std::optional<memory::Reading> total, free, used;
  };
  Result<Memory> memory_of(const PciAddress& card) const;

  /// Memory that the process has on one card; empty if NVML does not list it or does not say.
  /// `machine_pid` is the number outside any container.
  std::optional<memory::Reading> memory_of_process(const PciAddress& card, pid_t host_pid) const;

 private:
  Library(SharedLibrary library, const Functions& functions) : library_{library}, functions_{functions} {}
  std::optional<nvml::Device> find(const PciAddress& card) const;
  Memory read_memory(nvml::Device device) const;
  std::vector<GpuProcess> read_processes(nvml::Device device, bool& known) const;
  std::vector<MigInstance> read_mig(nvml::Device device) const;
  weir::device::Device describe(nvml::Device device) const;

  SharedLibrary library_;
  Functions functions_;
  bool started_ = true;
};

}  // namespace weir::device::nvml
