#include "nn/fingerprint.hpp"

#include <memory>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include <xxhash.h>

namespace weir::nn {

namespace {

/// Hashes a graph, part by part, with XXH3 (64 bits).
class Hash {
 public:
  template <class Value>
  requires(std::is_arithmetic_v<Value> || std::is_enum_v<Value>) void add(Value value) {
    XXH3_64bits_update(state_.get(), &value, sizeof value);
  }
  /// Adds the length and the values. Without the length, a value that moves from the end of one vector to the beginning
  /// of the next would not change the hash.
  template <class Value>
  void add(const std::vector<Value>& values) {
    add(static_cast<std::uint64_t>(values.size()));
    XXH3_64bits_update(state_.get(), values.data(), values.size() * sizeof(Value));
  }
  /// Adds a layer or an activation. Every type that has members has fields().
  template <class Fields>
  requires std::is_class_v<Fields>
  void add(const Fields& parameters) {
    if constexpr (!std::is_empty_v<Fields>) {
      std::apply([this](const auto&... values) { this->add_all(values...); }, parameters.fields());
    }
  }
  void add(const BlobShape& shape) {
    const auto& [channels, vector] = shape;
    add_all(channels, vector);
  }
  // A structured binding does not compile if its type gets a further member: then decide whether to hash it. Names and
  // line numbers are not hashed, because they do not change a result.
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

  std::unique_ptr<XXH3_state_t, Free> state_{fresh_state()};
};

}  // namespace

std::uint64_t fingerprint(const Graph& graph) {
  Hash hash;
  hash.add(graph);
  return hash.value();
}

}  // namespace weir::nn
