#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace weir::memory {

/// What a reading covers.
enum class Coverage {
  device,      ///< the whole device, all processes
  process,     ///< one process
  lower_bound  ///< a part of the memory: at least this much is in use
};

/// Whether this process has the rights that an exact number needs.
enum class Privilege { enough, lacking };

/// A number of bytes and how it was obtained. Its age is the time since `taken_at`.
struct Reading {
  Bytes value;
  std::string source;  ///< "NVML", "amdgpu sysfs", "fdinfo", "Vulkan heap", "/proc/self/statm"
  Coverage coverage = Coverage::device;
  Privilege privilege = Privilege::enough;
  std::chrono::system_clock::time_point taken_at = std::chrono::system_clock::now();
};

/// Returns "device", "process" or "lower bound".
constexpr std::string_view name_of(Coverage coverage) {
  return coverage == Coverage::device ? "device" : coverage == Coverage::process ? "process" : "lower bound";
}
/// Returns "enough" or "lacking".
constexpr std::string_view name_of(Privilege privilege) {
  return privilege == Privilege::enough ? "enough" : "lacking";
}

}  // namespace weir::memory
