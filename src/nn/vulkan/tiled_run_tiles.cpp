// The steps of one tile: upload, computation, download.

#include <algorithm>

#include "nn/row_schedule.hpp"
#include "nn/vulkan/recording.hpp"
#include "nn/vulkan/tiled_run.hpp"

namespace weir::nn::vulkan {

namespace {

using compute::vulkan::Buffer;
using compute::vulkan::Slice;

/// Returns the part of the input that shows the same part of the picture as the rectangle `rect` of a tensor, rounded
/// inwards to whole pixels and without the halo (the margin that is also read to compute `rect`). `out` and `in` are
/// the extents of tensor and input. The tensor of a network without padding lacks the same margin on every side.
Rect matching_input(Rect rect, Extent out, Extent in) {
  // The same for one axis: pixels first..end-1 of the tensor.
  const auto matching_range = [](int first, int end, int out_size, int in_size) {
    const int scale = std::max(1, (out_size + in_size / 2) / in_size);  // the ratio, rounded to the nearest
    const int margin = std::max(0, in_size * scale - out_size) / 2;     // in pixels of the tensor
    return RowRange{std::min((first + margin + scale - 1) / scale, in_size), std::min((end + margin) / scale, in_size)};
  };
  const RowRange rows = matching_range(rect.top, rect.bottom, out.height, in.height);
  const RowRange columns = matching_range(rect.left, rect.right, out.width, in.width);
  return {rows.first, columns.first, rows.end, columns.end};
}

}  // namespace

Status TiledRun::begin_tile(const DevicePass& pass, Rect rect, InputBand& band) {
  if (in_flight_.size() == buffers_.size()) {
    if (auto finished = finish_oldest(); !finished) return finished;
  }
  const Tile tile = make_tile(program_, plan_.extents, tile_outputs(program_, plan_, pass, rect), plan_.half,
                              compute::vulkan::kSliceAlignment);
  const Rect& source = tile.regions[to_index(input_tensor(program_))];
  if (auto read = band.require(source.top, source.bottom); !read) return read;
  TileInFlight pending;
  pending.buffer_index = next_buffer_index_;
  pending.rect = rect;
  pending.is_result = pass.mean_index < 0;
  pending.range = band.colour_range(matching_input(rect, plan_.extents[to_index(pass.tensor)], plan_.input));
  pending.multiplications = tile.multiplications;
  next_buffer_index_ = (next_buffer_index_ + 1) % buffers_.size();
  const auto input = upload_input(buffers_[pending.buffer_index], source, band);
  if (!input) return input.error();
  // The copy stream runs copies in order, and the download waits until the previous tile is computed. So the upload,
  // which need not wait, is recorded before the download.
  if (!in_flight_.empty()) {
    if (auto begun = start_download(in_flight_.back()); !begun) return begun;
  }
  if (auto recorded = record_tile(pass, tile, *input, pending); !recorded) return recorded;
  in_flight_.push_back(pending);
  return ok();
}

/// Uploads the input of a tile, and returns where its first kernel reads it.
Result<Slice> TiledRun::upload_input(const TileBuffers& buffers, const Rect& source, const InputBand& band) {
  if (plan_.transfer.input_samples)
    band.copy_samples(source, reinterpret_cast<std::uint8_t*>(buffers.upload.host()));
  else
    band.copy_planes(source, reinterpret_cast<float*>(buffers.upload.host()));
  const Slice staged{buffers.upload.handle(), 0, upload_bytes(source, plan_.transfer.input_samples).count()};
  if (!plan_.copies_tiles) return staged;
  const Slice to{buffers.input.handle(), 0, staged.size};
  if (auto copied = session_.copy_stream()->copy(staged, to); !copied) return copied.error();
  if (auto begun = session_.copy_stream()->flush(); !begun) return begun.error();
  return to;
}

Status TiledRun::record_tile(const DevicePass& pass, const Tile& tile, Slice input, TileInFlight& pending) {
  const TransferFormat& transfer = plan_.transfer;
  Recorder tile_recorder = recorder();
  auto recorded = tile_recorder.record_tile(tile, input, transfer.input_samples, plan_.one_tile);
  if (recorded && pending.is_result) {
    const TileBuffers& buffers = buffers_[pending.buffer_index];
    const Buffer& result = plan_.copies_tiles ? buffers.result : buffers.download;
    const Slice to{result.handle(), 0, download_bytes(pending.rect, transfer.result_samples).count()};
    recorded = transfer.result_samples ? tile_recorder.write_samples(tile, pending.rect, to, transfer)
                                       : tile_recorder.write_planes(tile, pass.tensor, pending.rect, to);
    if (recorded && !plan_.copies_tiles) recorded = session_.stream().make_host_readable(to);
  } else if (recorded) {
    recorded = tile_recorder.add_to_mean(tile, program_.means[to_index(pass.mean_index)], pending.rect);
  }
  if (!recorded) return recorded;
  auto ticket = session_.stream().flush();
  if (!ticket) return ticket.error();
  pending.computed = *ticket;
  return ok();
}

Status TiledRun::start_download(TileInFlight& tile) {
  if (!plan_.copies_tiles || !tile.is_result || tile.downloaded > 0) return ok();
  const TileBuffers& buffers = buffers_[tile.buffer_index];
  const std::uint64_t size = download_bytes(tile.rect, plan_.transfer.result_samples).count();
  const Slice to{buffers.download.handle(), 0, size};
  auto& copy_stream = *session_.copy_stream();
  auto copied = copy_stream.copy({buffers.result.handle(), 0, size}, to);
  if (copied) copied = copy_stream.make_host_readable(to);
  if (!copied) return copied;
  auto ticket = copy_stream.flush();
  if (!ticket) return ticket.error();
  tile.downloaded = *ticket;
  return ok();
}

Status TiledRun::finish_oldest() {
  if (auto begun = start_download(in_flight_.front()); !begun) return begun;
  const TileInFlight tile = in_flight_.front();
  in_flight_.pop_front();
  if (auto waited = session_.stream().wait(tile.computed); !waited) return waited;
  if (tile.downloaded > 0) {
    if (auto waited = session_.copy_stream()->wait(tile.downloaded); !waited) return waited;
  }
  if (tile.is_result) {
    auto passed = result_->add_tile(tile.rect, buffers_[tile.buffer_index].download.host(), tile.range);
    if (!passed) return passed;
  }
  control_->report_progress(tile.multiplications);
  return ok();
}

}  // namespace weir::nn::vulkan
