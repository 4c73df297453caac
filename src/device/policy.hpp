#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "device/device.hpp"

namespace weir::device {

/// Rules for which devices may be used. A pattern is one of these, in upper or lower case:
/// - a PCI address, with or without "pci:" before it,
/// - a UUID,
/// - with any of *?[: a shell pattern for the whole name or UUID ("*RTX 3090"),
/// - otherwise a part of the name.
struct Policy {
  std::vector<std::string> allow;  ///< patterns of allowed devices; empty: every GPU
  std::vector<std::string> deny;   ///< patterns of denied devices; overrides `allow`
  /// Patterns for this run only, with or without '!' before them. An allowed device is used if it matches none of the
  /// patterns with '!', and, if there are patterns without '!', at least one of these. A software device is used only
  /// if it also matches a pattern of `allow` or `request` that does not consist of digits and dots alone.
  std::vector<std::string> request;
  std::vector<std::string> prefer;  ///< patterns in order of preference
  std::optional<Bytes> min_memory;  ///< smallest total memory of a device
  struct Exclusion {
    std::string pattern, why;
  };
  std::vector<Exclusion> exclusions = {};  ///< devices excluded during the run; overrides all other rules
};

/// The memory that the work needs on a device.
struct MemoryRequirement {
  Bytes free{};                ///< free memory needed now; 0: no requirement
  bool trust_unknown = false;  ///< accept a device whose free memory is not known or only a lower bound
};

/// Why one device was accepted or not.
struct DeviceAssessment {
  std::size_t device_index = 0;  ///< index in the list that choose_devices() received
  bool accepted = false;
  std::string reason;  ///< "denied by '*5060*'", "12 GiB in all, 20 GiB wanted", "discrete, 23.4 GiB free"
};

/// The result of choose_devices().
struct DeviceChoice {
  std::vector<std::size_t> ranked;            ///< indices of the accepted devices, best first
  std::vector<DeviceAssessment> assessments;  ///< one entry per device
};

/// Decides which devices may be used, and orders them: by `prefer` patterns, then by kind (discrete, integrated,
/// software, unknown), then more free memory first, then in the order of `devices`. `need`: the memory that the work
/// needs. `hidden_reasons`: for each device why a mask that is set hides it (empty text: no mask does), from
/// find_hidden_reasons(); an empty list if no masks are considered. Makes no driver call.
DeviceChoice choose_devices(std::span<const Device> devices, const Policy& policy, const MemoryRequirement& need,
                            std::span<const std::string> hidden_reasons = {});

/// Returns one line with the reason for each device: "no device may be used: NVIDIA ... at 0000:01:00.0: denied by
/// ...; ...". Call it if no device was accepted.
std::string describe_refusal(std::span<const Device> devices, const DeviceChoice& choice);

/// Checks a pattern that a user gives, with or without '!' before it. Errors: invalid_argument for a number of one or
/// two digits: it looks like an index, which does not identify a device, and would match a part of some name.
Status check_pattern(std::string_view pattern);

/// Returns true if the pattern, without '!' before it, matches the device.
bool matches(const Device& device, std::string_view pattern);

/// Splits "A,B" into {"A", "B"}; leaves out empty parts.
std::vector<std::string> split_list(std::string_view text);

/// Returns the devices, and after each card in MIG mode its instances as devices of their own, which have the card's
/// PCI address. (choose_devices() refuses the card itself.)
std::vector<Device> expand_mig_instances(std::span<const Device> devices);

}  // namespace weir::device
