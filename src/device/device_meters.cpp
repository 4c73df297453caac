#include "device/device_meters.hpp"

#include <filesystem>
#include <string>
#include <system_error>

#include <unistd.h>

#include "base/small_file.hpp"
#include "device/fdinfo.hpp"
#include "device/nvml.hpp"
#include "device/process_identity.hpp"

namespace weir::device {
namespace {

using memory::MeterLayer;
using memory::Side;

std::optional<Bytes> nvml_used(const nvml::Library& library, const PciAddress& card) {
  const auto memory = library.memory_of(card);
  if (!memory || !memory->used) return std::nullopt;
  return memory->used->value;
}

/// Under WSL2 the Windows kernel does not report the memory of processes.
bool is_wsl() { return ::access("/dev/dxg", F_OK) == 0; }

}  // namespace

std::shared_ptr<const memory::Meter> make_nvml_meter(const PciAddress& card) {
  auto opened = nvml::Library::open();
  if (!opened) return nullptr;
  const auto library = std::make_shared<const nvml::Library>(*std::move(opened));
  const bool reports_own_process = sees_host_pids() && !is_wsl();
  return memory::make_counter_meter("NVML", Side::device, MeterLayer::system,
                                    [library, card, reports_own_process]() -> std::optional<Bytes> {
                                      if (!reports_own_process) return nvml_used(*library, card);
                                      const auto own = library->memory_of_process(card, ::getpid());
                                      // A process that NVML does not list has no memory on the card yet.
                                      return own ? own->value : Bytes{};
                                    });
}

std::shared_ptr<const memory::Meter> make_fdinfo_meter() {
  if (::access("/dev/dri", F_OK) != 0) return nullptr;  // there is no DRM device
  return memory::make_counter_meter("fdinfo", Side::device, MeterLayer::system, []() -> std::optional<Bytes> {
    const auto uses = read_process_usage("/", {::getpid()});
    if (uses.empty()) return std::nullopt;
    Bytes sum;
    for (const ProcessUsage& use : uses) sum += use.memory;
    return sum;
  });
}

CardMemory read_card_memory(const nvml::Library* library, const PciAddress& card) {
  if (library != nullptr) {
    const auto memory = library->memory_of(card);
    if (memory && memory->used)
      return {memory->used->value, memory->free ? std::optional{memory->free->value} : std::nullopt};
  }
  const std::filesystem::path folder = std::filesystem::path{"/sys/bus/pci/devices"} / to_text(card);
  const auto used = read_number_file(folder / "mem_info_vram_used");
  const auto total = read_number_file(folder / "mem_info_vram_total");
  if (!used) return {};
  return {Bytes{*used}, total ? std::optional{Bytes{*total} - Bytes{*used}} : std::nullopt};
}

}  // namespace weir::device
