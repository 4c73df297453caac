// Tests Trainer through its public header. Most tests misuse it: each misuse must be an error of the step, after which
// the trainer still works.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "folder.hpp"
#include "weir/nn.hpp"

namespace weir::training {
namespace {

TEST(Trainer, ACheckpointStoresTheWeightsAsWeights) {
  const test::Folder folder;
  auto trainer = Trainer::create({.threads = 1, .ema_decay = 0.9});
  ASSERT_TRUE(trainer);
  const Layer layer = (*trainer)->add_layer("only", 2, 1);
  const std::vector<float> x{1, 2, 3, 4};
  const std::vector<float> y{1, 0};
  for (int step = 0; step < 5; ++step) {
    const Tensor loss = mse(linear((*trainer)->input({2, 2}, x), layer), (*trainer)->input({2, 1}, y));
    ASSERT_FALSE((*trainer)->step(loss, 0.1));
  }
  ASSERT_FALSE((*trainer)->save(folder / "weights", 5));
  (*trainer)->swap_ema_parameters();
  ASSERT_FALSE((*trainer)->save(folder / "average", 5));
  EXPECT_EQ(folder.text("weights"), folder.text("average"));
  EXPECT_FALSE(folder.text("weights").empty());
}

constexpr auto kInvalid = Problem::Code::invalid_argument;

/// Creates a trainer, by default with one thread.
std::unique_ptr<Trainer> trainer_of(TrainerOptions options = {.threads = 1}) {
  auto made = Trainer::create(options);
  EXPECT_TRUE(made);
  return std::move(*made);
}

/// The parameters that operations need; added before the first step.
struct Learnt {
  explicit Learnt(Trainer& trainer)
      : flat{trainer.add_layer("flat", 64, 2)},
        filter{trainer.add_layer("filter", 4, 2, 3)},
        slopes{trainer.add_filled_parameter("slopes", 4, 0.1F)} {}
  Layer flat, filter;
  Parameter slopes;
};

using Operation = std::function<Tensor(const Tensor& good)>;

/// Returns every operation, called with the unusable tensor `bad` or parameter `parameter` in one place.
std::vector<std::pair<std::string, Operation>> every_operation(const Learnt& learnt, Tensor bad, Parameter parameter) {
  const Layer flat = learnt.flat, filter = learnt.filter;
  const Parameter slopes = learnt.slopes;
  const Window window{3, 1, 1};
  return {
      {"matmul", [=](Tensor good) { return matmul(bad, good); }},
      {"matmul, second", [=](Tensor good) { return matmul(good, bad); }},
      {"mat_transpose", [=](Tensor) { return mat_transpose(bad); }},
      {"add_bias", [=](Tensor) { return add_bias(bad, slopes); }},
      {"add_bias, parameter", [=](Tensor good) { return add_bias(good, parameter); }},
      {"linear", [=](Tensor) { return linear(bad, flat); }},
      {"linear, weights",
       [=](Tensor good) {
         return linear(good, {parameter, flat.bias});
       }},
      {"linear, bias",
       [=](Tensor good) {
         return linear(good, {flat.weights, parameter});
       }},
      {"add", [=](Tensor good) { return add(bad, good); }},
      {"add, second", [=](Tensor good) { return add(good, bad); }},
      {"mul", [=](Tensor) { return mul(bad, bad); }},
      {"mul, second", [=](Tensor good) { return mul(good, bad); }},
      {"relu", [=](Tensor) { return relu(bad); }},
      {"leaky_relu", [=](Tensor) { return leaky_relu(bad, 0.1F); }},
      {"prelu", [=](Tensor) { return prelu(bad, slopes); }},
      {"prelu, parameter", [=](Tensor good) { return prelu(good, parameter); }},
      {"sigmoid", [=](Tensor) { return sigmoid(bad); }},
      {"tanh", [=](Tensor) { return tanh(bad); }},
      {"conv2d", [=](Tensor) { return conv2d(bad, filter, window); }},
      {"conv2d, weights",
       [=](Tensor good) {
         return conv2d(good, {parameter, filter.bias}, window);
       }},
      {"conv2d, bias",
       [=](Tensor good) {
         return conv2d(good, {filter.weights, parameter}, window);
       }},
      {"conv_transpose2d", [=](Tensor) { return conv_transpose2d(bad, filter.weights, filter.bias, window); }},
      {"conv_transpose2d, bias",
       [=](Tensor good) { return conv_transpose2d(good, filter.weights, parameter, window); }},
      {"max_pool",
       [=](Tensor) {
         return max_pool(bad, {2, 2, 0});
       }},
      {"pixel_shuffle", [=](Tensor) { return pixel_shuffle(bad, 2); }},
      {"concat",
       [=](Tensor good) {
         return concat(std::array{good, bad});
       }},
      {"concat, first",
       [=](Tensor good) {
         return concat(std::array{bad, good});
       }},
      {"concat of one",
       [=](Tensor) {
         return concat(std::span{&bad, 1});
       }},
      {"concat of none", [=](Tensor) { return concat({}); }},
      {"mean", [=](Tensor) { return mean(bad); }},
      {"mse", [=](Tensor good) { return mse(good, bad); }},
      {"l1", [=](Tensor good) { return l1(bad, good); }},
      {"charbonnier", [=](Tensor good) { return charbonnier(good, bad); }},
      {"cross_entropy", [=](Tensor good) { return cross_entropy(bad, good); }},
  };
}

const std::vector<float> kOnes(2 * 4 * 4 * 4, 1.0F);  // the values of a tensor of the shape [2, 4, 4, 4]

/// Expects that the result of each operation is empty, that results computed from it are empty too, that step() returns
/// the error, and that the trainer works afterwards.
void expect_refused(Trainer& trainer, const Learnt& learnt, const Tensor& bad, const Parameter& parameter) {
  for (const auto& [name, work] : every_operation(learnt, bad, parameter)) {
    SCOPED_TRACE(name);
    const Tensor result = work(trainer.input({2, 4, 4, 4}, kOnes));
    EXPECT_EQ(result.shape().count(), 0U);
    EXPECT_EQ(mean(result).shape().count(), 0U);
    EXPECT_FALSE(trainer.read(result));
    trainer.keep(result);
    const auto problem = trainer.step(result, 0.1);
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->code, kInvalid) << problem->what;
    EXPECT_NE(problem->what, "");
    EXPECT_FALSE(trainer.step(mean(trainer.input({2, 4, 4, 4}, kOnes)), 0.1));
  }
}

TEST(TrainerMisuse, EmptyTensorsAndParametersAreRefused) {
  const auto trainer = trainer_of();
  expect_refused(*trainer, Learnt{*trainer}, {}, {});
}

TEST(TrainerMisuse, TensorsAndParametersOfAnotherTrainerAreRefused) {
  const auto trainer = trainer_of();
  const auto other = trainer_of();
  const Learnt learnt{*trainer};
  expect_refused(*trainer, learnt, other->input({2, 4, 4, 4}, kOnes), other->add_filled_parameter("c", 4, 1));
  const Tensor theirs = mean(other->input({1, 2}, std::vector<float>{1, 2}));
  const auto problem = trainer->step(theirs, 0.1);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->what, "step: a tensor of another trainer");
  EXPECT_FALSE(trainer->read(theirs));
}

TEST(TrainerMisuse, TensorsAndParametersOfATrainerThatHasGoneAreRefused) {
  const auto trainer = trainer_of();
  const Learnt learnt{*trainer};
  auto gone = trainer_of();
  const Tensor tensor = gone->input({2, 4, 4, 4}, kOnes);
  const Parameter parameter = gone->add_filled_parameter("c", 4, 1);
  gone.reset();
  expect_refused(*trainer, learnt, tensor, parameter);
}

TEST(TrainerMisuse, TensorsOfAStepThatHasEndedAreRefused) {
  const auto trainer = trainer_of();
  const Learnt learnt{*trainer};
  const Tensor old = trainer->input({2, 4, 4, 4}, kOnes);
  const Tensor loss = mean(old);
  ASSERT_FALSE(trainer->step(loss, 0.1));
  EXPECT_TRUE(trainer->read(old)) << "inputs are kept until the next tensor is made";
  const auto again = trainer->step(loss, 0.1);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->what, "step: a tensor of a step that has ended");
  const Tensor next = mean(trainer->input({1, 2}, std::vector<float>{1, 2}));
  EXPECT_FALSE(trainer->read(old));
  EXPECT_FALSE(trainer->step(next, 0.1));
  trainer->discard_step();
  EXPECT_EQ(relu(next).shape().count(), 0U);
  expect_refused(*trainer, learnt, old, {});
}

TEST(TrainerMisuse, InvalidShapesAreRefused) {
  const auto trainer = trainer_of();
  const std::vector<float> one(1, 1.0F);
  constexpr int kHuge = 2147483647;
  for (const Shape shape : {Shape{}, Shape{-1, -1}, Shape{-1, 1, 1, -1}, Shape{1, 0}, Shape{kHuge, kHuge, kHuge, kHuge},
                            Shape{65536, 65536, 65536, 65536}, Shape{1 << 30, 4}, Shape{kHuge}}) {
    const Tensor made = trainer->input(shape, one);
    EXPECT_EQ(made.shape().count(), 0U);
    const auto problem = trainer->step(mean(made), 0.1);
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->code, kInvalid) << problem->what;
  }
  EXPECT_FALSE(trainer->step(mean(trainer->input({1, 1}, one)), 0.1));
}

TEST(TrainerMisuse, InvalidWindowsAndFactorsAreRefused) {
  constexpr int kHuge = 2147483647;
  const auto trainer = trainer_of();
  const Layer filter = trainer->add_layer("filter", 4, 2, 3);
  const Parameter spread = trainer->add_weights("spread", 9 * 2, 4, 4);
  const Parameter spread_bias = trainer->add_filled_parameter("spread bias", 2, 0);
  // With a valid window the operations are possible.
  const Tensor good = trainer->input({2, 4, 4, 4}, kOnes);
  ASSERT_FALSE(trainer->step(mean(conv2d(good, filter, {3, 1, 0})), 0.1));
  const Tensor again = trainer->input({2, 4, 4, 4}, kOnes);
  ASSERT_FALSE(trainer->step(mean(conv_transpose2d(again, spread, spread_bias, {3, 1, 0})), 0.1));
  const auto refused = [&](const std::function<Tensor(Tensor)>& work) {
    const Tensor made = work(trainer->input({2, 4, 4, 4}, kOnes));
    EXPECT_EQ(made.shape().count(), 0U);
    const auto problem = trainer->step(mean(made), 0.1);
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->code, kInvalid) << problem->what;
  };
  for (const Window window :
       {Window{0, 1, 0}, Window{3, 0, 0}, Window{3, 1, -1}, Window{3, 1, 3}, Window{-3, 1, -4}, Window{kHuge, 1, 0},
        Window{kHuge, kHuge, kHuge - 1}, Window{65536, 1, 0}, Window{3, kHuge, kHuge}, Window{46341, 1, 46340}}) {
    refused([&](Tensor x) { return conv2d(x, filter, window); });
    refused([&](Tensor x) { return conv_transpose2d(x, spread, spread_bias, window); });
    refused([&](Tensor x) { return max_pool(x, window); });
  }
  refused([&](Tensor x) { return conv_transpose2d(x, spread, spread_bias, {3, kHuge, 0}); });
  for (const int factor : {0, -1, -2, 3, 46341, 65536, kHuge}) {
    refused([&](Tensor x) { return pixel_shuffle(x, factor); });
  }
}

TEST(TrainerMisuse, AStrideThatMakesAHugeResultIsRefused) {
  const auto trainer = trainer_of();
  const Parameter weights = trainer->add_weights("w", 9 * 2, 4, 4);
  const Parameter bias = trainer->add_filled_parameter("b", 2, 0);
  const Tensor x = trainer->input({2, 4, 4, 4}, std::vector<float>(128, 1.0F));
  const auto problem = trainer->step(mean(conv_transpose2d(x, weights, bias, {3, 2147483647, 0})), 0.1);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->code, kInvalid) << problem->what;
}

TEST(TrainerMisuse, ParametersOfInvalidSizeAreAnErrorOfTheStep) {
  constexpr int kHuge = 2147483647;
  const auto refused = [](const std::function<void(Trainer&)>& add) {
    const auto trainer = trainer_of();
    add(*trainer);
    const auto problem = trainer->step(mean(trainer->input({1, 1}, std::vector<float>{1})), 0.1);
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->code, kInvalid) << problem->what;
    EXPECT_NE(problem->what.find("parameter p"), std::string::npos) << problem->what;
    EXPECT_FALSE(trainer->restore("/no/such"));
    EXPECT_TRUE(trainer->save("/no/such", 0));
  };
  for (const int bad : {0, -1, kHuge}) {
    refused([&](Trainer& t) { t.add_layer("p", bad, 4); });
    refused([&](Trainer& t) { t.add_layer("p", 4, bad); });
    refused([&](Trainer& t) { t.add_layer("p", 4, 4, bad); });
    refused([&](Trainer& t) { t.add_weights("p", bad, 4, 1); });
    refused([&](Trainer& t) { t.add_weights("p", 4, bad, 1); });
    refused([&](Trainer& t) { t.add_filled_parameter("p", bad, 1); });
  }
  refused([](Trainer& t) { t.add_layer("p", 65536, 1, 256); });
  refused([](Trainer& t) { t.add_weights("p", 4, 4, 0); });
  refused([](Trainer& t) { t.add_layer("p", 4, 4, 1, NAN); });
}

TEST(TrainerMisuse, AParameterAfterTheFirstStepIsRefused) {
  const auto trainer = trainer_of();
  const std::vector<float> one(1, 1.0F);
  const Layer layer = trainer->add_layer("only", 1, 1);
  ASSERT_FALSE(trainer->step(mean(linear(trainer->input({1, 1}, one), layer)), 0.1));
  const Layer late = trainer->add_layer("late", 1, 1);
  const auto problem = trainer->step(mean(linear(trainer->input({1, 1}, one), late)), 0.1);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->what, "parameter late: added after the first step");
  EXPECT_FALSE(trainer->step(mean(linear(trainer->input({1, 1}, one), layer)), 0.1));
}

TEST(TrainerMisuse, OptionsAndRatesOutOfTheirRangeAreRefused) {
  for (const TrainerOptions& options :
       {TrainerOptions{.threads = -1}, TrainerOptions{.threads = 1000000},
        TrainerOptions{.threads = 1, .momentum = NAN}, TrainerOptions{.threads = 1, .weight_decay = -1},
        TrainerOptions{.threads = 1, .max_gradient_norm = INFINITY}, TrainerOptions{.threads = 1, .ema_decay = 1},
        TrainerOptions{.threads = 1, .ema_decay = -0.5}}) {
    const auto refused = Trainer::create(options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.problem().code, kInvalid);
  }
  const auto trainer = trainer_of();
  for (const double rate : {-0.1, double{NAN}, double{INFINITY}}) {
    const auto problem = trainer->step(mean(trainer->input({1, 1}, std::vector<float>{1})), rate);
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->code, kInvalid);
  }
}

TEST(TrainerMisuse, MoreMemoryThanTheLimitIsAProblemAndNoCrash) {
  const auto trainer = trainer_of({.threads = 1, .memory_limit_bytes = 1 << 20});
  const Layer wide = trainer->add_layer("wide", 30000, 30000);
  const auto problem = trainer->step(mean(linear(trainer->input({1, 1}, std::vector<float>{1}), wide)), 0.1);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->code, Problem::Code::over_budget) << problem->what;
}

TEST(Trainer, AMissingVulkanDeviceIsRefusedWithTheListOfDevices) {
  const auto refused = Trainer::create({.device = "no such device"});
  ASSERT_FALSE(refused);
  if (refused.problem().code == Problem::Code::unsupported) GTEST_SKIP() << refused.problem().what;
  EXPECT_EQ(refused.problem().code, Problem::Code::invalid_argument);
  EXPECT_EQ(refused.problem().what.find("no device matches 'no such device'; there are: "), 0U)
      << refused.problem().what;
}

}  // namespace
}  // namespace weir::training
