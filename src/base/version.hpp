#pragma once

namespace weir {

/// The same as in CMakeLists.txt; a test compares them.
inline constexpr char kVersion[] = "0.1.0";

}  // namespace weir
