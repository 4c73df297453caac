#pragma once

// Operations with random inputs. Tests compare their gradients with finite differences, and between devices.

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "nn/train/ops.hpp"
#include "nn/train/random.hpp"

namespace weir::nn::train::test {

/// An operation that is tested on random inputs of random shapes.
struct Case {
  std::string name;
  std::function<std::vector<Shape>(Random&)> make_shapes;
  std::function<TapeTensor(const std::vector<TapeTensor>&)> run;
  bool is_loss = false;  ///< true: the last input is a target, which has no gradient
  /// smallest absolute value of an input; larger than 0 if the operation has no derivative at 0
  double min_magnitude = 0;
  bool is_distribution_target = false;  ///< true: the second input is a target whose rows sum to 1
};

/// Returns a random integer from `low` to `high`, both included.
inline int random_int(Random& random, int low, int high) { return low + random.next_below(high - low + 1); }
// Shapes of random size for the inputs of the operations.
inline Shape random_shape(Random& random) {
  return {random_int(random, 1, 3), random_int(random, 1, 19), random_int(random, 2, 7), random_int(random, 2, 7)};
}
inline std::vector<Shape> one_picture(Random& random) { return {random_shape(random)}; }
inline std::vector<Shape> two_pictures(Random& random) {
  const Shape s = random_shape(random);
  return {s, s};
}
inline std::vector<Shape> picture_and_channels(Random& random) {
  const Shape s = random_shape(random);
  return {s, {1, s.c}};
}
/// Returns the case of a convolution with this window.
inline Case convolution(const std::string& name, Window window) {
  return {name,
          [window](Random& random) {
            const Shape s{random_int(random, 1, 3), random_int(random, 1, 19), random_int(random, 3, 9),
                          random_int(random, 3, 9)};
            const int out = random_int(random, 1, 35);
            return std::vector<Shape>{s, {window.kernel * window.kernel * s.c, out}, {1, out}};
          },
          [window](const std::vector<TapeTensor>& in) { return conv2d(in[0], in[1], in[2], window); }};
}
/// Returns the case of a transposed convolution with this window.
inline Case transposed(const std::string& name, Window window) {
  return {name,
          [window](Random& random) {
            const Shape s{random_int(random, 1, 3), random_int(random, 1, 19), random_int(random, 2, 6),
                          random_int(random, 2, 6)};
            const int out = random_int(random, 1, 19);
            return std::vector<Shape>{s, {window.kernel * window.kernel * out, s.c}, {1, out}};
          },
          [window](const std::vector<TapeTensor>& in) { return conv_transpose2d(in[0], in[1], in[2], window); }};
}
inline std::vector<Shape> product_shapes(Random& random) {
  const int rows = random_int(random, 1, 40), inner = random_int(random, 1, 30), columns = random_int(random, 1, 70);
  return {{rows, inner}, {inner, columns}};
}
inline std::vector<Shape> linear_shapes(Random& random) {
  const Shape s = random_shape(random);
  const int out = random_int(random, 1, 20);
  return {s, {s.c * s.h * s.w, out}, {1, out}};
}

/// Returns the cases of all operations.
inline const std::vector<Case>& cases() {
  using In = std::vector<TapeTensor>;
  static const std::vector<Case> all{
      {"matmul", product_shapes, [](const In& in) { return matmul(in[0], in[1]); }},
      {"mat_transpose",
       [](Random& random) {
         return std::vector<Shape>{{random_int(random, 1, 9), random_int(random, 1, 9)}};
       },
       [](const In& in) { return mat_transpose(in[0]); }},
      {"add_bias", picture_and_channels, [](const In& in) { return add_bias(in[0], in[1]); }},
      {"linear", linear_shapes, [](const In& in) { return linear(in[0], in[1], in[2]); }},
      {"add", two_pictures, [](const In& in) { return add(in[0], in[1]); }},
      {"mul", two_pictures, [](const In& in) { return mul(in[0], in[1]); }},
      {"mul_by_itself", one_picture, [](const In& in) { return mul(in[0], in[0]); }},
      {"relu", one_picture, [](const In& in) { return relu(in[0]); }, false, 0.01},
      {"leaky_relu", one_picture, [](const In& in) { return leaky_relu(in[0], 0.1F); }, false, 0.01},
      {"prelu", picture_and_channels, [](const In& in) { return prelu(in[0], in[1]); }, false, 0.01},
      {"sigmoid", one_picture, [](const In& in) { return sigmoid(in[0]); }},
      {"tanh", one_picture, [](const In& in) { return tanh(in[0]); }},
      convolution("conv1x1", {1, 1, 0}),
      convolution("conv3x3", {3, 1, 1}),
      convolution("conv3x3_valid", {3, 1, 0}),
      convolution("conv3x3_stride2", {3, 2, 1}),
      convolution("conv3x3_padding2", {3, 1, 2}),
      convolution("conv2x2_stride2", {2, 2, 0}),
      convolution("conv1x1_stride2", {1, 2, 0}),
      transposed("deconv2x2_stride2", {2, 2, 0}),
      transposed("deconv4x4_stride2", {4, 2, 1}),
      transposed("deconv3x3", {3, 1, 1}),
      {"max_pool2", one_picture,
       [](const In& in) {
         return max_pool(in[0], {2, 2, 0});
       }},
      {"max_pool2_stride1", one_picture,
       [](const In& in) {
         return max_pool(in[0], {2, 1, 0});
       }},
      {"pixel_shuffle",
       [](Random& random) {
         return std::vector<Shape>{{random_int(random, 1, 3), 4 * random_int(random, 1, 5), random_int(random, 1, 5),
                                    random_int(random, 1, 5)}};
       },
       [](const In& in) { return pixel_shuffle(in[0], 2); }},
      {"concat",
       [](Random& random) {
         const Shape s = random_shape(random);
         return std::vector<Shape>{s, {s.n, 3, s.h, s.w}, {s.n, 5, s.h, s.w}};
       },
       [](const In& in) { return concat(in); }},
      {"mean", one_picture, [](const In& in) { return mean(in[0]); }},
      {"mse", two_pictures, [](const In& in) { return mse(in[0], in[1]); }, true},
      {"l1", two_pictures, [](const In& in) { return l1(in[0], in[1]); }, true},
      {"charbonnier", two_pictures, [](const In& in) { return charbonnier(in[0], in[1], 0.1F); }, true},
      {"cross_entropy",
       [](Random& random) {
         const Shape s{random_int(random, 1, 9), random_int(random, 2, 12)};
         return std::vector<Shape>{s, s};
       },
       [](const In& in) { return cross_entropy(in[0], in[1]); }, true, 0, true},
  };
  return all;
}

/// The random inputs of a case.
struct Inputs {
  std::vector<Shape> shapes;
  std::vector<std::vector<float>> values;
};
inline Inputs make_inputs(const Case& c, std::uint64_t seed) {
  Random random{seed, 0};
  Inputs in{c.make_shapes(random), {}};
  for (std::size_t i = 0; i < in.shapes.size(); ++i) {
    std::vector<float> values(in.shapes[i].count());
    for (float& v : values) {
      double x = random.normal();
      if (std::abs(x) < c.min_magnitude) x += x < 0 ? -c.min_magnitude : c.min_magnitude;
      v = static_cast<float>(x);
    }
    if (c.is_distribution_target && i == 1) {
      const auto columns = static_cast<std::size_t>(in.shapes[i].c);
      for (std::size_t row = 0; row < values.size(); row += columns) {
        float sum = 0;
        for (std::size_t k = 0; k < columns; ++k) sum += std::abs(values[row + k]);
        for (std::size_t k = 0; k < columns; ++k) values[row + k] = std::abs(values[row + k]) / sum;
      }
    }
    in.values.push_back(values);
  }
  return in;
}

/// The tensors of a computation on a tape.
struct Computed {
  TapeTensor out, loss;
  std::vector<TapeTensor> inputs;
};
/// Runs the operation. The loss is its result if the operation is a loss; else the mean of the results, each multiplied
/// by a fixed random weight, so that the gradients differ from value to value.
inline Computed compute(Tape& tape, const Case& c, const Inputs& in) {
  Computed made;
  for (std::size_t i = 0; i < in.shapes.size(); ++i) {
    const bool target = c.is_loss && i + 1 == in.shapes.size();
    made.inputs.push_back(target ? tape.input(in.shapes[i], in.values[i]) : tape.variable(in.shapes[i], in.values[i]));
  }
  made.out = c.run(made.inputs);
  tape.keep(made.out);
  std::vector<float> weights(made.out.shape().count());
  Random random{99, 1};
  for (float& w : weights) w = static_cast<float>(random.normal());
  made.loss = made.out.shape().count() == 1 && c.is_loss ? made.out
                                                         : mean(mul(made.out, tape.input(made.out.shape(), weights)));
  return made;
}

/// Runs the operation on a device. Returns the values of the result, followed by those of all gradients.
inline std::vector<float> all_values(TrainingDevice& device, const Case& c, const Inputs& in) {
  Tape tape{device};
  const Computed computed = compute(tape, c, in);
  EXPECT_TRUE(tape.backward(computed.loss));
  std::vector<float> all = *tape.read(computed.out);
  for (std::size_t i = 0; i < in.shapes.size() - (c.is_loss ? 1 : 0); ++i) {
    const auto gradient = tape.read_gradient(computed.inputs[i]);
    all.insert(all.end(), gradient->begin(), gradient->end());
  }
  return all;
}

/// Expects that each value differs from the expected one by at most 1e-4 times the larger of 1 and its magnitude.
inline void expect_close(const std::vector<float>& got, const std::vector<float>& expected, const std::string& what) {
  ASSERT_EQ(expected.size(), got.size()) << what;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(got[i], expected[i], 1e-4F * std::max(1.0F, std::abs(expected[i]))) << what << ", value " << i;
  }
}

}  // namespace weir::nn::train::test
