// The picture, and the layers that become no op: copies, crops, and what is made of vectors.

#include <utility>

#include <fmt/format.h>

#include "nn/lowering.hpp"
#include "nn/op_traits.hpp"

namespace weir::nn {

namespace {

constexpr OpTraits kInput{.name = "input"};

}  // namespace

const OpKind OpKind::input{&kInput};

Status Input::lower(Lowering& to, const Layer& layer) const {
  to.emit(Op{}, layer.outputs[0]);
  return ok();
}

Status Split::lower(Lowering& to, const Layer& layer) const {
  const int in = layer.inputs[0];
  for (const int out : layer.outputs) {
    to.value(out) = to.value(in);
    if (to.shape(in).vector) to.emit_vector(layer, out);
  }
  return ok();
}

Status InnerProduct::lower(Lowering& to, const Layer& layer) const {
  to.emit_vector(layer, layer.outputs[0]);
  return ok();
}

Status GlobalAverage::lower(Lowering& to, const Layer& layer) const {
  const Value& in = to.value(layer.inputs[0]);
  if (in.parts.size() != 1) return to.unsupported("the mean of a concatenation");
  if (in.parts[0].cropped || in.parts[0].gate >= 0) return to.unsupported("the mean of a crop");
  if (to.tensor(in.parts[0].tensor).planar) return to.unsupported("the mean of at most four channels");
  if (to.program().statistics.size() == kMostStatistics) {
    return to.unsupported(fmt::format("more than {} means of whole pictures", kMostStatistics));
  }
  const int out = layer.outputs[0];
  to.program().statistics.push_back(Statistic{in.parts[0], out, to.shape(out).channels});
  to.program().vector_level[index(out)] = static_cast<int>(to.program().statistics.size());
  return ok();
}

Status Crop::lower(Lowering& to, const Layer& layer) const {
  Value v = to.value(layer.inputs[0]);
  for (View& view : v.parts) {
    view.cropped = view.cropped || top != 0 || left != 0 || bottom != 0 || right != 0;
    view.top += top;
    view.left += left;
  }
  to.value(layer.outputs[0]) = std::move(v);
  return ok();
}

}  // namespace weir::nn
