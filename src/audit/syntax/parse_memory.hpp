#pragma once

#include <cstddef>

namespace weir::audit {

/// While one stands, the parser of this thread takes its memory from chunks that the thread keeps from parse to parse: to
/// allocate is a few instructions, and what one parse freed the next finds warm. All that the parser gave out (trees, cursors,
/// itself) must be deleted before it ends, by the same thread. At most one a thread at a time.
///
/// Freed blocks are kept by size and given out again, so no size holds more than it once needed at a time. Between parses a
/// thread keeps at most kKept bytes. As with the parser's own allocator, want of memory ends the program.
/// Source  segregated free lists: Wilson et al., "Dynamic Storage Allocation: A Survey and Critical Review", 1995
class ParseMemory {
 public:
  static constexpr std::size_t kKeptBytes = std::size_t{4} << 20U;

  ParseMemory();
  ~ParseMemory();
  ParseMemory(const ParseMemory&) = delete;
  ParseMemory& operator=(const ParseMemory&) = delete;
};

}  // namespace weir::audit
