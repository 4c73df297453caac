#include "training/upscaling_network.hpp"

#include <fmt/format.h>

#include "nn/taps.hpp"
#include "nn/train/graph_builder.hpp"
#include "nn/train/ops.hpp"

namespace weir::training {

namespace {

constexpr nn::train::Window kSamePadding{3, 1, 1};  // 3x3, stride 1, padding 1: the output has the size of the input
constexpr float kInitialSlope = 0.1F;               // starting value of PReLU's slopes
// The last layer starts with small weights, so that the first results are nearly the bicubic resize. The variance of
// the starting weights is proportional to 1 / (1 + slope^2), so a large slope makes the weights small.
constexpr double kLastLayerSlope = 20;

nn::Interp bicubic_interp(int scale) { return {nn::Interp::Kind::bicubic, static_cast<float>(scale)}; }

synth::Canvas transpose(const synth::Canvas& from) {
  synth::Canvas to{from.height, from.width};
  for (int y = 0; y < from.height; ++y) {
    for (int x = 0; x < from.width; ++x) to.at(y, x) = from.at(x, y);
  }
  return to;
}

/// Enlarges the width by the bicubic resize of the engine (nn::make_taps). Pixels at the edges are repeated.
synth::Canvas enlarge_rows(const synth::Canvas& from, int scale) {
  synth::Canvas to{from.width * scale, from.height};
  const nn::Taps taps = nn::make_taps(bicubic_interp(scale), from.width, to.width);
  for (int y = 0; y < to.height; ++y) {
    for (int x = 0; x < to.width; ++x) {
      const auto i = static_cast<std::size_t>(x);
      synth::Colour sum{};
      for (int k = 0; k < taps.count; ++k) {
        const synth::Colour& pixel = from.at(std::clamp(taps.index[i] + k, 0, from.width - 1), y);
        const float weight = taps.weight[i * static_cast<std::size_t>(taps.count) + static_cast<std::size_t>(k)];
        for (std::size_t c = 0; c < 3; ++c) sum[c] += weight * pixel[c];
      }
      to.at(x, y) = sum;
    }
  }
  return to;
}

}  // namespace

UpscalingNetwork::UpscalingNetwork(nn::train::ParameterSet& parameters, const Recipe::Structure& structure)
    : scale_{structure.scale} {
  int channels = 3;
  for (int i = 0; i <= structure.layers; ++i) {
    const std::string name = fmt::format("conv_{}", i);
    // The slopes are added after the layer's own parameters.
    Layer layer{parameters.add_layer(name, channels, structure.channels, kSamePadding.kernel, kInitialSlope),
                /*slopes=*/nullptr};
    layer.slopes = &parameters.add_filled_parameter(name + "_slope", structure.channels, kInitialSlope);
    layers_.push_back(layer);
    channels = structure.channels;
  }
  last_ = parameters.add_layer("conv_last", channels, 3 * scale_ * scale_, kSamePadding.kernel, kLastLayerSlope);
}

nn::train::TapeTensor UpscalingNetwork::compute_detail(nn::train::Tape& tape, nn::train::TapeTensor small) const {
  nn::train::TapeTensor x = small;
  for (const Layer& layer : layers_) {
    x = conv2d(x, tape.parameter(*layer.convolution.weights), tape.parameter(*layer.convolution.bias), kSamePadding);
    x = prelu(x, tape.parameter(*layer.slopes));
  }
  x = conv2d(x, tape.parameter(*last_.weights), tape.parameter(*last_.bias), kSamePadding);
  return pixel_shuffle(x, scale_);
}

Result<nn::Graph> UpscalingNetwork::build_graph(nn::train::TrainingDevice& device) const {
  nn::train::GraphBuilder builder{device};
  const int picture = builder.add_input();
  int x = picture;
  for (const Layer& layer : layers_) {
    x = builder.add_convolution(x, *layer.convolution.weights, *layer.convolution.bias, kSamePadding);
    x = builder.add_prelu(x, *layer.slopes);
  }
  x = builder.add_pixel_shuffle(builder.add_convolution(x, *last_.weights, *last_.bias, kSamePadding), scale_);
  const nn::Interp interp = bicubic_interp(scale_);
  return builder.finish(builder.add_sum(x, builder.add_resize(picture, interp.kind, interp.scale)));
}

synth::Canvas enlarge_bicubic(const synth::Canvas& small, int scale) {
  return transpose(enlarge_rows(transpose(enlarge_rows(small, scale)), scale));
}

}  // namespace weir::training
