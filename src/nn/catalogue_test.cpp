#include "nn/catalogue.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "networks/generate_network.hpp"

namespace weir::nn {
namespace {

namespace fs = std::filesystem;

class Catalogue : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(root_); }

  /// Writes a generated network to root_ / stem + ".param" and ".bin".
  void write(const fs::path& stem, std::string_view family) const {
    const auto files = test::generate_network(family, {.channels = 2, .blocks = 1});
    fs::create_directories((root_ / stem).parent_path());
    std::ofstream{(root_ / stem).string() + ".param", std::ios::binary} << files.param;
    std::ofstream bin{(root_ / stem).string() + ".bin", std::ios::binary};
    bin.write(reinterpret_cast<const char*>(files.bin.data()), std::ssize(files.bin));
  }
  /// Writes the files that a user of two published programs has.
  void write_usual() const {
    write("realcugan/models-se/up2x-conservative", "realcugan2x_se");
    write("realcugan/models-se/up2x-denoise3x", "realcugan2x_se");
    write("realcugan/models-se/up2x-no-denoise", "realcugan2x_se");
    write("realcugan/models-se/up3x-conservative", "realcugan3x_se");
    write("realcugan/models-pro/up2x-conservative", "realcugan2x_se");
    write("realesrgan/realesr-animevideov3-x2", "animevideo_x2");
    write("realesrgan/realesr-animevideov3-x4", "animevideo_x4");
    write("realesrgan/realesrgan-x4plus", "rrdb_x4");
  }
  [[nodiscard]] std::vector<CatalogueEntry> all() const {
    const std::vector<fs::path> folders{root_};
    auto entries = find_networks(std::nullopt, folders);
    EXPECT_TRUE(entries);
    return *std::move(entries);
  }
  /// Returns "folder/name" of the network that select_network() returns, or "error: " and the message.
  [[nodiscard]] std::string chosen(const NetworkRequest& request) const {
    const auto entry = select_network(all(), request);
    return entry ? entry->folder + "/" + entry->name : "error: " + entry.error().what;
  }

  fs::path root_ = fs::path{testing::TempDir()} /
                   (std::string{"weir_catalogue_"} + testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(Catalogue, FindsEveryNetworkOfAFolder) {
  write_usual();
  const auto entries = all();
  ASSERT_EQ(entries.size(), 8U);
  const CatalogueEntry& pro = entries[0];
  EXPECT_EQ(pro.param_path, root_ / "realcugan/models-pro/up2x-conservative.param");
  EXPECT_EQ(pro.name, "up2x-conservative");
  EXPECT_EQ(pro.folder, "models-pro");
  EXPECT_EQ(pro.unreadable_reason, "");
  EXPECT_EQ(pro.family.name, "realcugan");
  EXPECT_EQ(pro.family.scale, 2);
  EXPECT_EQ(pro.noise, -1);
  EXPECT_GT(pro.layers, 50U);
  EXPECT_GT(pro.parameters, 1000);
  EXPECT_GT(pro.multiplications_per_pixel, 100);
}

TEST_F(Catalogue, AnUnreadableNetworkCarriesTheReason) {
  write("x/broken", "animevideo_x2");
  fs::resize_file(root_ / "x/broken.bin", 10);
  write("x/alone", "animevideo_x2");
  fs::remove(root_ / "x/alone.bin");
  std::ofstream{root_ / "x/text.param"} << "hello";
  const auto entries = all();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_NE(entries[0].unreadable_reason.find("alone.bin: no such file; the weights of alone.param are expected there"),
            std::string::npos);
  EXPECT_NE(entries[1].unreadable_reason.find("broken.bin: line 5"), std::string::npos) << entries[1].unreadable_reason;
  EXPECT_NE(entries[2].unreadable_reason.find("not a text network of ncnn"), std::string::npos);
  EXPECT_NE(chosen({.name = "text", .scale = {}, .noise = {}}).find("network 'x/text' is unreadable: "),
            std::string::npos);
  EXPECT_EQ(chosen({}), "error: no network; there is no readable network");
}

TEST_F(Catalogue, AModelIsAFilePairOrAFolder) {
  write_usual();
  const fs::path pair = root_ / "realesrgan/realesr-animevideov3-x2";
  for (const char* ending : {"", ".param", ".bin"}) {
    const auto entries = find_networks(fs::path{pair.string() + ending}, {});
    ASSERT_TRUE(entries) << entries.error().what;
    ASSERT_EQ(entries->size(), 1U);
    EXPECT_EQ(entries->at(0).family.scale, 2);
  }
  EXPECT_EQ(find_networks(root_ / "realesrgan", {})->size(), 3U);
  const auto missing = find_networks(root_ / "nothing", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::invalid_argument);
}

TEST_F(Catalogue, FoldersAreSearchedInOrderAndNothingTwice) {
  write("a/one", "animevideo_x2");
  write("b/two", "animevideo_x2");
  fs::create_directory_symlink(root_ / "a", root_ / "b/link");
  fs::create_directory_symlink(root_, root_ / "b/loop");
  const std::vector<fs::path> folders{root_ / "b", root_ / "missing", root_ / "a"};
  const auto entries = find_networks(std::nullopt, folders);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ(entries->at(0).name, "one") << "b/link comes before b/two";
  EXPECT_EQ(entries->at(1).name, "two");
}

TEST_F(Catalogue, DeepFoldersAreNotSearched) {
  write("1/2/3/4/found", "animevideo_x2");
  write("1/2/3/4/5/lost", "animevideo_x2");
  const auto entries = all();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].name, "found");
}

TEST_F(Catalogue, TheDefaultIsTheFastestOfTheScale) {
  write_usual();
  EXPECT_EQ(chosen({.name = "", .scale = 2, .noise = {}}), "realesrgan/realesr-animevideov3-x2");
  EXPECT_EQ(chosen({.name = "", .scale = 3, .noise = {}}), "models-se/up3x-conservative");
  EXPECT_EQ(chosen({.name = "", .scale = 4, .noise = {}}), "realesrgan/realesr-animevideov3-x4");
}

TEST_F(Catalogue, NameScaleAndNoiseChoose) {
  write_usual();
  EXPECT_EQ(chosen({.name = "", .scale = 2, .noise = 3}), "models-se/up2x-denoise3x");
  EXPECT_EQ(chosen({.name = "", .scale = 2, .noise = 0}), "models-se/up2x-no-denoise");
  EXPECT_EQ(chosen({.name = "", .scale = 2, .noise = -1}), "models-se/up2x-conservative") << "se before pro";
  EXPECT_EQ(chosen({.name = "up2x-conservative", .scale = {}, .noise = {}}), "models-se/up2x-conservative");
  EXPECT_EQ(chosen({.name = "models-pro/up2x-conservative", .scale = {}, .noise = {}}), "models-pro/up2x-conservative");
  EXPECT_EQ(chosen({.name = "Models-PRO", .scale = {}, .noise = {}}), "models-pro/up2x-conservative");
  EXPECT_EQ(chosen({.name = "x4plus", .scale = {}, .noise = {}}), "realesrgan/realesrgan-x4plus");
  EXPECT_EQ(chosen({.name = "animevideov3", .scale = 4, .noise = {}}), "realesrgan/realesr-animevideov3-x4");
}

TEST_F(Catalogue, ANetworkOfAnotherScaleOrNoiseIsNeverChosen) {
  write_usual();
  EXPECT_EQ(
      chosen({.name = "models-pro", .scale = 4, .noise = {}}),
      "error: no network named 'models-pro' that enlarges 4 times; there is: models-pro/up2x-conservative (2x, noise "
      "-1), models-se/up2x-conservative (2x, noise -1), models-se/up2x-denoise3x (2x, noise 3), "
      "models-se/up2x-no-denoise (2x, noise 0), models-se/up3x-conservative (3x, noise -1), "
      "realesrgan/realesr-animevideov3-x2 (2x), realesrgan/realesr-animevideov3-x4 (4x), "
      "realesrgan/realesrgan-x4plus (4x)");
  EXPECT_TRUE(chosen({.name = "x4plus", .scale = {}, .noise = 2}).starts_with("error: "));
  EXPECT_TRUE(chosen({.name = "nosuch", .scale = {}, .noise = {}}).starts_with("error: no network named 'nosuch'"));
}

TEST_F(Catalogue, NetworksNamedAsThoseOfWaifu2x) {
  for (const char* stem : {"noise0_scale2.0x_model", "noise1_scale2.0x_model", "scale2.0x_model"})
    write(fs::path{"models-cunet"} / stem, "realcugan2x_se");
  EXPECT_EQ(chosen({}), "models-cunet/scale2.0x_model") << "the network without a noise level is preferred";
  for (const auto& [noise, stem] :
       {std::pair{-1, "scale2.0x_model"}, {0, "noise0_scale2.0x_model"}, {1, "noise1_scale2.0x_model"}})
    EXPECT_EQ(chosen({.name = "", .scale = {}, .noise = noise}), fs::path{"models-cunet"} / stem);
  EXPECT_EQ(chosen({.name = "", .scale = {}, .noise = 2}),
            "error: no network with noise level 2; there is: models-cunet/noise0_scale2.0x_model (2x, noise 0), "
            "models-cunet/noise1_scale2.0x_model (2x, noise 1), models-cunet/scale2.0x_model (2x, noise -1)");
}

TEST_F(Catalogue, ANetworkThatEnlargesGoesBeforeOneThatDoesNot) {
  write("nets/noise1_scale2.0x_model", "realcugan2x_se");
  std::ofstream{root_ / "nets/noise1_model.param"} << "7767517\n2 2\nInput in 0 1 data\nConcat c 1 1 data out\n";
  const std::ofstream empty{root_ / "nets/noise1_model.bin"};
  EXPECT_EQ(chosen({.name = "", .scale = {}, .noise = 1}), "nets/noise1_scale2.0x_model");
  EXPECT_EQ(chosen({.name = "", .scale = 1, .noise = 1}), "nets/noise1_model");
}

TEST_F(Catalogue, TheNetworkThatWouldFitIsNamedWhereItCannotBeRead) {
  write("nets/noise0_scale2.0x_model", "realcugan2x_se");
  std::ofstream{root_ / "nets/noise1_scale2.0x_model.param"} << "hello";
  EXPECT_TRUE(chosen({.name = "", .scale = {}, .noise = 1})
                  .starts_with("error: network 'nets/noise1_scale2.0x_model' is unreadable: "));
  EXPECT_TRUE(
      chosen({.name = "", .scale = {}, .noise = 2}).starts_with("error: no network with noise level 2; there is"));
}

TEST_F(Catalogue, AnyEnlargementFindsTheScaleThatIsEnough) {
  write_usual();
  const auto entries = all();
  const auto scale_for = [&](double enlargement, const std::string& name = "") {
    // The scale of the request is ignored.
    const auto entry = select_for_enlargement(entries, {.name = name, .scale = 99, .noise = {}}, enlargement);
    return entry ? entry->family.scale : 0;
  };
  EXPECT_EQ(scale_for(0.5), 2);
  EXPECT_EQ(scale_for(2), 2);
  EXPECT_EQ(scale_for(2.5), 3);
  EXPECT_EQ(scale_for(3.5), 4);
  EXPECT_EQ(scale_for(16), 4);
  EXPECT_EQ(scale_for(3, "animevideov3"), 4);
  EXPECT_EQ(scale_for(3, "models-pro"), 2);
  EXPECT_EQ(scale_for(3, "nosuch"), 0);
}

TEST(CatalogueFolders, ComeFromTheEnvironment) {
  EXPECT_EQ(model_folders("/a::b c:", "/home/x", "/usr"),
            (std::vector<fs::path>{"/a", "b c", "/home/x/.local/share/weir/models", "/usr/share/weir/models"}));
  EXPECT_TRUE(model_folders("", "", "").empty());
}

}  // namespace
}  // namespace weir::nn
