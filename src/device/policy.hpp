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

/// Which devices may be used. A pattern is a UUID, a PCI address ("pci:0000:01:00.0" or bare), a shell pattern on the name
/// ("*RTX 3090"), or, without any of *?[, a part of the name. Letters of any case.
struct Policy {
  std::vector<std::string> allow;    ///< empty: every GPU that is no software
  std::vector<std::string> deny;     ///< goes over allow
  std::vector<std::string> request;  ///< of this run: narrows what the others leave; a '!' before a pattern excludes
  std::vector<std::string> prefer;   ///< the first that matches goes first
  std::optional<Bytes> min_memory;   ///< in all
  struct Exclusion {
    std::string pattern, why;
  };
  std::vector<Exclusion> exclusions = {};  ///< for a reason that arose while we worked; goes over all others
};

/// What the work needs.
struct MemoryRequirement {
  Bytes free{};                  ///< free now; 0: nothing is asked
  bool accepts_unknown = false;  ///< take a device also where the free memory is not known or a lower bound
};

/// What became of one device, in words.
struct DeviceAssessment {
  std::size_t device_index = 0;
  bool accepted = false;
  std::string reason;  ///< "denied by '*5060*'", "12 GiB in all, 20 GiB wanted", "the most free memory: 23.4 GiB"
};

struct DeviceChoice {
  std::vector<std::size_t> ranked;            ///< accepted ones, the best first
  std::vector<DeviceAssessment> assessments;  ///< every device
};

/// Preferred first, then discrete before integrated, then the most free memory, then the PCI order. `hidden` is why a mask
/// that is already set hides each device (empty: it does not); it has the length of `devices` or 0. Makes no driver call.
DeviceChoice choose_devices(std::span<const Device> devices, const Policy& policy, const MemoryRequirement& need,
                            std::span<const std::string> hidden_reasons = {});

/// "no device may be used: NVIDIA ... at 0000:01:00.0: denied by ...; ..." in one line.
std::string describe_refusal(std::span<const Device> devices, const DeviceChoice& choice);

/// Refuses a pattern that is a number of one or two digits: it looks like an index, which proves nothing, and would match a
/// part of some name. A '!' before it is looked over. Errors: invalid_argument with what to write instead.
Status check_pattern(std::string_view pattern);

bool matches(const Device& device, std::string_view pattern);

/// "A,B" -> {"A", "B"}; empty parts are left out.
std::vector<std::string> split_list(std::string_view text);

/// The devices among which is chosen: a card in MIG mode is replaced by its instances, which carry its address.
std::vector<Device> expand_mig_instances(std::span<const Device> devices);

}  // namespace weir::device
