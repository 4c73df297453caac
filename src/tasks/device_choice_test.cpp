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
  /// index `slice` is accepted.
  static Machine sliced(std::size_t slice) {
    device::Device card = device::test::make_device(device::test::kRtx3090);
    card.mig_instances = {{.uuid = "MIG-a", .name = "A", .total = {}, .free = {}},
                          {.uuid = "MIG-b", .name = "B", .total = {}, .free = {}}};
    Machine machine;
    machine.devices = device::expand_mig_instances(std::vector{card});
    machine.choice.ranked = {slice};
    return machine;
  }
  Result<LeasedDevice> take(std::size_t slice, const std::string& inherited = {}) const {
    DeviceRequest request;
    request.max_wait = {};
    std::vector<std::string> notes;
    return lease_device(sliced(slice), request, environment(inherited), {}, notes);
  }
  Result<device::Lease> take_card(int slots) const {
    return device::acquire_lease(folder_, {.keys = {"pci-0000:01:00.0"}, .slots = slots, .max_wait = {}},
                                 environment());
  }

  fs::path folder_;
};

TEST_F(DeviceChoice, ASliceIsExclusiveAndItsCardShared) {
  const auto a = take(1);
  ASSERT_TRUE(a) << a.error().what;
  const auto b = take(2);
  ASSERT_TRUE(b) << b.error().what;
  ASSERT_NE(a->lease.parent(), nullptr);
  EXPECT_EQ(a->lease.parent()->keys(), std::vector<std::string>{"pci-0000:01:00.0"});
  EXPECT_FALSE(take(1)) << "the slice is taken";
  const auto whole = take_card(0);
  ASSERT_FALSE(whole) << "so no exclusive lease of the card is possible";
  EXPECT_EQ(whole.error().code, Errc::timed_out);
}

TEST_F(DeviceChoice, AnExclusiveCardBlocksItsSlices) {
  auto whole = take_card(0);
  ASSERT_TRUE(whole);
  EXPECT_FALSE(take(1));
  whole->release();
  EXPECT_TRUE(take(1));
}

TEST_F(DeviceChoice, AnInnerCallJoinsSliceAndCard) {
  const auto outer = take(1);
  ASSERT_TRUE(outer);
  std::string claims;
  for (const auto& [name, value] : outer->mask.changes)
    if (name == "WEIR_LEASE") claims = value;
  const auto inner = take(1, claims);
  ASSERT_TRUE(inner) << inner.error().what;
  EXPECT_TRUE(inner->lease.is_joined());
  EXPECT_TRUE(inner->lease.parent()->is_joined());
}

}  // namespace
}  // namespace weir::tasks
