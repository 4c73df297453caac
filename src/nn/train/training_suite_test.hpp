#pragma once

// The test suite `Training`, which every training device must pass. Its tests are in tape_test.cpp, checkpoint_test.cpp
// and optimiser_test.cpp; INSTANTIATE_TEST_SUITE_P adds each kind of device with a DeviceFactory.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nn/train/host_training_device.hpp"
#include "nn/train/ops.hpp"
#include "nn/train/optimiser.hpp"
#include "nn/train/random.hpp"

namespace weir::nn::train::test {

/// A kind of device that the suite tests.
struct DeviceFactory {
  std::string name;
  /// opens the device; returns null if this machine has no such device
  std::function<std::unique_ptr<TrainingDevice>(HostDeviceSettings settings)> make;
  Bytes memory_step;      ///< step by which the test for missing memory raises the memory limit
  int epoch_batches = 3;  ///< number of batches per epoch, in the test that runs a thousand epochs
  /// returns the messages of the driver since the last call
  std::function<std::vector<std::string>()> driver_messages = [] { return std::vector<std::string>{}; };
};

class Training : public ::testing::TestWithParam<DeviceFactory> {
 protected:
  void SetUp() override {
    if (device() == nullptr) GTEST_SKIP() << "no such device here";
  }
  void TearDown() override {
    for (const std::string& message : GetParam().driver_messages()) ADD_FAILURE() << message;
  }
  static std::unique_ptr<TrainingDevice> device(HostDeviceSettings settings = {}) { return GetParam().make(settings); }
};

/// Returns `count` random values in [0, 1), which depend only on `item`.
inline std::vector<float> random_values(std::size_t count, std::uint64_t item) {
  Random random{7, item};
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.uniform());
  return values;
}

/// A small network that enlarges pictures by 2, with each kind of layer that such networks have.
struct Net {
  explicit Net(ParameterSet& set, int channels)
      : first{set.add_layer("first", 3, channels, 3)},
        slopes{&set.add_filled_parameter("slopes", channels, 0.25F)},
        second{set.add_layer("second", channels, 12, 3)} {}
  TapeTensor loss(Tape& t, TapeTensor x, TapeTensor target) const {
    const Window same{3, 1, 1};
    TapeTensor h = conv2d(x, t.parameter(*first.weights), t.parameter(*first.bias), same);
    h = prelu(h, t.parameter(*slopes));
    h = conv2d(h, t.parameter(*second.weights), t.parameter(*second.bias), same);
    return charbonnier(pixel_shuffle(h, 2), target);
  }
  ParameterSet::Layer first;
  Parameter* slopes;
  ParameterSet::Layer second;
};

/// Trains on `batches` batches of random values, low pictures of size * size pixels. `epoch` is the index of the epoch.
inline Status run_epoch(Tape& tape, const Net& net, Optimiser& optimiser, WeightEma& ema, int size, std::uint64_t epoch,
                        int batches = 3) {
  const Shape low{2, 3, size, size}, high{2, 3, 2 * size, 2 * size};
  const auto count = static_cast<std::uint64_t>(batches);
  for (std::uint64_t batch = 0; batch < count; ++batch) {
    tape.reset();
    const TapeTensor x = tape.input(low, random_values(low.count(), 2 * batch));
    const TapeTensor target = tape.input(high, random_values(high.count(), 2 * batch + 1));
    if (auto done = tape.backward(net.loss(tape, x, target)); !done) return done;
    if (auto done = optimiser.step(1e-3); !done) return done;
    if (auto done = ema.update(count * epoch + batch); !done) return done;
    if (auto done = tape.device().flush(); !done) return done;
  }
  return tape.device().sync();
}

}  // namespace weir::nn::train::test
