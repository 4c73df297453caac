// The provider of NVML, NVIDIA's management library.

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "base/text.hpp"
#include "device/nvml.hpp"
#include "device/process_identity.hpp"
#include "device/provider.hpp"

namespace weir::device {
namespace {

/// The provider of make_nvml_provider().
class NvmlProvider : public Provider {
 public:
  std::string_view name() const override { return "NVML"; }
  Result<std::vector<Device>> devices() override {
    auto library = nvml::Library::open();
    if (!library) return library.error();
    auto devices = library->devices();
    if (!devices) return devices.error();
    for (Device& device : *devices) {
      for (GpuProcess& process : device.processes)
        if (sees_host_pids()) process.name = program_name(process.pid);
    }
    return devices;
  }
};

}  // namespace

std::unique_ptr<Provider> make_nvml_provider() { return std::make_unique<NvmlProvider>(); }

}  // namespace weir::device
