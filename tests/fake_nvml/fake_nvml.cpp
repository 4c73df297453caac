// A fake NVML library (libnvidia-ml.so.1) for tests. $FAKE_NVML is the path of a text file that describes the machine.
// The library reads the file at each call. Lines of the file:
//   card NAME UUID BDF TOTAL_MIB USED_MIB RESERVED_MIB   a GPU; BDF is its PCI address; '_' in NAME becomes a space
//   process CARD PID MIB      a process that uses MIB of memory ('?': not available); CARD is the index of the GPU, from 0
//   mig CARD UUID NAME TOTAL_MIB USED_MIB                a MIG instance: a part of a GPU that is a device of its own
//   hang                                                 no call returns any more, as with a driver that hangs
// If there is no such file, the library reports that no driver is loaded. src/device/nvml_api.hpp declares the
// interface.

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "device/nvml_api.hpp"

namespace {

namespace nvml = weir::device::nvml;

constexpr nvml::Return kInvalidArgument = 2;

/// A line "process".
struct Process {
  std::size_t card;
  unsigned pid;
  std::string mib;
};
/// A line "card" or "mig". Sizes are in MiB.
struct Card {
  std::string name, uuid, bdf;
  unsigned long long total = 0, used = 0, reserved = 0;
  std::vector<Card> mig_instances;
};
/// The contents of the file; `present` is false if there is no file.
struct Machine {
  bool present = false, hangs = false;
  std::vector<Card> cards;
  std::vector<Process> processes;
};

std::string underscores_to_spaces(std::string text) {
  for (char& c : text)
    if (c == '_') c = ' ';
  return text;
}

/// Reads the file. Does not return if it has a line "hang".
Machine read_machine() {
  Machine machine;
  const char* path = std::getenv("FAKE_NVML");
  std::ifstream file{path == nullptr ? "" : path};
  machine.present = file.is_open();
  for (std::string line; std::getline(file, line);) {
    std::istringstream words{line};
    std::string kind;
    words >> kind;
    if (kind == "hang") machine.hangs = true;
    if (kind == "card") {
      Card card;
      words >> card.name >> card.uuid >> card.bdf >> card.total >> card.used >> card.reserved;
      card.name = underscores_to_spaces(card.name);
      machine.cards.push_back(card);
    }
    if (kind == "process") {
      Process process{};
      words >> process.card >> process.pid >> process.mib;
      machine.processes.push_back(process);
    }
    if (kind == "mig") {
      std::size_t index = 0;
      Card instance;
      words >> index >> instance.uuid >> instance.name >> instance.total >> instance.used;
      instance.name = underscores_to_spaces(instance.name);
      if (index < machine.cards.size()) machine.cards[index].mig_instances.push_back(instance);
    }
  }
  while (machine.hangs) pause();
  return machine;
}

// A handle is a number: index of the card + 1, plus 256 * (index of the MIG instance + 1) for a MIG instance.
// `instance` is 0 for the card itself, else the index of the MIG instance + 1.
nvml::Device handle_of(std::size_t card, std::size_t instance = 0) {
  return reinterpret_cast<nvml::Device>(card + 1 + 256 * instance);
}
std::size_t card_of(nvml::Device device) { return reinterpret_cast<std::size_t>(device) % 256 - 1; }

/// Copies the card or MIG instance of a handle to `card`. Returns false if there is none.
bool find_card(nvml::Device device, Card& card) {
  const Machine machine = read_machine();
  const std::size_t instance = reinterpret_cast<std::size_t>(device) / 256;
  if (card_of(device) >= machine.cards.size()) return false;
  card = machine.cards[card_of(device)];
  if (instance == 0) return true;
  if (instance > card.mig_instances.size()) return false;
  card = Card{card.mig_instances[instance - 1]};
  return true;
}

/// Copies `text` with its final zero to `out`, which has `size` bytes.
nvml::Return copy_text(const std::string& text, char* out, unsigned size) {
  if (text.size() >= size) return nvml::kInsufficientSize;
  std::memcpy(out, text.c_str(), text.size() + 1);
  return nvml::kSuccess;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) nvml::Return nvmlInit_v2() {
  const Machine machine = read_machine();
  return machine.present ? nvml::kSuccess : nvml::kDriverNotLoaded;
}

__attribute__((visibility("default"))) nvml::Return nvmlShutdown() { return nvml::kSuccess; }

__attribute__((visibility("default"))) const char* nvmlErrorString(nvml::Return code) {
  return code == nvml::kDriverNotLoaded ? "Driver Not Loaded" : "Unknown Error";
}

__attribute__((visibility("default"))) nvml::Return nvmlSystemGetDriverVersion(char* out, unsigned size) {
  return copy_text("550.54.15", out, size);
}

__attribute__((visibility("default"))) nvml::Return nvmlDeviceGetCount_v2(unsigned* count) {
  *count = static_cast<unsigned>(read_machine().cards.size());
  return nvml::kSuccess;
}

__attribute__((visibility("default"))) nvml::Return nvmlDeviceGetHandleByIndex_v2(unsigned index, nvml::Device* out) {
  if (index >= read_machine().cards.size()) return kInvalidArgument;
  *out = handle_of(index);
  return nvml::kSuccess;
}

__attribute__((visibility("default"))) nvml::Return nvmlDeviceGetName(nvml::Device device, char* out, unsigned size) {
  Card card;
  return find_card(device, card) ? copy_text(card.name, out, size) : kInvalidArgument;
}

__attribute__((visibility("default"))) nvml::Return nvmlDeviceGetUUID(nvml::Device device, char* out, unsigned size) {
  Card card;
  return find_card(device, card) ? copy_text(card.uuid, out, size) : kInvalidArgument;
}

__attribute__((visibility("default"))) nvml::Return nvmlDeviceGetPciInfo_v3(nvml::Device device, nvml::PciInfo* out) {
  Card card;
  if (!find_card(device, card)) return kInvalidArgument;
  *out = {};
  // domain:bus:device.function
  char* end = nullptr;
  out->domain = static_cast<unsigned>(std::strtoul(card.bdf.c_str(), &end, 16));
  if (*end != ':') return kInvalidArgument;
  out->bus = static_cast<unsigned>(std::strtoul(end + 1, &end, 16));
  if (*end != ':') return kInvalidArgument;
  out->device = static_cast<unsigned>(std::strtoul(end + 1, &end, 16));
  // The low 16 bits are NVIDIA's vendor id; the high 16 bits depend on the model.
  out->device_id = 0x10DEU | static_cast<unsigned>(std::hash<std::string>{}(card.name) % 0xFFFF) << 16U;
  return copy_text("0000" + card.bdf, out->bus_id, sizeof out->bus_id);
}

__attribute__((visibility("default"))) nvml::Return nvmlDeviceGetMemoryInfo(nvml::Device device, nvml::MemoryV1* out) {
  Card card;
  if (!find_card(device, card)) return kInvalidArgument;
  *out = {card.total << 20U, (card.total - card.used - card.reserved) << 20U, (card.used + card.reserved) << 20U};
  return nvml::kSuccess;
}

__attribute__((visibility("default"))) nvml::Return nvmlDeviceGetMemoryInfo_v2(nvml::Device device,
                                                                               nvml::MemoryV2* out) {
  Card card;
  if (out->version != nvml::kMemoryV2 || !find_card(device, card)) return kInvalidArgument;
  out->total = card.total << 20U;
  out->reserved = card.reserved << 20U;
  out->free = (card.total - card.used - card.reserved) << 20U;
  out->used = (card.used + card.reserved) << 20U;  // some releases of the driver include the reserved memory here
  return nvml::kSuccess;
}

__attribute__((visibility("default"))) nvml::Return nvmlDeviceGetComputeRunningProcesses_v3(nvml::Device device,
                                                                                            unsigned* count,
                                                                                            nvml::ProcessInfo* out) {
  std::vector<nvml::ProcessInfo> all;
  for (const Process& process : read_machine().processes) {
    if (process.card != card_of(device)) continue;
    const bool is_available = process.mib != "?";
    const unsigned long long bytes =
        is_available ? std::strtoull(process.mib.c_str(), nullptr, 10) << 20U : nvml::kNotAvailable;
    all.push_back({process.pid, bytes, ~0U, ~0U});
  }
  const bool fits = all.size() <= *count;
  *count = static_cast<unsigned>(all.size());
  if (!fits) return nvml::kInsufficientSize;
  for (std::size_t i = 0; i < all.size(); ++i) out[i] = all[i];
  return nvml::kSuccess;
}

__attribute__((visibility("default"))) nvml::Return nvmlDeviceGetMigMode(nvml::Device device, unsigned* current,
                                                                         unsigned* pending) {
  Card card;
  if (!find_card(device, card)) return kInvalidArgument;
  *current = *pending = card.mig_instances.empty() ? 0 : 1;
  return nvml::kSuccess;
}

__attribute__((visibility("default"))) nvml::Return nvmlDeviceGetMaxMigDeviceCount(nvml::Device, unsigned* count) {
  *count = 7;
  return nvml::kSuccess;
}

__attribute__((visibility("default"))) nvml::Return nvmlDeviceGetMigDeviceHandleByIndex(nvml::Device device,
                                                                                        unsigned index,
                                                                                        nvml::Device* out) {
  Card card;
  if (!find_card(device, card) || index >= card.mig_instances.size()) return kInvalidArgument;
  *out = handle_of(card_of(device), index + 1);
  return nvml::kSuccess;
}

}  // extern "C"
