// A libnvidia-ml.so.1 for tests. What it says stands in the file that $FAKE_NVML names, read anew at each question:
//   card NAME UUID BDF TOTAL_MIB USED_MIB RESERVED_MIB     ('_' in NAME becomes a space)
//   process CARD PID MIB                                   (CARD counts from 0; MIB '?': not available)
//   mig CARD UUID NAME TOTAL_MIB USED_MIB
//   hang                                                   no question is answered any more, as with a driver that hangs
// Without the file there is no driver. The interface is that of src/device/nvml_api.hpp.

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

struct Process {
  std::size_t card;
  unsigned pid;
  std::string mib;
};
struct Card {
  std::string name, uuid, bdf;
  unsigned long long total = 0, used = 0, reserved = 0;
  std::vector<Card> mig_instances;
};
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

// A handle is a number: card + 1, and 256 times the instance + 1 above it.
nvml::Device handle_of(std::size_t card, std::size_t instance = 0) {
  return reinterpret_cast<nvml::Device>(card + 1 + 256 * instance);
}
std::size_t card_of(nvml::Device device) { return reinterpret_cast<std::size_t>(device) % 256 - 1; }

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
  // NVIDIA's number below, above it one that differs by the model.
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
  out->used = (card.used + card.reserved) << 20U;  // as the releases that count the reserved part in
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
