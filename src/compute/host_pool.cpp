#include "compute/host_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "base/round_up.hpp"

namespace weir::compute {

namespace {

constexpr std::uint64_t kMinBlockBytes = 256;  // size of the smallest block
constexpr unsigned kMaxPower = 60;             // a block has less than 2^60 bytes; no machine has more memory
constexpr std::uint64_t kAlignment = 64;       // of a block, in bytes: a cache line, and the longest vector

}  // namespace

// There are four classes for each power of two: blocks of class 4 * p + q, with q < 4, have (4 + q) / 4 * 2^p bytes. A
// size between two classes belongs to the larger one. Class 255 also has the sizes above its own, which no machine has.
std::size_t HostPool::class_of(Bytes size) {
  const std::uint64_t bytes = std::max(size.count(), kMinBlockBytes);
  const auto power = static_cast<unsigned>(std::bit_width(bytes) - 1);
  const std::uint64_t quarter = std::uint64_t{1} << (power - 2);
  const std::uint64_t excess = bytes - (std::uint64_t{1} << power);
  const std::uint64_t quarters = (excess + quarter - 1) / quarter;  // 0..4; 4 is the class of the next power of two
  return std::min<std::size_t>(4 * std::size_t{power} + quarters, 255);
}

Bytes HostPool::size_class(Bytes size) {
  const std::size_t index = class_of(size);
  if (index / 4 >= kMaxPower) return size;  // acquire() will refuse it
  return Bytes{(4 + index % 4) << (index / 4 - 2)};
}

Result<HostPool::Block> HostPool::acquire(Bytes size) {
  std::deque<Block>& idle_blocks = idle_[class_of(size)];
  if (!idle_blocks.empty()) {
    const Block block = idle_blocks.back();
    idle_blocks.pop_back();
    idle_bytes_ = idle_bytes_ - block.size;
    ++hits_;
    return block;
  }
  const Bytes block_size = size_class(size);
  if (allocated_ + block_size > settings_.limit) cleanup();
  if (allocated_ + block_size > settings_.limit) {
    return Error{Errc::over_budget, fmt::format("reserve {}: {} of {} in use", to_text(block_size), to_text(allocated_),
                                                to_text(settings_.limit))};
  }
  const bool is_too_large = block_size.count() >> kMaxPower != 0;
  void* memory = is_too_large ? nullptr : std::aligned_alloc(kAlignment, round_up(block_size.count(), kAlignment));
  if (memory == nullptr) {
    return Error{Errc::over_budget, fmt::format("reserve {}: the system has no more memory", to_text(block_size))};
  }
  allocated_ += block_size;
  peak_ = std::max(peak_, allocated_);
  ++misses_;
  return Block{memory, block_size};
}

bool HostPool::needs_cleanup(Bytes size) const {
  return idle_[class_of(size)].empty() && allocated_ + size_class(size) > settings_.limit;
}

void HostPool::give_back(Block block) {
  std::deque<Block>& idle_blocks = idle_[class_of(block.size)];
  if (settings_.max_idle == 0) return free(block);
  if (idle_blocks.size() >= settings_.max_idle) {
    idle_bytes_ = idle_bytes_ - idle_blocks.front().size;
    free(idle_blocks.front());
    idle_blocks.pop_front();
  }
  idle_blocks.push_back(block);
  idle_bytes_ += block.size;
  peak_idle_ = std::max<std::uint64_t>(peak_idle_, idle_blocks.size());
}

void HostPool::free(Block block) {
  std::free(block.memory);
  allocated_ = allocated_ - block.size;
}

void HostPool::cleanup() {
  for (std::deque<Block>& idle_blocks : idle_) {
    for (const Block& block : idle_blocks) free(block);
    std::deque<Block>{}.swap(idle_blocks);  // frees the memory of the deque too, which clear() may keep
  }
  idle_bytes_ = Bytes{};
}

HostPoolStatistics HostPool::statistics() const {
  return {allocated_, allocated_ - idle_bytes_, idle_bytes_, peak_, hits_, misses_, peak_idle_};
}

}  // namespace weir::compute
