#pragma once

#include <volk.h>

namespace weir::compute::vulkan {

/// Returns a Vulkan structure with its sType set and all other fields zero.
template <class T>
T make_struct(VkStructureType type) {
  T structure{};
  structure.sType = type;
  return structure;
}

}  // namespace weir::compute::vulkan
