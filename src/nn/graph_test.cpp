#include "nn/graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "networks/generate_network.hpp"
#include "nn/network.hpp"

namespace weir::nn {
namespace {

/// Returns a graph: data -> one operation -> out.
Graph one_layer(Operation operation, BlobShape output = {3, false}) {
  Graph graph;
  graph.layers = {{"in", 3, {}, {0}, Input{}}, {"op", 4, {0}, {1}, std::move(operation)}};
  graph.blob_names = {"data", "out"};
  graph.blobs = {{3, false}, output};
  graph.input = 0;
  graph.output = 1;
  return graph;
}

/// Returns a Convolution or Deconvolution without weights.
template <class Kind>
Kind shaped(int kernel, int stride, int pad) {
  Kind op;
  op.kernel = kernel;
  op.stride = stride;
  op.pad = pad;
  return op;
}

/// Returns the extent of the operation's output.
Extent result_of(const Operation& operation, Extent in) {
  const auto extents = infer_extents(one_layer(operation), in);
  EXPECT_TRUE(extents) << extents.error().what;
  return extents ? extents->at(1) : Extent{};
}

TEST(Graph, ExtentsOfEachLayer) {
  EXPECT_EQ(result_of(shaped<Convolution>(3, 1, 1), {5, 9}), (Extent{5, 9}));
  EXPECT_EQ(result_of(shaped<Convolution>(3, 1, 0), {5, 9}), (Extent{3, 7}));
  EXPECT_EQ(result_of(shaped<Convolution>(2, 2, 0), {5, 8}), (Extent{2, 4}));
  EXPECT_EQ(result_of(shaped<Deconvolution>(4, 2, 3), {5, 8}), (Extent{6, 12}));
  EXPECT_EQ(result_of(shaped<Deconvolution>(5, 3, 2), {5, 8}), (Extent{13, 22}));
  EXPECT_EQ(result_of(Crop{1, 2, 3, 4}, {9, 9}), (Extent{5, 3}));
  EXPECT_EQ(result_of(PixelShuffle{3}, {5, 8}), (Extent{15, 24}));
  EXPECT_EQ(result_of(Interp{Interp::Kind::bicubic, 0.75F}, {8, 10}), (Extent{6, 7}));
  EXPECT_EQ(result_of(Split{}, {5, 8}), (Extent{5, 8}));
  EXPECT_EQ(infer_extents(one_layer(GlobalAverage{}, {3, true}), {5, 8})->at(1), (Extent{0, 0}));
}

TEST(Graph, AnInputThatIsTooSmallNamesTheLayer) {
  const auto extents = infer_extents(one_layer(shaped<Convolution>(5, 1, 0)), {9, 4});
  ASSERT_FALSE(extents);
  EXPECT_EQ(extents.error().code, Errc::invalid_argument);
  EXPECT_EQ(extents.error().what, "line 4: Convolution op: an input of 9 x 4 pixels is too small");
  EXPECT_FALSE(infer_extents(one_layer(Crop{2, 2, 2, 2}), {4, 9}));
  EXPECT_FALSE(infer_extents(one_layer(shaped<Deconvolution>(2, 1, 1)), {1, 9}));
  EXPECT_FALSE(infer_extents(one_layer(Interp{Interp::Kind::nearest, 0.25F}), {3, 9}));
}

TEST(Graph, ExtentsNeverOverflow) {
  const auto extents = infer_extents(one_layer(PixelShuffle{16}), {1 << 30, 1});
  ASSERT_FALSE(extents);
  EXPECT_NE(extents.error().what.find("above the limit of 2^30"), std::string::npos) << extents.error().what;
  EXPECT_FALSE(infer_extents(one_layer(Split{}), {0, 5}));
  EXPECT_FALSE(infer_extents(one_layer(Split{}), {5, -1}));
}

TEST(Graph, InputsOfDifferentExtentsNameTheLayer) {
  const auto files = test::generate_network("realcugan2x_nose", {.channels = 2});
  const auto network = parse_network(files.param, files.bin, "n");
  ASSERT_TRUE(network) << network.error().what;
  EXPECT_TRUE(infer_extents(network->graph, {44, 44}));
  const auto odd = infer_extents(network->graph, {44, 43});
  ASSERT_FALSE(odd);
  EXPECT_NE(odd.error().what.find("BinaryOp"), std::string::npos) << odd.error().what;
}

TEST(Graph, ScalesAreRelativeToTheInput) {
  const auto files = test::generate_network("realcugan3x_se", {.channels = 2});
  const auto network = parse_network(files.param, files.bin, "n");
  ASSERT_TRUE(network) << network.error().what;
  const auto scales = blob_scales(network->graph);
  ASSERT_TRUE(scales);
  EXPECT_EQ((*scales)[network->graph.input], 1);
  EXPECT_EQ((*scales)[network->graph.output], 3);
  EXPECT_EQ(*std::min_element(scales->begin(), scales->end()), 0) << "vectors";
  // Blobs enlarged three times and halved twice: the outputs of the halving layer and of two convolutions, both
  // copies, and the gated blob.
  EXPECT_EQ(std::count(scales->begin(), scales->end(), 0.75), 6);
}

}  // namespace
}  // namespace weir::nn
