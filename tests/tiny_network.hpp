#pragma once

// Writes the files of a network whose result is known: each pixel becomes a block of scale * scale pixels with the same
// colour. Additional layers make the network slower and do not change the result.

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

namespace weir::test {

namespace detail {

inline void append_floats(std::string& bytes, std::size_t count, float value) {
  for (std::size_t i = 0; i < count; ++i) bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Appends the weights of a 3x3 convolution in ncnn's format, and then its biases. In this format, a tag of 0 before
/// the weights means that they are float32 values. Output channel o becomes a copy of input channel source(o); it
/// becomes 0 if there is no input channel source(o).
template <class Source>
void append_convolution(std::string& bytes, int in, int out, Source source) {
  append_floats(bytes, 1, 0);  // the tag
  for (int o = 0; o < out; ++o) {
    for (int i = 0; i < in; ++i) {
      for (int tap = 0; tap < 9; ++tap) append_floats(bytes, 1, tap == 4 && i == source(o) ? 1.0F : 0.0F);
    }
  }
  append_floats(bytes, static_cast<std::size_t>(out), 0);
}

}  // namespace detail

/// Writes NAME.param and NAME.bin into `folder`, and creates the folder. `layers`: number of additional convolutions.
inline void write_tiny_network(const std::filesystem::path& folder, const std::string& name, int scale = 2,
                               int layers = 0) {
  const int out = 3 * scale * scale;
  constexpr int kHiddenChannels = 64;
  std::string param = "7767517\n" + std::to_string(3 + layers) + " " + std::to_string(3 + layers) + "\n";
  param += "Input data 0 1 data\n";
  std::string bin;
  std::string blob = "data";
  int in = 3;
  for (int i = 0; i < layers; ++i) {
    const std::string next = "wide" + std::to_string(i);
    param += "Convolution " + next + " 1 1 " + blob + " " + next +
             " 0=64 1=3 4=1 5=1 6=" + std::to_string(in * kHiddenChannels * 9) + "\n";
    detail::append_convolution(bin, in, kHiddenChannels, [](int o) { return o < 3 ? o : -1; });
    blob = next;
    in = kHiddenChannels;
  }
  param += "Convolution conv 1 1 " + blob + " blocks 0=" + std::to_string(out) +
           " 1=3 4=1 5=1 6=" + std::to_string(in * out * 9) + "\n";
  detail::append_convolution(bin, in, out, [scale](int o) { return o / (scale * scale); });
  param += "PixelShuffle shuffle 1 1 blocks output 0=" + std::to_string(scale) + "\n";
  std::filesystem::create_directories(folder);
  std::ofstream{folder / (name + ".param"), std::ios::binary} << param;
  std::ofstream{folder / (name + ".bin"), std::ios::binary} << bin;
}

}  // namespace weir::test
