#include "device/placement_check.hpp"

#include <gtest/gtest.h>

#include "device/machines_test.hpp"
#include "device/processes_test.hpp"

namespace weir::device {
namespace {

/// A machine with two cards, of which the first was requested.
class PlacementCheckTest : public testing::Test {
 protected:
  const std::vector<Device> machine = test::two_nvidia(true);
  const Device& requested = machine[0];
  PciAddress requested_pci = *machine[0].pci;
  PciAddress other_pci = *machine[1].pci;
};

TEST_F(PlacementCheckTest, MemoryOnTheCardProves) {
  const PlacementCheck check = check_placement(requested, machine,
                                               {.bookings = {{requested_pci, 300_MiB, false, "NVML"}},
                                                .reported_uuids = {},
                                                .opened_devices = {},
                                                .unknown_reason = {}});
  EXPECT_EQ(check.status, PlacementStatus::proved);
  EXPECT_EQ(check.text, "300 MiB by NVML");
}

TEST_F(PlacementCheckTest, EngineTimeProvesWithoutMemory) {
  EXPECT_EQ(check_placement(requested, machine,
                            {.bookings = {{requested_pci, {}, true, "fdinfo"}},
                             .reported_uuids = {},
                             .opened_devices = {},
                             .unknown_reason = {}})
                .status,
            PlacementStatus::proved);
}

TEST_F(PlacementCheckTest, MemoryOnAnotherCardRefutesEvenIfTheRequestedCardIsUsed) {
  const PlacementCheck check =
      check_placement(requested, machine,
                      {.bookings = {{requested_pci, 1_GiB, false, "NVML"}, {other_pci, 400_MiB, false, "NVML"}},
                       .reported_uuids = {},
                       .opened_devices = {},
                       .unknown_reason = {}});
  EXPECT_EQ(check.status, PlacementStatus::refuted);
  EXPECT_EQ(
      check.text,
      "asked for NVIDIA GeForce RTX 3090 at 0000:01:00.0, got NVIDIA GeForce RTX 5060 Ti at 0000:02:00.0: 400 MiB by "
      "NVML; the command ignored or overwrote its device mask, or the mask was set after the first GPU call");
}

TEST_F(PlacementCheckTest, TheMemoryThatListingDevicesTakesIsNoUse) {
  EXPECT_EQ(check_placement(requested, machine,
                            {.bookings = {{requested_pci, 1_GiB, false, "NVML"}, {other_pci, 2_MiB, false, "fdinfo"}},
                             .reported_uuids = {},
                             .opened_devices = {},
                             .unknown_reason = {}})
                .status,
            PlacementStatus::proved);
}

TEST_F(PlacementCheckTest, AnOpenDescriptorProvesNothing) {
  const PlacementCheck check = check_placement(
      requested, machine,
      {.bookings = {}, .reported_uuids = {}, .opened_devices = {requested_pci, other_pci}, .unknown_reason = {}});
  EXPECT_EQ(check.status, PlacementStatus::unknown);
  EXPECT_NE(check.text.find("only a hint"), std::string::npos);
}

TEST_F(PlacementCheckTest, TheReportedUuidDecides) {
  const auto status_with = [&](std::string uuid) {
    return check_placement(
               requested, machine,
               {.bookings = {}, .reported_uuids = {std::move(uuid)}, .opened_devices = {}, .unknown_reason = {}})
        .status;
  };
  EXPECT_EQ(status_with(requested.uuid), PlacementStatus::proved);
  EXPECT_EQ(status_with(requested.uuid.substr(4)), PlacementStatus::proved)
      << "without the prefix, as PyTorch writes it";
  EXPECT_EQ(status_with(machine[1].uuid), PlacementStatus::refuted);
}

TEST_F(PlacementCheckTest, TheTextSaysWhyThePlacementIsUnknown) {
  const PlacementCheck check = check_placement(requested, machine,
                                               {.bookings = {},
                                                .reported_uuids = {},
                                                .opened_devices = {},
                                                .unknown_reason = "NVML reports process ids of the host"});
  EXPECT_EQ(check.status, PlacementStatus::unknown);
  EXPECT_NE(check.text.find("process ids of the host"), std::string::npos);
}

TEST(PlacementCheck, EvidenceComesFromFdinfo) {
  const test::Folder root;
  auto machine = test::amd_and_igpu();
  test::put_process(root.path(), 4242, 5,
                    "pos:\t0\ndrm-driver:\tamdgpu\ndrm-pdev:\t0000:03:00.0\ndrm-client-id:\t7\n"
                    "drm-memory-vram:\t524288 KiB\ndrm-engine-compute:\t12345 ns\n");
  const PlacementEvidence evidence = collect_evidence(machine, {4242}, nullptr, root.path().native());
  ASSERT_EQ(evidence.bookings.size(), 1u);
  EXPECT_EQ(check_placement(machine[1], machine, evidence).status, PlacementStatus::proved);
  EXPECT_EQ(check_placement(machine[0], machine, evidence).status, PlacementStatus::refuted);
}

}  // namespace
}  // namespace weir::device
