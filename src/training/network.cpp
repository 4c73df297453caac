#include "training/network.hpp"

#include <fmt/format.h>

#include "nn/taps.hpp"
#include "nn/train/graph_builder.hpp"
#include "nn/train/ops.hpp"

namespace weir::training {

namespace {

constexpr nn::train::Window kSame{3, 1, 1};
constexpr float kSlope = 0.1F;  // of PReLU, at the start
// The last layer starts small, so that training starts from the resize: its slope makes He's variance so.
constexpr double kSmall = 20;

nn::Interp interp_of(int scale) { return {nn::Interp::Kind::bicubic, static_cast<float>(scale)}; }

synth::Canvas transposed(const synth::Canvas& from) {
  synth::Canvas to{from.height, from.width};
  for (int y = 0; y < from.height; ++y) {
    for (int x = 0; x < from.width; ++x) to.at(y, x) = from.at(x, y);
  }
  return to;
}

synth::Canvas enlarge_rows(const synth::Canvas& from, int scale) {
  synth::Canvas to{from.width * scale, from.height};
  const nn::Taps taps = nn::taps_of(interp_of(scale), from.width, to.width);
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

Network::Network(nn::train::ParameterSet& parameters, const Recipe::Structure& structure) : scale_{structure.scale} {
  int channels = 3;
  for (int i = 0; i <= structure.layers; ++i) {
    const std::string name = fmt::format("conv_{}", i);
    Layer layer{parameters.layer(name, channels, structure.channels, kSame.kernel, kSlope), nullptr};
    layer.slopes = &parameters.constant(name + "_slope", structure.channels, kSlope);
    layers_.push_back(layer);
    channels = structure.channels;
  }
  last_ = parameters.layer("conv_last", channels, 3 * scale_ * scale_, kSame.kernel, kSmall);
}

nn::train::Tensor Network::detail(nn::train::Tape& tape, nn::train::Tensor small) const {
  nn::train::Tensor x = small;
  for (const Layer& layer : layers_) {
    x = conv2d(x, tape.parameter(*layer.convolution.weights), tape.parameter(*layer.convolution.bias), kSame);
    x = prelu(x, tape.parameter(*layer.slopes));
  }
  x = conv2d(x, tape.parameter(*last_.weights), tape.parameter(*last_.bias), kSame);
  return pixel_shuffle(x, scale_);
}

Result<nn::Graph> Network::graph(nn::train::Device& device) const {
  nn::train::GraphBuilder builder{device};
  const int picture = builder.input();
  int x = picture;
  for (const Layer& layer : layers_) {
    x = builder.convolution(x, *layer.convolution.weights, *layer.convolution.bias, kSame);
    x = builder.prelu(x, *layer.slopes);
  }
  x = builder.pixel_shuffle(builder.convolution(x, *last_.weights, *last_.bias, kSame), scale_);
  const nn::Interp interp = interp_of(scale_);
  return builder.finish(builder.add(x, builder.resize(picture, interp.kind, interp.scale)));
}

synth::Canvas enlarge_base(const synth::Canvas& small, int scale) {
  return transposed(enlarge_rows(transposed(enlarge_rows(small, scale)), scale));
}

}  // namespace weir::training
