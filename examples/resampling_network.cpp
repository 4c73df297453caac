// Writes a network whose weights are a known resampling filter: Lanczos with three lobes, at twice the size. It is not
// a trained network and adds no detail. `make demo` and the tests use it because it needs no download.
//
// usage: weir_resampling_network STEM      writes STEM.param and STEM.bin in ncnn's format
//
// How the filter becomes 3x3 convolutions: on one axis, an output pixel is a quarter of a pixel before or after an
// input pixel, and it is a weighted sum of six input pixels. The six weights (taps) are the coefficients of a
// polynomial of degree five. This polynomial is a product of two real quadratics and a linear factor, and a product of
// polynomials is a convolution of their coefficients. So three kernels of three taps, applied one after the other, give
// the same result as the six taps. The outer products of these kernels give it on both axes: three 3x3 convolutions
// with one channel per colour and output position, and a pixel shuffle.
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <numbers>
#include <string>
#include <vector>

namespace {

using Taps = std::array<double, 3>;  // weights of the inputs at -1, 0, 1
using Complex = std::complex<double>;

constexpr int kColours = 3;
constexpr int kScale = 2;
constexpr int kChannels = kColours * kScale * kScale;

// Returns the Lanczos filter with three lobes at x pixels from its centre.
// Source: Duchon, "Lanczos Filtering in One and Two Dimensions", J. Appl. Meteorology 18 (1979)
double lanczos3(double x) {
  if (x == 0) return 1;
  if (std::abs(x) >= 3) return 0;
  const double a = std::numbers::pi * x;
  return 3 * std::sin(a) * std::sin(a / 3) / (a * a);
}

// Returns the roots of sum_k c[k] z^k with the Durand-Kerner method, which is enough for a few well separated roots.
std::vector<Complex> roots_of(const std::vector<double>& c) {
  const std::size_t degree = c.size() - 1;
  std::vector<Complex> roots(degree);
  for (std::size_t i = 0; i < degree; ++i) roots[i] = std::pow(Complex{0.4, 0.9}, static_cast<double>(i));
  for (int round = 0; round < 2000; ++round) {
    for (std::size_t i = 0; i < degree; ++i) {
      Complex value = c[degree], others = c[degree];
      for (std::size_t k = degree; k-- > 0;) value = value * roots[i] + c[k];
      for (std::size_t j = 0; j < degree; ++j) {
        if (j != i) others *= roots[i] - roots[j];
      }
      roots[i] -= value / others;
    }
  }
  return roots;
}

// Returns the taps divided by their sum.
Taps scaled_to_sum_one(Taps taps) {
  const double sum = taps[0] + taps[1] + taps[2];
  for (double& tap : taps) tap /= sum;
  return taps;
}

// Returns three kernels. Applied one after the other, they weight the input pixels -3..2 as the filter does for the
// output pixel a quarter of a pixel before input pixel 0.
std::array<Taps, 3> filter_kernels() {
  std::vector<double> taps;
  for (int k = -3; k <= 2; ++k) taps.push_back(lanczos3(k + 0.25));
  std::vector<Complex> roots = roots_of(taps);
  // Sorts conjugates next to each other, and the real roots to the end.
  std::sort(roots.begin(), roots.end(), [](Complex a, Complex b) {
    const bool a_real = std::abs(a.imag()) < 1e-9, b_real = std::abs(b.imag()) < 1e-9;
    if (a_real != b_real) return b_real;
    return a_real ? std::abs(a) < std::abs(b) : a.real() < b.real();
  });
  // A quadratic factor, z^2 - sum * z + product, for each of the first two pairs of roots, and a linear factor for the
  // last root, which is real.
  std::array<Taps, 3> result{};
  for (std::size_t i = 0; i < 2; ++i) {
    const Complex product = roots[2 * i] * roots[2 * i + 1], sum = roots[2 * i] + roots[2 * i + 1];
    result[i] = scaled_to_sum_one({product.real(), -sum.real(), 1});
  }
  result[2] = scaled_to_sum_one({-roots[4].real(), 1, 0});
  return result;
}

// Returns the weights [out, in, 3, 3] of one layer. Output channel (colour * kScale + row) * kScale + column belongs to
// one of the kScale * kScale pixels that an input pixel becomes. In the first layer it reads its colour, in the others
// the channel with its own index.
std::vector<float> layer_weights(Taps taps, int inputs) {
  std::vector<float> weights;
  const Taps mirrored{taps[2], taps[1], taps[0]};  // for the output pixel a quarter of a pixel after the input pixel
  for (int out = 0; out < kChannels; ++out) {
    const Taps& down = out / kScale % kScale == 0 ? taps : mirrored;
    const Taps& right = out % kScale == 0 ? taps : mirrored;
    const int source = inputs == kColours ? out / (kScale * kScale) : out;
    for (int in = 0; in < inputs; ++in) {
      for (double y : down) {
        for (double x : right) weights.push_back(in == source ? static_cast<float>(y * x) : 0.0F);
      }
    }
  }
  return weights;
}

void write_floats(std::ofstream& file, const std::vector<float>& values) {
  file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: weir_resampling_network STEM\n", stderr);
    return 2;
  }
  const std::string stem = argv[1];
  std::ofstream param{stem + ".param"}, bin{stem + ".bin", std::ios::binary};
  param << "7767517\n5 5\nInput data 0 1 data\n";
  const std::array<Taps, 3> kernels = filter_kernels();
  std::string source = "data";
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    const int inputs = i == 0 ? kColours : kChannels;
    const std::vector<float> weights = layer_weights(kernels[i], inputs);
    const std::string target = "lanczos" + std::to_string(i + 1);
    param << "Convolution resampling_filter_not_trained_" << i + 1 << " 1 1 " << source << ' ' << target
          << " 0=" << kChannels << " 1=3 4=1 5=1 6=" << weights.size() << '\n';
    const std::uint32_t float32_tag = 0;
    bin.write(reinterpret_cast<const char*>(&float32_tag), sizeof float32_tag);
    write_floats(bin, weights);
    write_floats(bin, std::vector<float>(kChannels, 0.0F));  // bias
    source = target;
  }
  param << "PixelShuffle shuffle 1 1 " << source << " output 0=" << kScale << '\n';
  param.close();
  bin.close();
  if (!param || !bin) {
    std::fprintf(stderr, "error: write %s.param and .bin\n", stem.c_str());
    return 1;
  }
  return 0;
}
