// Tiles on their way: to the device, through it, and back.

#include <algorithm>

#include "nn/schedule.hpp"
#include "nn/vulkan/picture_run.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

namespace {

using compute::vulkan::Buffer;
using compute::vulkan::Slice;

/// The part of the input that lies under a part of the result, without what is only looked at around it. A network
/// without padding has a result that lacks the same on every side.
Rect under(Rect rect, Extent out, Extent in) {
  const auto along = [](int first, int last, int out_size, int in_size) {
    const int scale = std::max(1, (out_size + in_size / 2) / in_size);
    const int margin = std::max(0, in_size * scale - out_size) / 2;
    return Rows{std::min((first + margin + scale - 1) / scale, in_size), std::min((last + margin) / scale, in_size)};
  };
  const Rows down = along(rect.top, rect.bottom, out.height, in.height);
  const Rows across = along(rect.left, rect.right, out.width, in.width);
  return {down.first, across.first, down.last, across.last};
}

}  // namespace

Status PictureRun::begin_tile(const DevicePass& pass, Rect rect, InputBand& band) {
  if (pending_.size() == slots_.size()) {
    if (auto finished = finish_oldest(); !finished) return finished;
  }
  const Tile tile = make_tile(program_, plan_.extent, goals_of(program_, plan_, pass, rect), plan_.half,
                              compute::vulkan::kSliceAlignment);
  const Rect& source = tile.region[at(input_tensor(program_))];
  if (auto read = band.require(source.top, source.bottom); !read) return read;
  Pending pending;
  pending.slot = next_slot_;
  pending.rect = rect;
  pending.result = pass.statistic < 0;
  pending.range = band.range(under(rect, plan_.extent[at(pass.tensor)], plan_.input));
  pending.multiplications = tile.multiplications;
  next_slot_ = (next_slot_ + 1) % slots_.size();
  const auto input = send(slots_[pending.slot], source, band);
  if (!input) return input.error();
  // Copies go one after the other, and this one waits until the tile before is computed: so it comes after the input.
  if (!pending_.empty()) {
    if (auto begun = bring_back(pending_.back()); !begun) return begun;
  }
  if (auto recorded = record(pass, tile, *input, pending); !recorded) return recorded;
  pending_.push_back(pending);
  return ok();
}

/// The input of a tile, where its first kernel reads it.
Result<Slice> PictureRun::send(const Slot& slot, const Rect& source, const InputBand& band) {
  if (plan_.transfer.input_samples)
    band.copy_samples(source, reinterpret_cast<std::uint8_t*>(slot.upload.host()));
  else
    band.copy(source, reinterpret_cast<float*>(slot.upload.host()));
  const Slice sent{slot.upload.handle(), 0, upload_bytes(source, plan_.transfer.input_samples).count()};
  if (!plan_.copies) return sent;
  const Slice to{slot.input.handle(), 0, sent.size};
  if (auto copied = session_.copies()->copy(sent, to); !copied) return copied.error();
  if (auto begun = session_.copies()->flush(); !begun) return begun.error();
  return to;
}

Status PictureRun::record(const DevicePass& pass, const Tile& tile, Slice input, Pending& pending) {
  const Transfer& transfer = plan_.transfer;
  Recorder record = recorder();
  auto recorded = record.record(tile, input, transfer.input_samples, plan_.one_tile);
  if (recorded && pending.result) {
    const Slot& slot = slots_[pending.slot];
    const Buffer& result = plan_.copies ? slot.result : slot.download;
    const Slice to{result.handle(), 0, download_bytes(pending.rect, transfer.result_samples).count()};
    recorded = transfer.result_samples ? record.read_samples(tile, pending.rect, to, transfer)
                                       : record.read_planes(tile, pass.tensor, pending.rect, to);
    if (recorded && !plan_.copies) recorded = session_.stream().show_host(to);
  } else if (recorded) {
    recorded = record.add_to_mean(tile, program_.statistics[at(pass.statistic)], pending.rect);
  }
  if (!recorded) return recorded;
  auto ticket = session_.stream().flush();
  if (!ticket) return ticket.error();
  pending.made = *ticket;
  return ok();
}

/// Has the result copied to where the host sees it, once it is made.
Status PictureRun::bring_back(Pending& tile) {
  if (!plan_.copies || !tile.result || tile.back > 0) return ok();
  const Slot& slot = slots_[tile.slot];
  const std::uint64_t size = download_bytes(tile.rect, plan_.transfer.result_samples).count();
  const Slice to{slot.download.handle(), 0, size};
  auto& copies = *session_.copies();
  auto copied = copies.copy({slot.result.handle(), 0, size}, to);
  if (copied) copied = copies.show_host(to);
  if (!copied) return copied;
  auto ticket = copies.flush();
  if (!ticket) return ticket.error();
  tile.back = *ticket;
  return ok();
}

Status PictureRun::finish_oldest() {
  if (auto begun = bring_back(pending_.front()); !begun) return begun;
  const Pending tile = pending_.front();
  pending_.pop_front();
  if (auto waited = session_.stream().wait(tile.made); !waited) return waited;
  if (tile.back > 0) {
    if (auto waited = session_.copies()->wait(tile.back); !waited) return waited;
  }
  if (tile.result) {
    auto passed = result_->take(tile.rect, slots_[tile.slot].download.host(), tile.range);
    if (!passed) return passed;
  }
  control_->done(tile.multiplications);
  return ok();
}

}  // namespace weir::nn::vulkan
