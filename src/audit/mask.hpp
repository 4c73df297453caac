#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/value.hpp"

namespace weir::audit {

// A mask is the value of an environment variable such as CUDA_VISIBLE_DEVICES: a list of devices. A process sees only
// these devices, numbered from 0. In names and comments of the audit a card is a graphics card of the machine, and a
// device is what a program sees and numbers: a card, or a part of one.

/// The vendor of a device, and of the devices that a variable or a call selects.
enum class Vendor { nvidia, amd, intel };

/// An environment variable that selects, orders or configures devices.
struct DeviceVariable {
  std::string_view name;
  Vendor vendor;
  enum class Role {
    mask,       ///< selects the devices that a process sees
    order,      ///< selects the order in which devices are numbered
    allocator,  ///< configures PyTorch's allocator of device memory
    other       ///< has another effect (NVIDIA_VISIBLE_DEVICES, ZE_FLAT_DEVICE_HIERARCHY)
  } role;
};

/// Returns the variable with this name; null if there is none. The comparison is case-sensitive.
const DeviceVariable* find_device_variable(std::string_view name);
/// Returns whether the name is a variable whose value is a mask, such as CUDA_VISIBLE_DEVICES.
bool is_mask_variable(std::string_view name);

/// The devices that a mask makes visible, as far as its value is known.
struct Mask {
  std::vector<std::string> entries;  ///< "1", "0.1" (a tile, part of a card), "GPU-…", "MIG-…"; "?" if partly unknown
  /// Returns whether an entry starts with a digit, or is unknown and may be a number.
  bool may_have_index() const;
  /// Returns whether no device is visible.
  bool hides_all() const { return entries.empty(); }
};

/// Parses a mask as the CUDA runtime does: entries are separated by commas, and the first invalid or negative entry
/// ends the list (CUDA C++ Programming Guide, CUDA environment variables). Entries in other forms than those of
/// Mask::entries are invalid, such as "level_zero:0" in ONEAPI_DEVICE_SELECTOR. Repeated entries and indices of cards
/// that do not exist count as valid. Returns nothing if the value is no single text or number, or if the number of its
/// entries is unknown. A text has kHole (value.hpp) in place of each unknown part.
std::optional<Mask> parse_mask(const Value& value);
std::optional<Mask> parse_mask(std::string_view text);

/// A text that names a device by its number, such as "cuda:1".
struct DeviceText {
  Vendor vendor;
  long index;
  std::size_t digits_offset;  ///< byte offset of the number in the text
};
/// Parses texts such as "cuda:1", "xpu:0", "hip:2", "/gpu:1" and "/device:GPU:1". The vendor is Intel for xpu, AMD for
/// hip, and NVIDIA for all other words, although PyTorch for AMD cards uses "cuda", too. Returns nothing for texts
/// without a number ("cuda", the default device) and for other texts.
std::optional<DeviceText> parse_device(std::string_view text);

}  // namespace weir::audit
