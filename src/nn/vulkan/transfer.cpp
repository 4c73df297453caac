#include "nn/vulkan/transfer.hpp"

#include "base/round_up.hpp"
#include "nn/vulkan/recording.hpp"
#include "nn/vulkan/samples_layout.hpp"

namespace weir::nn::vulkan {

Bytes upload_bytes(Rect rect, bool samples) {
  const std::size_t size = 3 * at(rect.height()) * at(rect.width()) * (samples ? 1 : sizeof(float));
  return Bytes{round_up(size, 16)};
}

Bytes download_bytes(Rect rect, bool samples) {
  return samples ? Bytes{round_up(SamplesLayout{rect}.bytes(), 16)} : upload_bytes(rect, false);
}

Transfer samples_both_ways(const Family& family) {
  Transfer transfer{.input_samples = true, .result_samples = true};
  if (family.residual) {
    transfer.base_scale = family.scale;
    transfer.base_shift = family.border * family.scale - family.crop;
  }
  return transfer;
}

bool shuffles_to_samples(const Program& program, const Transfer& transfer) {
  const Op& last = program.ops[at(program.tensors[at(program.output)].producer)];
  // Of two pictures that are to be added the kernel has room for one.
  return transfer.result_samples && last.kind == OpKind::shuffle &&
         (last.inputs.size() == 1 || transfer.base_scale == 0);
}

Rect base_under(const Transfer& transfer, const Rect& rect) {
  const auto first = [&](int p) { return (p + transfer.base_shift) / transfer.base_scale; };
  return {first(rect.top), first(rect.left), first(rect.bottom - 1) + 1, first(rect.right - 1) + 1};
}

}  // namespace weir::nn::vulkan
