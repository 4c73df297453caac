#pragma once

#include <string_view>
#include <vector>

#include "audit/fix/edits.hpp"
#include "audit/module.hpp"

namespace weir::audit {

/// Returns edits that set a device order, which determines how devices are numbered. `mask` is an event
/// (Event::Kind::set_variable) that sets a mask, a variable that selects devices, such as CUDA_VISIBLE_DEVICES. The edits
/// set the order in the same place, so that it applies to the same programs as the mask. An order that is set already
/// when the program runs stays. `order` is the name of the variable to set: CUDA_DEVICE_ORDER
/// or ZE_ENABLE_PCI_ID_DEVICE_ORDER. Empty if the file or the form of the mask's statement allows no such edit.
std::vector<Edit> order_edits(const Module& module, const Event& mask, std::string_view order);

}  // namespace weir::audit
