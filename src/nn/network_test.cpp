#include "nn/network.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <filesystem>
#include <fstream>

#include "networks/expected.hpp"
#include "networks/generate_network.hpp"

namespace weir::nn {
namespace {

using test::generate_network;
using test::GeneratedNetwork;
using test::GenerateSettings;

Result<Network> parse(const GeneratedNetwork& files) { return parse_network(files.param, files.bin, "net.param"); }

class EveryFamily : public testing::TestWithParam<std::string_view> {};
INSTANTIATE_TEST_SUITE_P(Generated, EveryFamily, testing::ValuesIn(test::kGeneratedFamilies),
                         [](const auto& family) { return std::string{family.param}; });

TEST_P(EveryFamily, IsReadAndCounted) {
  const GeneratedNetwork files = generate_network(GetParam());
  const auto network = parse(files);
  ASSERT_TRUE(network) << network.error().what;
  std::int64_t numbers = 0;
  for (const Layer& layer : network->graph.layers) {
    if (const auto* op = std::get_if<Convolution>(&layer.operation))
      numbers += std::ssize(op->weight) + std::ssize(op->bias);
    if (const auto* op = std::get_if<Deconvolution>(&layer.operation))
      numbers += std::ssize(op->weight) + std::ssize(op->bias);
    if (const auto* op = std::get_if<InnerProduct>(&layer.operation))
      numbers += std::ssize(op->weight) + std::ssize(op->bias);
    if (const auto* op = std::get_if<PRelu>(&layer.operation)) numbers += std::ssize(op->slope);
  }
  EXPECT_EQ(network->parameters, numbers);
}

TEST_P(EveryFamily, Float16AndFloat32FilesAreTheSameNetwork) {
  const auto narrow = parse(generate_network(GetParam(), {.weights = test::StoredWeights::float16}));
  const auto wide = parse(generate_network(GetParam(), {.weights = test::StoredWeights::float32}));
  ASSERT_TRUE(narrow) << narrow.error().what;
  ASSERT_TRUE(wide) << wide.error().what;
  for (std::size_t i = 0; i < narrow->graph.layers.size(); ++i) {
    const auto* of_narrow = std::get_if<Convolution>(&narrow->graph.layers[i].operation);
    const auto* of_wide = std::get_if<Convolution>(&wide->graph.layers[i].operation);
    ASSERT_EQ(of_narrow == nullptr, of_wide == nullptr);
    if (of_narrow == nullptr) continue;
    EXPECT_EQ(of_narrow->weight, of_wide->weight) << i;
    EXPECT_EQ(of_narrow->bias, of_wide->bias) << i;
  }
}

TEST_P(EveryFamily, AFileCutAnywhereIsCorrupt) {
  const GeneratedNetwork files = generate_network(GetParam(), {.channels = 2, .blocks = 1});
  for (std::size_t length = 0; length < files.bin.size(); length += length < 64 ? 1 : 37) {
    const auto cut = parse_network(files.param, std::span{files.bin}.first(length), "net.param");
    ASSERT_FALSE(cut) << length;
    EXPECT_EQ(cut.error().code, Errc::corrupt) << cut.error().what;
  }
  // A number that is cut in the last line can still be a valid number; every earlier cut must be detected.
  const std::size_t last_line = files.param.rfind('\n', files.param.size() - 2);
  for (std::size_t length = 0; length < files.param.size(); ++length) {
    const auto cut = parse_network(std::string_view{files.param}.substr(0, length), files.bin, "net.param");
    if (cut && length > last_line) continue;
    ASSERT_FALSE(cut) << length;
    EXPECT_EQ(cut.error().what.find('\n'), std::string::npos);
    EXPECT_TRUE(cut.error().what.starts_with("net.param")) << cut.error().what;
  }
}

TEST(Network, BytesAfterTheLastLayerAreCorrupt) {
  GeneratedNetwork files = generate_network("animevideo_x4");
  files.bin.resize(files.bin.size() + 4);
  const auto network = parse(files);
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, Errc::corrupt);
  EXPECT_NE(network.error().what.find("4 bytes are left"), std::string::npos) << network.error().what;
}

TEST(Network, WeightsOfAnotherNetworkAreCorrupt) {
  const auto network =
      parse_network(generate_network("animevideo_x4").param, generate_network("rrdb_x4").bin, "net.param");
  ASSERT_FALSE(network);
}

TEST(Network, Int8WeightsAreNamedAsUnsupported) {
  GeneratedNetwork files = generate_network("animevideo_x4");
  const std::uint32_t int8 = 0x000D4B38;
  std::memcpy(files.bin.data(), &int8, sizeof int8);
  const auto network = parse(files);
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, Errc::unsupported);
  EXPECT_NE(network.error().what.find("int8 weights; supported: float32 and float16"), std::string::npos)
      << network.error().what;
  EXPECT_NE(network.error().what.find("Convolution layer_2"), std::string::npos) << network.error().what;
}

TEST(Network, AnUnknownTagIsUnsupported) {
  GeneratedNetwork files = generate_network("animevideo_x4");
  files.bin[0] = std::byte{0xFF};
  const auto network = parse(files);
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, Errc::unsupported);
}

TEST(Network, WeightsThatAreNotNumbersAreCorrupt) {
  GeneratedNetwork files = generate_network("animevideo_x4");
  for (const int bits : {0x7C00, 0xFC00, 0x7E00}) {  // infinity, its negative, NaN
    const auto half = static_cast<std::uint16_t>(bits);
    std::memcpy(files.bin.data() + 6, &half, sizeof half);  // weight 1: after a tag of 4 bytes and weight 0
    const auto network = parse(files);
    ASSERT_FALSE(network);
    EXPECT_EQ(network.error().code, Errc::corrupt);
    EXPECT_NE(network.error().what.find("number 1 of 216 weights is not finite"), std::string::npos)
        << network.error().what;
  }
}

TEST(Network, Float16IsReadExactly) {
  GeneratedNetwork files = generate_network("animevideo_x4");
  const std::array<std::uint16_t, 6> halves{0x0001, 0x83FF, 0x0400, 0x3C01, 0xFBFF, 0x8000};
  const std::array<float, 6> values{0x1p-24F, -1023 * 0x1p-24F, 0x1p-14F, 1 + 0x1p-10F, -65504.0F, -0.0F};
  std::memcpy(files.bin.data() + 4, halves.data(), sizeof halves);  // after the tag
  const auto network = parse(files);
  ASSERT_TRUE(network) << network.error().what;
  const auto& weight = std::get<Convolution>(network->graph.layers[2].operation).weight;
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(weight[i]), std::bit_cast<std::uint32_t>(values[i])) << weight[i];
  }
}

TEST(Network, MissingBiasesAreZero) {
  GeneratedNetwork files = generate_network("layers", {.channels = 2});
  const std::size_t at = files.param.find("5=1 6=");
  files.param.replace(at, 3, "5=0");
  // The first convolution: a tag of 4 bytes, 2 x 3 kernels of 9 float16 weights, then two float32 biases.
  const auto biases = files.bin.begin() + 4 + 2 * 3 * 9 * 2;
  files.bin.erase(biases, biases + 8);
  const auto network = parse(files);
  ASSERT_TRUE(network) << network.error().what;
  EXPECT_EQ(std::get<Convolution>(network->graph.layers[2].operation).bias, std::vector<float>(2, 0.0F));
}

class NetworkFiles : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const GeneratedNetwork& files) const {
    std::ofstream{folder_ / (name + ".param"), std::ios::binary} << files.param;
    std::ofstream bin{folder_ / (name + ".bin"), std::ios::binary};
    bin.write(reinterpret_cast<const char*>(files.bin.data()), std::ssize(files.bin));
    return folder_ / (name + ".param");
  }
  std::filesystem::path folder_ =
      std::filesystem::path{testing::TempDir()} /
      (std::string{"weir_network_"} + testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(NetworkFiles, LoadAndDescribeAgree) {
  const auto param = write("two words-x2", generate_network("animevideo_x2"));
  const auto loaded = load_network(param), described = read_network_structure(param);
  ASSERT_TRUE(loaded) << loaded.error().what;
  ASSERT_TRUE(described) << described.error().what;
  EXPECT_EQ(loaded->name, "two words-x2");
  EXPECT_EQ(loaded->param_path, param);
  EXPECT_EQ(described->name, loaded->name);
  EXPECT_EQ(described->parameters, loaded->parameters);
  EXPECT_EQ(described->multiplications_per_pixel, loaded->multiplications_per_pixel);
  EXPECT_EQ(described->family.scale, 2);
  EXPECT_TRUE(std::get<Convolution>(described->graph.layers[2].operation).weight.empty());
}

TEST_F(NetworkFiles, EachFileThatIsMissingIsNamed) {
  const auto param = write("x", generate_network("animevideo_x2"));
  std::filesystem::remove(weights_path(param));
  for (const auto& result : {load_network(param), read_network_structure(param)}) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::io);
    EXPECT_TRUE(result.error().what.starts_with(weights_path(param).string() + ": no such file"))
        << result.error().what;
  }
  EXPECT_EQ(load_network(folder_ / "y.param").error().what, (folder_ / "y.param").string() + ": no such file");
  EXPECT_EQ(load_network(folder_).error().code, Errc::io);
}

TEST_F(NetworkFiles, AnOversizedBinIsRefusedByItsLength) {
  const auto param = write("x", generate_network("animevideo_x2"));
  std::filesystem::resize_file(weights_path(param), std::uintmax_t{1} << 40);  // a sparse file
  for (const auto& result : {load_network(param), read_network_structure(param)}) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::corrupt);
    EXPECT_NE(result.error().what.find("1099511627776 bytes"), std::string::npos) << result.error().what;
  }
}

TEST_F(NetworkFiles, AShortBinIsExplainedWithoutReadingWeights) {
  const auto param = write("x", generate_network("animevideo_x2"));
  std::filesystem::resize_file(weights_path(param), 100);
  const auto described = read_network_structure(param);
  ASSERT_FALSE(described);
  EXPECT_EQ(described.error().code, Errc::corrupt);
  EXPECT_NE(described.error().what.find("are left in the file"), std::string::npos) << described.error().what;
}

}  // namespace
}  // namespace weir::nn
