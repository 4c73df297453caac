#pragma once

#include <vector>

#include "base/result.hpp"
#include "nn/graph.hpp"
#include "nn/train/parameters.hpp"
#include "synth/canvas.hpp"
#include "training/recipe.hpp"

namespace weir::training {

/// A network that enlarges pictures. It computes the detail: the difference between the enlarged picture and a bicubic
/// resize of the small picture. For this it has 3x3 convolutions, each but the last followed by PReLU, and at the
/// end a pixel shuffle, which turns each scale * scale adjacent channels of a pixel into a block of scale x scale
/// pixels. Source: Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel
/// convolutional neural network", CVPR 2016; there without the bicubic resize.
class UpscalingNetwork {
 public:
  /// Adds the parameters of the network to `parameters`, which must outlive the network. Errors: see
  /// ParameterSet::status().
  UpscalingNetwork(nn::train::ParameterSet& parameters, const Recipe::Structure& structure);

  /// Returns the detail [n, 3, h * scale, w * scale] of `small` [n, 3, h, w]. The enlarged picture is
  /// detail + enlarge_bicubic(small).
  nn::train::TapeTensor compute_detail(nn::train::Tape& tape, nn::train::TapeTensor small) const;
  /// Returns the graph of the network with its current weights. The graph includes the bicubic resize and the addition.
  /// Errors: those of the device.
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

/// Returns the picture that compute_detail() is added to: `small` enlarged by the bicubic resize of the engine
/// (nn::Interp, Keys with a = -0.75). synth::enlarge() differs: its cubic kernel has a = -0.5.
synth::Canvas enlarge_bicubic(const synth::Canvas& small, int scale);

}  // namespace weir::training
