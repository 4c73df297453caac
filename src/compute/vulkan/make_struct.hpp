#pragma once

#include <volk.h>

namespace weir::compute::vulkan {

/// A structure of Vulkan that says what it is, all else zero.
template <class T>
T make_struct(VkStructureType type) {
  T structure{};
  structure.sType = type;
  return structure;
}

}  // namespace weir::compute::vulkan
