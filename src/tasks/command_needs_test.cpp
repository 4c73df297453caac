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
  const auto key = CommandNeeds::key_of({"python", "a b.py"}, "small", card("550"));
  EXPECT_FALSE(needs.last(key));
  ASSERT_TRUE(needs.remember(key, 5_GiB));
  EXPECT_EQ(needs.last(key), 5_GiB);
  ASSERT_TRUE(needs.remember(key, 3_GiB));
  EXPECT_EQ(CommandNeeds{folder / "state/needs.json"}.last(key), 3_GiB);
  EXPECT_FALSE(needs.last(CommandNeeds::key_of({"python", "a", "b.py"}, "small", card("550"))));
  EXPECT_FALSE(needs.last(CommandNeeds::key_of({"python", "a b.py"}, "", card("550"))));
  EXPECT_FALSE(needs.last(CommandNeeds::key_of({"python", "a b.py"}, "small", card("560"))));
}

TEST(CommandNeeds, AFileThatCannotBeReadOrWrittenIsNoHarm) {
  const test::Folder folder;
  folder.put("needs.json", "{\"needs\":[1");
  const auto key = CommandNeeds::key_of({"x"}, "", card("550"));
  EXPECT_FALSE(CommandNeeds{folder / "needs.json"}.last(key));
  EXPECT_FALSE(CommandNeeds{"/dev/null/needs.json"}.remember(key, 1_GiB));
  EXPECT_TRUE(CommandNeeds{{}}.remember(key, 1_GiB));
  EXPECT_FALSE(CommandNeeds{{}}.last(key));
}

}  // namespace
}  // namespace weir::tasks
