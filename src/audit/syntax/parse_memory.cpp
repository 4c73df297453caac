#include "audit/syntax/parse_memory.hpp"

#include <array>
#include <cassert>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include <tree_sitter/api.h>

namespace weir::audit {
namespace {

constexpr std::size_t kUnitBytes = 16;  // sizes of blocks are multiples of it; alignment of all blocks, as in malloc
constexpr std::size_t kMaxSmallBytes = 4096;  // larger blocks come from malloc: they are few, and realloc grows them in
                                              // place
constexpr std::size_t kSizeClasses = kMaxSmallBytes / kUnitBytes + 1;
constexpr std::size_t kChunkBytes = std::size_t{256} << 10U;

/// The number directly before every block: its size in units, header included; 0 for a block from malloc.
using Header = std::uint64_t;

Header& header_of(void* block) { return static_cast<Header*>(block)[-1]; }

/// A block in a list of free blocks.
struct FreeBlock {
  FreeBlock* next;
};
struct FreeMemory {
  void operator()(std::byte* memory) const { std::free(memory); }
};

[[noreturn]] void out_of_memory(std::size_t size) {
  std::fprintf(stderr, "error: not enough memory: the parser needs %zu bytes more\n", size);
  std::abort();  // the parser does not handle a failed allocation
}

/// The small blocks of one thread, which are cut from chunks, and their free lists.
class Blocks {
 public:
  void* allocate(std::size_t size) {
    ++in_use_;
    if (size > kMaxSmallBytes - sizeof(Header)) return allocate_large(nullptr, size);
    const std::size_t units = (size + sizeof(Header) + kUnitBytes - 1) / kUnitBytes;
    FreeBlock* const block = free_[units];
    if (block == nullptr) return new_block(units);
    free_[units] = block->next;
    return block;
  }

  void release(void* block) {
    const Header units = header_of(block);
    --in_use_;
    if (units == 0) return std::free(base_of(block));
    free_[units] = new (block) FreeBlock{free_[units]};
  }

  void* resize(void* block, std::size_t size) {
    const Header units = header_of(block);
    if (units == 0) return allocate_large(base_of(block), size);
    const std::size_t old_size = units * kUnitBytes - sizeof(Header);
    if (size <= old_size) return block;
    void* const larger = allocate(size);
    std::memcpy(larger, block, old_size);
    release(block);
    return larger;
  }

  /// Prepares for the next parse. No block may be in use.
  void reset() {
    assert(in_use_ == 0);
    free_.fill(nullptr);
    if (chunks_.size() > ParseMemory::kKeptBytes / kChunkBytes) chunks_.resize(ParseMemory::kKeptBytes / kChunkBytes);
    used_chunks_ = 0;
    unused_begin_ = unused_end_ = nullptr;
  }

 private:
  /// Returns the address that malloc returned for a large block.
  static void* base_of(void* large_block) { return static_cast<std::byte*>(large_block) - kUnitBytes; }

  /// Returns a block from malloc. If `base` is not null, it resizes the block with this base (see base_of()).
  static void* allocate_large(void* base, std::size_t size) {
    auto* const memory = static_cast<std::byte*>(std::realloc(base, size + kUnitBytes));
    if (memory == nullptr) out_of_memory(size);
    header_of(memory + kUnitBytes) = 0;
    return memory + kUnitBytes;
  }

  /// Cuts a block from the unused part of a chunk.
  void* new_block(std::size_t units) {
    const std::size_t size = units * kUnitBytes;
    if (static_cast<std::size_t>(unused_end_ - unused_begin_) < size) next_chunk();
    std::byte* const block = unused_begin_ + sizeof(Header);
    unused_begin_ += size;
    header_of(block) = units;
    return block;
  }

  void next_chunk() {
    if (used_chunks_ == chunks_.size()) {
      chunks_.emplace_back(static_cast<std::byte*>(std::malloc(kChunkBytes)));
      if (chunks_.back() == nullptr) out_of_memory(kChunkBytes);
    }
    std::byte* const chunk = chunks_[used_chunks_++].get();
    unused_begin_ = chunk + (kUnitBytes - sizeof(Header));  // aligns the blocks after their headers
    unused_end_ = chunk + kChunkBytes;
  }

  std::array<FreeBlock*, kSizeClasses> free_{};  ///< indexed by size in units
  std::vector<std::unique_ptr<std::byte, FreeMemory>> chunks_;
  std::size_t used_chunks_ = 0;
  std::byte* unused_begin_ = nullptr;  ///< [unused_begin_, unused_end_) is the unused part of the last chunk in use
  std::byte* unused_end_ = nullptr;
  std::size_t in_use_ = 0;  ///< number of blocks in use
};

/// The blocks of the parse that runs in this thread.
constinit thread_local Blocks* current_blocks = nullptr;

void* allocate(std::size_t size) { return current_blocks->allocate(size); }
void* allocate_zeroed(std::size_t count, std::size_t size) {
  return std::memset(current_blocks->allocate(count * size), 0, count * size);
}
void* resize(void* block, std::size_t size) {
  return block == nullptr ? current_blocks->allocate(size) : current_blocks->resize(block, size);
}
void release(void* block) {
  if (block != nullptr) current_blocks->release(block);
}

}  // namespace

ParseMemory::ParseMemory() {
  [[maybe_unused]] static const bool kIsInstalled =
      (ts_set_allocator(allocate, allocate_zeroed, resize, release), true);
  assert(current_blocks == nullptr);
  thread_local Blocks blocks;
  current_blocks = &blocks;
}

ParseMemory::~ParseMemory() {
  current_blocks->reset();
  current_blocks = nullptr;
}

}  // namespace weir::audit
