#include "nn/program.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "compute/kernels/kernels.hpp"

namespace weir::nn {

namespace {

constexpr int kBlockChannels = 32;  // what the kernels read of one source at a time

/// What a blob is while the graph is walked.
struct Value {
  bool vector = false;
  std::vector<View> parts;  // one, or several for a concatenation
};

class Lowering {
 public:
  explicit Lowering(const Graph& graph) : graph_{graph}, values_(graph.blobs.size()), uses_(graph.blobs.size(), 0) {
    program_.vector_level.assign(graph.blobs.size(), 0);
    count_uses();
  }

  Result<Program> run() {
    for (int i = 0; i < static_cast<int>(graph_.layers.size()); ++i) {
      layer_ = i;
      if (auto status = lower_layer(graph_.layers[static_cast<std::size_t>(i)]); !status) return status.error();
      if (program_.ops.size() > kMostOps) {
        return unsupported(fmt::format("more than {} operations up to here", kMostOps));
      }
    }
    auto out = plain(view_of(graph_.output));
    if (!out) return out.error();
    program_.output = out->tensor;
    return std::move(program_);
  }

 private:
  const BlobShape& shape(int blob) const { return graph_.blobs[static_cast<std::size_t>(blob)]; }
  Value& value(int blob) { return values_[static_cast<std::size_t>(blob)]; }
  Tensor& tensor(int t) { return program_.tensors[static_cast<std::size_t>(t)]; }
  Op& op(int o) { return program_.ops[static_cast<std::size_t>(o)]; }

  Error unsupported(std::string_view why) const {
    const Layer& layer = graph_.layers[static_cast<std::size_t>(layer_)];
    return Error{Errc::unsupported, fmt::format("line {}: layer {}: {}", layer.line, layer.name, why)};
  }

  /// How many layers read each blob, a Split not counted but what it passes on.
  void count_uses() {
    std::vector<int> origin(graph_.blobs.size());
    for (std::size_t i = 0; i < origin.size(); ++i) origin[i] = static_cast<int>(i);
    for (const Layer& layer : graph_.layers) {
      if (std::holds_alternative<Split>(layer.operation)) {
        for (int out : layer.outputs)
          origin[static_cast<std::size_t>(out)] = origin[static_cast<std::size_t>(layer.inputs[0])];
        continue;
      }
      for (int in : layer.inputs) ++uses_[static_cast<std::size_t>(origin[static_cast<std::size_t>(in)])];
    }
    ++uses_[static_cast<std::size_t>(origin[static_cast<std::size_t>(graph_.output)])];
    for (std::size_t i = 0; i < origin.size(); ++i) uses_[i] = uses_[static_cast<std::size_t>(origin[i])];
  }

  int add_tensor(int blob) {
    Tensor t;
    t.channels = shape(blob).channels;
    t.blob = blob;
    t.producer = static_cast<int>(program_.ops.size());
    t.planar = t.channels <= compute::kMostPlanarChannels;
    program_.tensors.push_back(t);
    return static_cast<int>(program_.tensors.size()) - 1;
  }
  /// Adds `o` as the producer of `blob`.
  void emit(Op o, int blob) {
    o.layer = layer_;
    o.output = add_tensor(blob);
    value(blob).parts = {View{o.output}};
    program_.ops.push_back(std::move(o));
  }

  const View& view_of(int blob) { return value(blob).parts.front(); }

  /// The view as a tensor of its own: no crop, no gate.
  Result<View> plain(View v) {
    if (v.gate < 0 && !v.cropped) return v;
    return unsupported("a cropped or gated result is read where that is not supported");
  }

  Status lower_layer(const Layer& layer) {
    return std::visit([&](const auto& operation) { return lower_op(layer, operation); }, layer.operation);
  }

  Status lower_op(const Layer& layer, const Input&) {
    Op o;
    o.kind = OpKind::input;
    emit(std::move(o), layer.outputs[0]);
    return ok();
  }

  Status lower_op(const Layer& layer, const Split&) {
    for (int out : layer.outputs) {
      values_[static_cast<std::size_t>(out)] = value(layer.inputs[0]);
      program_.vector_level[static_cast<std::size_t>(out)] =
          program_.vector_level[static_cast<std::size_t>(layer.inputs[0])];
      vector_alias(layer.inputs[0], out);
    }
    return ok();
  }
  void vector_alias(int from, int to) {
    if (!shape(from).vector) return;
    program_.vector_ops.push_back(VectorOp{layer_, from, to});
  }

  static Epilogue epilogue_of(const std::vector<float>& bias, const Activation& activation, int channels) {
    Epilogue e;
    e.bias = bias;
    e.bias.resize(static_cast<std::size_t>(channels), 0.0F);
    float slope = 1;
    if (activation.kind == Activation::Kind::relu) slope = 0;
    if (activation.kind == Activation::Kind::leaky_relu) slope = activation.a;
    e.slope.assign(static_cast<std::size_t>(channels), slope);
    return e;
  }
  static bool fits_epilogue(const Activation& a) {
    return a.kind == Activation::Kind::none || a.kind == Activation::Kind::relu ||
           a.kind == Activation::Kind::leaky_relu;
  }

  Status lower_op(const Layer& layer, const Convolution& conv) {
    if (!fits_epilogue(conv.activation)) return unsupported("only ReLU and leaky ReLU can be part of a convolution");
    Op o;
    o.inputs = value(layer.inputs[0]).parts;
    o.epilogue = epilogue_of(conv.bias, conv.activation, conv.out_channels);
    o.kernel = conv.kernel;
    o.pad = conv.pad;
    o.multiplications = static_cast<double>(conv.in_channels) * conv.out_channels * conv.kernel * conv.kernel;
    const bool planar_in = tensor(o.inputs[0].tensor).planar;
    if (planar_in && o.inputs.size() == 1 && conv.stride == 1 && conv.kernel <= compute::kMostDirectKernel &&
        conv.pad < conv.kernel) {
      o.kind = OpKind::direct;
    } else if (!planar_in && conv.kernel == 3 && conv.stride == 1 && conv.pad <= 1) {
      o.kind = OpKind::conv3x3;
    } else if (!planar_in && o.inputs.size() == 1 && conv.pad == 0 && conv.kernel <= compute::kMostPatchKernel) {
      o.kind = OpKind::patch;
      o.stride = conv.stride;
    } else {
      return unsupported(fmt::format("a {0}x{0} convolution of stride {1}, padding {2} on {3} channels", conv.kernel,
                                     conv.stride, conv.pad, conv.in_channels));
    }
    if (o.kind == OpKind::conv3x3) {
      if (auto status = fits_conv3x3(o.inputs); !status) return status;
    }
    if (o.kind != OpKind::patch) {
      for (const View& v : o.inputs) {
        if (v.gate >= 0) return unsupported("a gated input of a convolution with overlap");
      }
    }
    if (conv.pad > 0) {
      if (auto status = read_beyond(o.inputs); !status) return status;
    }
    emit(std::move(o), layer.outputs[0]);
    return ok();
  }

  Status fits_conv3x3(const std::vector<View>& inputs) const {
    int channels = 0;
    for (const View& v : inputs) {
      channels += compute::padded_channels(program_.tensors[static_cast<std::size_t>(v.tensor)].channels);
    }
    if (channels <= compute::kMostConv3x3Channels) return ok();
    return unsupported(
        fmt::format("a 3x3 convolution of {} channels; supported: up to {}", channels, compute::kMostConv3x3Channels));
  }

  /// For operations that read beyond the edge of their input: beyond that of a view are the tensor's own values.
  Status read_beyond(const std::vector<View>& inputs) {
    for (const View& v : inputs) {
      if (v.cropped) return unsupported("a crop followed by an operation that reads beyond its edge");
    }
    return ok();
  }

  Status lower_op(const Layer& layer, const Deconvolution& conv) {
    if (!fits_epilogue(conv.activation)) return unsupported("only ReLU and leaky ReLU can be part of a convolution");
    const Value& in = value(layer.inputs[0]);
    if (in.parts.size() != 1 || tensor(in.parts[0].tensor).planar)
      return unsupported("a transposed convolution needs 16 channels");
    const int taps = (conv.kernel + conv.stride - 1) / conv.stride;
    if (taps > compute::kMostPatchKernel || conv.stride > compute::kMostPatchFactor) {
      return unsupported(fmt::format(
          "a transposed convolution of kernel {} and stride {}; supported: strides up to {}, kernels up to {} strides",
          conv.kernel, conv.stride, compute::kMostPatchFactor, compute::kMostPatchKernel));
    }
    if (taps > 1) {
      if (auto status = read_beyond(in.parts); !status) return status;
    }
    Op o;
    o.kind = OpKind::patch;
    o.inputs = in.parts;
    o.kernel = taps;
    o.first_tap = -(taps - 1);
    o.factor = conv.stride;
    o.lead = conv.pad;
    o.epilogue = epilogue_of(conv.bias, conv.activation, conv.out_channels);
    o.multiplications = static_cast<double>(conv.in_channels) * conv.out_channels * conv.kernel * conv.kernel /
                        (conv.stride * conv.stride);
    emit(std::move(o), layer.outputs[0]);
    return ok();
  }

  Status lower_op(const Layer& layer, const InnerProduct&) { return lower_vector(layer); }
  Status lower_vector(const Layer& layer) {
    const int in = layer.inputs[0];
    const int out = layer.outputs[0];
    program_.vector_ops.push_back(VectorOp{layer_, in, out});
    program_.vector_level[static_cast<std::size_t>(out)] = program_.vector_level[static_cast<std::size_t>(in)];
    return ok();
  }

  Status lower_op(const Layer& layer, const GlobalAverage&) {
    const Value& in = value(layer.inputs[0]);
    if (in.parts.size() != 1) return unsupported("the mean of a concatenation");
    if (in.parts[0].cropped || in.parts[0].gate >= 0) return unsupported("the mean of a crop");
    if (tensor(in.parts[0].tensor).planar) return unsupported("the mean of at most four channels");
    if (program_.statistics.size() == kMostStatistics) {
      return unsupported(fmt::format("more than {} means of whole pictures", kMostStatistics));
    }
    const int out = layer.outputs[0];
    program_.statistics.push_back(Statistic{in.parts[0], out, shape(out).channels});
    program_.vector_level[static_cast<std::size_t>(out)] = static_cast<int>(program_.statistics.size());
    return ok();
  }

  /// The op that made exactly this blob, if nothing else reads it and its epilogue is still open.
  Op* open_producer(int blob) {
    const Value& v = value(blob);
    if (uses_[static_cast<std::size_t>(blob)] != 1 || v.parts.size() != 1) return nullptr;
    const View& view = v.parts[0];
    if (view.gate >= 0 || view.cropped) return nullptr;
    Op& o = op(tensor(view.tensor).producer);
    if (o.kind != OpKind::conv3x3 && o.kind != OpKind::patch && o.kind != OpKind::direct) return nullptr;
    if (o.epilogue.has_residual) return nullptr;
    return &o;
  }
  /// The blob is made by `o` from now on.
  void rename(Op& o, int blob) {
    tensor(o.output).blob = blob;
    value(blob).parts = {View{o.output}};
  }

  Status lower_op(const Layer& layer, const PRelu& prelu) {
    Op* o = open_producer(layer.inputs[0]);
    if (o == nullptr) return unsupported("a PReLU that does not follow a convolution");
    const bool linear = std::all_of(o->epilogue.slope.begin(), o->epilogue.slope.end(), [](float s) { return s == 1; });
    if (!linear || o->epilogue.alpha != 1) return unsupported("two activations in a row");
    for (std::size_t c = 0; c < o->epilogue.slope.size(); ++c) {
      o->epilogue.slope[c] = prelu.slope.size() == 1 ? prelu.slope[0] : prelu.slope[c];
    }
    rename(*o, layer.outputs[0]);
    return ok();
  }

  Status lower_op(const Layer& layer, const Pointwise& pointwise) {
    if (shape(layer.inputs[0]).vector) return lower_vector(layer);
    if (fits_epilogue(pointwise.activation)) {
      Op* o = open_producer(layer.inputs[0]);
      if (o != nullptr && o->epilogue.alpha == 1 &&
          std::all_of(o->epilogue.slope.begin(), o->epilogue.slope.end(), [](float s) { return s == 1; })) {
        o->epilogue.slope = epilogue_of({}, pointwise.activation, static_cast<int>(o->epilogue.slope.size())).slope;
        rename(*o, layer.outputs[0]);
        return ok();
      }
    }
    if (pointwise.activation.kind == Activation::Kind::sigmoid) return unsupported("a sigmoid of a picture");
    return combine(layer, {layer.inputs[0]}, {1.0F}, 0, pointwise.activation);
  }

  /// A sum, in steps of what one op has room for: each begins with what those before it made. The order of additions is
  /// that of the inputs.
  Status combine(const Layer& layer, const std::vector<int>& blobs, const std::vector<float>& coefficient,
                 float constant, const Activation& activation = {}) {
    std::vector<View> views;
    for (int blob : blobs) {
      if (value(blob).parts.size() != 1) return unsupported("arithmetic on a concatenation");
      views.push_back(value(blob).parts[0]);
    }
    std::size_t next = 0;
    while (next < views.size()) {
      Op o;
      o.kind = OpKind::combine;
      if (next == 0) o.constant = constant;
      if (next > 0) add_to_sum(o, view_of(layer.outputs[0]), 1);
      for (; next < views.size() && has_room(o, views[next]); ++next) add_to_sum(o, views[next], coefficient[next]);
      if (next == views.size()) o.activation = activation;
      emit(std::move(o), layer.outputs[0]);
    }
    return ok();
  }
  static bool has_room(const Op& sum, const View& view) {
    return sum.inputs.size() < (view.gate >= 0 ? kMostGated : std::size_t{compute::kMostCombined});
  }
  static void add_to_sum(Op& sum, const View& view, float coefficient) {
    sum.inputs.push_back(view);
    sum.coefficient.push_back(coefficient);
  }

  /// a * first + b * second: part of the convolution that makes one of them, if it can be.
  Status weighted_sum(const Layer& layer, float a, float b) {
    const int first = layer.inputs[0];
    const int second = layer.inputs[1];
    for (const bool swap : {false, true}) {
      const int made = swap ? second : first;
      const int other = swap ? first : second;
      if (value(other).parts.size() != 1) continue;
      Op* o = open_producer(made);
      const View residual = value(other).parts[0];
      // The other must exist before the convolution does: its tensor is older.
      if (o == nullptr || o->kind == OpKind::direct || tensor(o->output).planar || tensor(residual.tensor).planar ||
          residual.tensor >= o->output) {
        continue;
      }
      o->epilogue.has_residual = true;
      o->epilogue.residual = residual;
      o->epilogue.alpha *= swap ? b : a;
      o->epilogue.beta = swap ? a : b;
      rename(*o, layer.outputs[0]);
      return ok();
    }
    return combine(layer, {first, second}, {a, b}, 0);
  }

  Status lower_op(const Layer& layer, const BinaryOp& binary) {
    using Kind = BinaryOp::Kind;
    const int first = layer.inputs[0];
    if (shape(first).vector) return unsupported("arithmetic on vectors");
    if (binary.with_scalar) return scalar_op(layer, binary);
    const int second = layer.inputs[1];
    if (shape(second).vector) {
      View view = view_of(first);
      if (binary.kind != Kind::mul || view.gate >= 0 || value(first).parts.size() != 1) {
        return unsupported("only one multiplication by a vector");
      }
      view.gate = second;
      value(layer.outputs[0]).parts = {view};
      return ok();
    }
    if (binary.kind == Kind::add) {
      if (fold_nearest(layer)) return ok();
      return weighted_sum(layer, 1, 1);
    }
    if (binary.kind == Kind::sub) return weighted_sum(layer, 1, -1);
    if (binary.kind == Kind::rsub) return weighted_sum(layer, -1, 1);
    return unsupported("a product or quotient of two pictures");
  }

  Status scalar_op(const Layer& layer, const BinaryOp& binary) {
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
    Op* o = open_producer(in);
    // A factor passes an activation of slopes only if it is positive.
    if (o != nullptr && constant == 0 && scale > 0 && o->kind != OpKind::direct && !tensor(o->output).planar) {
      o->epilogue.alpha *= scale;
      rename(*o, layer.outputs[0]);
      return ok();
    }
    return combine(layer, {in}, {scale}, constant);
  }

  Status lower_op(const Layer& layer, const WeightedSum& sum) {
    if (sum.coefficient.size() == 2 && layer.inputs.size() == 2) {
      return weighted_sum(layer, sum.coefficient[0], sum.coefficient[1]);
    }
    return combine(layer, layer.inputs, sum.coefficient, 0);
  }

  Status lower_op(const Layer& layer, const Crop& crop) {
    Value v = value(layer.inputs[0]);
    for (View& view : v.parts) {
      view.cropped = view.cropped || crop.top != 0 || crop.left != 0 || crop.bottom != 0 || crop.right != 0;
      view.top += crop.top;
      view.left += crop.left;
    }
    value(layer.outputs[0]) = std::move(v);
    return ok();
  }

  Status lower_op(const Layer& layer, const Concat&) {
    Value joined;
    for (int in : layer.inputs) {
      const Value& v = value(in);
      joined.parts.insert(joined.parts.end(), v.parts.begin(), v.parts.end());
    }
    // Whole blocks of channels are read where they are; anything else is copied side by side.
    bool blocks = joined.parts.size() <= kMostParts;
    for (const View& v : joined.parts) {
      blocks = blocks && v.gate < 0 && !tensor(v.tensor).planar && tensor(v.tensor).channels % kBlockChannels == 0;
    }
    if (blocks) {
      value(layer.outputs[0]) = std::move(joined);
      return ok();
    }
    Op o;
    o.kind = OpKind::concat;
    o.inputs = std::move(joined.parts);
    for (const View& v : o.inputs) {
      if (v.gate >= 0) return unsupported("a gated input of a concatenation");
      if (tensor(v.tensor).planar) return unsupported("a concatenation of at most four channels");
    }
    emit(std::move(o), layer.outputs[0]);
    return ok();
  }

  Status lower_op(const Layer& layer, const PixelShuffle& shuffle) {
    const Value& in = value(layer.inputs[0]);
    if (in.parts.size() != 1) return unsupported("a pixel shuffle of a concatenation");
    if (in.parts[0].gate >= 0) return unsupported("a pixel shuffle of a gated input");
    if (shuffle.factor > compute::kMostShuffleFactor) {
      return unsupported(fmt::format("a pixel shuffle of factor {}; supported: up to {}", shuffle.factor,
                                     compute::kMostShuffleFactor));
    }
    Op o;
    o.kind = OpKind::shuffle;
    o.inputs = in.parts;
    o.factor = shuffle.factor;
    emit(std::move(o), layer.outputs[0]);
    return ok();
  }

  Status lower_op(const Layer& layer, const Interp& interp) {
    const Value& in = value(layer.inputs[0]);
    if (in.parts.size() != 1) return unsupported("a resize of a concatenation");
    if (in.parts[0].gate >= 0) return unsupported("a resize of a gated input");
    if (auto status = read_beyond(in.parts); !status) return status;
    const bool copies = interp.kind == Interp::Kind::nearest && interp.scale == std::floor(interp.scale);
    if (!copies && !tensor(in.parts[0].tensor).planar)
      return unsupported("a resize of more than four channels that is not nearest neighbour by a whole factor");
    Op o;
    o.kind = OpKind::resize;
    o.inputs = in.parts;
    o.interp = interp;
    emit(std::move(o), layer.outputs[0]);
    return ok();
  }

  /// shuffle(x) + nearest(y) of the same factor and a planar result: one operation, and the enlarged y is never made.
  bool fold_nearest(const Layer& layer) {
    for (const bool swap : {false, true}) {
      const int shuffled = layer.inputs[swap ? 1 : 0];
      const int enlarged = layer.inputs[swap ? 0 : 1];
      if (uses_[static_cast<std::size_t>(shuffled)] != 1 || uses_[static_cast<std::size_t>(enlarged)] != 1) continue;
      if (value(shuffled).parts.size() != 1 || value(enlarged).parts.size() != 1) continue;
      Op& s = op(tensor(view_of(shuffled).tensor).producer);
      Op& e = op(tensor(view_of(enlarged).tensor).producer);
      if (s.kind != OpKind::shuffle || s.inputs.size() != 1 || e.kind != OpKind::resize) continue;
      if (e.interp.kind != Interp::Kind::nearest || e.interp.scale != static_cast<float>(s.factor)) continue;
      if (!tensor(s.output).planar || !tensor(e.inputs[0].tensor).planar) continue;
      const View& sv = view_of(shuffled);
      const View& ev = view_of(enlarged);
      if (sv.cropped || ev.cropped || e.inputs[0].cropped) continue;
      Op joined = s;
      joined.inputs.push_back(e.inputs[0]);
      emit(std::move(joined), layer.outputs[0]);
      return true;
    }
    return false;
  }

  const Graph& graph_;
  Program program_;
  std::vector<Value> values_;
  std::vector<int> uses_;
  int layer_ = 0;
};

}  // namespace

Result<Program> lower(const Graph& graph) { return Lowering{graph}.run(); }

int level_of(const Program& program, const Op& op) {
  int level = 0;
  const auto look = [&](const View& v) {
    if (v.gate >= 0) level = std::max(level, program.vector_level[static_cast<std::size_t>(v.gate)]);
  };
  for (const View& v : op.inputs) look(v);
  if (op.epilogue.has_residual) look(op.epilogue.residual);
  return level;
}

}  // namespace weir::nn
