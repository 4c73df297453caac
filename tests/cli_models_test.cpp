// Tests of the built program: `weir models`, and how `weir upscale` finds its network.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "pictures.hpp"
#include "program.hpp"
#include "tiny_network.hpp"

namespace weir::test {
namespace {

using Json = nlohmann::json;

class CliModels : public ::testing::Test {
 protected:
  void SetUp() override {
    write_tiny_network(folder_ / "nets", "two", 2);
    write_tiny_network(folder_ / "nets", "three", 3);
    ASSERT_TRUE(write_picture(folder_ / "a.png", 8, 6));
  }
  ProgramResult weir(const std::vector<std::string>& arguments, ProgramOptions options = {}) const {
    options.folder = folder_.path();
    return run(arguments, options);
  }
  int width_of(const fs::path& name) const { return read_picture(folder_ / name).info.width; }
  Folder folder_;
};

TEST_F(CliModels, ListsTheNetworksFound) {
  const ProgramResult table = weir({"models", "--model", "nets"});
  EXPECT_EQ(table.status, 0) << table.error;
  EXPECT_EQ(std::count(table.out.begin(), table.out.end(), '\n'), 3);
  for (const char* word :
       {"NAME", "FAMILY", "SCALE", "LAYERS", "PARAMETERS", "MULT/PIXEL", "MEMORY/MP", "nets/two", "3x", "MiB"})
    EXPECT_NE(table.out.find(word), std::string::npos) << word << "\n" << table.out;
  std::istringstream lines{weir({"models", "--model", "nets", "--json"}).out};
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const Json json = Json::parse(line);
    EXPECT_EQ(json["scale"], json["name"] == "two" ? 2 : 3);
    EXPECT_EQ(json["multiplications_per_pixel"], json["name"] == "two" ? 324 : 729);
    EXPECT_EQ(json["parameters"], json["name"] == "two" ? 336 : 756);
    EXPECT_EQ(json["layers"], 3);
    EXPECT_GT(json["memory_per_megapixel_bytes"], 0);
  }
  EXPECT_EQ(count, 2);
}

TEST_F(CliModels, SaysWhyANetworkIsUnreadable) {
  folder_.put("nets/odd.param", "7767517\n2 2\nInput data 0 1 data\nFrobnicate f 1 1 data output\n");
  folder_.put("nets/odd.bin", "");
  folder_.put("nets/short.param", folder_.text("nets/two.param"));
  folder_.put("nets/short.bin", "1234");
  const ProgramResult result = weir({"models", "--model", "nets"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_NE(result.out.find("Frobnicate"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("odd.param"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("nets/short  unreadable: "), std::string::npos) << result.out;
}

TEST_F(CliModels, AFolderMayBeNamedInThreeWays) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"models", "--model", "nets"}, {"models", "nets"}}) {
    const ProgramResult alone = weir(arguments);
    EXPECT_EQ(alone.status, 0) << alone.error;
    EXPECT_EQ(std::count(alone.out.begin(), alone.out.end(), '\n'), 3) << alone.out;
  }
  const ProgramResult searched = weir({"models", "--models", "nets"});
  EXPECT_EQ(searched.status, 0) << searched.error;
  EXPECT_NE(searched.out.find("nets/two"), std::string::npos) << searched.out;
  EXPECT_EQ(weir({"models", "nets/two.param", "--json"}).out.find("\"three\""), std::string::npos);
  fs::create_directory(folder_ / "empty");
  for (const auto& [arguments, why] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{{{"models", "nowhere"}, "nowhere"},
                                                                     {{"models", "empty"}, "no network in empty"},
                                                                     {{"models", "nets", "empty"}, "one folder"}}) {
    const ProgramResult result = weir(arguments);
    EXPECT_EQ(result.status, 2) << result.error;
    EXPECT_TRUE(result.error_contains(why)) << result.error;
  }
}

TEST_F(CliModels, TheChosenNetworkIsNamedWithScaleAndNoise) {
  for (const char* name : {"noise0_scale2.0x_model", "noise1_scale2.0x_model", "scale2.0x_model"})
    write_tiny_network(folder_ / "w2x", name, 2);
  ASSERT_TRUE(write_picture(folder_ / "in/b.png", 8, 6));
  ASSERT_TRUE(write_picture(folder_ / "in/c.png", 8, 6));
  const ProgramResult one = weir({"upscale", "a.png", "-o", "1.png", "--model", "w2x"});
  EXPECT_TRUE(one.error_contains("with scale2.0x_model (2x, noise -1)")) << one.error;
  const ProgramResult noise = weir({"upscale", "a.png", "-o", "2.png", "--model", "w2x", "--noise", "1", "--json"});
  EXPECT_TRUE(noise.error_contains("with noise1_scale2.0x_model (2x, noise 1)")) << noise.error;
  EXPECT_EQ(Json::parse(noise.out)["network"]["noise"], 1) << noise.out;
  const ProgramResult batch = weir({"upscale", "in", "-o", "out", "--model", "w2x", "--noise", "-1", "--json"});
  EXPECT_TRUE(batch.error_contains(", with scale2.0x_model (2x, noise -1)\n")) << batch.error;
  const Json summary = Json::parse(batch.out.substr(batch.out.rfind("{\"summary\"")))["summary"];
  EXPECT_EQ(summary["networks"], Json::parse(R"([{"name":"scale2.0x_model","scale":2,"noise":-1,"items":2}])"));
}

TEST_F(CliModels, NetworksComeFromTheVariableAndTheUsersFolder) {
  EXPECT_EQ(weir({"upscale", "a.png", "-o", "1.png"}, {.variables = {{"WEIR_MODELS", "/nowhere:nets"}}}).status, 0);
  EXPECT_EQ(width_of("1.png"), 16);
  fs::create_directories(folder_ / ".local/share/weir");
  fs::rename(folder_ / "nets", folder_ / ".local/share/weir/models");
  EXPECT_EQ(weir({"upscale", "a.png", "-o", "2.png"}, {.variables = {{"HOME", folder_.path()}}}).status, 0);
  EXPECT_EQ(width_of("2.png"), 16);
}

TEST_F(CliModels, TheScaleAndTheNameChooseTheNetwork) {
  const auto network = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> all{"upscale", "a.png", "-o", "x.png", "--model", "nets", "--dry-run", "--json"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ProgramResult result = weir(all);
    return result.status == 0 ? Json::parse(result.out)["network"]["name"].get<std::string>() : result.error;
  };
  EXPECT_EQ(network({"--scale", "2"}), "two");
  EXPECT_EQ(network({"--scale", "3"}), "three");
  EXPECT_EQ(network({"--width", "24"}), "three");
  EXPECT_EQ(network({"--resize", "10x12"}), "two");
  EXPECT_EQ(network({"--name", "three"}), "three");
  EXPECT_EQ(weir({"upscale", "a.png", "-o", "y.png", "--model", "nets", "--name", "three", "--scale", "2"}).status, 0);
  EXPECT_EQ(width_of("y.png"), 16);
}

TEST_F(CliModels, WithoutAModelTheNetworkOfWeirIsUsed) {
  const ProgramResult result = run({"upscale", "a.png", "-o", "own.png", "--json"},
                                   {.folder = folder_.path(), .variables = {{"HOME", folder_ / "nobody"}}});
  ASSERT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(Json::parse(result.out)["network"]["name"], "weir-2x");
}

TEST_F(CliModels, AMissingOrUnreadableNetworkIsReportedBeforeAnyWork) {
  for (const auto& [arguments, why] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{{{"--model", "none"}, "none"},
                                                                     {{"--model", "nets", "--name", "four"}, "four"},
                                                                     {{"--model", "nets", "--noise", "2"}, "noise"}}) {
    std::vector<std::string> all{"upscale", "a.png", "-o", "out/"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ProgramResult result = weir(all);
    EXPECT_EQ(result.status, 2) << result.error;
    EXPECT_EQ(result.error_lines(), 1u) << result.error;
    EXPECT_TRUE(result.error_contains(why)) << result.error;
  }
  folder_.put("bad/x.param", folder_.text("nets/two.param"));
  folder_.put("bad/x.bin", folder_.text("nets/two.bin").substr(0, 100));
  const ProgramResult cut = weir({"upscale", "a.png", "-o", "out/", "--model", "bad/x.param"});
  EXPECT_EQ(cut.status, 3) << cut.error;
  EXPECT_TRUE(cut.error_contains("x.bin")) << cut.error;
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

}  // namespace
}  // namespace weir::test
