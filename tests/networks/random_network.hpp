#pragma once

// Random networks of supported layers in any order, made from a seed. The engine must compute correct results for them
// or refuse them, also for combinations that no published family has.

#include "networks/seeded_network_writer.hpp"

namespace weir::test {

namespace detail {

/// Writes a random network. Each private function without a result adds layers to the current blob.
class RandomNetworkWriter : SeededNetworkWriter {
 public:
  explicit RandomNetworkWriter(std::uint64_t seed) : SeededNetworkWriter{seed} {}

  GeneratedNetwork write() && {
    blob_ = w_.name_output("data").add_layer("Input", {}, 1, "");
    const int steps = draw_integer(2, 6);
    for (int i = 0; i < steps; ++i) step();
    w_.name_output("output").add_convolution(blob_, {.in = channels_, .out = 3, .pad = 1, .gain = 0.5F, .bias = 0.5F});
    return std::move(w_).finish();
  }

 private:
  int some_channels() { return draw_one_of(std::array{1, 2, 3, 4, 5, 8, 16, 33, 48}); }

  void step() {
    switch (draw_integer(0, 10)) {
      case 0:
      case 1:
        return convolve();
      case 2:
        return enlarge();
      case 3:
        return shuffle();
      case 4:
        return activate();
      case 5:
        return calculate();
      case 6:
        return add_branch();
      case 7:
        return join_branch();
      case 8:
        return gate();
      case 9:
        return pad();
      default:
        convolve();
        blob_ = w_.add_prelu(blob_, draw_integer(0, 1) == 0 ? channels_ : 1);
    }
  }
  /// Ensures more than four channels, because most concatenations and gates of fewer channels are not supported. Does
  /// nothing in 1 of 20 cases.
  void widen() {
    if (channels_ > 4 || draw_integer(0, 19) == 0) return;
    convolve_to(8);
  }
  void convolve() {
    const int out = some_channels();
    const int kernel = 2 * draw_integer(0, channels_ > 4 ? 1 : 2) + 1;
    const float slope = draw_integer(0, 1) == 0 ? 1.0F : 0.2F;
    blob_ =
        w_.add_convolution(blob_, {.in = channels_, .out = out, .kernel = kernel, .pad = kernel / 2, .slope = slope});
    channels_ = out;
  }
  void convolve_to(int channels) {
    blob_ = w_.add_convolution(blob_, {.in = channels_, .out = channels, .pad = 1});
    channels_ = channels;
  }
  void enlarge() {
    if (scale_ == 4) return;
    scale_ *= 2;
    const int kind = draw_integer(1, 4);
    if (kind == 4) widen();
    if (kind < 4) {
      if (kind > 1 && channels_ > 4) convolve_to(3);
      blob_ = w_.add_layer("Interp", {blob_}, 1, fmt::format("0={} 1=2.000000e+00 2=2.000000e+00", kind));
      return;
    }
    const int out = some_channels();
    const int kernel = 2 * draw_integer(1, 2);
    blob_ = w_.add_deconvolution(blob_,
                                 {.in = channels_, .out = out, .kernel = kernel, .stride = 2, .pad = kernel / 2 - 1});
    channels_ = out;
  }
  void shuffle() {
    if (scale_ == 4) return;
    scale_ *= 2;
    if (draw_integer(0, 2) == 0) return shuffle_onto_enlarged();
    if (channels_ % 4 != 0) convolve_to(4 * channels_);
    blob_ = w_.add_layer("PixelShuffle", {blob_}, 1, "0=2");
    channels_ /= 4;
  }
  void shuffle_onto_enlarged() {
    auto copies = w_.add_split(blob_, 2);
    const std::string detail = w_.add_convolution(copies[0], {.in = channels_, .out = 4 * channels_, .pad = 1});
    const std::string shuffled = w_.add_layer("PixelShuffle", {detail}, 1, "0=2");
    const std::string enlarged = w_.add_layer("Interp", {copies[1]}, 1, "0=1 1=2.000000e+00 2=2.000000e+00");
    blob_ = w_.add_sum(shuffled, enlarged);
  }
  void activate() {
    const int kind = draw_integer(0, 7);  // few sigmoids, because a sigmoid of a picture is not supported
    blob_ = kind == 0  ? w_.add_layer("Sigmoid", {blob_}, 1, "")
            : kind < 4 ? w_.add_layer("ReLU", {blob_}, 1, "0=1.000000e-01")
                       : w_.add_layer("Clip", {blob_}, 1, "0=-5.000000e-01 1=7.500000e-01");
  }
  void calculate() {
    constexpr std::array<int, 4> kOperations{0, 1, 2, 7};  // add, subtract, multiply, subtract from
    blob_ = w_.add_layer("BinaryOp", {blob_}, 1, fmt::format("0={} 1=1 2=7.500000e-01", kOperations[draw_.next() % 4]));
  }
  void add_branch() {
    auto copies = w_.add_split(blob_, 2);
    const std::string branch = w_.add_convolution(copies[0], {.in = channels_, .out = channels_, .pad = 1});
    blob_ = draw_integer(0, 1) == 0
                ? w_.add_sum(branch, copies[1])
                : w_.add_layer("Eltwise", {branch, copies[1]}, 1, "0=1 -23301=2,2.000000e-01,1.000000e+00");
  }
  void join_branch() {
    widen();
    auto copies = w_.add_split(blob_, 2);
    const int out = 5 + some_channels();
    const std::string branch = w_.add_convolution(copies[0], {.in = channels_, .out = out, .pad = 1});
    blob_ = w_.add_layer("Concat", {branch, copies[1]}, 1, "");
    channels_ += out;
  }
  /// Adds a Padding layer with a random kind and random sides, then a layer that removes as many rows and columns.
  void pad() {
    const int all = 2 * draw_integer(1, channels_ > 4 ? 1 : 2);
    const int top = draw_integer(0, all);
    const int left = draw_integer(0, all);
    blob_ = w_.add_layer(
        "Padding", {blob_}, 1,
        fmt::format("0={} 1={} 2={} 3={} 4={} 5=2.500000e-01", top, all - top, left, all - left, draw_integer(0, 2)));
    if (draw_integer(0, 3) == 0) {
      // -233 is ncnn's value for "to the end of the axis".
      blob_ = w_.add_layer("Crop", {blob_}, 1, fmt::format("-23309=2,0,{0} -23310=2,-{0},-233 -23311=2,1,2", all));
      return;
    }
    const int out = some_channels();
    blob_ = w_.add_convolution(blob_, {.in = channels_, .out = out, .kernel = all + 1});
    channels_ = out;
  }
  /// Multiplies each channel by a factor between 0 and 1 that is computed from the means of all channels.
  void gate() {
    widen();
    auto copies = w_.add_split(blob_, 2);
    const std::string means = w_.add_layer("Pooling", {copies[1]}, 1, "0=1 4=1");
    const std::string gates = w_.add_inner_product(means, channels_, channels_, 4);
    blob_ = w_.add_layer("BinaryOp", {copies[0], gates}, 1, "0=2");
    const int out = some_channels();
    blob_ = w_.add_convolution(blob_, {.in = channels_, .out = out, .kernel = draw_integer(0, 9) == 0 ? 3 : 1});
    channels_ = out;
  }
};

}  // namespace detail

/// Returns a network with two to six random layers or small groups of layers, followed by a last convolution.
inline GeneratedNetwork random_network(std::uint64_t seed) { return detail::RandomNetworkWriter{seed}.write(); }

}  // namespace weir::test
