// Tests the training of networks: recipes, the data, the network and its graph, interrupted and resumed runs, the
// curves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>

#include "folder.hpp"
#include "nn/network.hpp"
#include "nn/reference.hpp"
#include "nn/train/cpu_training_device.hpp"
#include "training/metrics_log.hpp"
#include "training/pair_feed.hpp"
#include "training/recipe.hpp"
#include "training/train.hpp"
#include "training/upscaling_network.hpp"
#include "vulkan_devices.hpp"

namespace weir::training {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::string_view kSmall = R"(
name = "small"
[structure]
channels = 8
layers = 1
[data]
side = 48
patch = 12
batch = 2
per_picture = 3
[learning]
warm_up = 5
steps = 120
look_every = 60
)";

Recipe small_recipe() { return *parse_recipe(kSmall, "small.toml"); }

/// Returns true if the fonts that comics need are installed.
bool has_fonts() { return static_cast<bool>(synth::Lettering::open()); }

TEST(Recipe, ReportsErrorsWithTheirLine) {
  const Recipe recipe = small_recipe();
  EXPECT_EQ(recipe.name, "small");
  EXPECT_EQ(recipe.structure.channels, 8);
  EXPECT_EQ(recipe.data.patch_px, 12);
  const std::pair<const char*, const char*> wrong[] = {
      {"nam = 'x'\n", "r.toml:1: unknown key 'nam'"},
      {"\n[structure]\nscale = 5\n", "r.toml:3: 'scale' must be a whole number from 2 to 4"},
      {"[data]\ncomics = 'half'\n", "r.toml:2: 'comics' must be a number from 0 to 1"},
      {"[data]\nside = 64\npatch = 48\n", "r.toml:3: 'patch' is 48 pixels, but a small picture only 32"},
      {"[learning]\nloss = 'best'\n", "r.toml:2: 'loss' must be charbonnier, l1 or mse"},
      {"[ending]\npart = 2\n", "r.toml:2: 'part' must be a number from 0 to 1"},
      {"data = 3\n", "r.toml:1: 'data' must be a table"},
      {"name = 'a/b'\n", "r.toml:1: 'name' must be a file name"},
      {"name = \n", "r.toml:1: "},
  };
  for (const auto& [text, message] : wrong) {
    const auto read = parse_recipe(text, "r.toml");
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Errc::invalid_argument);
    EXPECT_THAT(read.error().what, HasSubstr(message));
  }
}

TEST(PairFeed, ABatchDependsOnItsNumberAlone) {
  if (!has_fonts()) GTEST_SKIP() << "no fonts here";
  const Recipe recipe = small_recipe();
  const auto feed = PairFeed::open(recipe);
  const auto other = PairFeed::open(recipe);
  ASSERT_TRUE(feed && other);
  std::vector<Batch> batches;
  for (std::uint64_t i = 0; i < 7; ++i) batches.push_back(*(*feed)->make_batch(i));
  for (const std::uint64_t i : {6U, 0U, 3U}) {
    const auto again = (*other)->make_batch(i);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->small, batches[i].small) << i;
    EXPECT_EQ(again->detail, batches[i].detail) << i;
  }
  EXPECT_EQ(batches[0].small.size(), 2U * 12 * 12 * 3);
  EXPECT_EQ(batches[0].detail.size(), 2U * 24 * 24 * 3);
  EXPECT_NE(batches[0].small, batches[1].small);
}

TEST(PairFeed, TheFinalPhaseHasItsOwnPairs) {
  if (!has_fonts()) GTEST_SKIP() << "no fonts here";
  Recipe recipe = small_recipe();
  recipe.data.clean_share = 0;
  recipe.final_phase.clean_share = 1;
  const auto feed = PairFeed::open(recipe);
  const auto with_final_phase = PairFeed::open(recipe);
  ASSERT_TRUE(feed && with_final_phase);
  (*with_final_phase)->set_final_phase_start(6);  // the first batch of the third block
  for (std::uint64_t i = 0; i < 9; ++i)
    EXPECT_EQ((*feed)->make_batch(i)->small == (*with_final_phase)->make_batch(i)->small, i < 6) << i;
}

TEST(PairFeed, TheStartOfTheFinalPhaseMayBeSetWhileABlockIsDrawn) {
  if (!has_fonts()) GTEST_SKIP() << "no fonts here";
  Recipe recipe = small_recipe();
  recipe.data.clean_share = 0;
  recipe.final_phase.clean_share = 1;
  const auto expected = PairFeed::open(recipe);
  const auto feed = PairFeed::open(recipe);
  ASSERT_TRUE(expected && feed);
  (*expected)->set_final_phase_start(0);
  ASSERT_TRUE((*feed)->make_batch(0));  // the thread starts to draw the second block
  (*feed)->set_final_phase_start(0);
  for (std::uint64_t i = 0; i < 6; ++i)
    EXPECT_TRUE((*feed)->make_batch(i)->small == (*expected)->make_batch(i)->small) << i;
}

TEST(UpscalingNetworkGraph, EqualsResizePlusDetail) {
  nn::train::CpuTrainingDevice device{2};
  nn::train::ParameterSet parameters{device, 5};
  const UpscalingNetwork network{parameters, {.scale = 2, .channels = 8, .layers = 2}};
  synth::Canvas small{20, 16};
  synth::Random random{1};
  for (synth::Colour& pixel : small.pixels) pixel = {random.uniform(), random.uniform(), random.uniform()};
  nn::train::Tape tape{device};
  const nn::train::Shape shape{1, 3, small.height, small.width};
  const auto detail =
      tape.read(network.compute_detail(tape, tape.input(shape, {small.pixels.front().data(), shape.count()})));
  ASSERT_TRUE(detail) << detail.error().what;
  const auto graph = network.build_graph(device);
  ASSERT_TRUE(graph) << graph.error().what;
  compute::Planes planes{3, small.height, small.width};
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < small.height; ++y) {
      for (int x = 0; x < small.width; ++x) planes.at(c, y, x) = small.at(x, y)[static_cast<std::size_t>(c)];
    }
  }
  const auto made = nn::run_reference(*graph, planes);
  ASSERT_TRUE(made) << made.error().what;
  const synth::Canvas base = enlarge_bicubic(small, 2);
  for (int y = 0; y < base.height; ++y) {
    for (int x = 0; x < base.width; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        const auto i =
            (static_cast<std::size_t>(y) * static_cast<std::size_t>(base.width) + static_cast<std::size_t>(x)) * 3 + c;
        ASSERT_NEAR(made->at(static_cast<int>(c), y, x), base.at(x, y)[c] + (*detail)[i], 2e-5) << x << " " << y;
      }
    }
  }
}

TEST(Train, ResumesWithABitIdenticalResult) {
  if (!has_fonts()) GTEST_SKIP() << "no fonts here";
  const test::Folder folder;
  const Recipe recipe = small_recipe();
  const auto ignore_progress = [](const TrainProgress&) {};
  const auto whole =
      train(std::string{kSmall}, recipe, {.folder = folder / "whole", .threads = 1}, {}, ignore_progress);
  ASSERT_TRUE(whole) << whole.error().what;
  EXPECT_TRUE(*whole);

  // Stops a run after some steps, and continues it on more threads.
  std::stop_source stop;
  std::uint64_t stopped = 0;
  const auto stopping = [&](const TrainProgress& progress) {
    stopped = progress.step;
    stop.request_stop();
  };
  TrainSettings settings{.folder = folder / "parts", .threads = 2};
  const auto first = train(std::string{kSmall}, recipe, settings, stop.get_token(), stopping);
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_FALSE(*first);
  EXPECT_EQ(stopped, 50U);
  const auto twice = train(std::string{kSmall}, recipe, settings, {}, ignore_progress);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, Errc::exists);
  settings.resume = true;
  const auto other = train(std::string{kSmall} + "\n", recipe, settings, {}, ignore_progress);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().what, HasSubstr("another recipe"));
  // The file looks as after kill -9: it has a line of a step after the checkpoint, and half a line.
  std::ofstream{folder / "parts/metrics.jsonl", std::ios::app} << "{\"step\":100,\"loss\":1}\n{\"st";
  const auto second = train(std::string{kSmall}, recipe, settings, {}, ignore_progress);
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_TRUE(*second);

  for (const char* name : {"small.param", "small.bin", "checkpoint", "strip.png"})
    EXPECT_EQ(folder.text(fs::path{"whole"} / name), folder.text(fs::path{"parts"} / name)) << name;
  for (const char* name : {"small.md", "curves.svg", "recipe.toml"})
    EXPECT_FALSE(folder.text(fs::path{"parts"} / name).empty()) << name;
  const auto log = MetricsLog::open(folder / "parts/metrics.jsonl", 120);
  ASSERT_TRUE(log);
  std::vector<std::uint64_t> steps;
  for (const Metric& metric : log->metrics()) steps.push_back(metric.step);
  EXPECT_THAT(steps, testing::ElementsAre(50, 100, 120));
  EXPECT_LT(log->metrics().back().loss, log->metrics().front().loss * 1.5);
  EXPECT_TRUE(log->metrics().back().gain);

  const auto network = nn::load_network(folder / "parts/small.param");
  ASSERT_TRUE(network) << network.error().what;
  EXPECT_EQ(network->family.scale, 2);
}

TEST(Train, TheFinalPhaseIsASecondCosineAfterTheSameSteps) {
  if (!has_fonts()) GTEST_SKIP() << "no fonts here";
  const test::Folder folder;
  const auto run = [&](const char* name, const std::string& text, std::uint64_t steps) {
    const auto done = train(text, *parse_recipe(text, name), {.folder = folder / name, .steps = steps, .threads = 1},
                            {}, [](const TrainProgress&) {});
    EXPECT_TRUE(done && *done);
    return MetricsLog::open(folder / name / "metrics.jsonl", steps)->metrics();
  };
  const auto plain = run("plain", std::string{kSmall}, 90);
  const auto with_final_phase = run("ends", std::string{kSmall} + "[ending]\npart = 0.25\nrate = 5e-4\n", 120);
  ASSERT_EQ(plain.size(), 2u);             // after steps 50 and 90
  ASSERT_EQ(with_final_phase.size(), 3u);  // after steps 50, 100 and 120
  EXPECT_EQ(plain[0].loss, with_final_phase[0].loss);
  EXPECT_EQ(plain[0].rate, with_final_phase[0].rate);
  EXPECT_NEAR(with_final_phase[1].rate, 1e-6 + (5e-4 - 1e-6) * (1 + std::cos(0.3 * std::numbers::pi)) / 2,
              1e-9);  // 9 of 30 steps
}

TEST(Train, ResumesOnVulkanBitIdenticallyAndOnAnotherDeviceToo) {
  if (!has_fonts()) GTEST_SKIP() << "no fonts here";
  auto gpu = nn::vulkan::find_gpu("gpu", test::requested_validation());
  if (!gpu) GTEST_SKIP() << "no Vulkan here: " << gpu.error().what;
  const test::Folder folder;
  const std::string text =
      "name = 'tiny'\n[structure]\nchannels = 4\nlayers = 0\n"
      "[data]\nside = 32\npatch = 8\nbatch = 2\n[learning]\nsteps = 60\nlook_every = 60\n";
  const auto recipe = parse_recipe(text, "tiny.toml");
  ASSERT_TRUE(recipe) << recipe.error().what;
  const auto run = [&](const char* name, std::shared_ptr<const nn::vulkan::Gpu> where, bool resume, bool stops) {
    std::stop_source stop;
    const TrainSettings settings{.folder = folder / name, .resume = resume, .threads = 1, .gpu = std::move(where)};
    const auto done = train(text, *recipe, settings, stop.get_token(), [&](const TrainProgress&) {
      if (stops) stop.request_stop();  // after 50 steps
    });
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(*done, !stops);
  };
  run("whole", *gpu, false, false);
  run("parts", *gpu, false, true);
  run("parts", *gpu, true, false);
  EXPECT_EQ(folder.text("parts/checkpoint"), folder.text("whole/checkpoint"));
  EXPECT_EQ(folder.text("parts/tiny.bin"), folder.text("whole/tiny.bin"));
  run("there", nullptr, false, true);
  run("there", *gpu, true, false);
  run("back", *gpu, false, true);
  run("back", nullptr, true, false);
  const auto loss_of = [&](const char* name) {
    return MetricsLog::open(folder / name / "metrics.jsonl", 60)->metrics().back().loss;
  };
  EXPECT_NEAR(loss_of("there"), loss_of("whole"), 1e-4 * loss_of("whole"));
  EXPECT_NEAR(loss_of("back"), loss_of("whole"), 1e-4 * loss_of("whole"));
  for (const std::string& message : (*gpu)->instance->validation_messages()) ADD_FAILURE() << "validation: " << message;
}

TEST(Train, ReportsThatThereIsNothingToResume) {
  if (!has_fonts()) GTEST_SKIP() << "no fonts here";
  const test::Folder folder;
  const auto made = train(std::string{kSmall}, small_recipe(), {.folder = folder / "none", .resume = true}, {},
                          [](const TrainProgress&) {});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().what, HasSubstr("contains no training"));
}

TEST(Curves, ShowLossAndGain) {
  std::vector<Metric> metrics;
  EXPECT_THAT(make_curves_svg(metrics), testing::StartsWith("<svg"));
  for (std::uint64_t i = 1; i <= 4; ++i)
    metrics.push_back({i * 50, 0.1 / static_cast<double>(i), 1e-3, 1, std::nullopt});
  metrics.back().gain = PsnrGain{1, 2};
  const std::string svg = make_curves_svg(metrics);
  EXPECT_THAT(svg, HasSubstr("loss (log10)"));
  EXPECT_THAT(svg, HasSubstr("comics over bicubic (dB)"));
}

}  // namespace
}  // namespace weir::training
