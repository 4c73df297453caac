// Compares the result of a network on a tape with the result of its graph after the graph was written and read again.
#include "nn/train/graph_builder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "folder.hpp"
#include "nn/cpu/runner.hpp"
#include "nn/formats/ncnn/ncnn_graph.hpp"
#include "nn/formats/ncnn/ncnn_text.hpp"
#include "nn/formats/ncnn/ncnn_weights.hpp"
#include "nn/formats/ncnn/ncnn_writer.hpp"
#include "nn/network.hpp"
#include "nn/reference.hpp"
#include "nn/train/cpu_training_device.hpp"
#include "nn/train/ops.hpp"
#include "nn/train/parameters.hpp"
#include "nn/train/random.hpp"

namespace weir::nn::train {
namespace {

constexpr int kHeight = 21, kWidth = 26;
constexpr Window kSame{3, 1, 1};

/// A network with every layer that can be built, and a blob that is used three times. run() computes it on a tape;
/// graph() builds its graph.
class Net {
 public:
  explicit Net(TrainingDevice& device) : set_{device, 5} {
    first_ = set_.add_layer("first", 3, 16, 3);
    slopes_ = &set_.add_filled_parameter("slopes", 16, 0.2F);
    second_ = set_.add_layer("second", 16, 16, 3);
    point_ = set_.add_layer("point", 32, 8);
    down_ = set_.add_layer("down", 8, 8, 3);
    up_ = &set_.add_weights("up", {2 * 2 * 12, 8}, 8);
    up_bias_ = &set_.add_filled_parameter("up_bias", 12, 0.1F);
  }
  TapeTensor run(Tape& t, TapeTensor x) {
    const auto conv = [&t](TapeTensor in, const ParameterSet::Layer& l, Window window) {
      return conv2d(in, t.parameter(*l.weights), t.parameter(*l.bias), window);
    };
    const TapeTensor a = prelu(conv(x, first_, kSame), t.parameter(*slopes_));
    const TapeTensor b = add(leaky_relu(conv(a, second_, kSame), 0.1F), a);
    const std::vector<TapeTensor> both{a, b};
    const TapeTensor c = sigmoid(conv(relu(conv(concat(both), point_, {})), down_, kSame));
    return pixel_shuffle(enlarge(t, c), 2);
  }
  Result<Graph> graph(TrainingDevice& device) {
    GraphBuilder g{device};
    const auto conv = [&g](int in, const ParameterSet::Layer& l, Window window) {
      return g.add_convolution(in, *l.weights, *l.bias, window);
    };
    const int x = g.add_input(), a = g.add_prelu(conv(x, first_, kSame), *slopes_);
    const int b = g.add_sum(g.add_activation(conv(a, second_, kSame), {Activation::Kind::leaky_relu, 0.1F, 0}), a);
    const std::vector<int> both{a, b};
    const int point = g.add_activation(conv(g.add_concat(both), point_, {}), {Activation::Kind::relu, 0, 0});
    const int c = g.add_activation(conv(point, down_, kSame), {Activation::Kind::sigmoid, 0, 0});
    return g.finish(g.add_pixel_shuffle(g.add_deconvolution(c, *up_, *up_bias_, {2, 1, 0}), 2));
  }

 private:
  /// A transposed convolution from 8 to 12 channels.
  TapeTensor enlarge(Tape& t, TapeTensor c) {
    return conv_transpose2d(c, t.parameter(*up_), t.parameter(*up_bias_), {2, 1, 0});
  }
  ParameterSet set_;
  ParameterSet::Layer first_, second_, point_, down_;
  Parameter *slopes_ = nullptr, *up_ = nullptr, *up_bias_ = nullptr;
};

/// A network that enlarges by an integer, with layers that weir's engine (nn/cpu) supports.
class Enlarging {
 public:
  explicit Enlarging(TrainingDevice& device) : set_{device, 6} {
    first_ = set_.add_layer("first", 3, 16, 3);
    slopes_ = &set_.add_filled_parameter("slopes", 16, 0.2F);
    last_ = set_.add_layer("last", 16, 12, 3);
  }
  TapeTensor run(Tape& t, TapeTensor x) {
    const TapeTensor h =
        prelu(conv2d(x, t.parameter(*first_.weights), t.parameter(*first_.bias), kSame), t.parameter(*slopes_));
    return pixel_shuffle(conv2d(h, t.parameter(*last_.weights), t.parameter(*last_.bias), kSame), 2);
  }
  Result<Graph> graph(TrainingDevice& device) {
    GraphBuilder g{device};
    const int h = g.add_prelu(g.add_convolution(g.add_input(), *first_.weights, *first_.bias, kSame), *slopes_);
    return g.finish(g.add_pixel_shuffle(g.add_convolution(h, *last_.weights, *last_.bias, kSame), 2));
  }

 private:
  ParameterSet set_;
  ParameterSet::Layer first_, last_;
  Parameter* slopes_ = nullptr;
};

/// Returns the input of the networks: [kHeight, kWidth, 3] random values.
std::vector<float> picture() {
  Random random{1, 1};
  std::vector<float> values(std::size_t{3} * kHeight * kWidth);
  for (float& value : values) value = static_cast<float>(random.uniform());
  return values;
}

/// Converts values [h, w, c] to planes.
compute::Planes to_planes(const std::vector<float>& values, int channels, int height, int width) {
  compute::Planes planes{channels, height, width};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        planes.at(c, y, x) = values[static_cast<std::size_t>((y * width + x) * channels + c)];
      }
    }
  }
  return planes;
}

double largest_difference(const compute::Planes& a, const compute::Planes& b) {
  EXPECT_TRUE(a.same_shape(b));
  double largest = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a.values[i]) - static_cast<double>(b.values[i])));
  }
  return largest;
}

/// Returns the result of Net or Enlarging for picture().
template <class AnyNet>
compute::Planes run_on_tape(TrainingDevice& device, AnyNet& net) {
  Tape tape{device};
  const TapeTensor out = net.run(tape, tape.input({1, 3, kHeight, kWidth}, picture()));
  EXPECT_TRUE(tape.status());
  return to_planes(*tape.read(out), out.shape().c, out.shape().h, out.shape().w);
}

/// Reads the graph from the files, without the requirements of recognise_family() for a whole network.
Graph read_again(const NcnnFiles& files) {
  struct Memory final : WeightReader {
    explicit Memory(std::span<const std::byte> bytes) : left_bytes{bytes} {}
    std::uint64_t bytes_left() const override { return left_bytes.size(); }
    Status read(std::span<std::byte> to) override {
      std::copy_n(left_bytes.begin(), to.size(), to.begin());
      left_bytes = left_bytes.subspan(to.size());
      return ok();
    }
    std::span<const std::byte> left_bytes;
  } bin{files.bin};
  const auto lines = read_ncnn_text(files.param_text, "written");
  EXPECT_TRUE(lines) << lines.error().what;
  auto network = build_ncnn_graph(*lines, "written");
  EXPECT_TRUE(network) << network.error().what;
  EXPECT_TRUE(read_ncnn_weights(*network, bin, "written"));
  return network->graph;
}

TEST(TrainedGraph, EveryLayerSurvivesWritingAndReading) {
  CpuTrainingDevice device{2};
  Net net{device};
  const auto graph = net.graph(device);
  ASSERT_TRUE(graph);
  const compute::Planes expected = run_on_tape(device, net), in = to_planes(picture(), 3, kHeight, kWidth);
  const auto full = write_ncnn(*graph, NcnnWeightType::float32), half = write_ncnn(*graph, NcnnWeightType::float16);
  ASSERT_TRUE(full && half);
  EXPECT_LT(half->bin.size(), full->bin.size());
  EXPECT_LT(largest_difference(*run_reference(read_again(*full), in), expected), 1e-4);
  EXPECT_LT(largest_difference(*run_reference(read_again(*half), in), expected), 1e-2);
  // Writing the graph again produces the same bytes.
  EXPECT_EQ(write_ncnn(read_again(*full), NcnnWeightType::float32)->bin, full->bin);
  EXPECT_EQ(write_ncnn(read_again(*half), NcnnWeightType::float16)->bin, half->bin);
  EXPECT_EQ(write_ncnn(read_again(*full), NcnnWeightType::float32)->param_text, full->param_text);
}

/// Delivers planes as the input of the engine.
class PictureRows final : public InputRows {
 public:
  explicit PictureRows(const compute::Planes& planes) : planes_{planes} {}
  Status rewind() override { return ok(); }
  Status fill(const PlanarRows& rows) override {
    for (int i = 0; i < rows.count; ++i) {
      for (int c = 0; c < rows.planes; ++c) {
        const auto from = planes_.row(c, rows.first + i).subspan(static_cast<std::size_t>(rows.left));
        std::copy_n(from.begin(), rows.width, rows.row[static_cast<std::size_t>(i)] + c * rows.plane_stride);
      }
    }
    return ok();
  }

 private:
  const compute::Planes& planes_;
};

/// Runs the graph with the engine's float32 kernels.
Result<compute::Planes> run_on_engine(const Graph& graph, const compute::Planes& in) {
  auto program = lower(graph);
  if (!program) return program.error();
  PlanLimits limits;
  limits.memory = 64_MiB;
  auto plan = plan_single_strip(graph, *program, {in.height, in.width}, compute::ElementType::float32, limits);
  if (!plan) return plan.error();
  const compute::Kernels& kernels = *compute::available_kernels().front();
  compute::ThreadTeam team{2};
  auto runner = Runner::create(graph, *program, *plan, kernels, team, std::filesystem::temp_directory_path());
  if (!runner) return runner.error();
  PictureRows rows{in};
  const Extent extent = plan->extent[static_cast<std::size_t>(program->output)];
  compute::Planes out{3, extent.height, extent.width};
  const auto take = [&](const PlanarRows& made) -> Status {
    for (int i = 0; i < made.count; ++i) {
      for (int c = 0; c < made.planes; ++c) {
        const float* from = made.row[static_cast<std::size_t>(i)] + c * made.plane_stride;
        std::copy_n(from, made.width, out.row(c, made.first + i).begin() + made.left);
      }
    }
    return ok();
  };
  const PackedWeights packed = pack_weights(graph, *program, kernels, compute::Arithmetic::float32, {});
  if (auto done = runner->run(packed, rows, take, {}); !done) return done.error();
  return out;
}

TEST(TrainedGraph, AFileIsReadAsANetworkAndTheEngineRunsIt) {
  const weir::test::Folder folder;
  CpuTrainingDevice device{2};
  Enlarging net{device};
  const auto graph = net.graph(device);
  ASSERT_TRUE(graph);
  const std::filesystem::path path = folder / "trained.param";
  ASSERT_TRUE(save_ncnn(*write_ncnn(*graph, NcnnWeightType::float32), path));
  const auto network = load_network(path);
  ASSERT_TRUE(network) << network.error().what;
  EXPECT_EQ(network->family.scale, 2);
  const compute::Planes expected = run_on_tape(device, net), in = to_planes(picture(), 3, kHeight, kWidth);
  const auto got = run_on_engine(network->graph, in);
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_LT(largest_difference(*got, expected), 1e-4);
}

TEST(TrainedGraph, OnlyTheOutputIsUsedByNoLayer) {
  // ncnn's format does not name the output: it is the blob that no layer uses.
  CpuTrainingDevice device{1};
  GraphBuilder used{device};
  const int input = used.add_input();
  const int output = used.add_activation(input, {Activation::Kind::relu, 0, 0});
  used.add_sum(output, input);
  const auto refused = used.finish(output);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_NE(refused.error().what.find("act_1"), std::string::npos) << refused.error().what;

  GraphBuilder two{device};
  const int in = two.add_input();
  two.add_activation(in, {Activation::Kind::relu, 0, 0});
  EXPECT_FALSE(two.finish(two.add_activation(in, {Activation::Kind::sigmoid, 0, 0})));
}

TEST(TrainedGraph, ABlobMayBeBothOperandsOfASum) {
  CpuTrainingDevice device{1};
  GraphBuilder g{device};
  const int in = g.add_input();
  const auto graph = g.finish(g.add_sum(in, in));
  ASSERT_TRUE(graph) << graph.error().what;
  const auto files = write_ncnn(*graph, NcnnWeightType::float32);
  ASSERT_TRUE(files) << files.error().what;
  const compute::Planes picture_planes = to_planes(picture(), 3, kHeight, kWidth);
  compute::Planes expected = picture_planes;
  for (float& value : expected.values) value *= 2;
  const Graph again = read_again(*files);
  EXPECT_EQ(largest_difference(*run_reference(again, picture_planes), expected), 0);
  const auto computed = run_on_engine(again, picture_planes);
  ASSERT_TRUE(computed) << computed.error().what;
  EXPECT_EQ(largest_difference(*computed, expected), 0);
}

TEST(TrainedGraph, AWeightThatIsNoNumberIsNotWritten) {
  CpuTrainingDevice device{1};
  Enlarging net{device};
  auto graph = net.graph(device);
  ASSERT_TRUE(graph);
  auto* conv = std::get_if<Convolution>(&graph->layers[1].operation);
  ASSERT_NE(conv, nullptr);
  conv->weight[5] = 70000;  // larger than any float16
  EXPECT_TRUE(write_ncnn(*graph, NcnnWeightType::float32));
  EXPECT_FALSE(write_ncnn(*graph, NcnnWeightType::float16));
  conv->weight[5] = std::numeric_limits<float>::quiet_NaN();
  const auto refused = write_ncnn(*graph, NcnnWeightType::float32);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::bad_values);
}

}  // namespace
}  // namespace weir::nn::train
