#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace weir::memory {

/// What a number counts.
enum class Scope {
  device,      ///< the whole device, all processes
  process,     ///< one process
  lower_bound  ///< at least this much: a part of the truth
};

/// Whether more rights would give a better number.
enum class Privilege { enough, lacking };

/// A number of bytes with how it was obtained. Its age is the time since `taken`.
struct Reading {
  Bytes value;
  std::string source;  ///< "NVML", "amdgpu sysfs", "fdinfo", "Vulkan heap", "/proc/self/statm"
  Scope scope = Scope::device;
  Privilege privilege = Privilege::enough;
  std::chrono::system_clock::time_point taken = std::chrono::system_clock::now();
};

constexpr std::string_view name_of(Scope scope) {
  return scope == Scope::device ? "device" : scope == Scope::process ? "process" : "lower bound";
}
constexpr std::string_view name_of(Privilege privilege) {
  return privilege == Privilege::enough ? "enough" : "lacking";
}

}  // namespace weir::memory
