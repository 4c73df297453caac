#pragma once

// Generated networks at the limits of the engine and above them.

#include "networks/generate_network.hpp"

namespace weir::test {

/// Returns a network that adds `inputs` copies of the picture.
inline GeneratedNetwork sum_network(int inputs) {
  detail::NetworkWriter w{{}};
  const auto copies = w.add_split(w.name_output("data").add_layer("Input", {}, 1, ""), inputs);
  w.name_output("output").add_layer("Eltwise", copies, 1, "0=1");
  return std::move(w).finish();
}

/// Returns a network that adds `inputs` copies of some features. Each copy is multiplied by its own gate: one factor
/// per channel, computed from the channel means.
inline GeneratedNetwork gated_sum_network(int inputs) {
  constexpr int kChannels = 8;
  detail::NetworkWriter w{{}};
  const std::string picture = w.name_output("data").add_layer("Input", {}, 1, "");
  const auto copies = w.add_split(w.add_convolution(picture, {.in = 3, .out = kChannels, .kernel = 1}), inputs + 1);
  const std::string means = w.add_layer("Pooling", {copies.back()}, 1, "0=1 4=1");
  const auto vectors = w.add_split(means, inputs);
  std::vector<std::string> gated;
  for (int i = 0; i < inputs; ++i) {
    const std::string gate = w.add_inner_product(vectors[static_cast<std::size_t>(i)], kChannels, kChannels, 4);
    gated.push_back(w.add_layer("BinaryOp", {copies[static_cast<std::size_t>(i)], gate}, 1, "0=2"));
  }
  const std::string sum = w.add_layer("Eltwise", gated, 1, "0=1");
  w.name_output("output").add_convolution(sum, {.in = kChannels, .out = 3, .kernel = 1});
  return std::move(w).finish();
}

/// Returns a network with a convolution that reads `channels` channels.
inline GeneratedNetwork wide_network(int channels, int kernel) {
  detail::NetworkWriter w{{}};
  const std::string picture = w.name_output("data").add_layer("Input", {}, 1, "");
  const std::string wide = w.add_convolution(picture, {.in = 3, .out = channels, .kernel = 1});
  const std::string narrow =
      w.add_convolution(wide, {.in = channels, .out = 5, .kernel = kernel, .pad = kernel == 3 ? 1 : 0});
  w.name_output("output").add_convolution(narrow, {.in = 5, .out = 3, .kernel = 1});
  return std::move(w).finish();
}

/// Returns a network that concatenates `inputs` parts of `channels` channels each and applies a 3x3 convolution.
inline GeneratedNetwork concat_network(int inputs, int channels) {
  detail::NetworkWriter w{{}};
  const auto pictures = w.add_split(w.name_output("data").add_layer("Input", {}, 1, ""), inputs);
  std::vector<std::string> parts;
  for (const std::string& picture : pictures) {
    parts.push_back(w.add_convolution(picture, {.in = 3, .out = channels, .kernel = 1}));
  }
  const std::string joined = w.add_layer("Concat", parts, 1, "");
  w.name_output("output").add_convolution(joined, {.in = inputs * channels, .out = 3, .pad = 1});
  return std::move(w).finish();
}

/// Returns a network with a pixel shuffle of this factor.
inline GeneratedNetwork shuffle_network(int factor) {
  detail::NetworkWriter w{{}};
  const std::string picture = w.name_output("data").add_layer("Input", {}, 1, "");
  const std::string blob = w.add_convolution(picture, {.in = 3, .out = 3 * factor * factor, .kernel = 1});
  w.name_output("output").add_layer("PixelShuffle", {blob}, 1, fmt::format("0={}", factor));
  return std::move(w).finish();
}

/// Returns a network that adds a pixel shuffle and the picture enlarged by nearest neighbour. One of the two is
/// multiplied by a gate: the enlarged picture if `gates_enlarged`, else the pixel shuffle.
inline GeneratedNetwork gated_shuffle_network(bool gates_enlarged) {
  constexpr int kChannels = 8;
  detail::NetworkWriter w{{}};
  const auto pictures = w.add_split(w.name_output("data").add_layer("Input", {}, 1, ""), 2);
  const auto features = w.add_split(w.add_convolution(pictures[0], {.in = 3, .out = kChannels, .kernel = 1}), 2);
  const std::string means = w.add_layer("Pooling", {features[0]}, 1, "0=1 4=1");
  const std::string gate = w.add_inner_product(means, kChannels, 3, 4);
  const std::string detail = w.add_convolution(features[1], {.in = kChannels, .out = 12, .kernel = 1});
  std::string shuffled = w.add_layer("PixelShuffle", {detail}, 1, "0=2");
  std::string enlarged = w.add_layer("Interp", {pictures[1]}, 1, "0=1 1=2.000000e+00 2=2.000000e+00");
  std::string& gated = gates_enlarged ? enlarged : shuffled;
  gated = w.add_layer("BinaryOp", {gated, gate}, 1, "0=2");
  w.name_output("output").add_sum(shuffled, enlarged);
  return std::move(w).finish();
}

/// Returns a network with `layers` + 1 successive additions of a number.
inline GeneratedNetwork deep_network(int layers) {
  detail::NetworkWriter w{{}};
  std::string blob = w.name_output("data").add_layer("Input", {}, 1, "");
  for (int i = 0; i < layers; ++i) blob = w.add_layer("BinaryOp", {blob}, 1, "0=0 1=1 2=1.000000e-03");
  w.name_output("output").add_layer("BinaryOp", {blob}, 1, "0=0 1=1 2=1.000000e-03");
  return std::move(w).finish();
}

/// Returns a network of dense blocks as in ESRGAN, followed by one squeeze-and-excitation gate.
inline GeneratedNetwork dense_network(int blocks, int channels = 16, int growth = 8) {
  detail::NetworkWriter w{{}};
  std::string blob =
      w.add_convolution(w.name_output("data").add_layer("Input", {}, 1, ""), {.in = 3, .out = channels, .pad = 1});
  for (int block = 0; block < blocks; ++block) {
    const auto copies = w.add_split(blob, 6);
    std::vector<std::vector<std::string>> grown;
    std::string made;
    for (int i = 0; i < 5; ++i) {
      std::vector<std::string> parts{copies[static_cast<std::size_t>(i)]};
      for (auto& each : grown) {
        parts.push_back(each.back());
        each.pop_back();
      }
      const std::string source = parts.size() == 1 ? parts[0] : w.add_layer("Concat", parts, 1, "0=0");
      const int out = i < 4 ? growth : channels;
      made = w.add_convolution(source, {.in = channels + i * growth, .out = out, .pad = 1, .gain = 0.5F});
      if (i < 4) grown.push_back(i < 3 ? w.add_split(made, 4 - i) : std::vector<std::string>{made});
    }
    blob = w.add_sum(made, copies[5]);
  }
  const auto copies = w.add_split(blob, 2);
  const std::string means = w.add_layer("Pooling", {copies[1]}, 1, "0=1 4=1");
  const std::string gate = w.add_inner_product(means, channels, channels, 4);
  const std::string gated = w.add_layer("BinaryOp", {copies[0], gate}, 1, "0=2");
  w.name_output("output").add_convolution(gated, {.in = channels, .out = 3, .kernel = 1});
  return std::move(w).finish();
}

/// Returns a network with `gates` successive squeeze-and-excitation blocks (a convolution followed by a gate).
inline GeneratedNetwork gates_network(int gates) {
  constexpr int kChannels = 8;
  detail::NetworkWriter w{{}};
  std::string blob =
      w.add_convolution(w.name_output("data").add_layer("Input", {}, 1, ""), {.in = 3, .out = kChannels, .pad = 1});
  for (int i = 0; i < gates; ++i) {
    const auto copies = w.add_split(w.add_convolution(blob, {.in = kChannels, .out = kChannels, .pad = 1}), 2);
    const std::string means = w.add_layer("Pooling", {copies[1]}, 1, "0=1 4=1");
    const std::string gate = w.add_inner_product(means, kChannels, kChannels, 4);
    const std::string gated = w.add_layer("BinaryOp", {copies[0], gate}, 1, "0=2");
    blob = w.add_convolution(gated, {.in = kChannels, .out = kChannels, .kernel = 1});
  }
  w.name_output("output").add_convolution(blob, {.in = kChannels, .out = 3, .kernel = 1});
  return std::move(w).finish();
}

}  // namespace weir::test
