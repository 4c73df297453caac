// Tests training on a Vulkan device: the suite of tape_test.cpp, comparison with the reference, and driver faults.
#include "nn/train/vulkan/vulkan_training_device.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compute/vulkan/fault_injector.hpp"
#include "nn/train/gradients_test.hpp"
#include "nn/train/reference_training_device.hpp"
#include "nn/train/training_suite_test.hpp"
#include "vulkan_devices.hpp"

namespace weir::nn::train::test {
namespace {

using compute::vulkan::FaultInjector;
using compute::vulkan::FaultPoint;

/// The Vulkan instance that all devices of a test share, so that its validation messages can be checked at the end.
std::shared_ptr<compute::vulkan::Instance>& shared_instance() {
  static std::shared_ptr<compute::vulkan::Instance> instance;
  return instance;
}

/// Opens the first Vulkan device; null if there is none.
std::unique_ptr<TrainingDevice> make_device(HostDeviceSettings settings) {
  auto& instance = shared_instance();
  if (instance == nullptr) {
    // For lavapipe, Mesa's software driver: in such small runs, waking its threads takes longer than the work.
    setenv("LP_NUM_THREADS", "0", 1);
    auto created = compute::vulkan::Instance::create(weir::test::requested_validation());
    if (!created) return nullptr;
    instance = *std::move(created);
  }
  const auto devices = compute::vulkan::list_devices(*instance);
  if (devices.empty()) return nullptr;
  auto opened = VulkanTrainingDevice::open(instance, devices.front(),
                                           {.max_commands = static_cast<int>(settings.max_commands),
                                            .max_idle = settings.pool.max_idle,
                                            .memory_limit = settings.pool.limit});
  EXPECT_TRUE(opened) << opened.error().what;
  return opened ? *std::move(opened) : nullptr;
}

/// Returns the messages of the validation layer, and closes the shared instance.
std::vector<std::string> take_validation_messages() {
  const auto instance = std::exchange(shared_instance(), nullptr);
  return instance == nullptr ? std::vector<std::string>{} : instance->validation_messages();
}

INSTANTIATE_TEST_SUITE_P(VulkanDevices, Training,
                         ::testing::Values(DeviceFactory{"vulkan", make_device, Bytes{64U << 10U}, 2,
                                                         take_validation_messages}),
                         [](const auto& one) { return one.param.name; });

class VulkanTraining : public weir::test::VulkanTest {
 protected:
  std::unique_ptr<VulkanTrainingDevice> open(VulkanTrainingSettings settings = {}) const {
    auto opened = VulkanTrainingDevice::open(instance(), device(), settings);
    EXPECT_TRUE(opened) << opened.error().what;
    return opened ? *std::move(opened) : nullptr;
  }
};

TEST_F(VulkanTraining, OutputsAndGradientsMatchTheReferenceAndAreReproducible) {
  const auto test_device = open();
  ASSERT_TRUE(test_device);
  for (const Case& c : cases()) {
    for (std::uint64_t seed = 11; seed <= 12; ++seed) {
      const Inputs in = make_inputs(c, seed);
      ReferenceTrainingDevice<float> reference;
      const std::vector<float> got = all_values(*test_device, c, in);
      expect_close(got, all_values(reference, c, in), c.name + ", seed " + std::to_string(seed));
      EXPECT_EQ(all_values(*test_device, c, in), got) << c.name;
    }
  }
}

/// Operations with long sums, which are divided into parts, and with many tiles.
const std::vector<Case>& large_cases() {
  using In = std::vector<TapeTensor>;
  static const std::vector<Case> all{
      {"matmul",
       [](Random&) {
         return std::vector<Shape>{{33, 3000}, {3000, 47}};
       },
       [](const In& in) { return matmul(in[0], in[1]); }},
      {"linear",
       [](Random&) {
         return std::vector<Shape>{{40, 5, 9, 9}, {405, 150}, {1, 150}};
       },
       [](const In& in) { return linear(in[0], in[1], in[2]); }},
      {"conv3x3",
       [](Random&) {
         return std::vector<Shape>{{2, 6, 41, 37}, {54, 17}, {1, 17}};
       },
       [](const In& in) {
         return conv2d(in[0], in[1], in[2], {3, 1, 1});
       }},
      {"conv3x3_stride2",
       [](Random&) {
         return std::vector<Shape>{{3, 7, 61, 37}, {63, 35}, {1, 35}};
       },
       [](const In& in) {
         return conv2d(in[0], in[1], in[2], {3, 2, 1});
       }},
      {"prelu",
       [](Random&) {
         return std::vector<Shape>{{2, 19, 40, 41}, {1, 19}};
       },
       [](const In& in) { return prelu(in[0], in[1]); }, false, 0.01},
      {"charbonnier",
       [](Random&) {
         return std::vector<Shape>{{2, 19, 40, 41}, {2, 19, 40, 41}};
       },
       [](const In& in) { return charbonnier(in[0], in[1], 0.1F); }, true},
  };
  return all;
}

TEST_F(VulkanTraining, LargeOperationsMatchTheReference) {
  const auto test_device = open();
  ASSERT_TRUE(test_device);
  for (const Case& c : large_cases()) {
    const Inputs in = make_inputs(c, 21);
    ReferenceTrainingDevice<float> reference;
    const std::vector<float> got = all_values(*test_device, c, in);
    expect_close(got, all_values(reference, c, in), c.name);
    EXPECT_EQ(all_values(*test_device, c, in), got) << c.name;
  }
}

/// Trains on a few batches and returns the weights.
Result<std::vector<float>> trained(TrainingDevice& test_device) {
  ParameterSet set{test_device, 1};
  const Net net{set, 4};
  auto optimiser = Optimiser::create(set, {.max_gradient_norm = 1});
  if (!optimiser) return optimiser.error();
  auto ema = WeightEma::create(set, 0.99);
  if (!ema) return ema.error();
  Tape tape{test_device};
  if (auto done = run_epoch(tape, net, *optimiser, *ema, 6, 0); !done) return done.error();
  std::vector<float> all;
  for (const Parameter& p : set.parameters()) {
    std::vector<float> values(p.shape.count());
    if (auto done = test_device.read(p.value.operand(), values); !done) return done.error();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

TEST_F(VulkanTraining, MemoryIsNotFreedWhileCommandsUseIt) {
  // Nearly every block that is given back is freed; the validation layer reports one that is still in use.
  const auto keeps = open();
  ASSERT_TRUE(keeps);
  const auto expected = trained(*keeps);
  for (const std::size_t max_idle : {2U, 0U}) {
    const auto frees = open({.max_idle = max_idle});
    ASSERT_TRUE(frees);
    const auto got = trained(*frees);
    ASSERT_TRUE(expected && got);
    EXPECT_EQ(*got, *expected);
    EXPECT_LE(frees->statistics().max_idle_blocks, max_idle);
  }
}

/// Makes the driver's calls of one kind fail, from the call with number `from` on.
class DriverFault final : public FaultInjector {
 public:
  DriverFault(FaultPoint point, VkResult result) : point_{point}, result_{result} {}
  VkResult inject(FaultPoint point) override { return point == point_ && ++calls >= from ? result_ : VK_SUCCESS; }
  int from = 1, calls = 0;

 private:
  FaultPoint point_;
  VkResult result_;
};

TEST_F(VulkanTraining, MemoryThatTheDriverRefusesLeaksNothingAndTrainingGoesOnAfterwards) {
  DriverFault fault{FaultPoint::allocate, VK_ERROR_OUT_OF_DEVICE_MEMORY};
  const auto test_device = open({.fault_injector = &fault});
  ASSERT_TRUE(test_device);
  bool succeeded = false;
  int refused = 0;
  for (; refused < 500 && !succeeded; ++refused) {
    fault.from = refused + 1;
    fault.calls = 0;
    const auto done = trained(*test_device);
    succeeded = static_cast<bool>(done);
    if (!done) {
      EXPECT_EQ(done.error().code, Errc::over_budget) << done.error().what;
    }
    test_device->cleanup();
    EXPECT_EQ(test_device->statistics().in_use, Bytes{}) << refused;
    EXPECT_EQ(test_device->statistics().allocated, Bytes{}) << refused;
  }
  EXPECT_TRUE(succeeded);
  EXPECT_GT(refused, 20) << "at every place in turn";
}

TEST_F(VulkanTraining, ALostDeviceIsTheErrorOfAllThatFollowsAndLeaksNothing) {
  for (const FaultPoint point : {FaultPoint::submit, FaultPoint::wait}) {
    int failed = 0;
    for (bool succeeded = false; !succeeded && failed < 100;) {
      DriverFault fault{point, VK_ERROR_DEVICE_LOST};
      fault.from = failed + 1;
      const auto test_device = open({.max_commands = 20, .fault_injector = &fault});
      ASSERT_TRUE(test_device);
      const auto done = trained(*test_device);
      succeeded = static_cast<bool>(done);
      if (!done) {
        ++failed;
        EXPECT_EQ(done.error().code, Errc::device_lost) << done.error().what;
        float value = 0;
        EXPECT_FALSE(test_device->sync());
        EXPECT_FALSE(test_device->flush());
        auto one = test_device->acquire(1);  // idle memory is still available
        if (one) {
          EXPECT_FALSE(test_device->record(FillCommand{one->operand(), 1}));
          EXPECT_FALSE(test_device->write(one->operand(), {&value, 1}));
          EXPECT_FALSE(test_device->read(one->operand(), {&value, 1}));
        }
      }
      test_device->cleanup();
      test_device->cleanup();
      // The stream frees what submissions to a lost device used; the validation layer reports what the device leaves.
      EXPECT_EQ(test_device->statistics().idle, Bytes{}) << failed;
      EXPECT_LE(test_device->statistics().in_use, done ? Bytes{} : 1_MiB) << failed;
    }
    EXPECT_GT(failed, 3);
    EXPECT_LT(failed, 100);
  }
}

TEST_F(VulkanTraining, ATensorThatKernelsCannotReachIsRefused) {
  compute::vulkan::DeviceInfo small = device();
  small.max_buffer_range = 1_MiB;
  auto opened = VulkanTrainingDevice::open(instance(), small);
  ASSERT_TRUE(opened);
  EXPECT_TRUE((*opened)->acquire(262144));
  const auto refused = (*opened)->acquire(262145);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_NE(refused.error().what.find("a tensor of 262145 values takes"), std::string::npos) << refused.error().what;
}

}  // namespace
}  // namespace weir::nn::train::test
