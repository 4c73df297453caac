#include "nn/fingerprint.hpp"

#include <memory>
#include <type_traits>
#include <variant>
#include <vector>

#include <xxhash.h>

namespace weir::nn {

namespace {

/// Each of the functions add() below names every member of its structure: one that gains a member does not compile until
/// the new one is added here too.
class Hash {
 public:
  template <class Value>
  requires(std::is_arithmetic_v<Value> || std::is_enum_v<Value>) void add(Value value) {
    XXH3_64bits_update(state_.get(), &value, sizeof value);
  }
  /// With its length, so that no two sequences of vectors read alike.
  template <class Value>
  void add(const std::vector<Value>& values) {
    add(static_cast<std::uint64_t>(values.size()));
    XXH3_64bits_update(state_.get(), values.data(), values.size() * sizeof(Value));
  }
  void add(const Activation& activation) {
    const auto& [kind, a, b] = activation;
    add_all(kind, a, b);
  }
  void add(const BlobShape& shape) {
    const auto& [channels, vector] = shape;
    add_all(channels, vector);
  }
  void add(const Input&) {}
  void add(const Split&) {}
  void add(const GlobalAverage&) {}
  void add(const Concat&) {}
  void add(const Convolution& convolution) { add_convolution(convolution); }
  void add(const Deconvolution& convolution) { add_convolution(convolution); }
  void add(const InnerProduct& product) {
    const auto& [in, out, activation, weight, bias] = product;
    add_all(in, out, activation, weight, bias);
  }
  void add(const PRelu& prelu) {
    const auto& [slope] = prelu;
    add(slope);
  }
  void add(const BinaryOp& binary) {
    const auto& [kind, with_scalar, scalar] = binary;
    add_all(kind, with_scalar, scalar);
  }
  void add(const WeightedSum& sum) {
    const auto& [coefficient] = sum;
    add(coefficient);
  }
  void add(const Crop& crop) {
    const auto& [top, left, bottom, right] = crop;
    add_all(top, left, bottom, right);
  }
  void add(const PixelShuffle& shuffle) {
    const auto& [factor] = shuffle;
    add(factor);
  }
  void add(const Interp& interp) {
    const auto& [kind, scale] = interp;
    add_all(kind, scale);
  }
  void add(const Pointwise& pointwise) {
    const auto& [activation] = pointwise;
    add(activation);
  }
  void add(const Layer& layer) {
    const auto& [name, line, inputs, outputs, operation] = layer;
    static_cast<void>(name);
    static_cast<void>(line);
    add_all(inputs, outputs, static_cast<std::uint64_t>(operation.index()));
    std::visit([this](const auto& one) { add(one); }, operation);
  }
  void add(const Graph& graph) {
    const auto& [layers, blob_names, blobs, input, output] = graph;
    static_cast<void>(blob_names);
    add_all(static_cast<std::uint64_t>(layers.size()), static_cast<std::uint64_t>(blobs.size()), input, output);
    for (const Layer& layer : layers) add(layer);
    for (const BlobShape& shape : blobs) add(shape);
  }
  [[nodiscard]] std::uint64_t value() const { return XXH3_64bits_digest(state_.get()); }

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  static XXH3_state_t* fresh_state() {
    XXH3_state_t* state = XXH3_createState();
    XXH3_64bits_reset(state);
    return state;
  }

  template <class... Values>
  void add_all(const Values&... values) {
    (add(values), ...);
  }
  template <class Either>
  void add_convolution(const Either& convolution) {
    const auto& [in, out, kernel, stride, pad, activation, weight, bias] = convolution;
    add_all(in, out, kernel, stride, pad, activation, weight, bias);
  }

  std::unique_ptr<XXH3_state_t, Free> state_{fresh_state()};
};

}  // namespace

std::uint64_t fingerprint(const Graph& graph) {
  Hash hash;
  hash.add(graph);
  return hash.value();
}

}  // namespace weir::nn
