#pragma once

// Generates small networks from a seed, as the contents of .param and .bin files of ncnn's format. They have the layers
// and the structure of each supported family, and are the same on every machine. So tests need no published weights.

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/splitmix64.hpp"
#include "compute/half.hpp"

namespace weir::test {

/// The contents of a network's two files.
struct GeneratedNetwork {
  std::string param;
  std::vector<std::byte> bin;
};

/// The type of the stored weights; both types store the same numbers.
enum class StoredWeights { float16, float32 };

/// The size and the weights of a generated network.
struct GenerateSettings {
  int channels = 8;  ///< channels of the widest layers at full size (64 in the published networks); even, at least 2
  int blocks = 2;    ///< hidden convolutions of the compact families, residual blocks of rrdb; at least 1
  StoredWeights weights = StoredWeights::float16;
  std::uint64_t seed = 1;
};

/// All names that generate_network() accepts except "padded", for which no other program's result is stored. "shuffles"
/// and "layers" are not published families: they contain supported layers that no family uses.
inline constexpr std::array<std::string_view, 12> kGeneratedFamilies{
    "realcugan2x_se", "realcugan3x_se", "realcugan4x_se", "realcugan2x_nose", "animevideo_x2", "animevideo_x3",
    "animevideo_x4",  "general_x4",     "rrdb_x4",        "rrdb_pnnx_x4",     "shuffles",      "layers"};

/// Pseudo-random numbers that depend only on the seed.
class SeededNumbers {
 public:
  explicit SeededNumbers(std::uint64_t seed) : bits_{seed} {}
  std::uint64_t next() { return bits_.next(); }
  /// Returns a number uniformly distributed in [low, high).
  float between(float low, float high) { return low + (high - low) * bits_.next_unit(); }

 private:
  SplitMix64 bits_;
};

/// Returns a picture [3, h, w] with 8-bit values divided by 255: noise on a gradient, so that it has both edges and
/// flat parts.
inline std::vector<float> generated_picture(int height, int width, std::uint64_t seed = 7) {
  SeededNumbers numbers{seed};
  std::vector<float> values;
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const float slope = static_cast<float>(x + (c + 1) * y) / static_cast<float>(width + (c + 1) * height);
        const float value = std::clamp(slope * 0.7F + numbers.between(0.0F, 0.3F), 0.0F, 1.0F);
        values.push_back(std::floor(value * 255.0F) / 255.0F);
      }
    }
  }
  return values;
}

namespace detail {

/// Rounds to the nearest float16 value; values below the normal numbers of float16 become zero.
inline float rounded_to_half(float value) {
  return std::abs(value) < 0x1p-14F ? 0 : compute::half_to_float(compute::float_to_half(value));
}

/// Writes the lines of a .param file, one per layer, and the weights of the .bin file. A blob is the output of a layer.
/// Each function add_...() adds a layer that reads the blob or blobs with the given names, and returns the name of the
/// output blob. Parameters of a layer are texts like "0=2 1=1", as in the file.
class NetworkWriter {
 public:
  /// `spelled_out`: writes the form of other converters, with every parameter, and with activations as separate layers.
  explicit NetworkWriter(const GenerateSettings& settings, bool spelled_out = false)
      : settings_{settings}, numbers_{settings.seed}, spelled_out_{spelled_out} {}

  /// Adds a layer with `outputs` output blobs; returns the name of the first output.
  std::string add_layer(std::string_view type, const std::vector<std::string>& inputs, int outputs,
                        const std::string& parameters) {
    std::string line = fmt::format("{:<16} layer_{:<18} {} {}", type, layers_, inputs.size(), outputs);
    for (const std::string& input : inputs) line += " " + input;
    const std::string first = next_output_.empty() ? fmt::format("b{}", blobs_) : next_output_;
    next_output_.clear();
    for (int i = 0; i < outputs; ++i) line += i == 0 ? " " + first : fmt::format(" {}_{}", first, i);
    text_ += line + (parameters.empty() ? "" : " " + parameters) + "\n";
    ++layers_;
    blobs_ += outputs;
    return first;
  }
  /// Sets the name of the next layer's output.
  NetworkWriter& name_output(const std::string& name) {
    next_output_ = name;
    return *this;
  }

  /// Adds a Split layer, which copies a blob; returns the names of all copies.
  std::vector<std::string> add_split(const std::string& blob, int outputs) {
    const std::string first = add_layer("Split", {blob}, outputs, "");
    std::vector<std::string> names{first};
    for (int i = 1; i < outputs; ++i) names.push_back(fmt::format("{}_{}", first, i));
    return names;
  }

  /// The parameters of a convolution or a deconvolution, and the distribution of its random weights.
  struct Kernel {
    int in, out, kernel = 3, stride = 1, pad = 0;
    float slope = 1;  ///< slope of the activation below zero; 1: no activation
    float gain = 1;   ///< scale of the weights: 1 preserves the variance of the values
    float bias = 0;   ///< mean of the biases
  };
  std::string add_convolution(const std::string& blob, const Kernel& k) {
    const std::int64_t weights = append_kernel_weights(k, k.in * k.kernel * k.kernel);
    const bool separate = spelled_out_ && k.slope != 1;
    const std::string own_name = std::exchange(next_output_, separate ? "" : next_output_);
    std::string out = add_layer("Convolution", {blob}, 1, kernel_text(k, weights, spelled_out_));
    if (!separate) return out;
    return name_output(own_name).add_layer("ReLU", {out}, 1, fmt::format("0={:.6e}", k.slope));
  }
  std::string add_deconvolution(const std::string& blob, const Kernel& k) {
    const std::int64_t weights = append_kernel_weights(k, k.in * k.kernel * k.kernel / (k.stride * k.stride));
    return add_layer("Deconvolution", {blob}, 1, kernel_text(k, weights, false));
  }
  /// `activation`: 0 none, 1 ReLU, 4 sigmoid.
  std::string add_inner_product(const std::string& blob, int in, int out, int activation) {
    const Kernel k{.in = in, .out = out, .kernel = 1};
    const std::int64_t weights = append_kernel_weights(k, in);
    return add_layer("InnerProduct", {blob}, 1, fmt::format("0={} 1=1 2={} 9={}", out, weights, activation));
  }
  std::string add_prelu(const std::string& blob, int slopes) {
    for (int i = 0; i < slopes; ++i) append(numbers_.between(-0.1F, 0.4F));
    return add_layer("PReLU", {blob}, 1, fmt::format("0={}", slopes));
  }
  /// Adds a Crop layer that removes `pixels` rows or columns on each of the four sides.
  std::string add_crop(const std::string& blob, int pixels, std::string_view axes = "-2,-1") {
    return add_layer("Crop", {blob}, 1, fmt::format("-23309=2,{0},{0} -23310=2,-{0},-{0} -23311=2,{1}", pixels, axes));
  }
  std::string add_sum(const std::string& a, const std::string& b) {
    return add_layer("BinaryOp", {a, b}, 1, spelled_out_ ? "0=0" : "");
  }

  GeneratedNetwork finish() && { return {fmt::format("7767517\n{} {}\n{}", layers_, blobs_, text_), std::move(bin_)}; }

 private:
  /// Appends random weights and biases to the .bin file; returns the number of weights. `products` is the number of
  /// products in the sum of one output value.
  std::int64_t append_kernel_weights(const Kernel& k, int products) {
    const std::int64_t count = std::int64_t{k.in} * k.out * k.kernel * k.kernel;
    const float most = k.gain * std::sqrt(3.0F / static_cast<float>(std::max(1, products)));
    const bool half = settings_.weights == StoredWeights::float16;
    append(half ? kFloat16Tag : kFloat32Tag);
    for (std::int64_t i = 0; i < count; ++i) {
      const float weight = rounded_to_half(numbers_.between(-most, most));
      half ? append(compute::float_to_half(weight)) : append(weight);
    }
    if (half && count % 2 != 0) append(std::uint16_t{0});  // fills up to a multiple of four bytes
    for (int i = 0; i < k.out; ++i) append(k.bias + numbers_.between(-0.05F, 0.05F));
    return count;
  }
  static std::string kernel_text(const Kernel& k, std::int64_t weights, bool spelled_out) {
    if (spelled_out) {
      return fmt::format("0={} 1={} 11={} 2=1 12=1 3={} 13={} 4={} 14={} 15={} 16={} 5=1 6={}", k.out, k.kernel,
                         k.kernel, k.stride, k.stride, k.pad, k.pad, k.pad, k.pad, weights);
    }
    std::string text = fmt::format("0={} 1={}", k.out, k.kernel);
    if (k.stride != 1) text += fmt::format(" 3={}", k.stride);
    if (k.pad != 0) text += fmt::format(" 4={}", k.pad);
    text += fmt::format(" 5=1 6={}", weights);
    return k.slope == 1 ? text : text + fmt::format(" 9=2 -23310=1,{:.6e}", k.slope);
  }
  // The tags before the weights in ncnn's format.
  static constexpr std::uint32_t kFloat16Tag = 0x01306B47;
  static constexpr std::uint32_t kFloat32Tag = 0;

  template <class Value>
  void append(Value value) {
    std::array<std::byte, sizeof(Value)> bytes{};
    std::memcpy(bytes.data(), &value, sizeof value);
    bin_.insert(bin_.end(), bytes.begin(), bytes.end());
  }

  GenerateSettings settings_;
  SeededNumbers numbers_;
  bool spelled_out_;
  std::string text_;
  std::string next_output_;
  std::vector<std::byte> bin_;
  int layers_ = 0;
  int blobs_ = 0;
};

constexpr float kCuganSlope = 0.1F;
constexpr float kLeakyGain = 1.4F;  // weights are larger by this factor, because a leaky ReLU reduces the variance

/// Writes a network of the Real-CUGAN family: two U-shaped networks, one after the other, in which no convolution has
/// padding. Each private function adds layers and returns the name of their output blob.
class CuganWriter {
 public:
  CuganWriter(const GenerateSettings& settings, int scale, bool gates)
      : w_{settings}, c_{settings.channels}, scale_{scale}, gates_{gates} {}

  GeneratedNetwork write() && {
    const std::string picture = w_.name_output("in0").add_layer("Input", {}, 1, "");
    const int head = scale_ == 4 ? c_ : 3;
    auto base = w_.add_split(first_part(picture, head), 2);
    const std::string detail = second_part(base[1], head);
    const std::string cut = crop(base[0], 20);  // the pixels on each side that second_part() removes
    if (scale_ != 4) {
      w_.name_output("out0").add_sum(detail, cut);
      return std::move(w_).finish();
    }
    const std::string sum = w_.add_sum(detail, cut);
    const std::string last = w_.add_convolution(sum, {.in = c_, .out = 12, .gain = 0.1F});
    const std::string trimmed = crop(last, 1);
    w_.name_output("out0").add_layer("PixelShuffle", {trimmed}, 1, "0=2");
    return std::move(w_).finish();
  }

 private:
  std::string first_part(const std::string& picture, int outputs) {
    const std::string a = conv(conv(picture, 3, c_ / 2), c_ / 2, c_);
    auto skip = w_.add_split(a, 2);
    std::string down = conv(conv(halve(skip[1], c_), c_, 2 * c_), 2 * c_, c_);
    const std::string joined = join(skip[0], 4, gate(down, c_), c_);
    const std::string b = conv(joined, c_, c_);
    if (scale_ == 3) {
      return w_.add_deconvolution(
          b, {.in = c_, .out = outputs, .kernel = 5, .stride = 3, .pad = 2, .gain = 0.3F, .bias = 0.5F});
    }
    return w_.add_deconvolution(
        b, {.in = c_, .out = outputs, .kernel = 4, .stride = 2, .pad = 3, .gain = 0.3F, .bias = 0.5F});
  }

  std::string second_part(const std::string& base, int inputs) {
    const std::string a = conv(conv(base, inputs, c_ / 2), c_ / 2, c_);
    auto skip = w_.add_split(a, 2);
    const std::string b = conv(conv(halve(skip[1], c_), c_, c_), c_, 2 * c_);
    auto deep_skip = w_.add_split(gate(b, 2 * c_), 2);
    const std::string deep = conv(conv(halve(deep_skip[1], 2 * c_), 2 * c_, 4 * c_), 4 * c_, 2 * c_);
    const std::string inner = join(deep_skip[0], 4, gate(deep, 2 * c_), 2 * c_);
    const std::string d = conv(conv(inner, 2 * c_, c_), c_, c_);
    const std::string outer = join(skip[0], 16, gate(d, c_), c_);
    const std::string e = conv(outer, c_, c_);
    return w_.add_convolution(e, {.in = c_, .out = scale_ == 4 ? c_ : 3, .gain = 0.2F});
  }

  std::string conv(const std::string& blob, int in, int out) {
    return w_.add_convolution(blob, {.in = in, .out = out, .slope = kCuganSlope, .gain = kLeakyGain});
  }
  std::string halve(const std::string& blob, int channels) {
    return w_.add_convolution(
        blob, {.in = channels, .out = channels, .kernel = 2, .stride = 2, .slope = kCuganSlope, .gain = kLeakyGain});
  }
  std::string crop(const std::string& blob, int pixels) { return w_.add_crop(blob, pixels, gates_ ? "-2,-1" : "1,2"); }
  /// Enlarges the deeper blob by 2 and adds it to the skip connection. `cut`: pixels to crop from each side of the skip
  /// connection, so that both have the same size: the convolutions of the deeper blob have no padding.
  std::string join(const std::string& skip, int cut, const std::string& deep, int channels) {
    const std::string cropped = crop(skip, cut);
    const std::string up = w_.add_deconvolution(
        deep, {.in = channels, .out = channels, .kernel = 2, .stride = 2, .slope = kCuganSlope, .gain = kLeakyGain});
    return w_.add_sum(cropped, up);
  }
  /// Multiplies each channel by a factor between 0 and 1 that is computed from the means of all channels.
  std::string gate(const std::string& blob, int channels) {
    if (!gates_) return blob;
    auto copies = w_.add_split(blob, 2);
    const int narrow = std::max(1, channels / 8);
    const std::string means =
        w_.name_output(fmt::format("gap{}", pooling_count_++)).add_layer("Pooling", {copies[1]}, 1, "0=1 4=1");
    const std::string hidden = w_.add_inner_product(means, channels, narrow, 1);
    const std::string gates = w_.add_inner_product(hidden, narrow, channels, 4);
    return w_.add_layer("BinaryOp", {copies[0], gates}, 1, "0=2");
  }

  NetworkWriter w_;
  int c_;  // GenerateSettings::channels
  int scale_;
  bool gates_;             // the parts have gates (squeeze-and-excitation), as the family "se"
  int pooling_count_ = 0;  // number of Pooling layers, for their names
};

/// Writes a network of a compact family: convolutions with PReLU at the size of the input, then a PixelShuffle by 4;
/// adds the picture enlarged by nearest neighbour. `shrink` is the factor of a bicubic resize at the end: 1 (no
/// resize), 0.75 or 0.5. With `clip`, values are limited to 0..1 at the end.
inline GeneratedNetwork write_compact(const GenerateSettings& settings, double shrink, bool clip) {
  NetworkWriter w{settings};
  const int c = settings.channels;
  const std::string picture = w.name_output("data").add_layer("Input", {}, 1, "");
  auto copies = w.add_split(picture, 2);
  std::string blob = w.add_prelu(w.add_convolution(copies[1], {.in = 3, .out = c, .pad = 1, .gain = kLeakyGain}), c);
  for (int i = 0; i < settings.blocks; ++i) {
    blob = w.add_prelu(w.add_convolution(blob, {.in = c, .out = c, .pad = 1, .gain = kLeakyGain}), c);
  }
  blob = w.add_convolution(blob, {.in = c, .out = 48, .pad = 1, .gain = 0.1F});
  blob = w.add_layer("PixelShuffle", {blob}, 1, "0=4");
  const std::string enlarged = w.add_layer("Interp", {copies[0]}, 1, "0=1 1=4.000000e+00 2=4.000000e+00");
  if (shrink != 1) {
    blob = w.add_sum(blob, enlarged);
    w.name_output("output").add_layer("Interp", {blob}, 1, fmt::format("0=3 1={0:.6e} 2={0:.6e}", shrink));
  } else if (clip) {
    blob = w.add_sum(blob, enlarged);
    w.name_output("output").add_layer("Clip", {blob}, 1, "0=0.000000e+00 1=1.000000e+00");
  } else {
    w.name_output("output").add_sum(blob, enlarged);
  }
  return std::move(w).finish();
}

/// Writes a network of the ESRGAN family: residual-in-residual dense blocks (RRDB), followed by two steps of
/// nearest-neighbour enlargement and convolutions. `spelled_out`: writes the form of other converters, with every
/// parameter, and with activations and scalings as separate layers. Each private function adds layers and returns the
/// name of their output blob.
class RrdbWriter {
 public:
  RrdbWriter(const GenerateSettings& settings, bool spelled_out)
      : w_{settings, spelled_out}, c_{settings.channels}, blocks_{settings.blocks}, spelled_out_{spelled_out} {}

  GeneratedNetwork write() && {
    const std::string picture = w_.name_output("data").add_layer("Input", {}, 1, "");
    const std::string first = conv(picture, 3, c_, 1);
    auto trunk = w_.add_split(first, 2);
    std::string blob = trunk[1];
    for (int i = 0; i < blocks_; ++i) blob = residual_in_residual(blob);
    blob = w_.add_sum(trunk[0], conv(blob, c_, c_, 1));
    for (int i = 0; i < 2; ++i) {
      const std::string tail = spelled_out_ ? " 3=0 4=0 6=0" : "";
      blob = w_.add_layer("Interp", {blob}, 1, "0=1 1=2.000000e+00 2=2.000000e+00" + tail);
      blob = conv(blob, c_, c_, kSlope);
    }
    blob = conv(blob, c_, c_, kSlope);
    w_.name_output("output").add_convolution(blob, {.in = c_, .out = 3, .pad = 1, .gain = 0.3F, .bias = 0.5F});
    return std::move(w_).finish();
  }

 private:
  static constexpr float kSlope = 0.2F;

  std::string conv(const std::string& blob, int in, int out, float slope) {
    return w_.add_convolution(blob, {.in = in, .out = out, .pad = 1, .slope = slope, .gain = slope == 1 ? 1 : 1.35F});
  }
  std::string residual_in_residual(const std::string& in) {
    auto copies = w_.add_split(in, 2);
    std::string blob = copies[1];
    for (int i = 0; i < 3; ++i) blob = dense(blob);
    return scaled_sum(blob, copies[0]);
  }
  std::string dense(const std::string& in) {
    const int growth = c_ / 2;
    const auto copies = w_.add_split(in, 6);
    std::vector<std::vector<std::string>> grown;  // unused copies of each new blob
    for (int i = 0; i < 4; ++i) {
      const std::string source = i == 0 ? copies[5] : concat(copies[5 - i], grown);
      const std::string fresh = conv(source, c_ + i * growth, growth, kSlope);
      grown.push_back(i < 3 ? w_.add_split(fresh, 4 - i) : std::vector<std::string>{fresh});
    }
    const std::string last = conv(concat(copies[1], grown), c_ + 4 * growth, c_, 1);
    return scaled_sum(last, copies[0]);
  }
  /// Concatenates `in` with one unused copy of every grown blob.
  std::string concat(const std::string& in, std::vector<std::vector<std::string>>& grown) {
    std::vector<std::string> inputs{in};
    for (auto& copies : grown) {
      inputs.push_back(copies.back());
      copies.pop_back();
    }
    return w_.add_layer("Concat", inputs, 1, spelled_out_ ? "0=0" : "");
  }
  std::string scaled_sum(const std::string& blob, const std::string& shortcut) {
    if (!spelled_out_) return w_.add_layer("Eltwise", {blob, shortcut}, 1, "0=1 -23301=2,2.000000e-01,1.000000e+00");
    const std::string scaled = w_.add_layer("BinaryOp", {blob}, 1, "0=2 1=1 2=2.000000e-01");
    return w_.add_sum(scaled, shortcut);
  }

  NetworkWriter w_;
  int c_;  // GenerateSettings::channels
  int blocks_;
  bool spelled_out_;
};

/// Writes a network that enlarges 4x, with two pixel shuffles between convolutions: one of many channels, one of few.
inline GeneratedNetwork write_shuffles(const GenerateSettings& settings) {
  NetworkWriter w{settings};
  const int c = settings.channels;
  const std::string picture = w.name_output("data").add_layer("Input", {}, 1, "");
  std::string blob =
      w.add_convolution(picture, {.in = 3, .out = 4 * c, .pad = 1, .slope = kCuganSlope, .gain = kLeakyGain});
  blob = w.add_layer("PixelShuffle", {blob}, 1, "0=2");
  blob = w.add_convolution(blob, {.in = c, .out = 4, .pad = 1, .slope = kCuganSlope, .gain = kLeakyGain});
  blob = w.add_layer("PixelShuffle", {blob}, 1, "0=2");
  w.name_output("output").add_convolution(blob, {.in = 1, .out = 3, .pad = 1, .gain = 0.5F, .bias = 0.5F});
  return std::move(w).finish();
}

/// Writes a network that enlarges 2x, with every kind of Padding layer, for the picture and for features. Other layers
/// remove the added rows and columns again.
inline GeneratedNetwork write_padded(const GenerateSettings& settings) {
  NetworkWriter w{settings};
  const int c = settings.channels;
  const std::string picture = w.name_output("data").add_layer("Input", {}, 1, "");
  const auto conv = [&](const std::string& blob, int in, int out) {
    return w.add_convolution(blob, {.in = in, .out = out, .slope = kCuganSlope, .gain = kLeakyGain});
  };
  const auto padded = [&](const std::string& blob, int pixels, int type) {
    return w.add_layer("Padding", {blob}, 1, fmt::format("0={0} 1={0} 2={0} 3={0} 4={1} 5=5.000000e-01", pixels, type));
  };
  std::string blob = conv(padded(picture, 1, 2), 3, c);
  blob = padded(blob, 5, 2);
  for (int i = 0; i < 5; ++i) blob = conv(blob, c, c);
  blob = conv(w.add_crop(padded(blob, 3, 1), 2, "1,2"), c, c);
  blob = w.add_convolution(padded(blob, 1, 0), {.in = c, .out = 12, .gain = 0.5F});
  blob = w.add_layer("PixelShuffle", {blob}, 1, "0=2");
  w.name_output("output").add_convolution(padded(blob, 1, 1), {.in = 3, .out = 3, .gain = 0.5F, .bias = 0.5F});
  return std::move(w).finish();
}

/// Writes a network that enlarges 2x, with supported layers and parameters that no family above uses.
inline GeneratedNetwork write_layers(const GenerateSettings& settings) {
  NetworkWriter w{settings};
  const int c = settings.channels;
  const std::string picture = w.name_output("data").add_layer("Input", {}, 1, "0=0 1=0 2=3");
  auto copies = w.add_split(picture, 2);
  std::string blob = w.add_prelu(w.add_convolution(copies[0], {.in = 3, .out = c, .pad = 1, .gain = kLeakyGain}), 1);
  auto parts = w.add_split(blob, 4);
  const std::string sigmoid = w.add_layer("Sigmoid", {parts[0]}, 1, "");
  const std::string relu = w.add_layer("ReLU", {parts[1]}, 1, "");
  const std::string shifted = w.add_layer("BinaryOp", {relu}, 1, "0=0 1=1 2=1.500000e+00");
  const std::string quotient = w.add_layer("BinaryOp", {sigmoid, shifted}, 1, "0=3");
  const std::string reversed = w.add_layer("BinaryOp", {parts[2]}, 1, "0=7 1=1 2=2.500000e-01");
  const std::string difference = w.add_layer("BinaryOp", {reversed, quotient}, 1, "0=1");
  const std::string turned = w.add_layer("BinaryOp", {difference, parts[3]}, 1, "0=7");
  const std::string halved = w.add_layer("BinaryOp", {turned}, 1, "0=3 1=1 2=2.000000e+00");
  const std::string sum =
      w.add_layer("Eltwise", {halved, w.add_convolution(copies[1], {.in = 3, .out = c, .kernel = 1})}, 1, "0=1");
  const std::string large = w.add_layer("Interp", {sum}, 1, "0=2 1=2.000000e+00 2=2.000000e+00");
  w.name_output("output").add_convolution(large,
                                          {.in = c, .out = 3, .kernel = 5, .pad = 2, .gain = 0.5F, .bias = 0.5F});
  return std::move(w).finish();
}

}  // namespace detail

/// Generates a small network. `family` is one of kGeneratedFamilies, or "padded".
inline GeneratedNetwork generate_network(std::string_view family, const GenerateSettings& settings = {}) {
  assert(settings.channels >= 2 && settings.channels % 2 == 0 && settings.blocks >= 1);
  if (family == "realcugan2x_se") return detail::CuganWriter{settings, 2, true}.write();
  if (family == "realcugan3x_se") return detail::CuganWriter{settings, 3, true}.write();
  if (family == "realcugan4x_se") return detail::CuganWriter{settings, 4, true}.write();
  if (family == "realcugan2x_nose") return detail::CuganWriter{settings, 2, false}.write();
  if (family == "animevideo_x2") return detail::write_compact(settings, 0.5, false);
  if (family == "animevideo_x3") return detail::write_compact(settings, 0.75, false);
  if (family == "animevideo_x4") return detail::write_compact(settings, 1, false);
  if (family == "general_x4") return detail::write_compact(settings, 1, true);
  if (family == "rrdb_x4") return detail::RrdbWriter{settings, false}.write();
  if (family == "rrdb_pnnx_x4") return detail::RrdbWriter{settings, true}.write();
  if (family == "shuffles") return detail::write_shuffles(settings);
  if (family == "padded") return detail::write_padded(settings);
  assert(family == "layers");
  return detail::write_layers(settings);
}

}  // namespace weir::test
