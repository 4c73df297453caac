// The functions sum() and sum_rows() of VulkanExecutor.
#include <algorithm>

#include "nn/train/vulkan/vulkan_executor.hpp"

namespace weir::nn::train {

using compute::vulkan::BindingSlot;

namespace {

constexpr std::size_t kMaxParts = 256;  // largest number of parts of a sum; one workgroup adds the parts

std::size_t divide_up(std::size_t count, std::size_t divisor) { return (count + divisor - 1) / divisor; }

/// Binds `out` as the target of the kernel run; if it is added to, the kernel also reads it.
void write_target(compute::vulkan::Dispatch& dispatch, compute::vulkan::Slice out, bool accumulate) {
  if (accumulate)
    dispatch.read_write(BindingSlot::target, out);
  else
    dispatch.write(BindingSlot::target, out);
}

}  // namespace

// A sum of more than kMaxUndivided values is divided into parts, whose size depends only on the number of values; a
// second kernel run adds the sums of the parts. `push` has the push constants that sum_values.comp declares.
Status VulkanExecutor::sum(const SumJob& job) {
  constexpr std::size_t kMaxUndivided = 16384, kMinPartSize = 8192;
  struct {
    std::uint32_t count, each, accumulate;
    float epsilon, factor;
  } push{to_u32(job.count), to_u32(job.count), job.accumulate ? 1U : 0U, job.epsilon, job.factor};
  Dispatch dispatch;
  dispatch.kernel = {"sum_values", {job.term}};
  dispatch.source(0, job.a);
  if (job.b.buffer != VK_NULL_HANDLE) dispatch.source(1, job.b);
  dispatch.multiplications = static_cast<double>(job.count);
  if (job.count <= kMaxUndivided) {
    write_target(dispatch, job.out, job.accumulate);
    return run(dispatch.push_constants(push));
  }
  const std::size_t part_size = std::max(kMinPartSize, divide_up(job.count, kMaxParts)),
                    parts = divide_up(job.count, part_size);
  auto memory = acquire(parts);
  if (!memory) return memory.error();
  const ScratchBuffer partial_sums{*this, *std::move(memory)};
  push.each = to_u32(part_size);
  push.accumulate = 0;
  push.factor = 1;
  dispatch.groups = {to_u32(parts), 1, 1};
  dispatch.write(BindingSlot::target, partial_sums.slice(parts)).push_constants(push);
  if (auto done = run(dispatch); !done) return done;
  return sum({.a = partial_sums.slice(parts),
              .out = job.out,
              .count = parts,
              .factor = job.factor,
              .accumulate = job.accumulate});
}

// Divides the rows into parts in the same way as sum() divides values. A workgroup sums kChannels channels;
// sum_rows.comp has the same number. `push` has the push constants that sum_rows.comp declares.
Status VulkanExecutor::sum_rows(const RowSumJob& job) {
  constexpr std::size_t kMaxUndivided = 1024, kMinPartSize = 512, kChannels = 16;
  if (job.channels == 0) return ok();
  struct {
    std::uint32_t rows, channels, rows_each, accumulate;
  } push{to_u32(job.rows), to_u32(job.channels), to_u32(job.rows), job.accumulate ? 1U : 0U};
  Dispatch dispatch;
  dispatch.kernel = {"sum_rows", {job.term}};
  dispatch.source(0, job.a);
  if (job.b.buffer != VK_NULL_HANDLE) dispatch.source(1, job.b);
  dispatch.groups = {to_u32(std::min<std::size_t>(divide_up(job.channels, kChannels), kMaxGroups)), 1, 1};
  dispatch.multiplications = static_cast<double>(job.rows) * static_cast<double>(job.channels);
  if (job.rows <= kMaxUndivided) {
    write_target(dispatch, job.out, job.accumulate);
    return run(dispatch.push_constants(push));
  }
  const std::size_t part_rows = std::max(kMinPartSize, divide_up(job.rows, kMaxParts)),
                    parts = divide_up(job.rows, part_rows);
  auto memory = acquire(parts * job.channels);
  if (!memory) return memory.error();
  const ScratchBuffer partial_sums{*this, *std::move(memory)};
  push.rows_each = to_u32(part_rows);
  push.accumulate = 0;
  dispatch.groups[1] = to_u32(parts);
  dispatch.write(BindingSlot::target, partial_sums.slice(parts * job.channels)).push_constants(push);
  if (auto done = run(dispatch); !done) return done;
  return sum_rows({.a = partial_sums.slice(parts * job.channels),
                   .out = job.out,
                   .rows = parts,
                   .channels = job.channels,
                   .accumulate = job.accumulate});
}

}  // namespace weir::nn::train
