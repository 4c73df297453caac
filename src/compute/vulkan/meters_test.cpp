#include "compute/vulkan/meters.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "compute/vulkan/device.hpp"
#include "memory/leak_judge.hpp"
#include "vulkan_devices.hpp"

namespace weir::compute::vulkan {
namespace {

class VulkanMeters : public test::VulkanTest {
 protected:
  void SetUp() override {
    test::VulkanTest::SetUp();
    if (IsSkipped()) return;
    auto opened = Device::open(instance(), device());
    ASSERT_TRUE(opened) << opened.error().what;
    device_ = *std::move(opened);
    pool_ = std::make_unique<Pool>(*device_, line_, host_line_);
  }
  void TearDown() override {
    kept_.clear();
    pool_.reset();
    device_.reset();
    test::VulkanTest::TearDown();
  }
  /// One piece of work: takes memory, writes it, and gives it back or not.
  void work(Bytes size, bool keep) {
    auto buffer = pool_->acquire(size, MemoryKind::activations, Where::upload);
    ASSERT_TRUE(buffer) << buffer.error().what;
    std::memset(buffer->host(), 1, size.count());
    if (keep) kept_.push_back(*std::move(buffer));
  }
  /// The pool's meter with the system's witness of its side.
  memory::Meters meters() const {
    memory::Meters meters{make_pool_meter(*pool_, device())};
    const auto budget = make_budget_meter(instance(), device());
    meters.push_back(meters.front()->side() == memory::Side::host ? memory::make_resident_meter() : budget);
    return meters;
  }

  MemoryLine line_{4_GiB};
  MemoryLine host_line_{4_GiB};
  std::unique_ptr<Device> device_;
  std::unique_ptr<Pool> pool_;
  std::vector<Buffer> kept_;
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
