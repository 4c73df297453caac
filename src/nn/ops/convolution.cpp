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

Status fits_conv3x3(Lowering& to, const std::vector<View>& inputs) {
  int channels = 0;
  for (const View& v : inputs) {
    channels += compute::padded_channels(to.tensor(v.tensor).channels);
  }
  if (channels <= compute::kMostConv3x3Channels) return ok();
  return to.unsupported(
      fmt::format("a 3x3 convolution of {} channels; supported: up to {}", channels, compute::kMostConv3x3Channels));
}

Rows convolution_reads(const Op& op, Rows out, const Axis&) {
  return {out.first - op.pad, out.last - op.pad + op.kernel - 1};
}

Rows patch_reads(const Op& op, Rows out, const Axis&) {
  const int first_base = (out.first + op.lead) / op.factor;
  const int last_base = (out.last - 1 + op.lead) / op.factor;
  return {first_base * op.stride + op.first_tap, last_base * op.stride + op.first_tap + op.kernel};
}

/// Whole rows of bases.
int patch_step(const Op& op, int first, int band) {
  const int bases = std::max(1, band / std::max(1, op.factor));
  return ((first + op.lead) / op.factor / bases + 1) * bases * op.factor - op.lead;
}

constexpr OpTraits kConv3x3{.name = "conv3x3", .reads = convolution_reads, .make = [](PassOps& pass, int o, Rows rows) {
                              pass.conv3x3(o, rows);
                            }};
constexpr OpTraits kDirect{.name = "direct", .reads = convolution_reads, .make = [](PassOps& pass, int o, Rows rows) {
                             pass.direct(o, rows);
                           }};
constexpr OpTraits kPatch{
    .name = "patch", .reads = patch_reads, .step_end = patch_step, .make = [](PassOps& pass, int o, Rows rows) {
      pass.patch(o, rows);
    }};

}  // namespace

const OpKind OpKind::conv3x3{&kConv3x3};
const OpKind OpKind::direct{&kDirect};
const OpKind OpKind::patch{&kPatch};

Status Convolution::lower(Lowering& to, const Layer& layer) const {
  if (!fits_epilogue(activation)) return to.unsupported("only ReLU and leaky ReLU can be part of a convolution");
  Op o;
  o.inputs = to.value(layer.inputs[0]).parts;
  o.epilogue = epilogue_of(bias, activation, out_channels);
  o.kernel = kernel;
  o.pad = pad;
  o.multiplications = multiplications();
  const bool planar_in = to.tensor(o.inputs[0].tensor).planar;
  if (planar_in && o.inputs.size() == 1 && stride == 1 && kernel <= compute::kMostDirectKernel && pad < kernel) {
    o.kind = OpKind::direct;
  } else if (!planar_in && kernel == 3 && stride == 1 && pad <= 1) {
    o.kind = OpKind::conv3x3;
  } else if (!planar_in && o.inputs.size() == 1 && pad == 0 && kernel <= compute::kMostPatchKernel) {
    o.kind = OpKind::patch;
    o.stride = stride;
  } else {
    return to.unsupported(fmt::format("a {0}x{0} convolution of stride {1}, padding {2} on {3} channels", kernel,
                                      stride, pad, in_channels));
  }
  if (o.kind == OpKind::conv3x3) {
    if (auto status = fits_conv3x3(to, o.inputs); !status) return status;
  }
  if (o.kind != OpKind::patch) {
    for (const View& v : o.inputs) {
      if (v.gate >= 0) return to.unsupported("a gated input of a convolution with overlap");
    }
  }
  if (pad > 0) {
    if (auto status = to.read_beyond(o.inputs); !status) return status;
  }
  to.emit(std::move(o), layer.outputs[0]);
  return ok();
}

Status Deconvolution::lower(Lowering& to, const Layer& layer) const {
  if (!fits_epilogue(activation)) return to.unsupported("only ReLU and leaky ReLU can be part of a convolution");
  const Value& in = to.value(layer.inputs[0]);
  if (in.parts.size() != 1 || to.tensor(in.parts[0].tensor).planar)
    return to.unsupported("a transposed convolution needs 16 channels");
  const int taps = (kernel + stride - 1) / stride;
  if (taps > compute::kMostPatchKernel || stride > compute::kMostPatchFactor) {
    return to.unsupported(fmt::format(
        "a transposed convolution of kernel {} and stride {}; supported: strides up to {}, kernels up to {} strides",
        kernel, stride, compute::kMostPatchFactor, compute::kMostPatchKernel));
  }
  if (taps > 1) {
    if (auto status = to.read_beyond(in.parts); !status) return status;
  }
  Op o;
  o.kind = OpKind::patch;
  o.inputs = in.parts;
  o.kernel = taps;
  o.first_tap = -(taps - 1);
  o.factor = stride;
  o.lead = pad;
  o.epilogue = epilogue_of(bias, activation, out_channels);
  o.multiplications = multiplications();
  to.emit(std::move(o), layer.outputs[0]);
  return ok();
}

}  // namespace weir::nn
