// The ops `conv3x3`, `direct` and `patch`. Lowers the layers Convolution and Deconvolution to them. The rows are
// computed in nn/cpu/pass_ops.cpp.

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compute/kernels/kernels.hpp"
#include "nn/cpu/pass_ops.hpp"
#include "nn/lowering.hpp"
#include "nn/op_traits.hpp"

namespace weir::nn {

namespace {

/// Checks that a 3x3 convolution can read all channels of its inputs. Errors: unsupported.
Status check_conv3x3_channels(Lowering& lowering, const std::vector<TensorView>& inputs) {
  int channels = 0;
  for (const TensorView& v : inputs) {
    channels += compute::padded_channels(lowering.tensor(v.tensor).channels);
  }
  if (channels <= compute::kMaxConv3x3Channels) return ok();
  return lowering.unsupported(
      fmt::format("a 3x3 convolution of {} channels; supported: up to {}", channels, compute::kMaxConv3x3Channels));
}

RowRange convolution_input_rows(const Op& op, RowRange out, const AxisExtents&) {
  return {out.first - op.pad, out.end - op.pad + op.kernel - 1};
}

// The fields of Op explain positions, first_tap and output_crop.
RowRange patch_input_rows(const Op& op, RowRange out, const AxisExtents&) {
  const int first_position = (out.first + op.output_crop) / op.factor;
  const int last_position = (out.end - 1 + op.output_crop) / op.factor;
  return {first_position * op.stride + op.first_tap, last_position * op.stride + op.first_tap + op.kernel};
}

/// Returns the end of a step that consists of whole rows of positions; each such row makes `factor` output rows.
int patch_step_end(const Op& op, int first, int band) {
  const int step_rows = std::max(1, band / std::max(1, op.factor));  // rows of positions in a step
  const int first_position = (first + op.output_crop) / op.factor;
  const int end_position = (first_position / step_rows + 1) * step_rows;
  return end_position * op.factor - op.output_crop;
}

constexpr OpTraits kConv3x3{.name = "conv3x3",
                            .input_rows = convolution_input_rows,
                            .compute_rows = [](PassOps& pass, int o, RowRange rows) { pass.conv3x3(o, rows); }};
constexpr OpTraits kDirect{.name = "direct",
                           .input_rows = convolution_input_rows,
                           .compute_rows = [](PassOps& pass, int o, RowRange rows) { pass.direct(o, rows); }};
constexpr OpTraits kPatch{.name = "patch",
                          .input_rows = patch_input_rows,
                          .step_end = patch_step_end,
                          .compute_rows = [](PassOps& pass, int o, RowRange rows) { pass.patch(o, rows); }};

}  // namespace

const OpKind OpKind::conv3x3{&kConv3x3};
const OpKind OpKind::direct{&kDirect};
const OpKind OpKind::patch{&kPatch};

Status Convolution::lower(Lowering& lowering, const Layer& layer) const {
  if (!fits_epilogue(activation)) return lowering.unsupported("only ReLU and leaky ReLU can be part of a convolution");
  Op convolution;
  convolution.inputs = lowering.lowered_blob(layer.inputs[0]).parts;
  convolution.epilogue = epilogue_of(bias, activation, out_channels);
  convolution.kernel = kernel;
  convolution.pad = pad;
  convolution.multiplications = multiplications();
  const bool planar_in = lowering.tensor(convolution.inputs[0].tensor).planar;
  if (planar_in && convolution.inputs.size() == 1 && stride == 1 && kernel <= compute::kMaxDirectKernel &&
      pad < kernel) {
    convolution.kind = OpKind::direct;
  } else if (!planar_in && kernel == 3 && stride == 1 && pad <= 1) {
    // `patch` can compute some of these too, but needs four times as many multiplications.
    convolution.kind = OpKind::conv3x3;
  } else if (!planar_in && convolution.inputs.size() == 1 && pad == 0 && kernel <= compute::kMaxPatchKernel) {
    convolution.kind = OpKind::patch;
    convolution.stride = stride;
  } else {
    return lowering.unsupported(fmt::format("a {0}x{0} convolution of stride {1}, padding {2} on {3} channels", kernel,
                                            stride, pad, in_channels));
  }
  if (convolution.kind == OpKind::conv3x3) {
    if (auto status = check_conv3x3_channels(lowering, convolution.inputs); !status) return status;
  }
  if (convolution.kind != OpKind::patch) {
    for (const TensorView& v : convolution.inputs) {
      if (v.gate >= 0)
        return lowering.unsupported("a gated input of a 3x3 convolution, or of one with at most four input channels");
    }
  }
  if (pad > 0) {
    if (auto status = lowering.check_not_cropped(convolution.inputs); !status) return status;
  }
  lowering.emit(std::move(convolution), layer.outputs[0]);
  return ok();
}

Status Deconvolution::lower(Lowering& lowering, const Layer& layer) const {
  if (!fits_epilogue(activation)) return lowering.unsupported("only ReLU and leaky ReLU can be part of a convolution");
  const LoweredBlob& in = lowering.lowered_blob(layer.inputs[0]);
  if (in.parts.size() != 1 || lowering.tensor(in.parts[0].tensor).planar)
    return lowering.unsupported("a transposed convolution of a concatenation, or of at most four channels");
  const int taps = (kernel + stride - 1) / stride;  // input rows (or columns) that contribute to an output pixel
  if (taps > compute::kMaxPatchKernel || stride > compute::kMaxPatchFactor) {
    return lowering.unsupported(fmt::format(
        "a transposed convolution of kernel {} and stride {}; supported: strides up to {}, kernels up to {} strides",
        kernel, stride, compute::kMaxPatchFactor, compute::kMaxPatchKernel));
  }
  if (taps > 1) {
    if (auto status = lowering.check_not_cropped(in.parts); !status) return status;
  }
  Op convolution;
  convolution.kind = OpKind::patch;
  convolution.inputs = in.parts;
  convolution.kernel = taps;
  convolution.first_tap = -(taps - 1);
  convolution.factor = stride;
  convolution.output_crop = pad;
  convolution.epilogue = epilogue_of(bias, activation, out_channels);
  convolution.multiplications = multiplications();
  lowering.emit(std::move(convolution), layer.outputs[0]);
  return ok();
}

}  // namespace weir::nn
