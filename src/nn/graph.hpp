#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "nn/layers.hpp"

namespace weir::nn {

/// One layer of a graph.
struct Layer {
  std::string name;
  int line = 0;              ///< line number in the .param file, from 1; for messages
  std::vector<int> inputs;   ///< blob indices
  std::vector<int> outputs;  ///< blob indices
  Operation operation;
};

/// The part of a blob's shape that does not depend on the picture's size. A blob (ncnn's word) is the value that one
/// layer makes and others read: planes [channels, h, w], or a vector [channels] with one value per channel.
struct BlobShape {
  int channels = 0;
  bool is_vector = false;
};

/// A feed-forward network with one input picture and one output picture. Exactly one layer makes each blob, and this
/// layer comes before all layers that read the blob. Blobs are identified by their index into `blobs` and `blob_names`.
/// A value type: copies are independent.
struct Graph {
  std::vector<Layer> layers;
  std::vector<std::string> blob_names;  ///< by blob index
  std::vector<BlobShape> blobs;         ///< by blob index; the channels follow from the weights
  int input = -1;                       ///< blob index of the input picture
  int output = -1;                      ///< blob index of the result
};

/// Returns the name of the layer's kind for messages and tables: "Convolution", "BinaryOp", ...
std::string_view kind_name(const Operation& operation);

/// Returns true if the layer adds pixels outside its input's edges.
bool adds_padding(const Operation& operation);

/// Returns the first layer that treats the four edges of its input differently, or null. A network with such a layer
/// cannot be rotated or mirrored by rotating or mirroring its kernels.
const Layer* find_uneven_layer(const Graph& graph);

/// Returns the text that names a layer in messages: "line 12: Convolution conv_3".
std::string describe(const Layer& layer);

/// Height and width in pixels.
struct Extent {
  int height = 0, width = 0;
  bool operator==(const Extent&) const = default;
};

/// Returns height and width of every blob, by blob index, for an input of [h, w]; {0, 0} for vectors.
/// Errors: invalid_argument, if a side of `input` is below 1 or above 2^30; and, naming the layer, if two inputs of a
/// layer differ in extent, or if a side of its output would be below 1 or above 2^30.
Result<std::vector<Extent>> infer_extents(const Graph& graph, Extent input);

/// Returns, by blob index, the scale of each blob: its pixels per pixel of the input, along one axis, for a picture so
/// large that pixels lost at its edges do not matter; 0 for vectors.
/// Errors: invalid_argument, naming the layer, if two inputs of a layer differ in scale.
Result<std::vector<double>> blob_scales(const Graph& graph);

/// Returns the multiplications of all convolutions, transposed ones included, per pixel of the input, for a picture so
/// large that pixels lost at its edges do not matter. They are counted as direct convolution, without the savings of
/// faster algorithms.
/// Errors: those of blob_scales.
Result<double> multiplications_per_pixel(const Graph& graph);

}  // namespace weir::nn
