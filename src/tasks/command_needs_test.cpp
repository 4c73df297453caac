#include "tasks/command_needs.hpp"

#include <gtest/gtest.h>

#include "folder.hpp"

namespace weir::tasks {
namespace {

device::Device card(const std::string& driver) {
  device::Device device;
  device.pci = device::PciAddress{0, 2, 0, 0};
  device.driver = driver;
  return device;
}

TEST(CommandNeeds, TheLastMeasurementCountsPerCommandVariantAndDriver) {
  const test::Folder folder;
  const CommandNeeds needs{folder / "state/needs.json"};
  const auto key = CommandNeeds::make_key({"python", "a b.py"}, "small", card("550"));
  EXPECT_FALSE(needs.stored_need(key));
  ASSERT_TRUE(needs.store_need(key, 5_GiB));
  EXPECT_EQ(needs.stored_need(key), 5_GiB);
  ASSERT_TRUE(needs.store_need(key, 3_GiB));
  EXPECT_EQ(CommandNeeds{folder / "state/needs.json"}.stored_need(key), 3_GiB);
  EXPECT_FALSE(needs.stored_need(CommandNeeds::make_key({"python", "a", "b.py"}, "small", card("550"))));
  EXPECT_FALSE(needs.stored_need(CommandNeeds::make_key({"python", "a b.py"}, "", card("550"))));
  EXPECT_FALSE(needs.stored_need(CommandNeeds::make_key({"python", "a b.py"}, "small", card("560"))));
}

TEST(CommandNeeds, AnUnusableFileCountsAsEmpty) {
  const test::Folder folder;
  folder.put("needs.json", "{\"needs\":[1");
  const auto key = CommandNeeds::make_key({"x"}, "", card("550"));
  EXPECT_FALSE(CommandNeeds{folder / "needs.json"}.stored_need(key));
  EXPECT_FALSE(CommandNeeds{"/dev/null/needs.json"}.store_need(key, 1_GiB));
  EXPECT_TRUE(CommandNeeds{{}}.store_need(key, 1_GiB));
  EXPECT_FALSE(CommandNeeds{{}}.stored_need(key));
}

}  // namespace
}  // namespace weir::tasks
