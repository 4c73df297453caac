#pragma once

// What holds for training on every device is one suite of tests, tape_test.cpp; each device takes part by a Maker.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nn/train/host_device.hpp"
#include "nn/train/ops.hpp"
#include "nn/train/optimiser.hpp"
#include "nn/train/random.hpp"

namespace weir::nn::train::test {

struct Maker {
  std::string name;
  std::function<std::unique_ptr<Device>(HostSettings settings)> make;  ///< null: there is no such device here
  Bytes step;       ///< in which memory is made larger and larger until it is enough
  int batches = 3;  ///< of an epoch
  std::function<std::vector<std::string>()> complaints = [] { return std::vector<std::string>{}; };  ///< of the driver
};

class Training : public ::testing::TestWithParam<Maker> {
 protected:
  void SetUp() override {
    if (device() == nullptr) GTEST_SKIP() << "no such device here";
  }
  void TearDown() override {
    for (const std::string& complaint : GetParam().complaints()) ADD_FAILURE() << complaint;
  }
  static std::unique_ptr<Device> device(HostSettings settings = {}) { return GetParam().make(settings); }
};

inline std::vector<float> noise(std::size_t count, std::uint64_t item) {
  Random random{7, item};
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.uniform());
  return values;
}

/// A small network of every kind of layer that enlarges pictures use.
struct Net {
  explicit Net(ParameterSet& set, int wide)
      : first{set.layer("first", 3, wide, 3)},
        slopes{&set.constant("slopes", wide, 0.25F)},
        second{set.layer("second", wide, 12, 3)} {}
  Tensor loss(Tape& t, Tensor x, Tensor target) const {
    const Window same{3, 1, 1};
    Tensor h = conv2d(x, t.parameter(*first.weights), t.parameter(*first.bias), same);
    h = prelu(h, t.parameter(*slopes));
    h = conv2d(h, t.parameter(*second.weights), t.parameter(*second.bias), same);
    return charbonnier(pixel_shuffle(h, 2), target);
  }
  ParameterSet::Layer first;
  Parameter* slopes;
  ParameterSet::Layer second;
};

inline Status epoch(Tape& tape, const Net& net, Optimiser& optimiser, Average& average, int size, std::uint64_t number,
                    int batches = 3) {
  const Shape low{2, 3, size, size}, high{2, 3, 2 * size, 2 * size};
  const auto count = static_cast<std::uint64_t>(batches);
  for (std::uint64_t batch = 0; batch < count; ++batch) {
    tape.reset();
    const Tensor x = tape.input(low, noise(low.count(), 2 * batch));
    const Tensor target = tape.input(high, noise(high.count(), 2 * batch + 1));
    if (auto done = tape.backward(net.loss(tape, x, target)); !done) return done;
    if (auto done = optimiser.step(1e-3); !done) return done;
    if (auto done = average.update(count * number + batch); !done) return done;
    if (auto done = tape.device().flush(); !done) return done;
  }
  return tape.device().sync();
}

}  // namespace weir::nn::train::test
