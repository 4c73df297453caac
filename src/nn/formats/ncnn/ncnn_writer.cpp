#include "nn/formats/ncnn/ncnn_writer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/atomic_file.hpp"
#include "compute/half.hpp"
#include "nn/network.hpp"

namespace weir::nn {

namespace {

/// "9=2 -23310=1,0.1": how layers end whose sum goes through an activation.
std::string activation_text(const Activation& a) {
  switch (a.kind) {
    case Activation::Kind::none:
      return "";
    case Activation::Kind::relu:
      return " 9=1";
    case Activation::Kind::leaky_relu:
      return fmt::format(" 9=2 -23310=1,{}", a.a);
    case Activation::Kind::clip:
      return fmt::format(" 9=3 -23310=2,{},{}", a.a, a.b);
    case Activation::Kind::sigmoid:
      return " 9=4";
  }
  return "";
}

struct Text {
  std::string type, parameters;
};

template <class Kind>
Text kernel_text(std::string_view type, const Kind& op) {
  return {std::string{type}, fmt::format(" 0={} 1={} 3={} 4={} 5=1 6={}{}", op.out_channels, op.kernel, op.stride,
                                         op.pad, op.weight.size(), activation_text(op.activation))};
}

/// The layer's type and its parameters.
struct Describe {
  Text operator()(const Input&) const { return {"Input", ""}; }
  Text operator()(const Convolution& op) const { return kernel_text("Convolution", op); }
  Text operator()(const Deconvolution& op) const { return kernel_text("Deconvolution", op); }
  Text operator()(const InnerProduct& op) const {
    return {"InnerProduct",
            fmt::format(" 0={} 1=1 2={}{}", op.out_channels, op.weight.size(), activation_text(op.activation))};
  }
  Text operator()(const Split&) const { return {"Split", ""}; }
  Text operator()(const PRelu& op) const { return {"PReLU", fmt::format(" 0={}", op.slope.size())}; }
  Text operator()(const GlobalAverage&) const { return {"Pooling", " 0=1 4=1"}; }
  Text operator()(const BinaryOp& op) const {
    const int numbers[] = {0, 1, 2, 3, 7};
    const int kind = numbers[static_cast<std::size_t>(op.kind)];
    return {"BinaryOp", op.with_scalar ? fmt::format(" 0={} 1=1 2={}", kind, op.scalar) : fmt::format(" 0={}", kind)};
  }
  Text operator()(const WeightedSum& op) const {
    return {"Eltwise", fmt::format(" 0=1 -23301={},{}", op.coefficient.size(), fmt::join(op.coefficient, ","))};
  }
  Text operator()(const Crop& op) const {
    const auto end = [](int cut) { return cut == 0 ? -233 : -cut; };
    return {"Crop",
            fmt::format(" -23309=2,{},{} -23310=2,{},{} -23311=2,1,2", op.top, op.left, end(op.bottom), end(op.right))};
  }
  Text operator()(const Concat&) const { return {"Concat", " 0=0"}; }
  Text operator()(const PixelShuffle& op) const { return {"PixelShuffle", fmt::format(" 0={}", op.factor)}; }
  Text operator()(const Interp& op) const {
    return {"Interp", fmt::format(" 0={} 1={} 2={}", static_cast<int>(op.kind) + 1, op.scale, op.scale)};
  }
  Text operator()(const Pointwise& op) const {
    const Activation& a = op.activation;
    if (a.kind == Activation::Kind::sigmoid) return {"Sigmoid", ""};
    if (a.kind == Activation::Kind::clip) return {"Clip", fmt::format(" 0={} 1={}", a.a, a.b)};
    return {"ReLU", a.kind == Activation::Kind::leaky_relu ? fmt::format(" 0={}", a.a) : ""};
  }
};

class BinWriter {
 public:
  explicit BinWriter(NcnnStorage storage) : half_{storage == NcnnStorage::float16} {}

  template <class Kind>
  bool weights_and_bias(const Kind& op) {
    if (!weights(op.weight)) return false;
    std::vector<float> bias = op.bias;
    bias.resize(static_cast<std::size_t>(op.out_channels));
    return floats(bias);
  }
  bool floats(const std::vector<float>& values) {
    for (const float value : values) {
      if (!std::isfinite(value)) return false;
    }
    append(values.data(), values.size() * sizeof(float));
    return true;
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  bool weights(const std::vector<float>& values) {
    const std::uint32_t tag = half_ ? 0x01306B47U : 0U;
    append(&tag, sizeof tag);
    if (!half_) return floats(values);
    std::vector<std::uint16_t> halves;
    for (const float value : values) {
      halves.push_back(compute::float_to_half(value));
      if ((halves.back() & 0x7C00U) == 0x7C00U) return false;
    }
    if (halves.size() % 2 != 0) halves.push_back(0);  // padded to 4 bytes
    append(halves.data(), halves.size() * sizeof(std::uint16_t));
    return true;
  }
  void append(const void* from, std::size_t count) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + count);
    if (count > 0) std::memcpy(bytes_.data() + at, from, count);
  }
  bool half_;
  std::vector<std::byte> bytes_;
};

}  // namespace

Result<NcnnFiles> write_ncnn(const Graph& graph, NcnnStorage storage) {
  NcnnFiles files;
  files.param = fmt::format("7767517\n{} {}\n", graph.layers.size(), graph.blob_names.size());
  BinWriter bin{storage};
  for (const Layer& layer : graph.layers) {
    const Text text = std::visit(Describe{}, layer.operation);
    files.param += fmt::format("{} {} {} {}", text.type, layer.name, layer.inputs.size(), layer.outputs.size());
    for (const std::vector<int>* blobs : {&layer.inputs, &layer.outputs}) {
      for (const int blob : *blobs) files.param += " " + graph.blob_names[static_cast<std::size_t>(blob)];
    }
    files.param += text.parameters + "\n";
    bool good = true;
    if (const auto* op = std::get_if<Convolution>(&layer.operation)) good = bin.weights_and_bias(*op);
    if (const auto* op = std::get_if<Deconvolution>(&layer.operation)) good = bin.weights_and_bias(*op);
    if (const auto* op = std::get_if<InnerProduct>(&layer.operation)) good = bin.weights_and_bias(*op);
    if (const auto* op = std::get_if<PRelu>(&layer.operation)) good = bin.floats(op->slope);
    if (!good) {
      return Error{Errc::bad_values, fmt::format("write network: {} has a number that cannot be stored as {}",
                                                 layer.name, storage == NcnnStorage::float16 ? "float16" : "float32")};
    }
  }
  files.bin = bin.take();
  return files;
}

Status save_ncnn(const NcnnFiles& files, const std::filesystem::path& param) {
  if (auto done = write_file(weights_of(param), {reinterpret_cast<const char*>(files.bin.data()), files.bin.size()});
      !done)
    return done;
  return write_file(param, files.param);
}

}  // namespace weir::nn
