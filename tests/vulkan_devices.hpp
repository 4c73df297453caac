#pragma once

// Vulkan devices for tests: Mesa's software driver, with the validation layer listening. A test that finds no driver is
// skipped by name; one about which the layer has anything to say fails.

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "compute/vulkan/device_info.hpp"
#include "compute/vulkan/instance.hpp"

namespace weir::test {

/// Validation that tests run with: WEIR_TEST_VALIDATION=none, core, synchronisation, gpu_assisted; core by default.
inline compute::vulkan::Validation wanted_validation() {
  using compute::vulkan::Validation;
  const char* const set = std::getenv("WEIR_TEST_VALIDATION");
  const std::string text = set != nullptr ? set : "core";
  if (text == "none") return Validation::none;
  if (text == "synchronisation") return Validation::synchronisation;
  if (text == "gpu_assisted") return Validation::gpu_assisted;
  return Validation::core;
}

/// A test with `instance()` and `devices()`; at its end the validation layer must have been silent.
class VulkanTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = compute::vulkan::Instance::create(wanted_validation());
    if (!made) GTEST_SKIP() << "no Vulkan here: " << made.error().what;
    instance_ = *made;
    devices_ = compute::vulkan::list_devices(*instance_);
    if (devices_.empty()) GTEST_SKIP() << "no Vulkan device here";
  }
  void TearDown() override {
    if (!instance_) return;
    for (const std::string& message : instance_->messages()) ADD_FAILURE() << "validation: " << message;
  }
  const std::shared_ptr<compute::vulkan::Instance>& instance() const { return instance_; }
  const std::vector<compute::vulkan::DeviceInfo>& devices() const { return devices_; }
  /// The one that tests run on.
  const compute::vulkan::DeviceInfo& device() const { return devices_.front(); }

 private:
  std::shared_ptr<compute::vulkan::Instance> instance_;
  std::vector<compute::vulkan::DeviceInfo> devices_;
};

}  // namespace weir::test
