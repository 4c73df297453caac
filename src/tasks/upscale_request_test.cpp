#include <gtest/gtest.h>

#include "tasks/upscale_kind.hpp"

namespace weir::tasks {
namespace {

TEST(UpscaleRequest, WithoutADescriptorReadsNoStandardInput) {
  const auto request = parse_upscale_request(jobs::Json::object());
  ASSERT_TRUE(request) << request.error().what;
  EXPECT_EQ(request->standard_input_fd, -1);
  EXPECT_EQ(request->standard_input, nullptr);
}

}  // namespace
}  // namespace weir::tasks
