#pragma once

// Random networks as in random_network.hpp, but with numbers of channels, factors, strides, and inputs of sums and
// concatenations up to the limits of the engine and above.

#include "networks/seeded_network_writer.hpp"

namespace weir::test {

namespace detail {

/// Writes a random network. Each private function without a result adds layers to the current blob.
class WideNetworkWriter : SeededNetworkWriter {
 public:
  explicit WideNetworkWriter(std::uint64_t seed) : SeededNetworkWriter{seed} {}

  GeneratedNetwork write() && {
    blob_ = w_.name_output("data").add_layer("Input", {}, 1, "");
    const int steps = draw_integer(1, 4);
    for (int i = 0; i < steps; ++i) step();
    w_.name_output("output").add_convolution(
        blob_, {.in = channels_, .out = 3, .kernel = draw_integer(0, 1) * 2 + 1, .gain = 0.5F});
    return std::move(w_).finish();
  }

 private:
  static constexpr int kLargestScale = 16;

  void step() {
    switch (draw_integer(0, 7)) {
      case 0:
        return convolve_wide();
      case 1:
        return shuffle();
      case 2:
        return enlarge();
      case 3:
        return sum();
      case 4:
        return concatenate();
      case 5:
        return down_and_up();
      case 6:
        return resize_and_back();
      default:
        return convolve_to(draw_one_of(std::array{1, 2, 4, 5, 31, 32, 33, 96, 160}), 2 * draw_integer(0, 2) + 1);
    }
  }
  void convolve_to(int channels, int kernel) {
    blob_ = w_.add_convolution(
        blob_, {.in = channels_, .out = channels, .kernel = kernel, .pad = draw_integer(0, 1) * (kernel / 2)});
    channels_ = channels;
  }
  /// Adds a convolution with many output channels, and a convolution with few.
  void convolve_wide() {
    convolve_to(draw_one_of(std::array{512, 1111, 2047, 2048, 2049, 2080, 4096, 8192, 8193}), 1);
    convolve_to(draw_integer(1, 9), 2 * draw_integer(0, 1) + 1);
  }
  void shuffle() {
    const int factor = draw_integer(1, kLargestScale / scale_);
    const int channels = draw_integer(1, 6);
    convolve_to(channels * factor * factor, 1);
    blob_ = w_.add_layer("PixelShuffle", {blob_}, 1, fmt::format("0={}", factor));
    channels_ = channels;
    scale_ *= factor;
  }
  void enlarge() {
    const int factor = draw_integer(1, kLargestScale / scale_);
    if (draw_integer(0, 1) == 0) {
      blob_ = w_.add_layer("Interp", {blob_}, 1,
                           fmt::format("0={0} 1={1:.6e} 2={1:.6e}", draw_integer(1, 3), factor * 1.0));
    } else {
      const int stride = std::min(factor, 8);
      const int kernel = draw_integer(1, 4 * stride);
      const int channels = draw_integer(1, 40);
      blob_ = w_.add_deconvolution(blob_, {.in = channels_,
                                           .out = channels,
                                           .kernel = std::min(kernel, 31),
                                           .stride = stride,
                                           .pad = draw_integer(0, std::min(kernel, 31) - 1)});
      channels_ = channels;
      scale_ *= stride;
      return;
    }
    scale_ *= factor;
  }
  void sum() {
    const int inputs = draw_integer(2, 24);
    const auto copies = w_.add_split(blob_, inputs + 1);
    std::vector<std::string> parts;
    for (int i = 0; i < inputs; ++i) parts.push_back(i % 5 == 4 ? gated(copies[at(i)]) : copies[at(i)]);
    std::string coefficients = fmt::format("0=1 -23301={}", inputs);
    for (int i = 0; i < inputs; ++i) coefficients += fmt::format(",{:.6e}", (i % 3 - 1) * 0.25);
    const std::string total = w_.add_layer("Eltwise", parts, 1, coefficients);
    blob_ = w_.add_sum(total, copies[at(inputs)]);
  }
  std::string gated(const std::string& blob) {
    if (channels_ <= 4) return w_.add_layer("ReLU", {blob}, 1, "");
    const auto copies = w_.add_split(blob, 2);
    const std::string means = w_.add_layer("Pooling", {copies[1]}, 1, "0=1 4=1");
    return w_.add_layer("BinaryOp", {copies[0], w_.add_inner_product(means, channels_, channels_, 4)}, 1, "0=2");
  }
  void concatenate() {
    const int inputs = draw_integer(2, 24);
    const int channels = draw_one_of(std::array{5, 8, 32, 33, 64, 96});
    const auto copies = w_.add_split(blob_, inputs);
    std::vector<std::string> parts;
    for (const std::string& copy : copies) {
      parts.push_back(w_.add_convolution(copy, {.in = channels_, .out = channels, .kernel = 1}));
    }
    blob_ = w_.add_layer("Concat", parts, 1, "");
    channels_ = inputs * channels;
    convolve_to(draw_integer(1, 40), 2 * draw_integer(0, 1) + 1);
  }
  /// Adds a convolution with a stride, and a pixel shuffle that enlarges by the same factor.
  void down_and_up() {
    const int stride = draw_integer(2, 8);
    convolve_to(draw_integer(4, 40), 1);
    const int channels = draw_integer(1, 8);
    const int kernel = draw_integer(1, 3);
    blob_ = w_.add_convolution(
        blob_, {.in = channels_, .out = channels * stride * stride, .kernel = kernel, .stride = stride});
    blob_ = w_.add_layer("PixelShuffle", {blob_}, 1, fmt::format("0={}", stride));
    channels_ = channels;
  }
  void resize_and_back() {
    constexpr std::array<float, 4> kScales{0.5F, 0.75F, 1.5F, 1.25F};
    const float scale = kScales[at(draw_integer(0, 3))];
    convolve_to(draw_integer(1, 4), 1);
    for (const float each : {scale, 1 / scale}) {
      blob_ = w_.add_layer("Interp", {blob_}, 1, fmt::format("0={0} 1={1:.8e} 2={1:.8e}", draw_integer(1, 3), each));
    }
  }
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
};

}  // namespace detail

/// Returns a network with one to four random groups of layers, followed by a last convolution.
inline GeneratedNetwork wide_random_network(std::uint64_t seed) { return detail::WideNetworkWriter{seed}.write(); }

}  // namespace weir::test
