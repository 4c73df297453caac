#include <gtest/gtest.h>

#include <vector>

#include "folder.hpp"
#include "weir/nn.hpp"

namespace weir::training {
namespace {

TEST(Trainer, ACheckpointHasTheWeightsWhereTheyBelong) {
  const test::Folder folder;
  auto trainer = Trainer::create({.threads = 1, .average = 0.9});
  ASSERT_TRUE(trainer);
  const Layer layer = (*trainer)->layer("only", 2, 1);
  const std::vector<float> x{1, 2, 3, 4};
  const std::vector<float> y{1, 0};
  for (int step = 0; step < 5; ++step) {
    const Tensor loss = mse(linear((*trainer)->input({2, 2}, x), layer), (*trainer)->input({2, 1}, y));
    ASSERT_FALSE((*trainer)->step(loss, 0.1));
  }
  ASSERT_FALSE((*trainer)->save(folder / "weights", 5));
  (*trainer)->swap_average();
  ASSERT_FALSE((*trainer)->save(folder / "average", 5));
  EXPECT_EQ(folder.text("weights"), folder.text("average"));
  EXPECT_FALSE(folder.text("weights").empty());
}

TEST(Trainer, AVulkanDeviceThatIsNotThereIsRefusedWithWhatIs) {
  const auto refused = Trainer::create({.device = "no such device"});
  ASSERT_FALSE(refused);
  if (refused.problem().code == Problem::Code::unsupported) GTEST_SKIP() << refused.problem().what;
  EXPECT_EQ(refused.problem().code, Problem::Code::invalid_argument);
  EXPECT_EQ(refused.problem().what.find("no device matches 'no such device'; there are: "), 0U)
      << refused.problem().what;
}

}  // namespace
}  // namespace weir::training
