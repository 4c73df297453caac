#include "compute/vulkan/queues.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace weir::compute::vulkan {
namespace {

constexpr VkQueueFlags kDraws = VK_QUEUE_GRAPHICS_BIT;
constexpr VkQueueFlags kComputeFlag = VK_QUEUE_COMPUTE_BIT;
constexpr VkQueueFlags kTransferFlag = VK_QUEUE_TRANSFER_BIT;
constexpr VkQueueFlags kSparse = VK_QUEUE_SPARSE_BINDING_BIT;
constexpr VkQueueFlags kDecodes = 0x20;  // VK_QUEUE_VIDEO_DECODE_BIT_KHR

struct Family {
  VkQueueFlags flags;
  std::uint32_t queues;
};
std::optional<Queues> choose(const std::vector<Family>& invented) {
  std::vector<VkQueueFamilyProperties> families;
  for (const Family& each : invented) {
    VkQueueFamilyProperties family{};
    family.queueFlags = each.flags;
    family.queueCount = each.queues;
    families.push_back(family);
  }
  return choose_queues(families);
}

TEST(ChooseQueues, UsesACopyEngineForTransfersAndAQueueWithoutGraphicsForCompute) {
  // The families that NVIDIA's drivers report.
  const auto queues = choose({{kDraws | kComputeFlag | kTransferFlag | kSparse, 16},
                              {kTransferFlag | kSparse, 2},
                              {kComputeFlag | kTransferFlag | kSparse, 8},
                              {kTransferFlag | kSparse | kDecodes, 1}});
  ASSERT_TRUE(queues);
  EXPECT_EQ(*queues, (Queues{2, 1, 0}));
  EXPECT_TRUE(queues->has_transfer_queue());
}

TEST(ChooseQueues, VideoQueuesAreNoCopyEngines) {
  EXPECT_EQ(choose({{kDraws | kComputeFlag | kTransferFlag, 1}, {kTransferFlag | kDecodes, 1}}), (Queues{0, 0, 0}));
  EXPECT_EQ(choose({{kDraws | kComputeFlag, 1}, {kTransferFlag | kDecodes, 1}, {kTransferFlag, 1}}), (Queues{0, 2, 0}));
}

TEST(ChooseQueues, WithoutACopyEngineUsesASecondQueueOfTheComputeFamily) {
  EXPECT_EQ(choose({{kDraws | kComputeFlag | kTransferFlag, 1}, {kComputeFlag | kTransferFlag, 4}}), (Queues{1, 1, 1}));
  EXPECT_EQ(choose({{kDraws | kComputeFlag | kTransferFlag, 2}}), (Queues{0, 0, 1}));
}

TEST(ChooseQueues, OneQueueIsUsedForBoth) {
  const auto queues = choose({{kDraws | kComputeFlag | kTransferFlag, 1}});  // the family of Mesa's software driver
  ASSERT_TRUE(queues);
  EXPECT_EQ(*queues, (Queues{0, 0, 0}));
  EXPECT_FALSE(queues->has_transfer_queue());
}

TEST(ChooseQueues, NoComputeQueueMeansNoQueues) {
  EXPECT_FALSE(choose({}));
  EXPECT_FALSE(choose({{kDraws | kTransferFlag, 1}, {kTransferFlag, 2}}));
  EXPECT_FALSE(choose({{kComputeFlag, 0}}));
}

}  // namespace
}  // namespace weir::compute::vulkan
