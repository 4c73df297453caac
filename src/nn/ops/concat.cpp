#include <cstring>
#include <utility>
#include <vector>

#include "nn/cpu/pass_ops.hpp"
#include "nn/lowering.hpp"
#include "nn/op_traits.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn {

namespace {

constexpr int kBlockChannels = 32;  // a kernel reads its input in blocks of so many channels of one tensor

void compute_concat(PassOps& pass, int o, RowRange rows) {
  const Op& op = pass.op(o);
  const int t = op.output;
  const std::size_t step = pass.pixel_bytes(t);
  pass.parallel_for(rows.end - rows.first, pass.extent(t).width, 64, [&](int row, int first, int last, int) {
    const int y = rows.first + row;
    std::size_t offset = 0;
    for (const TensorView& v : op.inputs) {
      const std::size_t bytes = static_cast<std::size_t>(pass.tensor(v.tensor).channels) * pass.element_bytes(t);
      for (int x = first; x < last; ++x) {
        std::memcpy(pass.write_address(t, y) + static_cast<std::size_t>(x) * step + offset,
                    pass.read_address(v.tensor, y + v.top, x + v.left), bytes);
      }
      offset += bytes;
    }
  });
}

/// Returns one call for each input. The last call also writes zeros behind the last channel, up to a whole vector of
/// four channels.
std::vector<DeviceCall> concat_calls(const Op& op, const DeviceOutput& part) {
  using vulkan::pack_pair;
  std::vector<DeviceCall> calls;
  int first_channel = 0;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    const TensorView& view = op.inputs[i];
    const auto& [held, channels] = part.sources[i];  // `held`: the region that is in device memory
    const bool last = i + 1 == op.inputs.size();
    DeviceCall call{.kernel = "concat", .input = i, .keeps_unwritten = true};
    call.constants = {(channels + 3) / 4, (part.channels + 3) / 4, first_channel, channels, last ? 1 : 0};
    call.push_constants = {pack_pair(part.region.left + view.left - held.left, part.region.top + view.top - held.top),
                           vulkan::to_word(held.width()), vulkan::pack_size(part.region)};
    call.vector_count = (first_channel + channels + 3) / 4 - first_channel / 4;
    calls.push_back(std::move(call));
    first_channel += channels;
  }
  return calls;
}

constexpr OpTraits kConcat{.name = "concat", .compute_rows = compute_concat, .device_calls = concat_calls};

}  // namespace

const OpKind OpKind::concat{&kConcat};

Status Concat::lower(Lowering& lowering, const Layer& layer) const {
  LoweredBlob joined;
  for (int in : layer.inputs) {
    const LoweredBlob& v = lowering.lowered_blob(in);
    joined.parts.insert(joined.parts.end(), v.parts.begin(), v.parts.end());
  }
  // Convolutions read whole blocks of channels from several tensors; other inputs are copied into one tensor.
  bool has_whole_blocks = joined.parts.size() <= kMaxConcatParts;
  for (const TensorView& v : joined.parts) {
    has_whole_blocks = has_whole_blocks && v.gate < 0 && !lowering.tensor(v.tensor).planar &&
                       lowering.tensor(v.tensor).channels % kBlockChannels == 0;
  }
  if (has_whole_blocks) {
    lowering.lowered_blob(layer.outputs[0]) = std::move(joined);
    return ok();
  }
  Op o;
  o.kind = OpKind::concat;
  o.inputs = std::move(joined.parts);
  for (const TensorView& v : o.inputs) {
    if (v.gate >= 0) return lowering.unsupported("a gated input of a concatenation");
    if (lowering.tensor(v.tensor).planar)
      return lowering.unsupported("a concatenation with an input of at most four channels");
  }
  lowering.emit(std::move(o), layer.outputs[0]);
  return ok();
}

}  // namespace weir::nn
