#include "tasks/device_choice.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "device/machines_test.hpp"

namespace weir::tasks {
namespace {

namespace fs = std::filesystem;

/// Leases in a temporary folder, for devices of an invented machine.
class DeviceChoice : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "weir-lease-XXXXXX").native();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  Environment environment(const std::string& lease = {}) const {
    return [folder = folder_.native(), lease](const char* name) -> std::optional<std::string> {
      if (std::string_view{name} == "WEIR_LEASE_DIR") return folder;
      if (std::string_view{name} == "WEIR_LEASE" && !lease.empty()) return lease;
      return std::nullopt;
    };
  }
  /// Returns a machine with one card (device 0) and its two MIG instances (devices 1 and 2). Only the device with the
  /// index `accepted` is accepted.
  static Machine card_with_instances(std::size_t accepted) {
    device::Device card = device::test::make_device(device::test::kRtx3090);
    card.mig_instances = {{.uuid = "MIG-a", .name = "A", .total = {}, .free = {}},
                          {.uuid = "MIG-b", .name = "B", .total = {}, .free = {}}};
    Machine machine;
    machine.devices = device::expand_mig_instances(std::vector{card});
    machine.choice.ranked = {accepted};
    return machine;
  }
  /// Leases the MIG instance with this device index, without waiting. `inherited`: the value of WEIR_LEASE.
  Result<LeasedDevice> lease_instance(std::size_t index, const std::string& inherited = {}) const {
    DeviceRequest request;
    request.max_wait = {};
    std::vector<std::string> notes;
    return lease_device(card_with_instances(index), request, environment(inherited), {}, notes);
  }
  /// Leases the whole card, without waiting. `slots`: 0: exclusively; N: shared by at most N holders.
  Result<device::Lease> lease_card(int slots) const {
    return device::acquire_lease(folder_, {.keys = {"pci-0000:01:00.0"}, .slots = slots, .max_wait = {}},
                                 environment());
  }

  fs::path folder_;
};

TEST_F(DeviceChoice, AMigInstanceIsLeasedExclusivelyAndItsCardShared) {
  const auto first = lease_instance(1);
  ASSERT_TRUE(first) << first.error().what;
  const auto second = lease_instance(2);
  ASSERT_TRUE(second) << second.error().what;
  ASSERT_NE(first->lease.parent(), nullptr);
  EXPECT_EQ(first->lease.parent()->keys(), std::vector<std::string>{"pci-0000:01:00.0"});
  EXPECT_FALSE(lease_instance(1)) << "the first lease holds this instance";
  const auto card = lease_card(0);
  ASSERT_FALSE(card) << "the leases of the instances share the card";
  EXPECT_EQ(card.error().code, Errc::timed_out);
}

TEST_F(DeviceChoice, AnExclusiveLeaseOfACardBlocksItsMigInstances) {
  auto card = lease_card(0);
  ASSERT_TRUE(card);
  EXPECT_FALSE(lease_instance(1));
  card->release();
  EXPECT_TRUE(lease_instance(1));
}

TEST_F(DeviceChoice, ACallInsideALeaseJoinsTheLeasesOfInstanceAndCard) {
  const auto outer = lease_instance(1);
  ASSERT_TRUE(outer);
  std::string claims;
  for (const auto& [name, value] : outer->mask.changes)
    if (name == "WEIR_LEASE") claims = value;
  const auto inner = lease_instance(1, claims);
  ASSERT_TRUE(inner) << inner.error().what;
  EXPECT_TRUE(inner->lease.is_joined());
  EXPECT_TRUE(inner->lease.parent()->is_joined());
}

}  // namespace
}  // namespace weir::tasks
