// Tests what happens to a picture when its device fails: at every allocation, submission and wait in turn.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "compute/vulkan/fault_injector.hpp"
#include "enhance/upscale_device_test.hpp"

namespace weir::enhance {
namespace {

using compute::vulkan::FaultPoint;
using testing::Contains;
using testing::HasSubstr;

/// Makes the driver's call number `at_call` of one kind return `result` (`forever`: and all later calls of this kind).
/// A lost device stays lost until it is opened again.
class OneFault final : public compute::vulkan::FaultInjector {
 public:
  OneFault(FaultPoint point, int at_call, VkResult result, bool forever = false)
      : point_{point}, at_call_{at_call}, result_{result}, forever_{forever} {}
  VkResult inject(FaultPoint point) override {
    if (point == point_) ++calls_;
    if (point == point_ && (calls_ == at_call_ || (forever_ && calls_ >= at_call_))) {
      lost_ = result_ == VK_ERROR_DEVICE_LOST;
      return result_;
    }
    return lost_ ? VK_ERROR_DEVICE_LOST : VK_SUCCESS;
  }
  void on_device_opened() override { lost_ = false; }
  int calls() const { return calls_; }

 private:
  FaultPoint point_;
  int at_call_;
  VkResult result_;
  bool forever_;
  int calls_ = 0;
  bool lost_ = false;
};

/// Returns the number of the driver's calls of one kind while one picture is enlarged without a fault.
int count_calls(FaultPoint point, const std::shared_ptr<const nn::Network>& network, const Picture& picture,
                UpscaleSettings settings) {
  OneFault none{point, -1, VK_SUCCESS};
  settings.device_settings.faults = &none;
  EXPECT_TRUE(enlarge(network, picture, settings));
  return none.calls();
}

/// A kind of call that fails, and how. `copies`: the run copies its tiles (EngineSettings::always_copy).
struct FaultCase {
  const char* name;
  FaultPoint point;
  VkResult result;
  bool copies = false;
};

class VulkanFaults : public VulkanUpscale, public testing::WithParamInterface<FaultCase> {
 protected:
  // Four tiles of one pass.
  const std::shared_ptr<const nn::Network> network_ = network_of("animevideo_x2", 8);
  const Picture picture_ = draw_noisy_picture(20, 20);
  UpscaleSettings tiled() const {
    UpscaleSettings settings = gpu();
    settings.device_settings.tile = 24;
    settings.device_settings.always_copy = GetParam().copies;
    return settings;
  }
};

TEST_P(VulkanFaults, AtEveryCallInTurnThePictureIsRight) {
  UpscaleSettings settings = tiled();
  const auto expected = enlarge(network_, picture_, settings);
  ASSERT_TRUE(expected) << expected.error().what;
  const int calls = count_calls(GetParam().point, network_, picture_, settings);
  ASSERT_GT(calls, 5);
  for (int call = 1; call <= calls; ++call) {
    OneFault fault{GetParam().point, call, GetParam().result};
    settings.device_settings.faults = &fault;
    const auto result = enlarge(network_, picture_, settings);
    ASSERT_TRUE(result) << "call " << call << ": " << result.error().what;
    EXPECT_LE(largest_difference(*result, *expected), 0) << "call " << call;
    // After the driver refuses memory, the pool frees idle blocks and tries again; if that succeeds, there is no event.
    EXPECT_LE(result->events.size(), 1U) << "call " << call;
    if (GetParam().point != FaultPoint::allocate) {
      EXPECT_EQ(result->events.size(), 1U) << "call " << call;
    }
  }
}

TEST_P(VulkanFaults, ThatStaysEndsOnTheCpu) {
  UpscaleSettings settings = tiled();
  const auto expected = enlarge(network_, picture_, cpu());
  ASSERT_TRUE(expected) << expected.error().what;
  const int calls = count_calls(GetParam().point, network_, picture_, settings);
  for (const int call : {1, calls / 2, calls}) {
    OneFault fault{GetParam().point, call, GetParam().result, true};
    settings.device_settings.faults = &fault;
    const auto result = enlarge(network_, picture_, settings);
    ASSERT_TRUE(result) << "call " << call << ": " << result.error().what;
    EXPECT_LE(largest_difference(*result, *expected), 1) << "call " << call;
    EXPECT_THAT(result->events, Contains(HasSubstr("CPU"))) << "call " << call;
  }
}

TEST_P(VulkanFaults, FailThePictureWhenTheDeviceIsStrict) {
  UpscaleSettings settings = tiled();
  settings.device_settings.strict = true;
  const int calls = count_calls(GetParam().point, network_, picture_, settings);
  for (int call = 1; call <= calls; call += 3) {
    OneFault fault{GetParam().point, call, GetParam().result};
    settings.device_settings.faults = &fault;
    const auto result = enlarge(network_, picture_, settings);
    // The run can succeed: after the driver refuses memory, the pool frees idle blocks and tries again.
    if (result && GetParam().result == VK_ERROR_OUT_OF_DEVICE_MEMORY) continue;
    ASSERT_FALSE(result) << "call " << call;
    EXPECT_THAT(result.error().code, testing::AnyOf(Errc::device_lost, Errc::over_budget)) << result.error().what;
  }
}

TEST_F(VulkanUpscale, AFaultInAnyPassOfANetworkWithMeansIsRepaired) {
  const auto network = network_of("realcugan2x_se", 8);
  const Picture picture = draw_noisy_picture(22, 19);
  UpscaleSettings settings = gpu();
  settings.device_settings.tile = 32;
  const auto expected = enlarge(network, picture, settings);
  ASSERT_TRUE(expected) << expected.error().what;
  const int calls = count_calls(FaultPoint::wait, network, picture, settings);
  for (int call = 3; call <= calls; call += 9) {
    OneFault fault{FaultPoint::wait, call, VK_ERROR_DEVICE_LOST};
    settings.device_settings.faults = &fault;
    const auto result = enlarge(network, picture, settings);
    ASSERT_TRUE(result) << "call " << call << ": " << result.error().what;
    EXPECT_TRUE(result->samples == expected->samples) << "call " << call;
  }
}

INSTANTIATE_TEST_SUITE_P(
    FaultInjector, VulkanFaults,
    testing::Values(FaultCase{"memory_refused", FaultPoint::allocate, VK_ERROR_OUT_OF_DEVICE_MEMORY},
                    FaultCase{"lost_at_allocation", FaultPoint::allocate, VK_ERROR_DEVICE_LOST},
                    FaultCase{"lost_at_submission", FaultPoint::submit, VK_ERROR_DEVICE_LOST},
                    FaultCase{"memory_refused_at_submission", FaultPoint::submit, VK_ERROR_OUT_OF_HOST_MEMORY},
                    FaultCase{"lost_while_waiting", FaultPoint::wait, VK_ERROR_DEVICE_LOST},
                    FaultCase{"memory_refused_with_copies", FaultPoint::allocate, VK_ERROR_OUT_OF_DEVICE_MEMORY, true},
                    FaultCase{"lost_at_submission_with_copies", FaultPoint::submit, VK_ERROR_DEVICE_LOST, true},
                    FaultCase{"memory_refused_at_submission_with_copies", FaultPoint::submit,
                              VK_ERROR_OUT_OF_HOST_MEMORY, true},
                    FaultCase{"lost_while_waiting_with_copies", FaultPoint::wait, VK_ERROR_DEVICE_LOST, true}),
    [](const auto& each) { return std::string{each.param.name}; });

TEST_F(VulkanUpscale, ASubmissionThatHangsIsGivenUp) {
  const auto network = network_of("animevideo_x2", 8);
  const Picture picture = draw_noisy_picture(40, 40);
  UpscaleSettings settings = gpu();
  OneFault fault{FaultPoint::wait, 3, VK_TIMEOUT};
  const auto expected = enlarge(network, picture, settings);
  settings.device_settings.faults = &fault;
  const auto result = enlarge(network, picture, settings);
  ASSERT_TRUE(expected && result);
  EXPECT_TRUE(result->samples == expected->samples);
  EXPECT_THAT(result->events, Contains(HasSubstr("did not end within")));
}

}  // namespace
}  // namespace weir::enhance
