// Tests of the providers on test versions of files in /proc and /sys. The comments name the kernel documents that
// define these files.

#include <gtest/gtest.h>
#include <unistd.h>

#include "device/fdinfo.hpp"
#include "device/inventory.hpp"
#include "device/machines_test.hpp"
#include "device/processes_test.hpp"
#include "device/provider.hpp"

namespace weir::device {
namespace {

using test::put;

/// Writes a DRM card in the format of /sys/class/drm: Documentation/ABI/stable/sysfs-bus-pci and
/// testing/sysfs-class-drm.
void put_card(const std::filesystem::path& root, int card, const std::string& driver, const std::string& address,
              const std::string& vendor) {
  const std::string folder = "sys/class/drm/card" + std::to_string(card) + "/device/";
  put(root, folder + "uevent",
      "DRIVER=" + driver + "\nPCI_CLASS=30000\nPCI_ID=1002:744C\nPCI_SLOT_NAME=" + address + "\nMODALIAS=pci:x\n");
  put(root, folder + "vendor", vendor + "\n");
  put(root, folder + "device", "0x744c\n");
}

// Documentation/gpu/drm-usage-stats.rst and Documentation/gpu/amdgpu/driver-core: amdgpu before Linux 6.13.
constexpr const char* kAmdgpu =
    "pos:\t0\nflags:\t02100002\nmnt_id:\t26\nino:\t500\ndrm-driver:\tamdgpu\ndrm-client-id:\t8\n"
    "drm-pdev:\t0000:03:00.0\npasid:\t32774\ndrm-memory-vram:\t393216 KiB\ndrm-memory-gtt: \t2048 KiB\n"
    "drm-memory-cpu: \t0 KiB\ndrm-engine-gfx:\t1000000 ns\ndrm-engine-compute:\t500 ns\n";

// Documentation/gpu/xe/xe-drm-usage-stats.rst: its example with other numbers.
constexpr const char* kXe =
    "drm-driver:\txe\ndrm-client-id:\t3\ndrm-pdev:\t0000:07:00.0\ndrm-total-system:\t0\ndrm-resident-system:\t0\n"
    "drm-total-gtt:\t192 KiB\ndrm-resident-gtt:\t192 KiB\ndrm-total-vram0:\t96 MiB\ndrm-resident-vram0:\t64 MiB\n"
    "drm-cycles-rcs:\t28\ndrm-total-cycles-rcs:\t7655183225\n";

TEST(Fdinfo, AmdgpuIsRead) {
  const auto info = parse_fdinfo(kAmdgpu);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->driver, "amdgpu");
  EXPECT_EQ(info->client, 8u);
  EXPECT_EQ(to_text(*info->pci), "0000:03:00.0");
  EXPECT_EQ(device_memory(*info), 384_MiB);
  EXPECT_EQ(info->engine_ns, 1000500u);
}

TEST(Fdinfo, XeCountsWhatIsResident) {
  const auto info = parse_fdinfo(kXe);
  ASSERT_TRUE(info);
  EXPECT_EQ(device_memory(*info), 64_MiB);
  EXPECT_EQ(info->cycles, 28u);
}

TEST(Fdinfo, AnIntegratedGpuUsesSystemMemory) {
  const auto info = parse_fdinfo("drm-driver: i915\ndrm-resident-system0: 5 MiB\ndrm-total-stolen-system0: 1 MiB\n");
  ASSERT_TRUE(info);
  EXPECT_EQ(device_memory(*info), 5_MiB);
}

TEST(Fdinfo, OtherFilesAreNoFdinfo) {
  EXPECT_FALSE(parse_fdinfo("pos:\t0\nflags:\t02\n"));
  EXPECT_FALSE(parse_fdinfo(""));
  EXPECT_FALSE(parse_fdinfo("drm-memory-vram: 99999999999999999999 KiB\n"));
}

TEST(Fdinfo, DescriptorsOfOneClientCountOnce) {
  const test::Folder root;
  test::put_process(root.path(), 100, 4, kAmdgpu);
  test::put_process(root.path(), 100, 5, kAmdgpu);  // a copy of the descriptor by dup
  test::put_process(root.path(), 101, 4, kAmdgpu);  // a copy of the descriptor by fork
  const auto uses = read_process_usage(root.path(), {});
  ASSERT_EQ(uses.size(), 1u);
  EXPECT_EQ(uses[0].pid, 100);
  EXPECT_EQ(uses[0].memory, 384_MiB);
  EXPECT_TRUE(uses[0].engine_used);
}

TEST(DrmProvider, AnAmdCardIsMeasuredExactly) {
  const test::Folder root;
  put_card(root.path(), 1, "amdgpu", "0000:03:00.0", "0x1002");
  // Documentation/gpu/amdgpu/driver-misc.rst names these files.
  put(root.path(), "sys/class/drm/card1/device/mem_info_vram_total", "25753026560\n");
  put(root.path(), "sys/class/drm/card1/device/mem_info_vram_used", "1073741824\n");
  put(root.path(), "sys/class/drm/card1/device/unique_id", "6b4c8a1f2d3e4f50\n");
  put(root.path(), "sys/class/drm/card1-HDMI-A-1/status", "connected\n");
  put(root.path(), "sys/class/drm/renderD128/dev", "226:128\n");
  test::put_process(root.path(), 100, 4, kAmdgpu);
  const auto devices = make_drm_provider(root.path())->devices();
  ASSERT_TRUE(devices) << devices.error().what;
  ASSERT_EQ(devices->size(), 1u);
  const Device& card = devices->front();
  EXPECT_EQ(card.vendor, Vendor::amd);
  EXPECT_EQ(card.total->value, Bytes{25753026560});
  EXPECT_EQ(card.free->value, Bytes{25753026560 - 1073741824});
  EXPECT_EQ(card.used->coverage, memory::Coverage::device);
  EXPECT_EQ(card.uuid, "GPU-6b4c8a1f2d3e4f50");
  ASSERT_EQ(card.processes.size(), 1u);
  EXPECT_EQ(card.processes[0].name, "game");
  EXPECT_TRUE(card.has_process_list);
}

TEST(DrmProvider, KnowsWhetherProcessesOfOtherUsersAreMissing) {
  const test::Folder root;
  put_card(root.path(), 1, "amdgpu", "0000:03:00.0", "0x1002");
  const auto has_all = [&] {
    const auto devices = make_drm_provider(root.path())->devices();
    return devices && devices->size() == 1 && devices->front().has_all_processes;
  };
  test::put_process(root.path(), 100, 4, kAmdgpu);
  EXPECT_FALSE(has_all()) << "without process 1, /proc hides processes";
  test::put_process(root.path(), 1, 4, "pos:\t0\n");
  EXPECT_TRUE(has_all());
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  std::filesystem::permissions(root.path() / "proc/1/fd", std::filesystem::perms::none);
  EXPECT_FALSE(has_all());
  std::filesystem::permissions(root.path() / "proc/1/fd", std::filesystem::perms::owner_all);
}

TEST(DrmProvider, TheUsedMemoryOfAnArcCardIsALowerBound) {
  const test::Folder root;
  put_card(root.path(), 0, "xe", "0000:07:00.0", "0x8086");
  put(root.path(), "sys/class/drm/card0/device/tile0/physical_vram_size_bytes", "0x3fa000000\n");
  test::put_process(root.path(), 100, 4, kXe);
  const auto devices = make_drm_provider(root.path())->devices();
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 1u);
  const Device& card = devices->front();
  EXPECT_EQ(card.total->value, Bytes{0x3fa000000});
  EXPECT_EQ(card.used->value, 64_MiB);
  EXPECT_EQ(card.used->coverage, memory::Coverage::lower_bound);
  EXPECT_EQ(card.used->privilege, memory::Privilege::lacking);
  EXPECT_FALSE(card.free) << "the total minus a lower bound of the used memory is not the free memory";
  const auto merged = merge_devices({*devices});
  EXPECT_FALSE(merged.front().free);
}

TEST(DrmProvider, AMachineWithoutDrmIsUnsupported) {
  const test::Folder root;
  const auto devices = make_drm_provider(root.path())->devices();
  ASSERT_FALSE(devices);
  EXPECT_EQ(devices.error().code, Errc::unsupported);
}

TEST(KfdProvider, GpuNodesHaveTheirAddressAndProcesses) {
  const test::Folder root;
  // drivers/gpu/drm/amd/amdkfd/kfd_topology.c: node 0 is the processor, the GPUs follow.
  const std::string nodes = "sys/class/kfd/kfd/topology/nodes/";
  put(root.path(), nodes + "0/gpu_id", "0\n");
  put(root.path(), nodes + "0/properties", "cpu_cores_count 16\nsimd_count 0\nlocation_id 0\n");
  put(root.path(), nodes + "1/gpu_id", "31412\n");
  put(root.path(), nodes + "1/properties",
      "cpu_cores_count 0\nsimd_count 192\nvendor_id 4098\ndevice_id 29772\nlocation_id 768\ndomain 0\n"
      "unique_id 7731765811562499920\n");
  put(root.path(), "sys/class/kfd/kfd/proc/100/vram_31412", "536870912\n");
  const auto devices = make_kfd_provider(root.path())->devices();
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 1u);
  const Device& card = devices->front();
  EXPECT_EQ(to_text(*card.pci), "0000:03:00.0");
  EXPECT_EQ(card.stack_indices.hip, 0);
  EXPECT_EQ(card.uuid, "GPU-6b4cc00a7cb14f50");
  ASSERT_EQ(card.processes.size(), 1u);
  EXPECT_EQ(card.processes[0].memory->value, 512_MiB);
}

}  // namespace
}  // namespace weir::device
