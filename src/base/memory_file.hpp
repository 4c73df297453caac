#pragma once

#include <cstddef>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/result.hpp"

namespace weir {

/// Creates a file that exists only in memory (memfd_create(2)). Its descriptor is closed on exec, so a child gets it
/// only if ChildOptions::inherited_descriptors lists it. Every write, from any process, appends to the end of the file.
/// `name` appears in /proc.
/// Errors: io.
Result<FileDescriptor> make_memory_file(const char* name);

/// Returns the whole contents of the open file `fd`. Does not change the file position, which several processes may
/// share. Errors: io.
Result<std::vector<std::byte>> read_from_start(int fd);

}  // namespace weir
