#include "nn/vulkan/transfer_format.hpp"

#include "base/round_up.hpp"
#include "nn/vulkan/recording.hpp"
#include "nn/vulkan/samples_layout.hpp"

namespace weir::nn::vulkan {

Bytes upload_bytes(Rect rect, bool samples) {
  const std::size_t size = 3 * to_index(rect.height()) * to_index(rect.width()) * (samples ? 1 : sizeof(float));
  return Bytes{round_up(size, 16)};
}

Bytes download_bytes(Rect rect, bool samples) {
  return samples ? Bytes{round_up(SamplesLayout{rect}.total_bytes(), 16)} : upload_bytes(rect, /*samples=*/false);
}

TransferFormat sample_transfer(const Family& family) {
  TransferFormat transfer{.input_samples = true, .result_samples = true};
  if (family.needs_enlarged_picture) {
    // The shift is the part of the enlarged border that the network itself removes at the top and at the left.
    transfer.base_scale = family.scale;
    transfer.base_shift = family.border * family.scale - family.crop;
  }
  return transfer;
}

bool shuffle_makes_samples(const Program& program, const TransferFormat& transfer) {
  const Op& last = program.ops[to_index(program.tensors[to_index(program.output)].producer)];
  // shuffle_samples.comp can add only one picture: the second input of the shuffle, or the network's enlarged input.
  return transfer.result_samples && last.kind == OpKind::shuffle &&
         (last.inputs.size() == 1 || transfer.base_scale == 0);
}

Rect base_rect(const TransferFormat& transfer, const Rect& rect) {
  // The row (or column) of the input that is added to this row (or column) of the result.
  const auto source_pixel = [&](int position) { return (position + transfer.base_shift) / transfer.base_scale; };
  return {source_pixel(rect.top), source_pixel(rect.left), source_pixel(rect.bottom - 1) + 1,
          source_pixel(rect.right - 1) + 1};
}

}  // namespace weir::nn::vulkan
