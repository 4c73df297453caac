#pragma once

#include <istream>
#include <optional>
#include <string>

namespace weir {

/// What is left in a stream; nothing if a read fails, as in /proc of a process that has just ended (ESRCH). An
/// istreambuf_iterator throws there.
std::optional<std::string> read_stream(std::istream& stream);

}  // namespace weir
