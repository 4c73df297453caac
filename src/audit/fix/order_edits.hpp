#pragma once

#include <string_view>
#include <vector>

#include "audit/fix/edits.hpp"
#include "audit/module.hpp"

namespace weir::audit {

/// Sets an order of the cards where a mask is set, for the same programs and no others; one that is there already stays.
/// `order`: CUDA_DEVICE_ORDER or ZE_ENABLE_PCI_ID_DEVICE_ORDER. Empty where that cannot be done.
std::vector<Edit> order_edits(const Module& module, const Event& mask, std::string_view order);

}  // namespace weir::audit
