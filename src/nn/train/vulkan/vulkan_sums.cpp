#include <algorithm>

#include "nn/train/vulkan/vulkan_work.hpp"

namespace weir::nn::train {

using compute::vulkan::Place;

namespace {

constexpr std::size_t kMostParts = 256;  // of a sum: what one group then adds up

std::size_t pieces(std::size_t count, std::size_t each) { return (count + each - 1) / each; }

void to_target(compute::vulkan::Dispatch& dispatch, compute::vulkan::Slice out, bool accumulate) {
  if (accumulate)
    dispatch.change(Place::target, out);
  else
    dispatch.write(Place::target, out);
}

}  // namespace

// In pieces whose size depends on the count alone; a second run adds the pieces up.
Status VulkanWork::sum(const Sum& c) {
  constexpr std::size_t kAtOnce = 16384, kEach = 8192;
  struct {
    std::uint32_t count, each, accumulate;
    float epsilon, factor;
  } push{word(c.count), word(c.count), c.accumulate ? 1U : 0U, c.epsilon, c.factor};
  Dispatch dispatch;
  dispatch.kernel = {"sum_values", {c.term}};
  dispatch.source(0, c.a);
  if (c.b.buffer != VK_NULL_HANDLE) dispatch.source(1, c.b);
  dispatch.multiplications = static_cast<double>(c.count);
  if (c.count <= kAtOnce) {
    to_target(dispatch, c.out, c.accumulate);
    return run(dispatch.constants(push));
  }
  const std::size_t each = std::max(kEach, pieces(c.count, kMostParts)), parts = pieces(c.count, each);
  auto memory = take(parts);
  if (!memory) return memory.error();
  const Between between{*this, *std::move(memory)};
  push.each = word(each);
  push.accumulate = 0;
  push.factor = 1;
  dispatch.groups = {word(parts), 1, 1};
  dispatch.write(Place::target, between.slice(parts)).constants(push);
  if (auto done = run(dispatch); !done) return done;
  return sum({.a = between.slice(parts), .out = c.out, .count = parts, .factor = c.factor, .accumulate = c.accumulate});
}

Status VulkanWork::sum_rows(const RowsSum& c) {
  constexpr std::size_t kAtOnce = 1024, kEach = 512, kChannels = 16;
  if (c.channels == 0) return ok();
  struct {
    std::uint32_t rows, channels, rows_each, accumulate;
  } push{word(c.rows), word(c.channels), word(c.rows), c.accumulate ? 1U : 0U};
  Dispatch dispatch;
  dispatch.kernel = {"sum_rows", {c.term}};
  dispatch.source(0, c.a);
  if (c.b.buffer != VK_NULL_HANDLE) dispatch.source(1, c.b);
  dispatch.groups = {word(std::min<std::size_t>(pieces(c.channels, kChannels), kMostGroups)), 1, 1};
  dispatch.multiplications = static_cast<double>(c.rows) * static_cast<double>(c.channels);
  if (c.rows <= kAtOnce) {
    to_target(dispatch, c.out, c.accumulate);
    return run(dispatch.constants(push));
  }
  const std::size_t each = std::max(kEach, pieces(c.rows, kMostParts)), parts = pieces(c.rows, each);
  auto memory = take(parts * c.channels);
  if (!memory) return memory.error();
  const Between between{*this, *std::move(memory)};
  push.rows_each = word(each);
  push.accumulate = 0;
  dispatch.groups[1] = word(parts);
  dispatch.write(Place::target, between.slice(parts * c.channels)).constants(push);
  if (auto done = run(dispatch); !done) return done;
  return sum_rows({.a = between.slice(parts * c.channels),
                   .out = c.out,
                   .rows = parts,
                   .channels = c.channels,
                   .accumulate = c.accumulate});
}

}  // namespace weir::nn::train
