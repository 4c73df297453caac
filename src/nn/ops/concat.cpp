#include <cstring>
#include <utility>
#include <vector>

#include "nn/cpu/pass_ops.hpp"
#include "nn/lowering.hpp"
#include "nn/op_traits.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn {

namespace {

constexpr int kBlockChannels = 32;  // what the kernels read of one source at a time

void make_concat(PassOps& pass, int o, Rows rows) {
  const Op& op = pass.op(o);
  const int t = op.output;
  const std::size_t step = pass.pixel(t);
  pass.share(rows.last - rows.first, pass.extent(t).width, 64, [&](int row, int first, int last, int) {
    const int y = rows.first + row;
    std::size_t offset = 0;
    for (const View& v : op.inputs) {
      const std::size_t bytes = static_cast<std::size_t>(pass.tensor(v.tensor).channels) * pass.element(t);
      for (int x = first; x < last; ++x) {
        std::memcpy(pass.out_at(t, y) + static_cast<std::size_t>(x) * step + offset,
                    pass.at(v.tensor, y + v.top, x + v.left), bytes);
      }
      offset += bytes;
    }
  });
}

/// One input after the other; the last fills up the pixel's last vector.
std::vector<DeviceCall> concat_calls(const Op& op, const DevicePart& part) {
  using vulkan::pair;
  std::vector<DeviceCall> calls;
  int first = 0;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    const View& view = op.inputs[i];
    const auto& [held, channels] = part.sources[i];
    const bool last = i + 1 == op.inputs.size();
    DeviceCall call{.kernel = "concat", .input = i, .keeps = true};
    call.constants = {(channels + 3) / 4, (part.channels + 3) / 4, first, channels, last ? 1 : 0};
    call.push = {pair(part.out.left + view.left - held.left, part.out.top + view.top - held.top),
                 vulkan::word(held.width()), vulkan::size_of(part.out)};
    call.vectors = (first + channels + 3) / 4 - first / 4;
    calls.push_back(std::move(call));
    first += channels;
  }
  return calls;
}

constexpr OpTraits kConcat{.name = "concat", .make = make_concat, .calls = concat_calls};

}  // namespace

const OpKind OpKind::concat{&kConcat};

Status Concat::lower(Lowering& to, const Layer& layer) const {
  Value joined;
  for (int in : layer.inputs) {
    const Value& v = to.value(in);
    joined.parts.insert(joined.parts.end(), v.parts.begin(), v.parts.end());
  }
  // Whole blocks of channels are read where they are; anything else is copied side by side.
  bool blocks = joined.parts.size() <= kMostParts;
  for (const View& v : joined.parts) {
    blocks = blocks && v.gate < 0 && !to.tensor(v.tensor).planar && to.tensor(v.tensor).channels % kBlockChannels == 0;
  }
  if (blocks) {
    to.value(layer.outputs[0]) = std::move(joined);
    return ok();
  }
  Op o;
  o.kind = OpKind::concat;
  o.inputs = std::move(joined.parts);
  for (const View& v : o.inputs) {
    if (v.gate >= 0) return to.unsupported("a gated input of a concatenation");
    if (to.tensor(v.tensor).planar) return to.unsupported("a concatenation of at most four channels");
  }
  to.emit(std::move(o), layer.outputs[0]);
  return ok();
}

}  // namespace weir::nn
