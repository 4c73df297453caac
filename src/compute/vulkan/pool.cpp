#include "compute/vulkan/pool.hpp"

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
      where_{other.where_},
      leaves_{other.leaves_} {
  other.block_ = {};
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(block_, other.block_);
  std::swap(kind_, other.kind_);
  std::swap(where_, other.where_);
  std::swap(leaves_, other.leaves_);
  return *this;
}

Buffer::~Buffer() {
  if (pool_ != nullptr) pool_->take_back(*this);
}

Bytes Pool::size_class(Bytes size) {
  constexpr std::uint64_t kGrain = 64 << 10;
  const std::uint64_t count = std::max<std::uint64_t>(size.count(), 1);
  const std::uint64_t step = std::max(kGrain, std::bit_floor(count) / 32);
  return Bytes{round_up(count, step)};
}

Result<Buffer> Pool::acquire(Bytes size, MemoryKind kind, Where where) {
  const Bytes wanted = size_class(size);
  const auto found = std::find_if(idle_.rbegin(), idle_.rend(),
                                  [&](const Idle& idle) { return idle.block.size == wanted && idle.where == where; });
  Block block;
  if (found != idle_.rend()) {
    block = found->block;
    idle_bytes_ = idle_bytes_ - block.size;
    idle_.erase(std::next(found).base());
    ++hits_;
  } else {
    ++misses_;
    auto made = allocate(wanted, where);
    if (!made) return made.error();
    block = *made;
  }
  line_of(where).begin_use(kind, block.size);
  return Buffer{*this, block, kind, where};
}

Result<Block> Pool::allocate(Bytes size, Where where) {
  MemoryLine& line = line_of(where);
  if (!line.charge(size)) {
    cleanup();
    if (!line.charge(size)) {
      return Error{Errc::over_budget,
                   fmt::format("{}: {} more would pass the line of {}: {} in use", device_.info().name, to_text(size),
                               to_text(line.limit()), to_text(line.in_use()))};
    }
  }
  auto block = device_.allocate(size, where);
  if (!block && block.error().code == Errc::over_budget && !idle_.empty()) {
    cleanup();
    block = device_.allocate(size, where);
  }
  if (!block) {
    line.release(size);
    return block.error();
  }
  allocated_ += size;
  peak_ = std::max(peak_, allocated_);
  return block;
}

void Pool::take_back(const Buffer& buffer) {
  const Idle idle{buffer.block_, buffer.where_};
  line_of(idle.where).end_use(buffer.kind_, idle.block.size);
  idle_bytes_ += idle.block.size;
  if (buffer.leaves_) return free(idle);
  idle_.push_back(idle);
  const std::size_t alike = idle_alike(idle.block.size, idle.where);
  if (alike > settings_.max_idle)
    (void)take_oldest(idle.block.size, idle.where);
  else
    most_idle_ = std::max<std::uint64_t>(most_idle_, alike);
}

Buffer Pool::take_oldest(Bytes size, Where where) {
  const Bytes wanted = size_class(size);
  const auto oldest = std::find_if(idle_.begin(), idle_.end(),
                                   [&](const Idle& idle) { return idle.block.size == wanted && idle.where == where; });
  if (oldest == idle_.end()) return {};
  Buffer buffer{*this, oldest->block, MemoryKind::activations, where};
  buffer.leaves_ = true;
  idle_bytes_ = idle_bytes_ - oldest->block.size;
  idle_.erase(oldest);
  line_of(where).begin_use(buffer.kind_, buffer.size());
  return buffer;
}

std::size_t Pool::idle_alike(Bytes size, Where where) const {
  return static_cast<std::size_t>(std::count_if(
      idle_.begin(), idle_.end(), [&](const Idle& idle) { return idle.block.size == size && idle.where == where; }));
}

void Pool::free(const Idle& idle) {
  device_.free(idle.block);
  line_of(idle.where).release(idle.block.size);
  allocated_ = allocated_ - idle.block.size;
  idle_bytes_ = idle_bytes_ - idle.block.size;
}

void Pool::cleanup() {
  if (settings_.before_cleanup) settings_.before_cleanup();
  for (const Idle& idle : idle_) free(idle);
  idle_.clear();
}

PoolStatistics Pool::statistics() const {
  return {.allocated = allocated_,
          .in_use = allocated_ - idle_bytes_,
          .idle = idle_bytes_,
          .peak = peak_,
          .hits = hits_,
          .misses = misses_,
          .most_idle = most_idle_};
}

}  // namespace weir::compute::vulkan
