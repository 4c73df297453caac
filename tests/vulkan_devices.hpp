#pragma once

// Base classes of tests that use a Vulkan device, usually Mesa's software driver. A test is skipped if there is no
// device. It fails if the validation layer reports a message.

#include <gtest/gtest.h>

#include <cstdlib>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compute/vulkan/buffer_pool.hpp"
#include "compute/vulkan/device_info.hpp"
#include "compute/vulkan/instance.hpp"
#include "compute/vulkan/logical_device.hpp"
#include "compute/vulkan/memory_limit.hpp"
#include "compute/vulkan/stream.hpp"

namespace weir::test {

/// Returns the kind of validation that the environment variable WEIR_TEST_VALIDATION requests: none, core,
/// synchronisation or gpu_assisted; core for any other value.
inline compute::vulkan::Validation requested_validation() {
  using compute::vulkan::Validation;
  const char* const set = std::getenv("WEIR_TEST_VALIDATION");
  const std::string text = set != nullptr ? set : "core";
  if (text == "none") return Validation::none;
  if (text == "synchronisation") return Validation::synchronisation;
  if (text == "gpu_assisted") return Validation::gpu_assisted;
  return Validation::core;
}

/// A test with a Vulkan instance and its devices. At the end it fails if the validation layer reported a message.
class VulkanTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = compute::vulkan::Instance::create(requested_validation());
    if (!made) GTEST_SKIP() << "no Vulkan here: " << made.error().what;
    instance_ = *made;
    devices_ = compute::vulkan::list_devices(*instance_);
    if (devices_.empty()) GTEST_SKIP() << "no Vulkan device here";
  }
  void TearDown() override {
    if (!instance_) return;
    for (const std::string& message : instance_->validation_messages()) ADD_FAILURE() << "validation: " << message;
  }
  const std::shared_ptr<compute::vulkan::Instance>& instance() const { return instance_; }
  const std::vector<compute::vulkan::DeviceInfo>& devices() const { return devices_; }
  /// Returns the device that tests use.
  const compute::vulkan::DeviceInfo& device() const { return devices_.front(); }

 private:
  std::shared_ptr<compute::vulkan::Instance> instance_;
  std::vector<compute::vulkan::DeviceInfo> devices_;
};

/// A test with an open device, a buffer pool and a stream. All are destroyed at the end of the test, the device last.
class OpenVulkanTest : public VulkanTest {
 protected:
  void SetUp() override {
    VulkanTest::SetUp();
    if (!IsSkipped()) open();
  }
  void TearDown() override {
    close();
    VulkanTest::TearDown();
  }
  /// Opens the device, and creates the pool and the stream; closes those that were open before. `faults` (null: no
  /// faults) must outlive the test.
  void open(compute::vulkan::StreamSettings settings = {}, compute::vulkan::BufferPoolSettings pool = {},
            compute::vulkan::FaultInjector* faults = nullptr) {
    close();
    auto opened = compute::vulkan::LogicalDevice::open(instance(), device(), faults);
    ASSERT_TRUE(opened) << opened.error().what;
    device_ = *std::move(opened);
    pool_ = std::make_unique<compute::vulkan::BufferPool>(*device_, device_limit_, host_limit_, pool);
    auto made = compute::vulkan::Stream::create(*device_, settings);
    ASSERT_TRUE(made) << made.error().what;
    stream_ = *std::move(made);
  }
  /// Returns a buffer from the pool.
  compute::vulkan::Buffer acquire_buffer(Bytes size,
                                         compute::vulkan::MemoryUsage usage = compute::vulkan::MemoryUsage::device) {
    auto made = pool_->acquire(size, compute::vulkan::MemoryKind::activations, usage);
    EXPECT_TRUE(made) << made.error().what;
    return *std::move(made);
  }
  /// Keeps the buffer until the end of the test.
  compute::vulkan::Buffer& keep(compute::vulkan::Buffer buffer) { return kept_.emplace_back(std::move(buffer)); }

  compute::vulkan::MemoryLimit device_limit_{4_GiB};
  compute::vulkan::MemoryLimit host_limit_{4_GiB};
  std::unique_ptr<compute::vulkan::LogicalDevice> device_;
  std::unique_ptr<compute::vulkan::BufferPool> pool_;
  std::unique_ptr<compute::vulkan::Stream> stream_;

 private:
  void close() {
    kept_.clear();
    stream_.reset();
    pool_.reset();
    device_.reset();
  }
  std::list<compute::vulkan::Buffer> kept_;
};

}  // namespace weir::test
