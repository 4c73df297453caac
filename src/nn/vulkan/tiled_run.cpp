#include "nn/vulkan/tiled_run.hpp"

#include <utility>

#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

namespace {

using compute::vulkan::Buffer;
using compute::vulkan::MemoryKind;
using compute::vulkan::MemoryUsage;
using compute::vulkan::Slice;

}  // namespace

Status TiledRun::prepare() {
  auto& pool = session_.pool();
  auto arena = pool.acquire(plan_.arena_size, MemoryKind::activations, MemoryUsage::device);
  if (!arena) return arena.error();
  arena_ = *std::move(arena);
  if (auto uploaded = upload_tables(); !uploaded) return uploaded;
  return allocate_buffers();
}

Status TiledRun::allocate_buffers() {
  const auto acquire_into = [&](Buffer& buffer, Bytes size, MemoryKind kind, MemoryUsage usage) -> Status {
    auto acquired = session_.pool().acquire(size, kind, usage);
    if (!acquired) return acquired.error();
    buffer = *std::move(acquired);
    return ok();
  };
  for (TileBuffers& buffers : buffers_) {
    auto acquired = acquire_into(buffers.upload, plan_.upload, MemoryKind::staging, MemoryUsage::upload);
    if (acquired) acquired = acquire_into(buffers.download, plan_.download, MemoryKind::staging, MemoryUsage::download);
    if (acquired && plan_.copies_tiles)
      acquired = acquire_into(buffers.input, plan_.upload, MemoryKind::activations, MemoryUsage::device);
    if (acquired && plan_.copies_tiles)
      acquired = acquire_into(buffers.result, plan_.download, MemoryKind::activations, MemoryUsage::device);
    if (!acquired) return acquired;
  }
  return ok();
}

Status TiledRun::upload_tables() {
  std::vector<std::byte> bytes;
  table_layout_ = layout_picture_tables(program_, graph_, plan_.extents, &bytes);
  auto uploaded = session_.upload(bytes, MemoryKind::parameters);
  if (!uploaded) return uploaded.error();
  picture_tables_ = *std::move(uploaded);
  return ok();
}

Status TiledRun::run(InputRows& input, const EngineOutput& output, const RunControl& control, int& next_row) {
  input_ = &input;
  control_ = &control;
  first_row_ = next_row;
  ResultBand result{plan_.extents[to_index(program_.output)], plan_.transfer.result_samples, output, next_row};
  result_ = &result;
  auto status = prepare();
  if (status) status = run_passes(program_, plan_.passes.size(), input);
  // Commands in flight still use the buffers that are destroyed after this.
  if (status) status = session_.sync();
  if (!status) session_.drain();
  return status;
}

Status TiledRun::begin_means(const ChannelMeans& /*mean*/) { return recorder().begin_mean(); }
Status TiledRun::finish_means(const ChannelMeans& mean) { return recorder().finish_mean(mean); }

/// Runs one pass over the whole picture, in tiles.
Status TiledRun::make_part(std::size_t pass_index, std::size_t /*part*/) {
  const DevicePass& pass = plan_.passes[pass_index];
  InputBand band{*input_, plan_.input};
  for (const Rect& rect : list_tiles(plan_, pass, pass.mean_index < 0 ? first_row_ : 0)) {
    if (auto going = control_->check_stop(); !going) return going;
    if (auto begun = begin_tile(pass, rect, band); !begun) return begun;
  }
  while (!in_flight_.empty()) {
    if (auto finished = finish_oldest(); !finished) return finished;
  }
  return ok();
}

Recorder TiledRun::recorder() {
  const DeviceMemory memory{slice_of(weights_), slice_of(picture_tables_), slice_of(arena_)};
  return {graph_, program_,          plan_.extents, packed_weights_, table_layout_,
          memory, session_.stream(), plan_.half,    use_matrices_};
}

}  // namespace weir::nn::vulkan
