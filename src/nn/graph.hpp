#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "nn/layers.hpp"

namespace weir::nn {

struct Layer {
  std::string name;
  int line = 0;              ///< of the .param file, from 1; for messages
  std::vector<int> inputs;   ///< blob numbers
  std::vector<int> outputs;  ///< blob numbers
  Operation operation;
};

/// What is known of a blob whatever the size of the picture: [channels, h, w], or [channels] if it is a `vector`.
struct BlobShape {
  int channels = 0;
  bool is_vector = false;
};

/// A feed-forward network with one picture in and one picture out. Layers are in an order in which each blob is made
/// before it is used, by exactly one layer. A value: copies are independent.
struct Graph {
  std::vector<Layer> layers;
  std::vector<std::string> blob_names;  ///< by blob number
  std::vector<BlobShape> blobs;         ///< by blob number; channels known from the weights
  int input = -1;                       ///< blob number of the picture
  int output = -1;                      ///< blob number of the result
};

/// The layer's kind as messages and tables say it: "Convolution", "BinaryOp", ...
std::string_view kind_name(const Operation& operation);

/// Whether the layer adds pixels beyond its input's edges.
bool adds_padding(const Operation& operation);

/// The first layer that treats the four edges of its input differently, so that the network cannot be turned with its kernels
/// alone; null: none.
const Layer* find_uneven_layer(const Graph& graph);

/// "line 12: Convolution conv_3": how messages name a layer.
std::string describe(const Layer& layer);

/// Height and width in pixels.
struct Extent {
  int height = 0, width = 0;
  bool operator==(const Extent&) const = default;
};

/// Height and width of every blob for an input of [h, w]; {0, 0} for vectors.
/// Errors: invalid_argument, naming the layer, when two inputs of a layer do not match or an extent would be below 1
/// or above 2^30.
Result<std::vector<Extent>> infer_extents(const Graph& graph, Extent input);

/// Pixels of each blob per pixel of the input, along one axis, in the limit of large pictures; 0 for vectors.
/// Errors: invalid_argument, naming the layer, when two inputs of a layer differ in scale.
Result<std::vector<double>> blob_scales(const Graph& graph);

/// Multiplications of all convolutions, as direct convolution, per pixel of the input, in the limit of large pictures.
/// Errors: those of blob_scales.
Result<double> multiplications_per_pixel(const Graph& graph);

}  // namespace weir::nn
