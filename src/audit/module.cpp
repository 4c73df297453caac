#include "audit/module.hpp"

#include <algorithm>

namespace weir::audit {

const Function* Module::find_function(std::string_view key) const {
  const auto found =
      std::find_if(functions.begin(), functions.end(), [&](const Function& function) { return function.key == key; });
  return found == functions.end() ? nullptr : &*found;
}

}  // namespace weir::audit
