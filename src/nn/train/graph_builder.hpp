#pragma once

#include <span>
#include <string>

#include "nn/graph.hpp"
#include "nn/train/tape.hpp"

namespace weir::nn::train {

/// Makes the graph of a trained network, layer by layer as its operations were called; blobs are numbers. A blob that is
/// used more than once gets the Split that ncnn's form asks for. Parameters are read from their device; an error of that is
/// kept and returned by finish(). What ncnn's form as weir reads it does not have (tanh, linear) cannot be built.
class GraphBuilder {
 public:
  explicit GraphBuilder(TrainingDevice& device) : device_{device} {}

  int add_input(int channels = 3);
  int add_convolution(int in, const Parameter& weights, const Parameter& bias, Window window);
  int add_deconvolution(int in, const Parameter& weights, const Parameter& bias, Window window);
  int add_prelu(int in, const Parameter& slopes);
  /// ReLU and its relatives, sigmoid, clip.
  int add_activation(int in, Activation activation);
  int add_pixel_shuffle(int in, int factor);
  int add_resize(int in, Interp::Kind kind, float scale);
  int add_sum(int a, int b);
  int add_concat(std::span<const int> parts);
  /// Errors: those of the device.
  Result<Graph> finish(int output);

 private:
  int add_layer(const std::string& name, std::vector<int> inputs, Operation operation, int channels);
  int channels_of(int blob) const { return graph_.blobs[static_cast<std::size_t>(blob)].channels; }
  std::vector<float> read_values(const Parameter& parameter);
  void insert_splits();

  TrainingDevice& device_;
  Graph graph_;
  Status status_ = ok();
};

}  // namespace weir::nn::train
