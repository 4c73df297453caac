#include <algorithm>

#include "nn/train/vulkan/vulkan_executor.hpp"

namespace weir::nn::train {

using compute::vulkan::BindingSlot;

namespace {

constexpr std::size_t kMaxParts = 256;  // largest number of parts of a sum; one workgroup adds the parts

std::size_t divide_up(std::size_t count, std::size_t each) { return (count + each - 1) / each; }

void write_target(compute::vulkan::Dispatch& dispatch, compute::vulkan::Slice out, bool accumulate) {
  if (accumulate)
    dispatch.read_write(BindingSlot::target, out);
  else
    dispatch.write(BindingSlot::target, out);
}

}  // namespace

// A sum of more than kMaxUndivided values is divided into parts, whose size depends only on the number of values; a
// second kernel run adds the sums of the parts.
Status VulkanExecutor::sum(const SumJob& c) {
  constexpr std::size_t kMaxUndivided = 16384, kMinPartSize = 8192;
  struct {
    std::uint32_t count, each, accumulate;
    float epsilon, factor;
  } push{to_u32(c.count), to_u32(c.count), c.accumulate ? 1U : 0U, c.epsilon, c.factor};
  Dispatch dispatch;
  dispatch.kernel = {"sum_values", {c.term}};
  dispatch.source(0, c.a);
  if (c.b.buffer != VK_NULL_HANDLE) dispatch.source(1, c.b);
  dispatch.multiplications = static_cast<double>(c.count);
  if (c.count <= kMaxUndivided) {
    write_target(dispatch, c.out, c.accumulate);
    return run(dispatch.push_constants(push));
  }
  const std::size_t each = std::max(kMinPartSize, divide_up(c.count, kMaxParts)), parts = divide_up(c.count, each);
  auto memory = acquire(parts);
  if (!memory) return memory.error();
  const ScratchBuffer partial_sums{*this, *std::move(memory)};
  push.each = to_u32(each);
  push.accumulate = 0;
  push.factor = 1;
  dispatch.groups = {to_u32(parts), 1, 1};
  dispatch.write(BindingSlot::target, partial_sums.slice(parts)).push_constants(push);
  if (auto done = run(dispatch); !done) return done;
  return sum(
      {.a = partial_sums.slice(parts), .out = c.out, .count = parts, .factor = c.factor, .accumulate = c.accumulate});
}

Status VulkanExecutor::sum_rows(const RowSumJob& c) {
  constexpr std::size_t kMaxUndivided = 1024, kMinPartSize = 512, kChannels = 16;
  if (c.channels == 0) return ok();
  struct {
    std::uint32_t rows, channels, rows_each, accumulate;
  } push{to_u32(c.rows), to_u32(c.channels), to_u32(c.rows), c.accumulate ? 1U : 0U};
  Dispatch dispatch;
  dispatch.kernel = {"sum_rows", {c.term}};
  dispatch.source(0, c.a);
  if (c.b.buffer != VK_NULL_HANDLE) dispatch.source(1, c.b);
  dispatch.groups = {to_u32(std::min<std::size_t>(divide_up(c.channels, kChannels), kMaxGroups)), 1, 1};
  dispatch.multiplications = static_cast<double>(c.rows) * static_cast<double>(c.channels);
  if (c.rows <= kMaxUndivided) {
    write_target(dispatch, c.out, c.accumulate);
    return run(dispatch.push_constants(push));
  }
  const std::size_t each = std::max(kMinPartSize, divide_up(c.rows, kMaxParts)), parts = divide_up(c.rows, each);
  auto memory = acquire(parts * c.channels);
  if (!memory) return memory.error();
  const ScratchBuffer partial_sums{*this, *std::move(memory)};
  push.rows_each = to_u32(each);
  push.accumulate = 0;
  dispatch.groups[1] = to_u32(parts);
  dispatch.write(BindingSlot::target, partial_sums.slice(parts * c.channels)).push_constants(push);
  if (auto done = run(dispatch); !done) return done;
  return sum_rows({.a = partial_sums.slice(parts * c.channels),
                   .out = c.out,
                   .rows = parts,
                   .channels = c.channels,
                   .accumulate = c.accumulate});
}

}  // namespace weir::nn::train
