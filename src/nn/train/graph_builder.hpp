#pragma once

#include <span>
#include <string>

#include "nn/graph.hpp"
#include "nn/train/tape.hpp"

namespace weir::nn::train {

/// Builds the graph of a trained network (nn/graph.hpp), which can be written to a file in ncnn's format. A blob is the
/// output of a layer. Each function add_...() adds a layer that reads the blobs with the given indices, and returns the
/// index of the output blob. Add the layers in the order in which the network computes them. Other operations, such as
/// tanh() and linear(), have no such function, because weir cannot read them from ncnn's format. The values of the
/// parameters are read from the device; finish() returns the first error of these reads.
class GraphBuilder {
 public:
  explicit GraphBuilder(TrainingDevice& device) : device_{device} {}

  /// Adds the input of the network. Call it once, before the other functions.
  int add_input(int channels = 3);
  /// Adds a convolution; Parameter (tape.hpp) describes the order of the weights.
  int add_convolution(int in, const Parameter& weights, const Parameter& bias, Window window);
  /// Adds a transposed convolution with weights [kernel * kernel * out, in], as conv_transpose2d() reads them.
  int add_deconvolution(int in, const Parameter& weights, const Parameter& bias, Window window);
  int add_prelu(int in, const Parameter& slopes);
  /// Adds an activation that is computed value by value: ReLU, leaky ReLU, sigmoid, clip.
  int add_activation(int in, Activation activation);
  int add_pixel_shuffle(int in, int factor);
  /// Adds a layer that multiplies the width and the height by `scale`.
  int add_resize(int in, Interp::Kind kind, float scale);
  int add_sum(int a, int b);
  /// Joins blobs along their channels.
  int add_concat(std::span<const int> blobs);
  /// Returns the graph whose output is the blob with the index `output`. Adds a Split layer, which ncnn's format
  /// requires, after each blob that is used more than once. Call it once. Errors: those of the device; unsupported if a
  /// layer uses the output, or if another blob is used by no layer.
  Result<Graph> finish(int output);

 private:
  /// Adds a layer whose name is NAME_PREFIX, "_" and the index of the layer.
  int add_layer(const std::string& name_prefix, std::vector<int> inputs, Operation operation, int channels);
  int channels_of(int blob) const { return graph_.blobs[static_cast<std::size_t>(blob)].channels; }
  std::vector<float> read_values(const Parameter& parameter);
  /// Checks that `output` is the only blob that no layer uses. ncnn's format does not name the output, so the blob that
  /// no layer uses is read as the output.
  Status check_output(int output) const;
  /// Adds a Split layer after each blob that several layers use.
  void insert_splits();

  TrainingDevice& device_;
  Graph graph_;
  Status status_ = ok();
};

}  // namespace weir::nn::train
