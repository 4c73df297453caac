#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/value.hpp"

namespace weir::audit {

/// Whose devices a variable or a sink means.
enum class Vendor { nvidia, amd, intel };

/// A variable that selects or orders devices.
struct DeviceVariable {
  std::string_view name;
  Vendor vendor;
  enum class Role { mask, order, allocator, other } role;
};

/// Null if the name is no such variable. Names are compared as the system does: exactly.
const DeviceVariable* find_device_variable(std::string_view name);
/// A variable that hides devices.
bool is_mask_variable(std::string_view name);

/// What a mask lets through, as far as its value is known.
struct Mask {
  std::vector<std::string> entries;  ///< "1", "GPU-…", "MIG-…"; a hole makes an entry "?"
  bool may_have_index() const;       ///< has an entry that is a number, or may be one
  bool hides_all() const { return entries.empty(); }
};

/// Empty if nothing is known. As the CUDA runtime reads it: entries by comma, the first wrong or negative one ends the
/// list (CUDA C++ Programming Guide, CUDA environment variables). A UUID is one entry.
std::optional<Mask> parse_mask(const Value& value);
std::optional<Mask> parse_mask(std::string_view text);

/// The device of "cuda:1", "xpu:0", "hip:2", "gpu:1", "/gpu:1", "/device:GPU:1", "CUDAExecutionProvider:1"; none for the
/// default device ("cuda") and others.
struct DeviceText {
  Vendor vendor;
  long index;
  std::size_t digits_offset;  ///< where the number starts in the text
};
std::optional<DeviceText> parse_device(std::string_view text);

}  // namespace weir::audit
