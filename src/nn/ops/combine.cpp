// The op `combine`: sums, and activations and factors that are not part of a convolution. Lowers the layers PReLU,
// activations (Pointwise), BinaryOp and WeightedSum: to combine, or to a part of another op.

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "compute/kernels/kernels.hpp"
#include "nn/cpu/pass_ops.hpp"
#include "nn/lowering.hpp"
#include "nn/op_traits.hpp"

namespace weir::nn {

namespace {

/// Returns true if `view` can be a further input of the op: only the first kMaxGatedInputs inputs may have a gate.
bool can_add_input(const Op& sum, const TensorView& view) {
  return sum.inputs.size() < (view.gate >= 0 ? kMaxGatedInputs : std::size_t{compute::kMaxCombined});
}

/// Adds coefficient * view to the op.
void add_to_sum(Op& sum, const TensorView& view, float coefficient) {
  sum.inputs.push_back(view);
  sum.coefficient.push_back(coefficient);
}

/// Emits the sum of coefficient[i] * blobs[i], plus `constant`, followed by `activation`. Emits several ops if one op
/// cannot have so many inputs: then the first input of each further op is the result of the op before it. Adds the
/// inputs in their order.
Status emit_combine(Lowering& lowering, const Layer& layer, const std::vector<int>& blobs,
                    const std::vector<float>& coefficient, float constant, const Activation& activation = {}) {
  std::vector<TensorView> views;
  for (int blob : blobs) {
    if (lowering.lowered_blob(blob).parts.size() != 1) return lowering.unsupported("arithmetic on a concatenation");
    views.push_back(lowering.lowered_blob(blob).parts[0]);
  }
  std::size_t next = 0;
  while (next < views.size()) {
    Op sum;
    sum.kind = OpKind::combine;
    if (next == 0) sum.constant = constant;
    if (next > 0) add_to_sum(sum, lowering.first_part(layer.outputs[0]), 1);
    for (; next < views.size() && can_add_input(sum, views[next]); ++next)
      add_to_sum(sum, views[next], coefficient[next]);
    if (next == views.size()) sum.activation = activation;
    lowering.emit(std::move(sum), layer.outputs[0]);
  }
  return ok();
}

/// Emits a * first + b * second for the two inputs of the layer: if possible as part of the convolution that makes one
/// of them, otherwise as an op `combine`.
Status emit_weighted_sum(Lowering& lowering, const Layer& layer, float a, float b) {
  const int first = layer.inputs[0];
  const int second = layer.inputs[1];
  for (const bool is_swapped : {false, true}) {
    const int convolved = is_swapped ? second : first;
    const int other = is_swapped ? first : second;
    if (lowering.lowered_blob(other).parts.size() != 1) continue;
    Op* convolution = lowering.find_open_producer(convolved);
    const TensorView residual = lowering.lowered_blob(other).parts[0];
    // The other tensor must be computed before the convolution. `direct` kernels add no residual, and a residual and
    // its sum are feature rows.
    if (convolution == nullptr || convolution->kind == OpKind::direct || lowering.tensor(convolution->output).planar ||
        lowering.tensor(residual.tensor).planar || residual.tensor >= convolution->output) {
      continue;
    }
    convolution->epilogue.has_residual = true;
    convolution->epilogue.residual = residual;
    convolution->epilogue.alpha *= is_swapped ? b : a;
    convolution->epilogue.beta = is_swapped ? a : b;
    lowering.set_output_blob(*convolution, layer.outputs[0]);
    return ok();
  }
  return emit_combine(lowering, layer, {first, second}, {a, b}, 0);
}

/// Emits an operation with a scalar, as scale * input + constant.
Status emit_scalar_op(Lowering& lowering, const Layer& layer, const BinaryOp& binary) {
  using Kind = BinaryOp::Kind;
  const int in = layer.inputs[0];
  float scale = 1;
  float constant = 0;
  switch (binary.kind) {
    case Kind::add:
      constant = binary.scalar;
      break;
    case Kind::sub:
      constant = -binary.scalar;
      break;
    case Kind::mul:
      scale = binary.scalar;
      break;
    case Kind::div:
      scale = 1 / binary.scalar;
      break;
    case Kind::rsub:
      scale = -1;
      constant = binary.scalar;
      break;
  }
  Op* producer = lowering.find_open_producer(in);
  // A factor can be part of alpha only if it is positive: pack_op() multiplies alpha into the weights, so it is applied
  // before the activation, and ReLU and leaky ReLU give the same result then only for a positive factor.
  if (producer != nullptr && constant == 0 && scale > 0 && producer->kind != OpKind::direct &&
      !lowering.tensor(producer->output).planar) {
    producer->epilogue.alpha *= scale;
    lowering.set_output_blob(*producer, layer.outputs[0]);
    return ok();
  }
  return emit_combine(lowering, layer, {in}, {scale}, constant);
}

/// Emits shuffle(x) + nearest(y), the sum of a pixel shuffle and of a picture enlarged by nearest neighbour, as one op
/// that reads y itself. Possible if both have the same factor and the result is planar; otherwise returns false.
bool join_shuffle_and_nearest(Lowering& lowering, const Layer& layer) {
  for (const bool is_swapped : {false, true}) {
    const int shuffled = layer.inputs[is_swapped ? 1 : 0];
    const int enlarged = layer.inputs[is_swapped ? 0 : 1];
    if (lowering.count_readers(shuffled) != 1 || lowering.count_readers(enlarged) != 1) continue;
    if (lowering.lowered_blob(shuffled).parts.size() != 1 || lowering.lowered_blob(enlarged).parts.size() != 1)
      continue;
    Op& shuffle = lowering.op(lowering.tensor(lowering.first_part(shuffled).tensor).producer);
    Op& resize = lowering.op(lowering.tensor(lowering.first_part(enlarged).tensor).producer);
    if (shuffle.kind != OpKind::shuffle || shuffle.inputs.size() != 1 || resize.kind != OpKind::resize) continue;
    const auto& interp = std::get<Interp>(resize.layer_operation);
    if (interp.kind != Interp::Kind::nearest || interp.scale != static_cast<float>(shuffle.factor)) continue;
    if (!lowering.tensor(shuffle.output).planar || !lowering.tensor(resize.inputs[0].tensor).planar) continue;
    const TensorView& shuffle_view = lowering.first_part(shuffled);
    const TensorView& resize_view = lowering.first_part(enlarged);
    if (shuffle_view.cropped || resize_view.cropped || resize.inputs[0].cropped) continue;
    if (shuffle_view.gate >= 0 || resize_view.gate >= 0) continue;  // the joined op has no factors
    Op joined = shuffle;
    joined.inputs.push_back(resize.inputs[0]);
    lowering.emit(std::move(joined), layer.outputs[0]);
    return true;
  }
  return false;
}

/// Computes rows of the op with index `o`. The rows of each plane of a planar tensor are divided among the threads as
/// separate rows.
void compute_combine(PassOps& pass, int o, RowRange rows) {
  const Op& op = pass.op(o);
  const int output = op.output;
  const bool planar = pass.tensor(output).planar;
  const int planes = planar ? pass.tensor(output).channels : 1;
  const int values_per_pixel = planar ? 1 : pass.layout(output).stride;
  compute::CombineJob common;  // the fields that are the same in all rows
  common.element_type = planar ? compute::ElementType::float32 : pass.element_type();
  common.inputs = static_cast<int>(op.inputs.size());
  common.channels = values_per_pixel;
  common.constant = op.constant;
  common.slope = 1;
  switch (op.activation.kind) {
    case Activation::Kind::relu:
      common.slope = 0;
      break;
    case Activation::Kind::leaky_relu:
      common.slope = op.activation.a;
      break;
    case Activation::Kind::clip:
      common.clip = true;
      common.low = op.activation.a;
      common.high = op.activation.b;
      break;
    case Activation::Kind::none:
    case Activation::Kind::sigmoid:  // refused by lower()
      break;
  }
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    common.coefficient[i] = op.coefficient[i];
    if (op.inputs[i].gate >= 0) common.gate[i] = pass.gate_factors(op.inputs[i].gate);
  }
  const int row_count = (rows.end - rows.first) * planes;
  const int width = pass.extent(output).width;
  pass.parallel_for(row_count, width, PassOps::kColumnGrain, [&](int row, int first, int last, int /*member*/) {
    const int y = rows.first + row / planes;
    const int plane = row % planes;
    compute::CombineJob job = common;
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      const TensorView& view = op.inputs[i];
      job.in[i] = pass.read_address(view.tensor, y + view.top, first + view.left) +
                  static_cast<std::size_t>(plane) * static_cast<std::size_t>(pass.layout(view.tensor).plane_stride) *
                      sizeof(float);
      if (planar && view.gate >= 0) {
        // In a planar row all values have the same channel, so its factor is part of the coefficient.
        job.coefficient[i] *= common.gate[i][plane];
        job.gate[i] = nullptr;
      }
    }
    job.out =
        pass.write_address(output, y) +
        static_cast<std::size_t>(plane) * static_cast<std::size_t>(pass.layout(output).plane_stride) * sizeof(float) +
        static_cast<std::size_t>(first) * static_cast<std::size_t>(values_per_pixel) * pass.element_bytes(output);
    job.count = (last - first) * values_per_pixel;
    pass.kernels().combine(job);
  });
}

constexpr OpTraits kCombine{.name = "combine", .compute_rows = compute_combine};

}  // namespace

const OpKind OpKind::combine{&kCombine};

Status PRelu::lower(Lowering& lowering, const Layer& layer) const {
  Op* producer = lowering.find_open_producer(layer.inputs[0]);
  if (producer == nullptr) return lowering.unsupported("a PReLU that does not follow a convolution");
  const bool is_linear =
      std::all_of(producer->epilogue.slope.begin(), producer->epilogue.slope.end(), [](float s) { return s == 1; });
  if (!is_linear || producer->epilogue.alpha != 1) return lowering.unsupported("two activations in a row");
  for (std::size_t c = 0; c < producer->epilogue.slope.size(); ++c) {
    producer->epilogue.slope[c] = slope.size() == 1 ? slope[0] : slope[c];
  }
  lowering.set_output_blob(*producer, layer.outputs[0]);
  return ok();
}

Status Pointwise::lower(Lowering& lowering, const Layer& layer) const {
  if (lowering.shape(layer.inputs[0]).is_vector) {
    lowering.emit_vector_op(layer, layer.outputs[0]);
    return ok();
  }
  if (fits_epilogue(activation)) {
    Op* producer = lowering.find_open_producer(layer.inputs[0]);
    if (producer != nullptr && producer->epilogue.alpha == 1 &&
        std::all_of(producer->epilogue.slope.begin(), producer->epilogue.slope.end(), [](float s) { return s == 1; })) {
      producer->epilogue.slope = epilogue_of({}, activation, static_cast<int>(producer->epilogue.slope.size())).slope;
      lowering.set_output_blob(*producer, layer.outputs[0]);
      return ok();
    }
  }
  if (activation.kind == Activation::Kind::sigmoid) return lowering.unsupported("a sigmoid of a picture");
  return emit_combine(lowering, layer, {layer.inputs[0]}, {1.0F}, 0, activation);
}

Status BinaryOp::lower(Lowering& lowering, const Layer& layer) const {
  const int first = layer.inputs[0];
  if (lowering.shape(first).is_vector) return lowering.unsupported("arithmetic on vectors");
  if (with_scalar) return emit_scalar_op(lowering, layer, *this);
  const int second = layer.inputs[1];
  if (lowering.shape(second).is_vector) {
    TensorView view = lowering.first_part(first);
    if (kind != Kind::mul || view.gate >= 0 || lowering.lowered_blob(first).parts.size() != 1) {
      return lowering.unsupported("only one multiplication by a vector");
    }
    view.gate = second;
    lowering.lowered_blob(layer.outputs[0]).parts = {view};
    return ok();
  }
  if (kind == Kind::add) {
    if (join_shuffle_and_nearest(lowering, layer)) return ok();
    return emit_weighted_sum(lowering, layer, /*a=*/1, /*b=*/1);
  }
  if (kind == Kind::sub) return emit_weighted_sum(lowering, layer, /*a=*/1, /*b=*/-1);
  if (kind == Kind::rsub) return emit_weighted_sum(lowering, layer, /*a=*/-1, /*b=*/1);
  return lowering.unsupported("a product or quotient of two pictures");
}

Status WeightedSum::lower(Lowering& lowering, const Layer& layer) const {
  if (coefficient.size() == 2 && layer.inputs.size() == 2) {
    return emit_weighted_sum(lowering, layer, coefficient[0], coefficient[1]);
  }
  return emit_combine(lowering, layer, layer.inputs, coefficient, 0);
}

}  // namespace weir::nn
