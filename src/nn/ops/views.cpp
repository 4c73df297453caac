// Lowers the input, and the layers that need no op of their own: copies, crops, means, and layers on vectors.

#include <utility>

#include <fmt/format.h>

#include "nn/lowering.hpp"
#include "nn/op_traits.hpp"

namespace weir::nn {

namespace {

constexpr OpTraits kInput{.name = "input"};

}  // namespace

const OpKind OpKind::input{&kInput};

Status Input::lower(Lowering& lowering, const Layer& layer) const {
  lowering.emit(Op{}, layer.outputs[0]);
  return ok();
}

Status Split::lower(Lowering& lowering, const Layer& layer) const {
  const int in = layer.inputs[0];
  for (const int out : layer.outputs) {
    lowering.lowered_blob(out) = lowering.lowered_blob(in);
    if (lowering.shape(in).is_vector) lowering.emit_vector_op(layer, out);
  }
  return ok();
}

Status InnerProduct::lower(Lowering& lowering, const Layer& layer) const {
  lowering.emit_vector_op(layer, layer.outputs[0]);
  return ok();
}

Status GlobalAverage::lower(Lowering& lowering, const Layer& layer) const {
  const LoweredBlob& in = lowering.lowered_blob(layer.inputs[0]);
  if (in.parts.size() != 1) return lowering.unsupported("the mean of a concatenation");
  if (in.parts[0].cropped || in.parts[0].gate >= 0) return lowering.unsupported("the mean of a cropped or gated input");
  if (lowering.tensor(in.parts[0].tensor).planar)
    return lowering.unsupported("the mean of an input of at most four channels");
  if (lowering.program().means.size() == kMaxMeans) {
    return lowering.unsupported(fmt::format("more than {} means of whole pictures", kMaxMeans));
  }
  const int out = layer.outputs[0];
  // The vector needs its own entry of `means` and all entries before it.
  lowering.program().means.push_back(ChannelMeans{in.parts[0], out, lowering.shape(out).channels});
  lowering.program().required_means[to_index(out)] = static_cast<int>(lowering.program().means.size());
  return ok();
}

Status Crop::lower(Lowering& lowering, const Layer& layer) const {
  LoweredBlob result = lowering.lowered_blob(layer.inputs[0]);
  for (TensorView& view : result.parts) {
    view.cropped = view.cropped || top != 0 || left != 0 || bottom != 0 || right != 0;
    view.top += top;
    view.left += left;
  }
  lowering.lowered_blob(layer.outputs[0]) = std::move(result);
  return ok();
}

}  // namespace weir::nn
