#include "compute/vulkan/stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "compute/vulkan/kernel_comparison.hpp"
#include "vulkan_devices.hpp"

namespace weir::compute::vulkan {
namespace {

/// Makes call number `at_call`, counted from 1, of the driver calls `point` fail; 0: none.
class Fault final : public FaultInjector {
 public:
  FaultPoint point = FaultPoint::submit;
  int at_call = 0;
  VkResult result = VK_SUCCESS;
  VkResult inject(FaultPoint point_called) override {
    return point_called == point && ++calls == at_call ? result : VK_SUCCESS;
  }
  int calls = 0;
};

class VulkanStream : public test::OpenVulkanTest {
 protected:
  void SetUp() override {
    test::OpenVulkanTest::SetUp();
    if (!IsSkipped()) open({});
  }
  void open(StreamSettings settings) { test::OpenVulkanTest::open(settings, {.max_idle = 3}, &fault_); }
  /// Copies a slice of device memory to the host, waits for it, and returns its 4-byte words.
  std::vector<std::uint32_t> words_of(Slice slice) {
    Buffer download = acquire_buffer(Bytes{slice.size}, MemoryUsage::download);
    const Slice to{download.handle(), 0, slice.size};
    EXPECT_TRUE(stream_->copy(slice, to));
    EXPECT_TRUE(stream_->make_host_readable(to));
    EXPECT_TRUE(stream_->sync());
    std::vector<std::uint32_t> words(slice.size / 4);
    std::memcpy(words.data(), download.host(), slice.size);
    return words;
  }

  Fault fault_;
};

TEST_F(VulkanStream, CommandsTakeEffectInTheirOrder) {
  const Buffer a = acquire_buffer(4_KiB);
  const Buffer b = acquire_buffer(4_KiB);
  const Slice from{a.handle(), 0, 1024};
  const Slice to{b.handle(), 256, 1024};
  for (std::uint32_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(stream_->fill(from, i));
    ASSERT_TRUE(stream_->copy(from, to));
  }
  EXPECT_THAT(words_of(to), testing::Each(49U));
}

TEST_F(VulkanStream, SubmitsAutomaticallyAndReusesEndedSubmissions) {
  open({.max_commands = 10, .max_submissions = 2});
  const Buffer a = acquire_buffer(4_KiB);
  for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_TRUE(stream_->fill({a.handle(), 0, 4096}, i));
  EXPECT_EQ(stream_->statistics().submissions, 100U);
  EXPECT_LE(stream_->statistics().submissions_created, 3U) << "the objects of ended submissions are reused";
  EXPECT_EQ(stream_->statistics().barriers, 999U);
  EXPECT_THAT(words_of({a.handle(), 0, 4096}), testing::Each(999U));
}

TEST_F(VulkanStream, ManyMultiplicationsEndASubmission) {
  open({.max_multiplications = 100});
  const Buffer a = acquire_buffer(64_KiB);
  Dispatch dispatch;
  dispatch.kernel = {"mean_carry_ff", {1, 0}};
  dispatch.read_write(BindingSlot::residual, slice_of(a)).push_constants(1.0F);
  dispatch.multiplications = 60;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(stream_->dispatch(dispatch));
  EXPECT_EQ(stream_->statistics().submissions, 5U);
  stream_->set_max_multiplications(1000);
  for (int i = 0; i < 16; ++i) ASSERT_TRUE(stream_->dispatch(dispatch));
  EXPECT_EQ(stream_->statistics().submissions, 5U) << "the new limit allows more dispatches";
  ASSERT_TRUE(stream_->dispatch(dispatch));
  EXPECT_EQ(stream_->statistics().submissions, 6U);
  ASSERT_TRUE(stream_->sync());
}

TEST_F(VulkanStream, ACallbackIsCalledForEveryDispatch) {
  std::vector<std::string> seen;
  open({.on_dispatch = [&](const Dispatch& dispatch, std::chrono::duration<double> time) {
    EXPECT_GT(time.count(), 0);
    seen.emplace_back(dispatch.kernel.shader);
  }});
  const Buffer a = acquire_buffer(64_KiB);
  Dispatch dispatch;
  dispatch.kernel = {"mean_carry_ff", {1, 0}};
  dispatch.read_write(BindingSlot::residual, slice_of(a)).push_constants(1.0F);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(stream_->dispatch(dispatch));
  EXPECT_EQ(seen, (std::vector<std::string>(3, "mean_carry_ff")));
  EXPECT_EQ(stream_->statistics().submissions, 3U);
}

TEST_F(VulkanStream, TemporaryBuffersAreReleasedWhenTheirCommandsHaveEnded) {
  for (int i = 0; i < 3; ++i) {
    Buffer temporary = acquire_buffer(1_MiB);
    ASSERT_TRUE(stream_->fill(slice_of(temporary), 7));
    ASSERT_TRUE(stream_->keep_alive(std::move(temporary)));
  }
  EXPECT_EQ(pool_->statistics().in_use, 3_MiB);
  ASSERT_TRUE(stream_->sync());
  EXPECT_EQ(pool_->statistics().in_use, Bytes{});
  EXPECT_EQ(pool_->statistics().idle, 3_MiB);
}

TEST_F(VulkanStream, AfterARefusedSubmissionEveryCallFails) {
  fault_.point = FaultPoint::submit;
  fault_.at_call = 1;
  fault_.result = VK_ERROR_DEVICE_LOST;
  const Buffer a = acquire_buffer(4_KiB);
  ASSERT_TRUE(stream_->fill(slice_of(a), 1));
  const auto flushed = stream_->flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().code, Errc::device_lost);
  EXPECT_TRUE(device_->is_lost());
  EXPECT_FALSE(stream_->fill(slice_of(a), 1));
  EXPECT_FALSE(stream_->sync());
}

/// A device with a compute stream and a transfer stream; here they use the same queue.
class VulkanStreams : public VulkanStream {
 protected:
  void SetUp() override {
    VulkanStream::SetUp();
    if (IsSkipped()) return;
    if (!device().has_timeline_semaphores) GTEST_SKIP() << "no timeline semaphores here";
    auto made = Stream::create_transfer_stream(*stream_);
    ASSERT_TRUE(made) << made.error().what;
    copies_ = *std::move(made);
  }
  void TearDown() override {
    copies_.reset();
    VulkanStream::TearDown();
  }
  std::unique_ptr<Stream> copies_;
};

TEST_F(VulkanStreams, EachWaitsForConflictingCommandsOfTheOther) {
  const Buffer upload = acquire_buffer(64_KiB, MemoryUsage::upload);
  const Buffer download = acquire_buffer(64_KiB, MemoryUsage::download);
  const Buffer input = acquire_buffer(64_KiB);
  const Buffer result = acquire_buffer(64_KiB);
  const auto* const seen = reinterpret_cast<const std::uint32_t*>(download.host());
  for (std::uint32_t round = 1; round <= 20; ++round) {
    std::fill_n(reinterpret_cast<std::uint32_t*>(upload.host()), 1024, round);
    ASSERT_TRUE(copies_->copy({upload.handle(), 0, 4096}, {input.handle(), 0, 4096}));
    ASSERT_TRUE(stream_->copy({input.handle(), 0, 4096}, {result.handle(), 0, 4096}));
    ASSERT_TRUE(copies_->copy({result.handle(), 0, 4096}, {download.handle(), 0, 4096}));
    ASSERT_TRUE(copies_->make_host_readable({download.handle(), 0, 4096}));
    ASSERT_TRUE(copies_->sync());
    EXPECT_EQ(std::count(seen, seen + 1024, round), 1024);
  }
  EXPECT_EQ(stream_->statistics().queue_waits, 20U)
      << "the read of the input and the write of the result need one wait together";
  EXPECT_EQ(copies_->statistics().queue_waits, 20U)
      << "only the copy of the result waits; the write of the next input follows it";
}

TEST_F(VulkanStreams, CommandsWithoutCommonMemoryDoNotWait) {
  const Buffer a = acquire_buffer(64_KiB);
  const Buffer b = acquire_buffer(64_KiB);
  for (std::uint32_t round = 0; round < 20; ++round) {
    ASSERT_TRUE(stream_->fill(slice_of(a), round));
    ASSERT_TRUE(copies_->fill(slice_of(b), round));
  }
  ASSERT_TRUE(stream_->sync());
  ASSERT_TRUE(copies_->sync());
  EXPECT_EQ(stream_->statistics().queue_waits + copies_->statistics().queue_waits, 0U);
}

TEST_F(VulkanStreams, ARefusedSubmissionOfOneStreamIsAnErrorOfTheOtherThatNeedsIt) {
  const Buffer a = acquire_buffer(64_KiB);
  ASSERT_TRUE(stream_->fill(slice_of(a), 1));
  fault_.point = FaultPoint::submit;
  fault_.calls = 0;
  fault_.at_call = 1;
  fault_.result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
  const auto refused = copies_->fill(slice_of(a), 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::over_budget);
  EXPECT_FALSE(stream_->is_ok());
  EXPECT_FALSE(copies_->is_ok());
}

TEST_F(VulkanStreams, EitherMayBeDestroyedWithWorkInFlight) {
  const Buffer a = acquire_buffer(1_MiB);
  for (std::uint32_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(stream_->fill(slice_of(a), i));
    ASSERT_TRUE(copies_->fill(slice_of(a), i));
  }
  ASSERT_TRUE(copies_->flush());
  ASSERT_TRUE(stream_->fill(slice_of(a), 7));  // waits for the transfer stream, and is not submitted yet
  copies_.reset();
  EXPECT_THAT(words_of({a.handle(), 0, 4096}), testing::Each(7U)) << "the remaining stream still works";
}

TEST_F(VulkanStream, PoolReusesBlocksKeepsFewIdleAndFreesAll) {
  for (int round = 0; round < 3; ++round) {
    std::vector<Buffer> many;
    many.reserve(8);
    for (int i = 0; i < 8; ++i) many.push_back(acquire_buffer(1_MiB));
  }
  const BufferPoolStatistics statistics = pool_->statistics();
  EXPECT_EQ(statistics.idle, 3_MiB) << "at most three blocks may be idle (max_idle)";
  EXPECT_EQ(statistics.allocated, statistics.idle);
  EXPECT_EQ(statistics.peak, 8_MiB);
  EXPECT_EQ(statistics.hits, 6U);
  EXPECT_EQ(statistics.misses, 18U);
  EXPECT_EQ(device_limit_.charged(), 3_MiB);
  pool_->cleanup();
  pool_->cleanup();
  EXPECT_EQ(pool_->statistics().allocated, Bytes{});
  EXPECT_EQ(device_limit_.charged(), Bytes{});
}

TEST_F(VulkanStream, PoolGivesIdleMemoryBackBeforeItRefuses) {
  device_limit_.set_limit(4_MiB);
  { const Buffer idle = acquire_buffer(3_MiB); }
  EXPECT_EQ(device_limit_.charged(), 3_MiB);
  const Buffer other = acquire_buffer(2_MiB);
  EXPECT_EQ(device_limit_.charged(), 2_MiB);
  const auto refused = pool_->acquire(3_MiB, MemoryKind::weights, MemoryUsage::device);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::over_budget);
  EXPECT_THAT(refused.error().what,
              testing::HasSubstr("3 MiB more would exceed the memory limit of 4 MiB: 2 MiB in use"));
  EXPECT_EQ(device_limit_.charged(), 2_MiB) << "a refusal changes nothing";
}

TEST_F(VulkanStream, PoolTriesAgainWithoutItsIdleMemoryWhenTheDriverHasNone) {
  { const Buffer idle = acquire_buffer(3_MiB); }
  fault_.point = FaultPoint::allocate;
  fault_.calls = 0;
  fault_.at_call = 1;
  fault_.result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
  const auto buffer = pool_->acquire(2_MiB, MemoryKind::weights, MemoryUsage::device);
  EXPECT_TRUE(buffer);
  EXPECT_EQ(pool_->statistics().idle, Bytes{});
  fault_.calls = 0;
  EXPECT_FALSE(pool_->acquire(1_MiB, MemoryKind::weights, MemoryUsage::device))
      << "without idle blocks there is no second try";
  EXPECT_EQ(device_limit_.charged(), 2_MiB);
  EXPECT_EQ(device_limit_.in_use(MemoryKind::weights), 2_MiB);
}

TEST(PoolSizes, AreOnlySlightlyLarger) {
  EXPECT_EQ(BufferPool::size_class(Bytes{0}), 64_KiB);
  EXPECT_EQ(BufferPool::size_class(Bytes{1}), 64_KiB);
  EXPECT_EQ(BufferPool::size_class(65_KiB), 128_KiB);
  for (std::uint64_t size = 2 << 20; size < (1ULL << 36); size = size * 3 / 2 + 12345) {
    const std::uint64_t taken = BufferPool::size_class(Bytes{size}).count();
    EXPECT_GE(taken, size);
    EXPECT_LE(taken, size + size / 31);
    EXPECT_EQ(BufferPool::size_class(Bytes{taken}).count(), taken);
  }
}

TEST_F(VulkanStream, KernelComparisonUsesTheTolerance) {
  if (!device().has_half_storage) GTEST_SKIP() << "no float16 in buffers here";
  const auto itself = kernels_agree(*pool_, *stream_, "conv_hh", "conv_hh");
  ASSERT_TRUE(itself) << itself.error().what;
  EXPECT_TRUE(*itself);
  const auto never = kernels_agree(*pool_, *stream_, "conv_hh", "conv_hh", -1);
  ASSERT_TRUE(never) << never.error().what;
  EXPECT_FALSE(*never) << "no difference is at most -1";
}

TEST_F(VulkanStream, TwoDevicesWorkSideBySide) {
  // Opens the same physical device twice; two_drivers_test uses two devices.
  auto other = LogicalDevice::open(instance(), devices().back());
  ASSERT_TRUE(other) << other.error().what;
  MemoryLimit limit{8_MiB};
  BufferPool pool{**other, limit, limit};
  auto stream = Stream::create(**other);
  ASSERT_TRUE(stream);
  auto other_buffer = pool.acquire(1_MiB, MemoryKind::activations, MemoryUsage::device);
  ASSERT_TRUE(other_buffer);
  const Buffer own_buffer = acquire_buffer(1_MiB);
  ASSERT_TRUE((*stream)->fill(slice_of(*other_buffer), 5));
  ASSERT_TRUE(stream_->fill(slice_of(own_buffer), 6));
  ASSERT_TRUE((*stream)->sync());
  EXPECT_THAT(words_of({own_buffer.handle(), 0, 4096}), testing::Each(6U));
}

}  // namespace
}  // namespace weir::compute::vulkan
