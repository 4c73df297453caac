#pragma once

#include <cstddef>

namespace weir::audit {

/// While an object of this class exists, the parser of this thread allocates from chunks that the thread keeps between
/// parses: an allocation takes a few instructions, and freed memory is still in the cache at the next parse.
/// Allocations of more than 4 KiB come from malloc(), and their memory is freed at once when the parser frees it.
/// Everything that the parser allocated (trees, cursors, the parser itself) must be deleted before the object is
/// destroyed, by the same thread. At most one object per thread at a time.
///
/// Freed blocks from chunks are kept in one list per size and reused, so the blocks of a size never need more memory
/// than the peak use of this size. Between parses a thread keeps at most kKeptBytes bytes. As with the parser's default
/// allocator, a failed allocation ends the program.
/// Source: segregated free lists: Wilson et al., "Dynamic Storage Allocation: A Survey and Critical Review", 1995
class ParseMemory {
 public:
  /// The most memory that a thread keeps between parses, in bytes.
  static constexpr std::size_t kKeptBytes = std::size_t{4} << 20U;

  ParseMemory();
  ~ParseMemory();
  ParseMemory(const ParseMemory&) = delete;
  ParseMemory& operator=(const ParseMemory&) = delete;
};

}  // namespace weir::audit
