#include "compute/vulkan/queues.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace weir::compute::vulkan {
namespace {

constexpr VkQueueFlags kDraws = VK_QUEUE_GRAPHICS_BIT;
constexpr VkQueueFlags kComputes = VK_QUEUE_COMPUTE_BIT;
constexpr VkQueueFlags kCopies = VK_QUEUE_TRANSFER_BIT;
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

TEST(ChooseQueues, ACopyEngineCopiesAndWhatDrawsNothingComputes) {
  // As NVIDIA's drivers list them.
  const auto queues = choose({{kDraws | kComputes | kCopies | kSparse, 16},
                              {kCopies | kSparse, 2},
                              {kComputes | kCopies | kSparse, 8},
                              {kCopies | kSparse | kDecodes, 1}});
  ASSERT_TRUE(queues);
  EXPECT_EQ(*queues, (Queues{2, 1, 0}));
  EXPECT_TRUE(queues->apart());
}

TEST(ChooseQueues, QueuesForFilmAreNoCopyEngines) {
  EXPECT_EQ(choose({{kDraws | kComputes | kCopies, 1}, {kCopies | kDecodes, 1}}), (Queues{0, 0, 0}));
  EXPECT_EQ(choose({{kDraws | kComputes, 1}, {kCopies | kDecodes, 1}, {kCopies, 1}}), (Queues{0, 2, 0}));
}

TEST(ChooseQueues, WithoutACopyEngineASecondQueueOfTheFamilyThatComputes) {
  EXPECT_EQ(choose({{kDraws | kComputes | kCopies, 1}, {kComputes | kCopies, 4}}), (Queues{1, 1, 1}));
  EXPECT_EQ(choose({{kDraws | kComputes | kCopies, 2}}), (Queues{0, 0, 1}));
}

TEST(ChooseQueues, OneQueueDoesAll) {
  const auto queues = choose({{kDraws | kComputes | kCopies, 1}});  // as Mesa's software driver has it
  ASSERT_TRUE(queues);
  EXPECT_EQ(*queues, (Queues{0, 0, 0}));
  EXPECT_FALSE(queues->apart());
}

TEST(ChooseQueues, NoQueueThatComputesNoDevice) {
  EXPECT_FALSE(choose({}));
  EXPECT_FALSE(choose({{kDraws | kCopies, 1}, {kCopies, 2}}));
  EXPECT_FALSE(choose({{kComputes, 0}}));
}

}  // namespace
}  // namespace weir::compute::vulkan
