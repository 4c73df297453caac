// Tests of how the audit reads the value of a mask variable.
#include "audit/mask.hpp"

#include <gtest/gtest.h>

namespace weir::audit {
namespace {

std::vector<std::string> entries_of(std::string_view mask) {
  return parse_mask(mask).value_or(Mask{{"unknown"}}).entries;
}

TEST(AuditMask, HasCardsTilesAndUuids) {
  EXPECT_EQ(entries_of("0, 1.0,0.1.2,GPU-12"), (std::vector<std::string>{"0", "1.0", "0.1.2", "GPU-12"}));
}

TEST(AuditMask, EndsBeforeAnEntryThatIsNoTile) {
  for (const std::string_view invalid : {"0.abc", "0.", "0.1x", "0..1", ".1", "0.-1"})
    EXPECT_EQ(entries_of("2," + std::string{invalid} + ",3"), (std::vector<std::string>{"2"})) << invalid;
}

}  // namespace
}  // namespace weir::audit
