#include "device/proof.hpp"

#include <gtest/gtest.h>

#include "device/machines_test.hpp"
#include "device/processes_test.hpp"

namespace weir::device {
namespace {

class ProofTest : public testing::Test {
 protected:
  const std::vector<Device> machine = test::two_nvidia(true);
  const Device& asked = machine[0];
  PciAddress here = *machine[0].pci;
  PciAddress there = *machine[1].pci;
};

TEST_F(ProofTest, MemoryOnTheCardProves) {
  const Proof proof = judge(
      asked, machine, {.bookings = {{here, 300_MiB, false, "NVML"}}, .uuids_inside = {}, .opened = {}, .blind = {}});
  EXPECT_EQ(proof.outcome, Outcome::proved);
  EXPECT_EQ(proof.text, "300 MiB by NVML");
}

TEST_F(ProofTest, EngineTimeProvesWithoutMemory) {
  EXPECT_EQ(
      judge(asked, machine, {.bookings = {{here, {}, true, "fdinfo"}}, .uuids_inside = {}, .opened = {}, .blind = {}})
          .outcome,
      Outcome::proved);
}

TEST_F(ProofTest, MemoryElsewhereRefutesAlsoBesideUseHere) {
  const Proof proof = judge(asked, machine,
                            {.bookings = {{here, 1_GiB, false, "NVML"}, {there, 400_MiB, false, "NVML"}},
                             .uuids_inside = {},
                             .opened = {},
                             .blind = {}});
  EXPECT_EQ(proof.outcome, Outcome::refuted);
  EXPECT_EQ(
      proof.text,
      "asked for NVIDIA GeForce RTX 3090 at 0000:01:00.0, got NVIDIA GeForce RTX 5060 Ti at 0000:02:00.0: 400 MiB by "
      "NVML; its mask was ignored, overwritten, or set after the first GPU call");
}

TEST_F(ProofTest, WhatListingLeavesBehindIsNoUse) {
  EXPECT_EQ(judge(asked, machine,
                  {.bookings = {{here, 1_GiB, false, "NVML"}, {there, 2_MiB, false, "fdinfo"}},
                   .uuids_inside = {},
                   .opened = {},
                   .blind = {}})
                .outcome,
            Outcome::proved);
}

TEST_F(ProofTest, AnOpenDescriptorProvesNothing) {
  const Proof proof = judge(asked, machine, {.bookings = {}, .uuids_inside = {}, .opened = {here, there}, .blind = {}});
  EXPECT_EQ(proof.outcome, Outcome::unknown);
  EXPECT_NE(proof.text.find("hint only"), std::string::npos);
}

TEST_F(ProofTest, TheUuidFromInsideDecides) {
  const auto inside = [&](std::string uuid) {
    return judge(asked, machine, {.bookings = {}, .uuids_inside = {std::move(uuid)}, .opened = {}, .blind = {}})
        .outcome;
  };
  EXPECT_EQ(inside(asked.uuid), Outcome::proved);
  EXPECT_EQ(inside(asked.uuid.substr(4)), Outcome::proved) << "as torch writes it";
  EXPECT_EQ(inside(machine[1].uuid), Outcome::refuted);
}

TEST_F(ProofTest, BlindSourcesAreNamed) {
  const Proof proof = judge(
      asked, machine,
      {.bookings = {}, .uuids_inside = {}, .opened = {}, .blind = "NVML counts processes in the machine's numbers"});
  EXPECT_EQ(proof.outcome, Outcome::unknown);
  EXPECT_NE(proof.text.find("machine's numbers"), std::string::npos);
}

TEST(Proof, EvidenceComesFromFdinfo) {
  const test::Folder root;
  auto machine = test::amd_and_igpu();
  test::put_process(root.path(), 4242, 5,
                    "pos:\t0\ndrm-driver:\tamdgpu\ndrm-pdev:\t0000:03:00.0\ndrm-client-id:\t7\n"
                    "drm-memory-vram:\t524288 KiB\ndrm-engine-compute:\t12345 ns\n");
  const Evidence evidence = gather_evidence(machine, {4242}, nullptr, root.path().native());
  ASSERT_EQ(evidence.bookings.size(), 1u);
  EXPECT_EQ(judge(machine[1], machine, evidence).outcome, Outcome::proved);
  EXPECT_EQ(judge(machine[0], machine, evidence).outcome, Outcome::refuted);
}

}  // namespace
}  // namespace weir::device
