// Tests two drivers in one process. The loader treats two copies of one driver manifest as two drivers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "folder.hpp"
#include "vulkan_devices.hpp"

namespace weir::compute::vulkan {
namespace {

/// An open device with its pool, stream and buffers.
struct Worker {
  MemoryLimit limit{16_MiB};
  std::unique_ptr<LogicalDevice> device;
  std::unique_ptr<BufferPool> pool;
  std::unique_ptr<Stream> stream;
  Buffer memory, download;  // last, so that they are destroyed first
};

TEST(VulkanDrivers, TwoManifestsAreTwoDevicesInOneProcess) {
  const char* const manifest = std::getenv("VK_DRIVER_FILES");
  if (manifest == nullptr || !std::filesystem::is_regular_file(manifest))
    GTEST_SKIP() << "VK_DRIVER_FILES does not name one manifest";
  const std::string before = manifest;
  const test::Folder folder;
  for (const char* name : {"one.json", "two.json"}) std::filesystem::copy_file(before, folder / name);
  setenv("VK_DRIVER_FILES", ((folder / "one.json").native() + ":" + (folder / "two.json").native()).c_str(), 1);
  const auto instance = Instance::create(test::requested_validation());
  setenv("VK_DRIVER_FILES", before.c_str(), 1);
  ASSERT_TRUE(instance) << instance.error().what;
  const std::vector<DeviceInfo> found = list_devices(**instance);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[0].handle, found[1].handle);

  constexpr std::uint64_t kBytes = 65536;
  std::vector<Worker> workers(2);
  for (std::size_t i = 0; i < 2; ++i) {
    auto opened = LogicalDevice::open(*instance, found[i]);
    ASSERT_TRUE(opened) << opened.error().what;
    Worker& worker = workers[i];
    worker.device = *std::move(opened);
    worker.pool = std::make_unique<BufferPool>(*worker.device, worker.limit, worker.limit);
    worker.stream = *Stream::create(*worker.device);
    worker.memory = *worker.pool->acquire(Bytes{kBytes}, MemoryKind::activations, MemoryUsage::device);
    worker.download = *worker.pool->acquire(Bytes{kBytes}, MemoryKind::staging, MemoryUsage::download);
  }
  // The devices get work alternately, so that both have work in flight.
  for (std::uint32_t turn = 0; turn < 20; ++turn) {
    for (std::size_t i = 0; i < 2; ++i) {
      ASSERT_TRUE(workers[i].stream->fill({workers[i].memory.handle(), 0, kBytes}, turn + (i == 0 ? 100 : 200)));
      ASSERT_TRUE(workers[i].stream->flush());
    }
  }
  for (std::size_t i = 0; i < 2; ++i) {
    Worker& worker = workers[i];
    const Slice to{worker.download.handle(), 0, kBytes};
    ASSERT_TRUE(worker.stream->copy({worker.memory.handle(), 0, kBytes}, to));
    ASSERT_TRUE(worker.stream->make_host_readable(to));
    ASSERT_TRUE(worker.stream->sync());
    std::vector<std::uint32_t> words(kBytes / 4);
    std::memcpy(words.data(), worker.download.host(), kBytes);
    EXPECT_THAT(words, testing::Each(i == 0 ? 119U : 219U));
  }
  workers.clear();
  EXPECT_THAT((*instance)->validation_messages(), testing::IsEmpty());
}

}  // namespace
}  // namespace weir::compute::vulkan
