#pragma once

#include <vector>

#include "base/result.hpp"
#include "nn/graph.hpp"
#include "nn/train/parameters.hpp"
#include "synth/canvas.hpp"
#include "training/recipe.hpp"

namespace weir::training {

/// A network that enlarges: 3x3 convolutions with PReLU make what a bicubic resize lacks; pixels are shuffled and added to
/// the resize. The form is that of Shi et al., "Real-time single image and video super-resolution using an efficient
/// sub-pixel convolutional neural network", CVPR 2016, with a residual.
class UpscalingNetwork {
 public:
  UpscalingNetwork(nn::train::ParameterSet& parameters, const Recipe::Structure& structure);

  /// What is to be added to enlarge_base(): small [n, 3, h, w] to [n, 3, h * scale, w * scale].
  nn::train::TapeTensor compute_detail(nn::train::Tape& tape, nn::train::TapeTensor small) const;
  /// The whole, as a graph with the weights as they are now. Errors: those of the device.
  Result<nn::Graph> build_graph(nn::train::TrainingDevice& device) const;

 private:
  struct Layer {
    nn::train::ParameterSet::Layer convolution;
    nn::train::Parameter* slopes = nullptr;
  };
  std::vector<Layer> layers_;
  nn::train::ParameterSet::Layer last_;
  int scale_;
};

/// The resize that detail() is added to, as the engine does it (nn::Interp, bicubic).
synth::Canvas enlarge_bicubic(const synth::Canvas& small, int scale);

}  // namespace weir::training
