#include "nn/formats/ncnn/ncnn_writer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <variant>

#include "base/atomic_file.hpp"
#include "compute/half.hpp"
#include "nn/formats/ncnn/ncnn_layers.hpp"
#include "nn/network.hpp"

namespace weir::nn {

namespace {

/// Builds the contents of a .bin. Each add_...() returns false if a value cannot be stored.
class BinWriter {
 public:
  explicit BinWriter(NcnnWeightType weight_type) : half_{weight_type == NcnnWeightType::float16} {}

  template <class Kind>
  bool add_weights_and_bias(const Kind& op) {
    if (!add_weights(op.weight)) return false;
    std::vector<float> bias = op.bias;
    bias.resize(static_cast<std::size_t>(op.out_channels));
    return add_floats(bias);
  }
  bool add_floats(const std::vector<float>& values) {
    for (const float value : values) {
      if (!std::isfinite(value)) return false;
    }
    append(values.data(), values.size() * sizeof(float));
    return true;
  }
  std::vector<std::byte> take_bytes() { return std::move(bytes_); }

 private:
  bool add_weights(const std::vector<float>& values) {
    // Tags of read_ncnn_weights(): float16 or float32.
    const std::uint32_t tag = half_ ? 0x01306B47U : 0U;
    append(&tag, sizeof tag);
    if (!half_) return add_floats(values);
    std::vector<std::uint16_t> halves;
    for (const float value : values) {
      halves.push_back(compute::float_to_half(value));
      constexpr unsigned kExponentBits = 0x7C00;  // all set in infinity and NaN: the value is not finite, or too large
      if ((halves.back() & kExponentBits) == kExponentBits) return false;
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

Result<NcnnFiles> write_ncnn(const Graph& graph, NcnnWeightType weight_type) {
  NcnnFiles files;
  files.param_text = fmt::format("7767517\n{} {}\n", graph.layers.size(), graph.blob_names.size());
  BinWriter bin{weight_type};
  for (const Layer& layer : graph.layers) {
    const NcnnLayerText text = ncnn_layer_text(layer.operation);
    files.param_text += fmt::format("{} {} {} {}", text.type, layer.name, layer.inputs.size(), layer.outputs.size());
    for (const std::vector<int>* blobs : {&layer.inputs, &layer.outputs}) {
      for (const int blob : *blobs) files.param_text += " " + graph.blob_names[static_cast<std::size_t>(blob)];
    }
    files.param_text += text.parameters + "\n";
    const bool is_stored = std::visit(
        [&](const auto& op) {
          if constexpr (requires { op.weight; }) return bin.add_weights_and_bias(op);
          if constexpr (requires { op.slope; }) return bin.add_floats(op.slope);
          return true;
        },
        layer.operation);
    if (!is_stored) {
      return Error{Errc::bad_values,
                   fmt::format("write network: {} has a number that cannot be stored as {}", layer.name,
                               weight_type == NcnnWeightType::float16 ? "float16" : "float32")};
    }
  }
  files.bin = bin.take_bytes();
  return files;
}

Status save_ncnn(const NcnnFiles& files, const std::filesystem::path& param_path) {
  if (auto done =
          write_file(weights_path(param_path), {reinterpret_cast<const char*>(files.bin.data()), files.bin.size()});
      !done)
    return done;
  return write_file(param_path, files.param_text);
}

}  // namespace weir::nn
