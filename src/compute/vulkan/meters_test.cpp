#include "compute/vulkan/meters.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <utility>

#include "compute/vulkan/device.hpp"
#include "memory/leak_judge.hpp"
#include "vulkan_devices.hpp"

namespace weir::compute::vulkan {
namespace {

class VulkanMeters : public test::OpenVulkanTest {
 protected:
  /// One piece of work: takes memory, writes it, and gives it back or not.
  void work(Bytes size, bool is_kept) {
    Buffer taken = buffer(size, Where::upload);
    std::memset(taken.host(), 1, size.count());
    if (is_kept) keep(std::move(taken));
  }
  /// The pool's meter with the system's witness of its side.
  memory::Meters meters() const {
    memory::Meters meters{make_pool_meter(*pool_, device())};
    const auto budget = make_budget_meter(instance(), device());
    meters.push_back(meters.front()->side() == memory::Side::host ? memory::make_resident_meter() : budget);
    return meters;
  }
};

TEST_F(VulkanMeters, ABufferThatIsKeptIsFoundAndOneThatIsGivenBackIsNot) {
  const memory::Meters both = meters();
  if (both.back() == nullptr) GTEST_SKIP() << "this driver has no VK_EXT_memory_budget";
  memory::LeakJudge judge{both, {.rereads = 1}};
  const auto scope = [&](const char* name, Bytes size, bool keep) {
    const auto start = judge.enter();
    work(size, keep);
    return judge.leave(name, start, false, [&] { pool_->cleanup(); });
  };
  scope("warm", 120_MiB, false);
  judge.set_baseline();
  EXPECT_EQ(scope("clean", 120_MiB, false).verdict, memory::Verdict::clean);
  const auto first = scope("keeps", 120_MiB, true);
  EXPECT_EQ(first.verdict, memory::Verdict::alarm) << first.growth.evidence;
  EXPECT_TRUE(first.growth.confirmed);
  EXPECT_EQ(scope("keeps", 120_MiB, true).verdict, memory::Verdict::leak);
  const memory::LeakReport report = judge.report();
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.first_leak, "keeps");
  EXPECT_NE(report.text.find("weir's Vulkan pool +120 MiB"), std::string::npos) << report.text;
}

TEST_F(VulkanMeters, TheBudgetIsTheSystemsWitness) {
  DeviceInfo info = device();
  if (info.kind == DeviceKind::software) {
    EXPECT_EQ(make_budget_meter(instance(), info), nullptr) << "it tells the use of the whole machine";
    info.kind = DeviceKind::other;
  }
  if (!info.memory_budget) GTEST_SKIP() << "this driver has no VK_EXT_memory_budget";
  const auto meter = make_budget_meter(instance(), info);
  ASSERT_NE(meter, nullptr);
  EXPECT_EQ(meter->side(), memory::Side::device);
  EXPECT_EQ(meter->witness(), memory::Witness::system);
  EXPECT_TRUE(meter->read());
}

}  // namespace
}  // namespace weir::compute::vulkan
