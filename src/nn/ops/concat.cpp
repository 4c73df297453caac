// The op `concat`: copies the channels of several tensors into one. Lowers the layer Concat: to concat, or to a blob
// with several parts.

#include <cstring>
#include <utility>
#include <vector>

#include "nn/cpu/pass_ops.hpp"
#include "nn/lowering.hpp"
#include "nn/op_traits.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn {

namespace {

constexpr int kBlockChannels = 32;  // a kernel reads its input in blocks of this many channels, each of one tensor

void compute_concat(PassOps& pass, int o, RowRange rows) {
  const Op& op = pass.op(o);
  const int output = op.output;
  const std::size_t pixel_bytes = pass.pixel_bytes(output);
  const int width = pass.extent(output).width;
  pass.parallel_for(
      rows.end - rows.first, width, PassOps::kColumnGrain, [&](int row, int first, int last, int /*member*/) {
        const int y = rows.first + row;
        std::size_t channel_offset = 0;
        for (const TensorView& source : op.inputs) {
          const std::size_t bytes =
              static_cast<std::size_t>(pass.tensor(source.tensor).channels) * pass.element_bytes(output);
          for (int x = first; x < last; ++x) {
            std::memcpy(pass.write_address(output, y) + static_cast<std::size_t>(x) * pixel_bytes + channel_offset,
                        pass.read_address(source.tensor, y + source.top, x + source.left), bytes);
          }
          channel_offset += bytes;
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
    // The order of the constants is that of concat.comp.
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
    const LoweredBlob& input = lowering.lowered_blob(in);
    joined.parts.insert(joined.parts.end(), input.parts.begin(), input.parts.end());
  }
  // Convolutions read whole blocks of channels from several tensors; other inputs are copied into one tensor.
  bool has_whole_blocks = joined.parts.size() <= kMaxConcatParts;
  for (const TensorView& part : joined.parts) {
    has_whole_blocks = has_whole_blocks && part.gate < 0 && !lowering.tensor(part.tensor).planar &&
                       lowering.tensor(part.tensor).channels % kBlockChannels == 0;
  }
  if (has_whole_blocks) {
    lowering.lowered_blob(layer.outputs[0]) = std::move(joined);
    return ok();
  }
  Op copy;
  copy.kind = OpKind::concat;
  copy.inputs = std::move(joined.parts);
  for (const TensorView& part : copy.inputs) {
    if (part.gate >= 0) return lowering.unsupported("a gated input of a concatenation");
    if (lowering.tensor(part.tensor).planar)
      return lowering.unsupported("a concatenation with an input of at most four channels");
  }
  lowering.emit(std::move(copy), layer.outputs[0]);
  return ok();
}

}  // namespace weir::nn
