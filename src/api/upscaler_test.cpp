// Tests the library through its public headers only.

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

#include "program.hpp"
#include "tiny_network.hpp"
#include "weir/upscale.hpp"
#include "weir/weir.h"

namespace weir {
namespace {

constexpr std::uint64_t kRam = 512ULL << 20;

/// Rows in memory: read() delivers them, write() appends to them.
class Rows : public RowSource, public RowSink {
 public:
  Rows() = default;
  explicit Rows(std::vector<std::byte> samples) : samples_{std::move(samples)} {}
  bool read(std::span<std::byte> rows) override {
    if (at_ + rows.size() > samples_.size()) return false;
    std::memcpy(rows.data(), samples_.data() + at_, rows.size());
    at_ += rows.size();
    return true;
  }
  bool rewind() override {
    at_ = 0;
    return true;
  }
  bool write(std::span<const std::byte> rows) override {
    samples_.insert(samples_.end(), rows.begin(), rows.end());
    return true;
  }
  const std::vector<std::byte>& samples() const { return samples_; }

 private:
  std::vector<std::byte> samples_;
  std::size_t at_ = 0;  // offset of the next byte to read
};

std::vector<std::byte> draw_noisy_picture(const PictureShape& shape) {
  std::vector<std::byte> samples(shape.row_bytes() * static_cast<std::size_t>(shape.height));
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::byte>(i * 37 % 251);
  return samples;
}

/// Base of the tests: a folder with a network that enlarges each pixel to a block of 2 x 2 equal pixels.
class Library : public ::testing::Test {
 protected:
  void SetUp() override { test::write_tiny_network(folder_.path(), "blocks"); }
  Upscaler network() const {
    auto loaded = Upscaler::load(folder_ / "blocks.param");
    EXPECT_TRUE(loaded) << loaded.problem().what;
    return std::move(*loaded);
  }
  test::Folder folder_;
};

TEST_F(Library, RowsGoInAndOut) {
  Upscaler upscaler = network();
  EXPECT_EQ(upscaler.scale(), 2);
  const PictureShape shape{.width = 9, .height = 5};
  Rows source{draw_noisy_picture(shape)};
  Rows sink;
  double last = 0;
  const auto report = upscaler.run(shape, {.ram_bytes = kRam}, source, sink, [&](double fraction) { last = fraction; });
  ASSERT_TRUE(report) << report.problem().what;
  EXPECT_GT(last, 0.99);
  ASSERT_EQ(sink.samples().size(), source.samples().size() * 4);
  for (std::size_t y = 0; y < 10; ++y) {
    for (std::size_t i = 0; i < 18 * 3; ++i) {
      // Sample i of a row of the result belongs to pixel i / 3, that is to pixel i / 6 of the source.
      const int made = std::to_integer<int>(sink.samples()[y * 18 * 3 + i]);
      const int expected = std::to_integer<int>(source.samples()[y / 2 * 27 + i / 6 * 3 + i % 3]);
      EXPECT_NEAR(made, expected, 1);
    }
  }
}

TEST_F(Library, PlanesGiveWhatRowsGive) {
  Upscaler upscaler = network();
  const PictureShape shape{.width = 9, .height = 5};
  const UpscaleOptions options{.ram_bytes = kRam};
  Rows source{draw_noisy_picture(shape)};
  Rows sink;
  ASSERT_TRUE(upscaler.run(shape, options, source, sink));
  constexpr std::ptrdiff_t kInStride = 16;   // longer than a row, which has 9 bytes
  constexpr std::ptrdiff_t kOutStride = 32;  // a row has 18
  std::vector<std::byte> in(3 * 5 * kInStride);
  std::vector<std::byte> out(3 * 10 * kOutStride);
  for (std::size_t y = 0; y < 5; ++y) {
    for (std::size_t x = 0; x < 9; ++x) {
      for (std::size_t c = 0; c < 3; ++c) in[(c * 5 + y) * kInStride + x] = source.samples()[(y * 9 + x) * 3 + c];
    }
  }
  std::vector<PlaneView> from;
  std::vector<MutablePlane> to;
  for (std::size_t c = 0; c < 3; ++c) {
    from.push_back({&in[c * 5 * kInStride], kInStride});
    to.push_back({&out[c * 10 * kOutStride], kOutStride});
  }
  const auto report = upscaler.run(shape, options, from, to);
  ASSERT_TRUE(report) << report.problem().what;
  for (std::size_t y = 0; y < 10; ++y) {
    for (std::size_t x = 0; x < 18; ++x) {
      for (std::size_t c = 0; c < 3; ++c)
        ASSERT_EQ(out[(c * 10 + y) * kOutStride + x], sink.samples()[(y * 18 + x) * 3 + c])
            << x << "," << y << "," << c;
    }
  }
  from.pop_back();
  EXPECT_EQ(upscaler.run(shape, options, from, to).problem().code, Problem::Code::invalid_argument);
}

TEST_F(Library, ThePlanHasTheResultsShapeAndMemory) {
  Upscaler upscaler = network();
  const PictureShape shape{.width = 100, .height = 50, .channels = 4, .bits = 16};
  const auto estimate = upscaler.plan(shape, {.scale = 1.5, .ram_bytes = kRam});
  ASSERT_TRUE(estimate) << estimate.problem().what;
  EXPECT_EQ(estimate->output.width, 150);
  EXPECT_EQ(estimate->output.height, 75);
  EXPECT_EQ(estimate->output.channels, 4);
  EXPECT_EQ(estimate->output.bits, 16);
  EXPECT_LE(estimate->ram_bytes, kRam);
  EXPECT_FALSE(estimate->parts.empty());
  Rows source{draw_noisy_picture(shape)};
  Rows sink;
  ASSERT_TRUE(upscaler.run(shape, {.scale = 1.5, .ram_bytes = kRam}, source, sink));
  EXPECT_EQ(sink.samples().size(), estimate->output.row_bytes() * 75);
}

TEST_F(Library, ProblemsNameTheCause) {
  EXPECT_EQ(Upscaler::load(folder_ / "none.param").problem().code, Problem::Code::io);
  EXPECT_FALSE(Upscaler::parse("no network", {}));
  Upscaler upscaler = network();
  const PictureShape shape{.width = 9, .height = 5};
  EXPECT_EQ(upscaler.plan(shape, {.ram_bytes = 1 << 20}).problem().code, Problem::Code::over_budget);
  EXPECT_EQ(upscaler.plan(shape, {.scale = -1}).problem().code, Problem::Code::invalid_argument);
  EXPECT_EQ(upscaler.plan({.width = 0, .height = 5}, {}).problem().code, Problem::Code::invalid_argument);
  EXPECT_EQ(upscaler.plan({.width = 9, .height = 5, .channels = 5}, {}).problem().code,
            Problem::Code::invalid_argument);
}

TEST_F(Library, OptionsAndShapesOutOfTheirRangeAreProblems) {
  Upscaler upscaler = network();
  const PictureShape shape{.width = 9, .height = 5};
  constexpr int kHuge = 2147483647;
  const double kNan = std::numeric_limits<double>::quiet_NaN();
  for (const UpscaleOptions& options :
       {UpscaleOptions{.threads = 1000000}, UpscaleOptions{.threads = -1}, UpscaleOptions{.threads = kMaxThreads + 1},
        UpscaleOptions{.scale = kNan}, UpscaleOptions{.scale = 1e300}, UpscaleOptions{.width = kHuge},
        UpscaleOptions{.width = -5}, UpscaleOptions{.device = "cpu:0-1"}}) {
    const auto refused = upscaler.plan(shape, options);
    ASSERT_FALSE(refused) << options.threads << " " << options.scale;
    EXPECT_EQ(refused.problem().code, Problem::Code::invalid_argument) << refused.problem().what;
  }
  for (const PictureShape& odd : {PictureShape{.width = kHuge, .height = 5}, PictureShape{.width = 9, .height = kHuge},
                                  PictureShape{.width = -9, .height = -5}}) {
    EXPECT_EQ(upscaler.plan(odd, {.ram_bytes = kRam}).problem().code, Problem::Code::invalid_argument);
  }
  const std::vector<PlaneView> from(3);
  const std::vector<MutablePlane> to(3);
  EXPECT_EQ(upscaler.run(shape, {.ram_bytes = kRam}, from, to).problem().code, Problem::Code::invalid_argument);
  const Upscaler taken = std::move(upscaler);
  EXPECT_FALSE(upscaler.plan(shape, {}));  // NOLINT(bugprone-use-after-move): it must not crash
  EXPECT_EQ(upscaler.scale(), 0);
}

TEST_F(Library, AGpuIsNamedAsOnTheCommandLine) {
  Upscaler upscaler = network();
  const PictureShape shape{.width = 40, .height = 30};
  const auto unknown = upscaler.plan(shape, {.ram_bytes = 2 * kRam, .device = "no such device"});
  ASSERT_FALSE(unknown);
  if (unknown.problem().code == Problem::Code::unsupported) GTEST_SKIP() << unknown.problem().what;
  EXPECT_NE(unknown.problem().what.find("there are: "), std::string::npos) << unknown.problem().what;
  const UpscaleOptions on_gpu{.ram_bytes = 2 * kRam, .exact_precision = true, .device = "gpu", .strict_device = true};
  const auto plan = upscaler.plan(shape, on_gpu);
  ASSERT_TRUE(plan) << plan.problem().what;
  EXPECT_NE(plan->device, "cpu");
  EXPECT_GT(plan->tile, 0);
  EXPECT_GT(plan->vram_bytes, 0U);
  UpscaleOptions tight = on_gpu;
  tight.vram_bytes = 1 << 12;
  EXPECT_EQ(upscaler.plan(shape, tight).problem().code, Problem::Code::over_budget);
  Rows source{draw_noisy_picture(shape)};
  Rows sink;
  const auto report = upscaler.run(shape, on_gpu, source, sink);
  ASSERT_TRUE(report) << report.problem().what;
  source.rewind();
  Rows expected;
  const auto on_cpu = upscaler.plan(shape, {.ram_bytes = kRam, .exact_precision = true, .device = "cpu"});
  ASSERT_TRUE(on_cpu);
  EXPECT_EQ(on_cpu->device, "cpu");
  EXPECT_EQ(on_cpu->vram_bytes, 0U);
  ASSERT_TRUE(upscaler.run(shape, {.ram_bytes = kRam, .exact_precision = true}, source, expected));
  ASSERT_EQ(sink.samples().size(), expected.samples().size());
  for (std::size_t i = 0; i < sink.samples().size(); ++i)
    ASSERT_NEAR(std::to_integer<int>(sink.samples()[i]), std::to_integer<int>(expected.samples()[i]), 1);

  weir_network* opened = nullptr;
  ASSERT_EQ(weir_open((folder_ / "blocks.param").c_str(), &opened), WEIR_OK);
  weir_options options = WEIR_OPTIONS_INIT;
  options.ram_bytes = 2 * kRam;
  options.exact_precision = 1;
  options.device = "gpu";
  options.strict_device = 1;
  const weir_shape in{40, 30, 3, 8};
  std::vector<std::byte> result(sink.samples().size());
  EXPECT_EQ(weir_upscale(opened, &in, &options, source.samples().data(), 120, result.data(), 240, nullptr, nullptr),
            WEIR_OK)
      << weir_last_error();
  EXPECT_EQ(result, sink.samples());
  options.vram_bytes = 1 << 12;
  EXPECT_EQ(weir_plan(opened, &in, &options, nullptr, nullptr), WEIR_OVER_BUDGET) << weir_last_error();
  options.device = "no such device";
  EXPECT_EQ(weir_plan(opened, &in, &options, nullptr, nullptr), WEIR_INVALID_ARGUMENT);
  weir_close(opened);
}

TEST_F(Library, TheOptionsOfAnotherVersionAreReadByTheirSize) {
  weir_network* opened = nullptr;
  ASSERT_EQ(weir_open((folder_ / "blocks.param").c_str(), &opened), WEIR_OK);
  const weir_shape in{9, 5, 3, 8};
  struct Larger {
    weir_options known = WEIR_OPTIONS_INIT;
    std::uint64_t unknown = 0;
  } larger;
  const auto plan = [&](const weir_options* options) { return weir_plan(opened, &in, options, nullptr, nullptr); };
  larger.known.struct_size = sizeof larger;
  EXPECT_EQ(plan(&larger.known), WEIR_OK) << weir_last_error();
  larger.unknown = 1;
  EXPECT_EQ(plan(&larger.known), WEIR_INVALID_ARGUMENT);
  EXPECT_NE(std::string{weir_last_error()}.find("does not know"), std::string::npos) << weir_last_error();
  weir_options options = WEIR_OPTIONS_INIT;
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, sizeof options - 8, ~std::size_t{0}}) {
    options.struct_size = size;
    EXPECT_EQ(plan(&options), WEIR_INVALID_ARGUMENT) << size;
    EXPECT_NE(std::string{weir_last_error()}.find("struct_size"), std::string::npos) << weir_last_error();
  }
  options = WEIR_OPTIONS_INIT;
  options.threads = 1000000;
  EXPECT_EQ(plan(&options), WEIR_INVALID_ARGUMENT);
  EXPECT_EQ(plan(nullptr), WEIR_OK) << weir_last_error();
  weir_close(opened);
}

TEST_F(Library, ASourceASinkOrAStopEndsTheRun) {
  Upscaler upscaler = network();
  const PictureShape shape{.width = 9, .height = 5};
  const UpscaleOptions options{.ram_bytes = kRam};
  Rows short_source{std::vector<std::byte>(30)};
  Rows sink;
  EXPECT_EQ(upscaler.run(shape, options, short_source, sink).problem().code, Problem::Code::io);
  class FullSink : public RowSink {
    bool write(std::span<const std::byte>) override { return false; }
  } full;
  Rows source{draw_noisy_picture(shape)};
  EXPECT_EQ(upscaler.run(shape, options, source, full).problem().code, Problem::Code::io);
  source.rewind();
  EXPECT_EQ(upscaler.run(shape, {.scale = 1.5, .ram_bytes = kRam}, source, full).problem().code, Problem::Code::io);
  std::stop_source stop;
  stop.request_stop();
  source.rewind();
  EXPECT_EQ(upscaler.run(shape, options, source, sink, {}, stop.get_token()).problem().code, Problem::Code::cancelled);
  source.rewind();
  Rows again;
  EXPECT_TRUE(upscaler.run(shape, options, source, again)) << "a run that failed must not spoil the next";
}

TEST_F(Library, TheCInterfaceGivesTheSame) {
  Upscaler upscaler = network();
  const PictureShape shape{.width = 9, .height = 5};
  Rows source{draw_noisy_picture(shape)};
  Rows sink;
  ASSERT_TRUE(upscaler.run(shape, {.ram_bytes = kRam}, source, sink));

  weir_network* opened = nullptr;
  ASSERT_EQ(weir_open((folder_ / "blocks.param").c_str(), &opened), WEIR_OK) << weir_last_error();
  EXPECT_EQ(weir_scale(opened), 2);
  const weir_shape in{9, 5, 3, 8};
  weir_options options = WEIR_OPTIONS_INIT;
  options.ram_bytes = kRam;
  weir_shape out{};
  std::uint64_t ram = 0;
  ASSERT_EQ(weir_plan(opened, &in, &options, &out, &ram), WEIR_OK) << weir_last_error();
  EXPECT_EQ(out.width, 18);
  EXPECT_GT(ram, 0u);
  std::vector<std::byte> result(18 * 3 * 10);
  const auto upscale = [&](weir_progress progress) {
    return weir_upscale(opened, &in, &options, source.samples().data(), 27, result.data(), 54, progress, nullptr);
  };
  ASSERT_EQ(upscale(nullptr), WEIR_OK) << weir_last_error();
  EXPECT_EQ(result, sink.samples());
  EXPECT_STREQ(weir_last_error(), "");
  EXPECT_EQ(upscale([](double, void*) { return 1; }), WEIR_CANCELLED);
  EXPECT_EQ(weir_upscale(opened, &in, &options, source.samples().data(), 26, result.data(), 54, nullptr, nullptr),
            WEIR_INVALID_ARGUMENT);
  EXPECT_NE(std::string{weir_last_error()}, "");
  weir_close(opened);
  EXPECT_EQ(weir_open("/no/such.param", &opened), WEIR_IO);
  EXPECT_EQ(opened, nullptr);
  EXPECT_EQ(weir_version(), version());
}

}  // namespace
}  // namespace weir
