#pragma once

namespace weir {

/// The version of weir. It equals the one in CMakeLists.txt; a test compares them.
inline constexpr char kVersion[] = "0.1.0";

}  // namespace weir
