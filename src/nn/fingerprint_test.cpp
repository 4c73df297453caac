#include "nn/fingerprint.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "planes.hpp"

namespace weir::nn {
namespace {

/// Appends to `changed`, for each of `changes`, a copy of the graph in which it was applied to layer `at`.
template <class Operation>
void vary(const Graph& graph, std::size_t at, std::vector<Graph>& changed,
          const std::vector<std::function<void(Operation&)>>& changes) {
  for (const auto& change : changes) {
    Graph other = graph;
    change(std::get<Operation>(other.layers[at].operation));
    changed.push_back(std::move(other));
  }
}

/// Sets `kind` to another of the first two kinds.
template <class Kind>
void change_kind(Kind& kind) {
  kind = kind == Kind{0} ? Kind{1} : Kind{0};
}

/// Returns the next larger float: the smallest possible change.
float next(float value) { return std::nextafter(value, std::numeric_limits<float>::infinity()); }

std::vector<std::function<void(Activation&)>> activation_changes() {
  return {[](Activation& a) { change_kind(a.kind); }, [](Activation& a) { a.a = next(a.a); },
          [](Activation& a) { a.b = next(a.b); }};
}

/// Returns activation_changes() for the activation of an operation.
template <class Operation>
std::vector<std::function<void(Operation&)>> on_activation() {
  std::vector<std::function<void(Operation&)>> changes;
  for (const auto& change : activation_changes()) {
    changes.push_back([change](Operation& o) { change(o.activation); });
  }
  return changes;
}

/// Returns changes of each parameter of a Convolution or Deconvolution.
template <class Operation>
std::vector<std::function<void(Operation&)>> convolution_changes() {
  auto changes = on_activation<Operation>();
  changes.insert(changes.end(), {[](Operation& o) { ++o.in_channels; }, [](Operation& o) { ++o.out_channels; },
                                 [](Operation& o) { ++o.kernel; }, [](Operation& o) { ++o.stride; },
                                 [](Operation& o) { ++o.pad; }, [](Operation& o) { o.weight[0] = next(o.weight[0]); },
                                 [](Operation& o) { o.weight.back() = next(o.weight.back()); },
                                 [](Operation& o) { o.bias.back() = next(o.bias.back()); }});
  return changes;
}

/// Appends copies of the graph to `changed`; in each, one parameter of layer `at` has changed. Called with the
/// operation of this layer, to choose the changes for its type.
struct Vary {
  const Graph& graph;
  std::size_t at;
  std::vector<Graph>& changed;

  void operator()(const Input&) const {}
  void operator()(const Split&) const {}
  void operator()(const GlobalAverage&) const {}
  void operator()(const Concat&) const {}
  void operator()(const Convolution&) const { vary(graph, at, changed, convolution_changes<Convolution>()); }
  void operator()(const Deconvolution&) const { vary(graph, at, changed, convolution_changes<Deconvolution>()); }
  void operator()(const InnerProduct&) const {
    auto changes = on_activation<InnerProduct>();
    changes.insert(changes.end(), {[](InnerProduct& o) { ++o.in_channels; }, [](InnerProduct& o) { ++o.out_channels; },
                                   [](InnerProduct& o) { o.weight[0] = next(o.weight[0]); },
                                   [](InnerProduct& o) { o.bias[0] = next(o.bias[0]); }});
    vary(graph, at, changed, changes);
  }
  void operator()(const PRelu&) const {
    vary<PRelu>(graph, at, changed,
                {[](PRelu& o) { o.slope.back() = next(o.slope.back()); }, [](PRelu& o) { o.slope.push_back(0); }});
  }
  void operator()(const BinaryOp&) const {
    vary<BinaryOp>(graph, at, changed,
                   {[](BinaryOp& o) { change_kind(o.kind); }, [](BinaryOp& o) { o.with_scalar = !o.with_scalar; },
                    [](BinaryOp& o) { o.scalar = next(o.scalar); }});
  }
  void operator()(const WeightedSum&) const {
    vary<WeightedSum>(graph, at, changed, {[](WeightedSum& o) { o.coefficient[1] = next(o.coefficient[1]); }});
  }
  void operator()(const Crop&) const {
    vary<Crop>(
        graph, at, changed,
        {[](Crop& o) { ++o.top; }, [](Crop& o) { ++o.left; }, [](Crop& o) { ++o.bottom; }, [](Crop& o) { ++o.right; }});
  }
  void operator()(const PixelShuffle&) const {
    vary<PixelShuffle>(graph, at, changed, {[](PixelShuffle& o) { ++o.factor; }});
  }
  void operator()(const Interp&) const {
    vary<Interp>(graph, at, changed,
                 {[](Interp& o) { change_kind(o.kind); }, [](Interp& o) { o.scale = next(o.scale); }});
  }
  void operator()(const Padding&) const {
    vary<Padding>(graph, at, changed,
                  {[](Padding& o) { ++o.top; }, [](Padding& o) { ++o.left; }, [](Padding& o) { ++o.bottom; },
                   [](Padding& o) { ++o.right; }, [](Padding& o) { change_kind(o.mode); },
                   [](Padding& o) { o.value = next(o.value); }});
  }
  void operator()(const Pointwise&) const { vary(graph, at, changed, on_activation<Pointwise>()); }
};

/// Returns copies of the graph with one change each: of a parameter, an input or an output of one layer.
std::vector<Graph> changed_graphs(const Graph& graph) {
  std::vector<Graph> changed;
  for (std::size_t at = 0; at < graph.layers.size(); ++at) {
    std::visit(Vary{graph, at, changed}, graph.layers[at].operation);
    Graph rewired = graph;
    rewired.layers[at].inputs.push_back(0);
    changed.push_back(rewired);
    rewired = graph;
    ++rewired.layers[at].outputs[0];
    changed.push_back(rewired);
  }
  return changed;
}

TEST(Fingerprint, AnyChangedParameterOfAnyLayerChangesIt) {
  std::set<std::size_t> kinds;
  for (const auto family : {"realcugan2x_se", "general_x4", "rrdb_x4", "layers", "padded"}) {
    const Graph graph = test::load_generated_network(family, 4).graph;
    std::set<std::uint64_t> seen{fingerprint(graph)};
    const std::vector<Graph> changed = changed_graphs(graph);
    for (std::size_t i = 0; i < changed.size(); ++i) {
      EXPECT_TRUE(seen.insert(fingerprint(changed[i])).second) << family << ", change " << i;
    }
    for (const Layer& layer : graph.layers) kinds.insert(layer.operation.index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Operation>) << "every kind of layer was changed";
}

TEST(Fingerprint, DependsOnInputsAndShapes) {
  const Graph graph = test::load_generated_network("layers", 4).graph;
  Graph other = graph;
  ++other.output;
  EXPECT_NE(fingerprint(other), fingerprint(graph));
  other = graph;
  ++other.input;
  EXPECT_NE(fingerprint(other), fingerprint(graph));
  other = graph;
  ++other.blobs.back().channels;
  EXPECT_NE(fingerprint(other), fingerprint(graph));
  other = graph;
  other.layers.pop_back();
  EXPECT_NE(fingerprint(other), fingerprint(graph));
}

TEST(Fingerprint, IgnoresNamesAndLines) {
  const Graph graph = test::load_generated_network("realcugan2x_se", 4).graph;
  Graph other = graph;
  for (Layer& layer : other.layers) {
    layer.name += "_other";
    ++layer.line;
  }
  for (std::string& name : other.blob_names) name += "_other";
  EXPECT_EQ(fingerprint(other), fingerprint(graph));
}

// The fingerprint is the key of caches on users' machines: after a change of the hash they would not be found any more.
TEST(Fingerprint, StaysTheSame) {
  constexpr std::array<std::pair<const char*, std::uint64_t>, 3> kValues{
      {{"realcugan2x_se", 0xFF675206F9AF9D0CU}, {"general_x4", 0x573A2C4B17F30FCFU}, {"layers", 0x5005C965C9AF2F13U}}};
  for (const auto& [family, value] : kValues) {
    EXPECT_EQ(fingerprint(test::load_generated_network(family, 4).graph), value) << family;
  }
}

// Moving a weight from the end of one array to the beginning of the next gives a different network.
TEST(Fingerprint, DependsOnTheLengthsOfArrays) {
  Convolution convolution;
  convolution.weight = {1, 2};
  convolution.bias = {3};
  Graph first;
  first.layers.resize(1);
  first.layers[0].operation = convolution;
  convolution.weight = {1};
  convolution.bias = {2, 3};
  Graph second = first;
  second.layers[0].operation = convolution;
  EXPECT_NE(fingerprint(first), fingerprint(second));
}

}  // namespace
}  // namespace weir::nn
