#include "compute/vulkan/buffer_pool.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "base/round_up.hpp"

namespace weir::compute::vulkan {

Buffer::Buffer(Buffer&& other) noexcept
    : pool_{std::exchange(other.pool_, nullptr)},
      block_{other.block_},
      kind_{other.kind_},
      usage_{other.usage_},
      bypasses_pool_{other.bypasses_pool_} {
  other.block_ = {};
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(block_, other.block_);
  std::swap(kind_, other.kind_);
  std::swap(usage_, other.usage_);
  std::swap(bypasses_pool_, other.bypasses_pool_);
  return *this;
}

Buffer::~Buffer() {
  if (pool_ != nullptr) pool_->take_back(*this);
}

Bytes BufferPool::size_class(Bytes size) {
  constexpr std::uint64_t kMinStepBytes = 64 << 10;
  const std::uint64_t bytes = std::max<std::uint64_t>(size.count(), 1);
  const std::uint64_t step = std::max(kMinStepBytes, std::bit_floor(bytes) / 32);
  return Bytes{round_up(bytes, step)};
}

Result<Buffer> BufferPool::acquire(Bytes size, MemoryKind kind, MemoryUsage usage) {
  const Bytes class_size = size_class(size);
  // The most recently used block is taken, so that blocks that are not needed become the oldest.
  const auto found = std::find_if(idle_.rbegin(), idle_.rend(), [&](const IdleBlock& idle) {
    return idle.block.size == class_size && idle.usage == usage;
  });
  MemoryBlock block;
  if (found != idle_.rend()) {
    block = found->block;
    idle_bytes_ = idle_bytes_ - block.size;
    idle_.erase(std::next(found).base());  // the same element as a forward iterator
    ++hits_;
  } else {
    ++misses_;
    auto allocated = allocate(class_size, usage);
    if (!allocated) return allocated.error();
    block = *allocated;
  }
  limit_for(usage).begin_use(kind, block.size);
  return Buffer{*this, block, kind, usage};
}

Result<MemoryBlock> BufferPool::allocate(Bytes class_size, MemoryUsage usage) {
  MemoryLimit& limit = limit_for(usage);
  if (!limit.charge(class_size)) {
    cleanup();
    if (!limit.charge(class_size)) {
      return Error{Errc::over_budget,
                   fmt::format("{}: {} more would exceed the memory limit of {}: {} in use", device_.info().name,
                               to_text(class_size), to_text(limit.limit()), to_text(limit.in_use()))};
    }
  }
  auto block = device_.allocate(class_size, usage);
  if (!block && block.error().code == Errc::over_budget && !idle_.empty()) {
    cleanup();
    block = device_.allocate(class_size, usage);
  }
  if (!block) {
    limit.release(class_size);
    return block.error();
  }
  allocated_ += class_size;
  peak_ = std::max(peak_, allocated_);
  return block;
}

void BufferPool::take_back(const Buffer& buffer) {
  const IdleBlock idle{buffer.block_, buffer.usage_};
  limit_for(idle.usage).end_use(buffer.kind_, idle.block.size);
  idle_bytes_ += idle.block.size;  // also if the block is freed, because free() subtracts it
  if (buffer.bypasses_pool_) return free(idle);
  idle_.push_back(idle);
  const std::size_t idle_count = count_idle(idle.block.size, idle.usage);
  if (idle_count > settings_.max_idle)
    (void)take_oldest_idle(idle.block.size, idle.usage);  // the destructor of the result frees the block at once
  else
    peak_idle_ = std::max<std::uint64_t>(peak_idle_, idle_count);
}

Buffer BufferPool::take_oldest_idle(Bytes size, MemoryUsage usage) {
  const Bytes class_size = size_class(size);
  const auto oldest = std::find_if(idle_.begin(), idle_.end(), [&](const IdleBlock& idle) {
    return idle.block.size == class_size && idle.usage == usage;
  });
  if (oldest == idle_.end()) return {};
  // The pool does not store the MemoryKind of an idle block, so any kind is used here. It only matters for the counters
  // of MemoryLimit.
  Buffer buffer{*this, oldest->block, MemoryKind::activations, usage};
  buffer.bypasses_pool_ = true;
  idle_bytes_ = idle_bytes_ - oldest->block.size;
  idle_.erase(oldest);
  limit_for(usage).begin_use(buffer.kind_, buffer.size());
  return buffer;
}

std::size_t BufferPool::count_idle(Bytes class_size, MemoryUsage usage) const {
  return static_cast<std::size_t>(std::count_if(idle_.begin(), idle_.end(), [&](const IdleBlock& idle) {
    return idle.block.size == class_size && idle.usage == usage;
  }));
}

void BufferPool::free(const IdleBlock& idle) {
  device_.free(idle.block);
  limit_for(idle.usage).release(idle.block.size);
  allocated_ = allocated_ - idle.block.size;
  idle_bytes_ = idle_bytes_ - idle.block.size;
}

void BufferPool::cleanup() {
  if (settings_.before_cleanup) settings_.before_cleanup();
  for (const IdleBlock& idle : idle_) free(idle);
  idle_.clear();
}

BufferPoolStatistics BufferPool::statistics() const {
  return {.allocated = allocated_,
          .in_use = allocated_ - idle_bytes_,
          .idle = idle_bytes_,
          .peak = peak_,
          .hits = hits_,
          .misses = misses_,
          .peak_idle = peak_idle_};
}

}  // namespace weir::compute::vulkan
