#include "nn/formats/ncnn/ncnn_graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <fmt/format.h>

namespace weir::nn {
namespace {

// Layer lines as in a .param: type, name, numbers of inputs and outputs, blobs, parameters "id=value". The ids are
// those of ncnn's operator documentation; -23300 - id is a list.

/// Builds a network of "Input in 0 1 data" and the given lines, with correct counts.
Result<NcnnDescription> build(const std::string& lines) {
  const auto layers = std::count(lines.begin(), lines.end(), '\n') + 1;
  std::string text = "Input in 0 1 data\n" + lines;
  // Tries numbers of blobs until the reader accepts one.
  for (int blobs = 1; blobs < 100; ++blobs) {
    auto read = read_ncnn_text(fmt::format("7767517\n{} {}\n{}", layers, blobs, text), "net.param");
    if (read) return build_ncnn_graph(*read, "net.param");
    if (read.error().what.find("but line 2 declares") == std::string::npos) return read.error();
  }
  return Error{Errc::corrupt, "too many blobs for this test"};
}

void expect_error(const std::string& lines, Errc code, const std::string& what) {
  const auto result = build(lines);
  ASSERT_FALSE(result) << lines;
  EXPECT_EQ(result.error().what, what);
  EXPECT_EQ(result.error().code, code) << what;
}

TEST(NcnnGraph, BlobsAreMadeOnceBeforeTheyAreUsed) {
  expect_error("Sigmoid s 1 1 ghost out\n", Errc::corrupt,
               "net.param:4: Sigmoid s: blob 'ghost' is used before a layer makes it");
  expect_error("Sigmoid s 1 1 loop loop\n", Errc::corrupt,
               "net.param:4: Sigmoid s: blob 'loop' is used before a layer makes it");
  expect_error("BinaryOp a 2 1 data y x\nSigmoid b 1 1 x y\n", Errc::corrupt,
               "net.param:4: BinaryOp a: blob 'y' is used before a layer makes it");
  expect_error("Sigmoid s 1 1 data data\n", Errc::corrupt, "net.param:4: Sigmoid s: blob 'data' is made twice");
  expect_error("Split s 1 2 data a a\n", Errc::corrupt, "net.param:4: Split s: blob 'a' is made twice");
}

TEST(NcnnGraph, OnePictureGoesInAndOneComesOut) {
  expect_error("Input in2 0 1 mask\nBinaryOp a 2 1 data mask out\n", Errc::unsupported,
               "net.param:4: Input in2: a second input picture; supported: one");
  expect_error("Split s 1 2 data a b\n", Errc::unsupported,
               "net.param: nothing uses blobs 'a' and 'b'; supported: one result");
  expect_error("Pooling p 1 1 data mean 0=1 4=1\n", Errc::unsupported,
               "net.param: the result 'mean' is a vector; supported: a picture");
}

TEST(NcnnGraph, UnknownLayersAreNamedAllAtOnceWithWhatRuns) {
  const std::string runs =
      "; networks of the Real-CUGAN, Real-ESRGAN (animevideo, general, plus) and ESRGAN families run, which are made "
      "of "
      "Input, Convolution, Deconvolution, InnerProduct, Split, PReLU, Pooling, BinaryOp, Eltwise, Crop, Concat, "
      "PixelShuffle, Interp, Padding, ReLU, Sigmoid, Clip, Noop";
  expect_error("rife.Warp w 1 1 data out\n", Errc::unsupported,
               "net.param:4: layers that are not supported: rife.Warp (line 4)" + runs);
  expect_error("MemoryData m 0 1 m 0=3\nSwish a 1 1 data b\nPReLU p 1 1 b c 0=3\nSwish d 1 1 c e\nSwish f 1 1 e g\n",
               Errc::unsupported,
               "net.param:4: layers that are not supported: MemoryData (line 4), Swish (line 5 and 2 more)" + runs);
}

TEST(NcnnGraph, NetworksForOtherPicturesAreRefusedWithTheirChannels) {
  const std::string which = ": not supported yet; networks for colour pictures (3 channels) run";
  expect_error("Split s 1 2 data a b\nConvolution c 1 1 a o 0=8 1=3 4=1 5=1 6=72\n", Errc::unsupported,
               "net.param:5: a network for grey pictures (1 channel)" + which);
  expect_error("Convolution c 1 1 data o 0=8 1=3 4=1 5=1 6=864\n", Errc::unsupported,
               "net.param:4: a network for pictures of 12 channels" + which);
  expect_error("Input grey 0 1 grey 0=0 1=0 2=1\n", Errc::unsupported,
               "net.param:4: a network for grey pictures (1 channel)" + which);
  expect_error("Convolution c 1 1 data f 0=8 1=3 4=1 6=216\nConvolution d 1 1 f o 0=8 1=3 4=1 6=72\n", Errc::corrupt,
               "net.param:5: Convolution d: 72 weights, where its channels and kernel make 576");
}

TEST(NcnnGraph, ValuesThatAreNotSupportedAreNamed) {
  const auto conv = [](const std::string& parameters) { return "Convolution c 1 1 data out " + parameters + "\n"; };
  const std::string head = "net.param:4: Convolution c: ";
  const auto unsupported = [&](const std::string& parameters, const std::string& why) {
    expect_error(conv(parameters), Errc::unsupported, head + why);
  };
  unsupported("0=4 1=3 2=2 6=108", "dilation (parameter 2) is 2; supported: 1");
  unsupported("0=4 1=3 12=2 6=108", "dilation height (parameter 12) is 2; supported: 1");
  unsupported("0=4 1=3 11=5 6=108", "kernel height (parameter 11) is 5; supported: 3");
  unsupported("0=4 1=3 3=2 13=1 6=108", "stride height (parameter 13) is 1; supported: 2");
  unsupported("0=4 1=3 4=1 15=0 6=108", "pad at the right (parameter 15) is 0; supported: 1");
  unsupported("0=4 1=3 4=-233 6=108", "pad (parameter 4) is -233; supported: 0 to 2");
  unsupported("0=4 1=99 6=108", "kernel (parameter 1) is 99; supported: 1 to 31");
  unsupported("1=3 6=108", "number of outputs (parameter 0) is missing; supported: 1 to 65536");
  unsupported("0=-4 1=3 6=108", "number of outputs (parameter 0) is -4; supported: 1 to 65536");
  unsupported("0=4.5 1=3 6=108", "number of outputs (parameter 0) is 4.5; supported: 1 to 65536");
  unsupported("0=4,4 1=3 6=108", "number of outputs (parameter 0) is a list; supported: 1 to 65536");
  unsupported("0=4 1=3 6=108 8=1", "int8 scales (parameter 8) is 1; supported: 0");
  unsupported("0=4 1=3 6=108 7=3", "parameter 7 is not supported for this layer");
  unsupported("0=4 1=3 6=108 9=6",
              "activation (parameter 9) is 6; supported: 0 none, 1 relu, 2 leaky relu, 3 clip, 4 sigmoid");
  expect_error(conv("0=4 1=3 6=107"), Errc::corrupt, head + "107 weights, where its channels and kernel make 108");
  expect_error(conv("0=65536 1=31 6=2147483647"), Errc::corrupt,
               head + "2147483647 weights, where its channels and kernel make 188940288");
  expect_error(conv("0=4 1=3 6=108 9=3 10=1.0,0.0"), Errc::corrupt, head + "low bound 1 is above high bound 0");
  expect_error(conv("0=4 1=3 6=108 9=2"), Errc::corrupt,
               head + "activation 2 needs 1 values (parameter 10), and has 0");
}

TEST(NcnnGraph, EachLayerRefusesWhatItCannotDo) {
  const std::string pooled = "Split s 1 2 data a b\nPooling p 1 1 a mean 0=1 4=1\n";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"Pooling p 1 1 data o 0=0 1=2\n", "kind of pooling (1: average) (parameter 0) is 0; supported: 1"},
      {"Pooling p 1 1 data o 0=1 1=2\n", "global pooling (parameter 4) is missing; supported: 1"},
      {"InnerProduct p 1 1 data o 0=4 2=12\n", "the input is a picture; supported: the vector of a global Pooling"},
      {"PReLU p 1 1 data o 0=2\n", "2 slopes, where its channels and kernel make 3"},
      {"BinaryOp p 1 1 data o 0=4 1=1 2=3\n", "operation (parameter 0)"},
      {"BinaryOp p 1 1 data o 0=0\n", "1 inputs, where the operation takes 2"},
      {"BinaryOp p 1 1 data o 0=3 1=1 2=0\n", "division by zero"},
      {"Crop p 1 1 data o 0=1 1=1\n", "supported: lists of starts"},
      {"Crop p 1 1 data o -23309=1,1 -23310=1,-1 -23311=1,0\n", "axis 0; supported"},
      {"Crop p 1 1 data o -23309=1,1 -23310=1,9 -23311=1,1\n", "end 9, axis 1; supported"},
      {"Crop p 1 1 data o -23309=1,-1 -23310=1,-1 -23311=1,1\n", "start -1, end -1"},
      {"Crop p 1 1 data o -23309=2,1,1 -23310=2,-1,-1 -23311=2,1,-2\n", "an axis is cropped twice"},
      {"Split s 1 2 data a b\nConcat p 2 1 a b o 0=1\n", "axis (parameter 0) is 1; supported: 0"},
      {"PixelShuffle p 1 1 data o 0=2\n", "3 channels are not a multiple of 4"},
      {"Interp p 1 1 data o 0=1 1=2.0 2=4.0\n", "scales 2 and 4; supported: equal"},
      {"Interp p 1 1 data o 0=1 1=1e9 2=1e9\n", "supported: equal, 1/16 to 16"},
      {"Interp p 1 1 data o 0=1 1=-1.0 2=-1.0\n", "supported: equal, 1/16 to 16"},
      {"Interp p 1 1 data o 0=1 3=64 4=64\n", "fixed size (parameter 3) is 64; supported: 0"},
      {"Interp p 1 1 data o 0=2 1=2.0 2=2.0 6=1\n", "aligned corners (parameter 6) is 1; supported: 0"},
      {"Split s 1 2 data a b\nEltwise p 2 1 a b o 0=0\n", "operation (1: sum) (parameter 0) is 0; supported: 1"},
      {"Split s 1 2 data a b\nEltwise p 2 1 a b o 0=1 -23301=1,0.5\n", "1 coefficients for 2 inputs"},
      {"Padding p 1 1 data o 0=1 7=1\n", "Padding p: channels in front (parameter 7) is 1; supported: 0"},
      {"Padding p 1 1 data o 0=1 8=2\n", "Padding p: channels behind (parameter 8) is 2; supported: 0"},
      {"Padding p 1 1 data o 0=1 6=3\n", "Padding p: values of each channel (parameter 6) is 3; supported: 0"},
      {"Padding p 1 1 data o 0=1 4=3\n",
       "type (0 constant, 1 replicate, 2 reflect) (parameter 4) is 3; supported: 0 to 2"},
      {"Padding p 1 1 data o 3=-1\n", "columns at the right (parameter 3) is -1; supported: 0 to 256"},
      {pooled + "Padding q 1 1 mean o 0=1\n", "an input is a vector of channel means; supported: pictures"},
      {"Clip p 1 1 data o 0=1.0 1=0.0\n", "low bound 1 is above high bound 0"},
      {"Sigmoid p 2 1 data data o\n", "2 inputs and 1 outputs are not supported"},
      {"Sigmoid p 1 0 data\n", "1 inputs and 0 outputs are not supported"},
      {"Deconvolution p 1 1 data o 0=3 1=2 3=2 6=36 18=1\n", "output pad (parameter 18) is 1; supported: 0"},
      {"Deconvolution p 1 1 data o 0=3 1=2 3=2 4=2 6=36\n", "pad (parameter 4) is 2; supported: 0 to 1"},
      {pooled + "BinaryOp q 2 1 mean b o\n", "the first input is a vector"},
      {pooled + "Concat q 2 1 b mean o\n", "an input is a vector of channel means; supported: pictures"},
      {pooled + "Convolution q 1 1 mean o 0=1 1=1 6=3\n", "an input is a vector"},
      {"Convolution a 1 1 data x 0=4 1=1 6=12\nSplit s 1 2 x y z\nConvolution b 1 1 y w 0=5 1=1 6=20\n"
       "BinaryOp p 2 1 z w o\n",
       "inputs of 4 and 5 channels; supported: equal numbers"},
  };
  for (const auto& [lines, why] : cases) {
    const auto result = build(lines);
    ASSERT_FALSE(result) << lines;
    EXPECT_NE(result.error().what.find(why), std::string::npos) << result.error().what;
    EXPECT_TRUE(result.error().what.starts_with("net.param:")) << result.error().what;
    EXPECT_EQ(result.error().what.find('\n'), std::string::npos);
  }
}

TEST(NcnnGraph, ChannelsDoNotGrowWithoutEnd) {
  std::string lines;
  std::string blob = "data";
  for (int i = 0; i < 20; ++i) {
    lines += fmt::format("Split s{0} 1 2 {1} a{0} b{0}\nConcat c{0} 2 1 a{0} b{0} x{0}\n", i, blob);
    blob = fmt::format("x{}", i);
  }
  const auto result = build(lines);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().what.find("98304 channels; supported: up to 65536"), std::string::npos)
      << result.error().what;
}

TEST(NcnnGraph, SpelledOutAndShortFormsAreTheSameLayer) {
  const auto plain = build("Convolution c 1 1 data out 0=4 1=3 4=1 5=1 6=108\n");
  const auto spelled =
      build("Convolution c 1 1 data out 0=4 1=3 11=3 2=1 12=1 3=1 13=1 4=1 14=1 15=1 16=1 5=1 6=108 30=4\n");
  ASSERT_TRUE(plain) << plain.error().what;
  ASSERT_TRUE(spelled) << spelled.error().what;
  for (const auto* description : {&*plain, &*spelled}) {
    const auto& op = std::get<Convolution>(description->graph.layers[1].operation);
    EXPECT_EQ(op.in_channels, 3);
    EXPECT_EQ(op.out_channels, 4);
    EXPECT_EQ(op.kernel, 3);
    EXPECT_EQ(op.stride, 1);
    EXPECT_EQ(op.pad, 1);
    EXPECT_EQ(count_parameters(description->arrays), 112);
  }
}

TEST(NcnnGraph, CropToTheEndTakesNothingAway) {
  const auto built = build("Crop c 1 1 data out -23309=2,3,1 -23310=2,2147483647,-233 -23311=2,1,-1\n");
  ASSERT_TRUE(built) << built.error().what;
  const auto& crop = std::get<Crop>(built->graph.layers[1].operation);
  EXPECT_EQ(crop.top, 3);
  EXPECT_EQ(crop.left, 1);
  EXPECT_EQ(crop.bottom, 0);
  EXPECT_EQ(crop.right, 0);
}

}  // namespace
}  // namespace weir::nn
