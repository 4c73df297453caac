#include "tasks/gpu_worker.hpp"

#include <gtest/gtest.h>

#include <map>

#include "device/machines_test.hpp"

namespace weir::tasks {
namespace {

using Variables = std::map<std::string, std::string>;

/// Returns what find_named_gpu() would find for the device.
NamedGpu named(const device::Device& device) {
  return {device.name, "GPU-01234567-89ab-cdef-0123-456789abcdef", device.pci ? to_text(*device.pci) : "", true};
}

Variables variables_of(const jobs::WorkerDevice& worker) {
  return {worker.environment.begin(), worker.environment.end()};
}

/// Makes the worker for the device with the index `which`.
Result<jobs::WorkerDevice> worker(const std::vector<device::Device>& machine, std::size_t which,
                                  const device::MaskVariables& set = {}) {
  std::vector<std::string> notes;
  return make_gpu_worker("gpu", named(machine[which]), machine, set, notes);
}

TEST(GpuWorker, MasksNameTheCardByUuidInAnyMachineOrder) {
  for (const bool big_first : {true, false}) {
    const auto machine = device::test::two_nvidia(big_first);
    for (std::size_t i = 0; i < 2; ++i) {
      const auto made = worker(machine, i);
      ASSERT_TRUE(made) << made.error().what;
      const Variables set = variables_of(*made);
      EXPECT_EQ(set.at("CUDA_VISIBLE_DEVICES"), machine[i].uuid);
      EXPECT_EQ(set.at("CUDA_DEVICE_ORDER"), "PCI_BUS_ID");
      EXPECT_EQ(made->lease_key, lease_key(machine[i]));
      EXPECT_EQ(made->arguments.back(), "GPU-01234567-89ab-cdef-0123-456789abcdef");
      EXPECT_EQ(made->identity, "GPU-01234567-89ab-cdef-0123-456789abcdef at pci:" + to_text(*machine[i].pci));
    }
  }
}

TEST(GpuWorker, EqualCardsAreDistinguishedByPciAddress) {
  const auto machine = device::test::two_arc();
  for (std::size_t i = 0; i < 2; ++i) {
    NamedGpu gpu = named(machine[i]);
    gpu.has_unique_uuid = false;
    std::vector<std::string> notes;
    const auto made = make_gpu_worker("Arc#" + std::to_string(i + 1), gpu, machine, {}, notes);
    ASSERT_TRUE(made) << made.error().what;
    const Variables set = variables_of(*made);
    EXPECT_EQ(set.at("ZE_AFFINITY_MASK"), std::to_string(i));
    EXPECT_EQ(set.at("ZE_ENABLE_PCI_ID_DEVICE_ORDER"), "1");
    EXPECT_EQ(made->arguments.back(), "pci:" + gpu.pci);
    EXPECT_FALSE(notes.empty());
  }
}

TEST(GpuWorker, AnAmdCardHasItsOwnMask) {
  const auto machine = device::test::amd_and_igpu();
  const auto made = worker(machine, 1);
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(variables_of(*made).at("ROCR_VISIBLE_DEVICES"), machine[1].uuid);
}

TEST(GpuWorker, AMaskThatIsSetIsKept) {
  const auto machine = device::test::two_nvidia(true);
  const auto hidden = worker(machine, 0, {{"CUDA_VISIBLE_DEVICES", machine[1].uuid}});
  ASSERT_FALSE(hidden);
  EXPECT_EQ(hidden.error().code, Errc::invalid_argument);
  EXPECT_NE(hidden.error().what.find("hidden by CUDA_VISIBLE_DEVICES"), std::string::npos) << hidden.error().what;
  EXPECT_TRUE(worker(machine, 1, {{"CUDA_VISIBLE_DEVICES", machine[1].uuid}}));
}

TEST(GpuWorker, CopiesOfASoftwareDriverKeepTheirNamesAndHaveNoLease) {
  device::Device software;
  software.name = "llvmpipe";
  software.kind = device::DeviceKind::software;
  software.vulkan_uuid = "0123456789abcdef0123456789abcdef";
  const std::vector<device::Device> machine{software};
  NamedGpu gpu = named(software);
  const auto alone = worker(machine, 0);
  ASSERT_TRUE(alone);
  EXPECT_FALSE(alone->lease_key.empty());
  gpu.has_unique_uuid = false;
  std::vector<std::string> notes;
  const auto copy = make_gpu_worker("llvmpipe#2", gpu, machine, {}, notes);
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->arguments.back(), "llvmpipe#2");
  EXPECT_TRUE(copy->environment.empty());
  EXPECT_TRUE(copy->lease_key.empty());
}

TEST(GpuWorker, ProcessorsNeedNoLease) {
  auto cpu = jobs::cpu_device("cpu", {}, 1);
  ASSERT_TRUE(cpu);
  std::vector<jobs::WorkerDevice> devices{*std::move(cpu)};
  std::vector<std::string> notes;
  EXPECT_TRUE(resolve_gpus(devices, notes));
  EXPECT_TRUE(devices[0].lease_key.empty());
  EXPECT_TRUE(notes.empty());
}

}  // namespace
}  // namespace weir::tasks
