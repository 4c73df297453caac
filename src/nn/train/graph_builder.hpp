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
  explicit GraphBuilder(Device& device) : device_{device} {}

  int input(int channels = 3);
  int convolution(int in, const Parameter& weights, const Parameter& bias, Window window);
  int deconvolution(int in, const Parameter& weights, const Parameter& bias, Window window);
  int prelu(int in, const Parameter& slopes);
  /// ReLU and its relatives, sigmoid, clip.
  int activation(int in, Activation activation);
  int pixel_shuffle(int in, int factor);
  int resize(int in, Interp::Kind kind, float scale);
  int add(int a, int b);
  int concat(std::span<const int> parts);
  /// Errors: those of the device.
  Result<Graph> finish(int output);

 private:
  int layer(const std::string& name, std::vector<int> inputs, Operation operation, int channels);
  int channels_of(int blob) const { return graph_.blobs[static_cast<std::size_t>(blob)].channels; }
  std::vector<float> values_of(const Parameter& parameter);
  void split_shared();

  Device& device_;
  Graph graph_;
  Status status_ = ok();
};

}  // namespace weir::nn::train
