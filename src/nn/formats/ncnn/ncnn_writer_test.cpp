#include "nn/formats/ncnn/ncnn_writer.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "networks/generate_network.hpp"
#include "nn/fingerprint.hpp"
#include "nn/network.hpp"

namespace weir::nn {
namespace {

TEST(NcnnWriter, WhatIsWrittenIsReadAsTheSameNetwork) {
  std::vector<std::string_view> families{test::kGeneratedFamilies.begin(), test::kGeneratedFamilies.end()};
  families.emplace_back("padded");
  for (const std::string_view family : families) {
    SCOPED_TRACE(family);
    const auto made =
        test::generate_network(family, {.channels = 4, .blocks = 1, .weights = test::StoredWeights::float32});
    const auto network = parse_network(made.param, made.bin, "made");
    ASSERT_TRUE(network) << network.error().what;
    const auto written = write_ncnn(network->graph, NcnnWeightType::float32);
    ASSERT_TRUE(written) << written.error().what;
    const auto again = parse_network(written->param_text, written->bin, "written");
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(fingerprint(again->graph), fingerprint(network->graph));
  }
}

TEST(NcnnWriter, ALayerWithoutEffectIsReadAgain) {
  Graph graph;
  graph.input = 0;
  graph.output = 1;
  graph.blobs = {{3, false}, {3, false}};
  graph.blob_names = {"data", "out"};
  graph.layers = {{"input", 0, {}, {0}, Input{}}, {"same", 0, {0}, {1}, Pointwise{}}};
  const auto written = write_ncnn(graph, NcnnWeightType::float32);
  ASSERT_TRUE(written) << written.error().what;
  const auto again = parse_network(written->param_text, written->bin, "written");
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(fingerprint(again->graph), fingerprint(graph));
}

}  // namespace
}  // namespace weir::nn
