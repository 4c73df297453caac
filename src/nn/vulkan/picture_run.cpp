#include "nn/vulkan/picture_run.hpp"

#include <utility>

#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

namespace {

using compute::vulkan::Buffer;
using compute::vulkan::MemoryKind;
using compute::vulkan::Slice;
using compute::vulkan::Where;

}  // namespace

Status PictureRun::prepare() {
  auto& pool = session_.pool();
  auto arena = pool.acquire(plan_.arena, MemoryKind::activations, Where::device);
  if (!arena) return arena.error();
  arena_ = *std::move(arena);
  if (auto made = make_tables(); !made) return made;
  return prepare_slots();
}

Status PictureRun::prepare_slots() {
  const auto take = [&](Buffer& buffer, Bytes size, MemoryKind kind, Where where) -> Status {
    auto taken = session_.pool().acquire(size, kind, where);
    if (!taken) return taken.error();
    buffer = *std::move(taken);
    return ok();
  };
  for (Slot& slot : slots_) {
    auto taken = take(slot.upload, plan_.upload, MemoryKind::staging, Where::upload);
    if (taken) taken = take(slot.download, plan_.download, MemoryKind::staging, Where::download);
    if (taken && plan_.copies) taken = take(slot.input, plan_.upload, MemoryKind::activations, Where::device);
    if (taken && plan_.copies) taken = take(slot.result, plan_.download, MemoryKind::activations, Where::device);
    if (!taken) return taken;
  }
  return ok();
}

Status PictureRun::make_tables() {
  std::vector<std::byte> bytes;
  layout_ = layout_parameters(program_, graph_, plan_.extent, &bytes);
  auto made = session_.upload(bytes, MemoryKind::parameters);
  if (!made) return made.error();
  parameters_ = *std::move(made);
  return ok();
}

Status PictureRun::run(InputRows& input, const EngineOutput& output, const RunControl& control, int& next_row) {
  input_ = &input;
  control_ = &control;
  first_row_ = next_row;
  ResultBand result{plan_.extent[at(program_.output)], plan_.transfer.result_samples, output, next_row};
  result_ = &result;
  auto status = prepare();
  if (status) status = walk(program_, plan_.passes.size(), input);
  // What is under way reads and writes the buffers that go now.
  if (status) status = session_.sync();
  if (!status) session_.drain();
  return status;
}

Status PictureRun::begin_mean(const Statistic& /*mean*/) { return recorder().begin_mean(); }
Status PictureRun::finish_mean(const Statistic& mean) { return recorder().finish_mean(mean); }

/// The whole picture, in tiles.
Status PictureRun::make_part(std::size_t number, std::size_t /*part*/) {
  const DevicePass& pass = plan_.passes[number];
  InputBand band{*input_, plan_.input};
  for (const Rect& rect : tiles_of(plan_, pass, pass.statistic < 0 ? first_row_ : 0)) {
    if (auto going = control_->may_go_on(); !going) return going;
    if (auto begun = begin_tile(pass, rect, band); !begun) return begun;
  }
  while (!pending_.empty()) {
    if (auto finished = finish_oldest(); !finished) return finished;
  }
  return ok();
}

Recorder PictureRun::recorder() {
  const DeviceMemory memory{slice_of(weights_), slice_of(parameters_), slice_of(arena_)};
  return {graph_, program_, plan_.extent, packed_, layout_, memory, session_.stream(), plan_.half, matrices_};
}

}  // namespace weir::nn::vulkan
