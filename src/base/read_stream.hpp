#pragma once

#include <istream>
#include <optional>
#include <string>

namespace weir {

/// Returns everything that is left in a stream, or an empty optional if a read fails. A read of a file in /proc fails
/// when its process has just ended (ESRCH): reading with an istreambuf_iterator would then throw an exception.
std::optional<std::string> read_stream(std::istream& stream);

}  // namespace weir
