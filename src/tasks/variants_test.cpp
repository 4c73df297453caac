#include "tasks/variants.hpp"

#include <gtest/gtest.h>

#include "tasks/guarded_command.hpp"

namespace weir::tasks {
namespace {

TEST(Variants, AreParsedLargestFirst) {
  const auto variants = parse_variants("medium=5G,small=2G,base=1G,tiny=512M");
  ASSERT_TRUE(variants) << variants.error().what;
  ASSERT_EQ(variants->size(), 4u);
  EXPECT_EQ((*variants)[3].name, "tiny");
  EXPECT_EQ((*variants)[3].need, 512_MiB);
  for (const char* wrong : {"", "medium", "=5G", "a=much", "a=1G,b=2G", "a=1G,b=1G"})
    EXPECT_FALSE(parse_variants(wrong)) << wrong;
}

TEST(Variants, TheFirstVariantThatFitsIsTaken) {
  const auto variants = *parse_variants("medium=5G,small=2G,base=1G,tiny=512M");
  const auto variant = [&](Bytes free, Bytes reserved) {
    return choose_variant(variants, {.free = free, .reserved = reserved, .known = true}, false);
  };
  EXPECT_EQ(*variant(6_GiB, {}), 0u);
  EXPECT_EQ(*variant(5_GiB, {}), 1u) << "the context needs memory too";
  EXPECT_EQ(*variant(3_GiB, {}), 1u);
  EXPECT_EQ(*variant(1536_MiB, {}), 2u);
  EXPECT_EQ(*variant(1_GiB, {}), 3u);
  EXPECT_EQ(*variant(6_GiB, 4_GiB), 2u) << "memory that other holders have reserved is not free";
  const auto refused = variant(900_MiB, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::over_budget);
  EXPECT_NE(refused.error().what.find("medium 5 GiB, small 2 GiB"), std::string::npos) << refused.error().what;
}

TEST(LastNeed, MustFit) {
  EXPECT_TRUE(choose_by_last_need(5_GiB, {5_GiB, {}, true})) << "the last need includes the context";
  EXPECT_FALSE(choose_by_last_need(5_GiB, {5_GiB, 1_GiB, true}));
  EXPECT_TRUE(choose_by_last_need(5_GiB, {})) << "no need was given";
}

TEST(Variants, UnknownMemoryIsNotFree) {
  const std::vector<Variant> variants{{"", 1_GiB}};
  EXPECT_FALSE(choose_variant(variants, {}, false));
  EXPECT_TRUE(choose_variant(variants, {}, true));
  EXPECT_TRUE(choose_variant({Variant{}}, {}, false)) << "no need was given";
}

TEST(DeviceMemoryAvailability, CountsOnlyReservationsOfOthers) {
  device::Device device;
  device.pci = device::PciAddress{0, 1, 0, 0};
  device.free = memory::Reading{.value = 10_GiB, .source = "NVML"};
  device::OwnerRecord other;
  other.nonce = "other";
  other.reserved_bytes = (4_GiB).count();
  device::OwnerRecord own = other;
  own.nonce = "own";
  const DeviceMemoryAvailability available =
      measure_availability(device, {{1, other}, {2, own}, {3, std::nullopt}}, {{}, "own", {}});
  EXPECT_TRUE(available.known);
  EXPECT_EQ(available.reserved, 4_GiB);
}

TEST(ReplacePlaceholders, OtherBracesStay) {
  const std::vector<std::pair<std::string, std::string>> values{{"", "a b.txt"}, {"variant", "small"}};
  EXPECT_EQ(replace_placeholders("--in={} --model={variant}", values), "--in=a b.txt --model=small");
  EXPECT_EQ(replace_placeholders("{print $1} {variant", values), "{print $1} {variant");
  EXPECT_EQ(replace_placeholders("{{variant}}", values), "{small}");
  EXPECT_EQ(replace_placeholders("", values), "");
}

TEST(GuardedCommand, MayRetryOnlyOrdinaryFailures) {
  GuardedResult result;
  EXPECT_FALSE(may_retry(result));
  result.status = 1;
  EXPECT_TRUE(may_retry(result));
  result.status = 127;
  EXPECT_FALSE(may_retry(result));
  result.error = Error{Errc::over_budget, ""};
  EXPECT_TRUE(may_retry(result));
  result.error = Error{Errc::device_lost, "placement refuted"};
  EXPECT_FALSE(may_retry(result));
  result.error = Error{Errc::cancelled, ""};
  EXPECT_FALSE(may_retry(result));
}

}  // namespace
}  // namespace weir::tasks
