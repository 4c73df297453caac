#include "compute/vulkan/meters.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <utility>

#include "compute/vulkan/logical_device.hpp"
#include "memory/leak_detector.hpp"
#include "vulkan_devices.hpp"

namespace weir::compute::vulkan {
namespace {

class VulkanMeters : public test::OpenVulkanTest {
 protected:
  /// Acquires memory and writes it, then gives it back or keeps it.
  void work(Bytes size, bool is_kept) {
    Buffer taken = acquire_buffer(size, MemoryUsage::upload);
    std::memset(taken.host(), 1, size.count());
    if (is_kept) keep(std::move(taken));
  }
  /// Returns the pool's meter, and the system's meter of the same side (host or device); null if there is none.
  memory::Meters meters() const {
    memory::Meters meters{make_pool_meter(*pool_, device())};
    const auto budget = make_budget_meter(instance(), device());
    meters.push_back(meters.front()->side() == memory::Side::host ? memory::make_resident_meter() : budget);
    return meters;
  }
};

TEST_F(VulkanMeters, ReportsABufferThatIsKeptButNotOneThatIsGivenBack) {
  const memory::Meters both = meters();
  if (both.back() == nullptr) GTEST_SKIP() << "this driver has no VK_EXT_memory_budget";
  memory::LeakDetector detector{both, {.max_rereads = 1}};
  const auto scope = [&](const char* name, Bytes size, bool keep) {
    const auto start = detector.begin_scope();
    work(size, keep);
    return detector.end_scope(name, start, false, [&] { pool_->cleanup(); });
  };
  scope("warm", 120_MiB, false);
  detector.set_baseline();
  EXPECT_EQ(scope("clean", 120_MiB, false).verdict, memory::Verdict::clean);
  const auto first = scope("keeps", 120_MiB, true);
  EXPECT_EQ(first.verdict, memory::Verdict::alarm) << first.growth.evidence;
  EXPECT_TRUE(first.growth.confirmed);
  EXPECT_EQ(scope("keeps", 120_MiB, true).verdict, memory::Verdict::leak);
  const memory::LeakReport report = detector.report();
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.first_leak, "keeps");
  EXPECT_NE(report.text.find("weir's Vulkan pool +120 MiB"), std::string::npos) << report.text;
}

TEST_F(VulkanMeters, TheBudgetMeterReportsTheUseThatTheSystemCounts) {
  DeviceInfo info = device();
  if (info.kind == DeviceKind::software) {
    EXPECT_EQ(make_budget_meter(instance(), info), nullptr) << "it reports the use of the whole machine";
    info.kind = DeviceKind::other;
  }
  if (!info.has_memory_budget) GTEST_SKIP() << "this driver has no VK_EXT_memory_budget";
  const auto meter = make_budget_meter(instance(), info);
  ASSERT_NE(meter, nullptr);
  EXPECT_EQ(meter->side(), memory::Side::device);
  EXPECT_EQ(meter->layer(), memory::MeterLayer::system);
  EXPECT_TRUE(meter->read());
}

/// Imitates a driver that reports its memory budget (software drivers do not), with a device-local heap and a host
/// heap.
struct BudgetDriver {
  inline static VkDeviceSize used = 0;
  static void VKAPI_CALL report_budget(VkPhysicalDevice, VkPhysicalDeviceMemoryProperties2* memory) {
    auto& heaps = memory->memoryProperties;
    heaps.memoryHeapCount = 2;
    heaps.memoryHeaps[0] = {(8_GiB).count(), VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
    heaps.memoryHeaps[1] = {(32_GiB).count(), 0};
    auto* budget = static_cast<VkPhysicalDeviceMemoryBudgetPropertiesEXT*>(memory->pNext);
    ASSERT_NE(budget, nullptr) << "the budget was not requested";
    ASSERT_EQ(budget->sType, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT);
    budget->heapBudget[0] = (6_GiB).count();
    budget->heapUsage[0] = used;
    budget->heapBudget[1] = (30_GiB).count();
    budget->heapUsage[1] = (3_GiB).count();
  }
  BudgetDriver() { vkGetPhysicalDeviceMemoryProperties2 = report_budget; }
  ~BudgetDriver() { vkGetPhysicalDeviceMemoryProperties2 = before_; }
  BudgetDriver(const BudgetDriver&) = delete;
  BudgetDriver& operator=(const BudgetDriver&) = delete;

 private:
  PFN_vkGetPhysicalDeviceMemoryProperties2 before_ = vkGetPhysicalDeviceMemoryProperties2;
};

TEST(VulkanBudget, IsReadFromDeviceLocalHeapsAndConfirmsALeak) {
  const BudgetDriver driver;
  BudgetDriver::used = (1_GiB).count();
  DeviceInfo info;
  info.kind = DeviceKind::discrete;
  info.has_memory_budget = true;
  Bytes pool;
  const auto budget = make_budget_meter(nullptr, info);
  ASSERT_NE(budget, nullptr);
  EXPECT_EQ(budget->read()->value, 1_GiB) << "the heap in host memory is not counted";
  memory::LeakDetector detector{{memory::make_counter_meter("pool", memory::Side::device, memory::MeterLayer::allocator,
                                                            [&] { return std::optional{pool}; }),
                                 budget},
                                {.max_rereads = 1}};
  const auto scope = [&](Bytes of_pool, Bytes of_driver) {
    const auto start = detector.begin_scope();
    pool += of_pool;
    BudgetDriver::used += of_driver.count();
    return detector.end_scope("work", start, false, {});
  };
  EXPECT_EQ(scope(120_MiB, Bytes{}).verdict, memory::Verdict::clean) << "the driver does not confirm it";
  const auto leaks = scope(120_MiB, 128_MiB);
  // Not an alarm, because this is not the first run of the scope.
  EXPECT_EQ(leaks.verdict, memory::Verdict::leak) << leaks.growth.evidence;
  EXPECT_TRUE(leaks.growth.confirmed);
  EXPECT_EQ(leaks.growth.bytes, 120 << 20);
}

}  // namespace
}  // namespace weir::compute::vulkan
