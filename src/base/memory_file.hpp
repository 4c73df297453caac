#pragma once

#include <cstddef>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/result.hpp"

namespace weir {

/// A file in memory alone, which children may inherit; what is written to it is added at its end, by whichever process.
/// `name`: for /proc. Errors: io.
Result<FileDescriptor> make_memory_file(const char* name);

/// All of an open file from its start; its own position, which several processes share, is left alone. Errors: io.
Result<std::vector<std::byte>> read_from_start(int fd);

}  // namespace weir
