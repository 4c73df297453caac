#include "base/paths.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "folder.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;

class Paths : public ::testing::Test {
 protected:
  void touch(const std::string& name) { folder_.put(name, "x"); }
  test::Folder folder_;
};

TEST_F(Paths, APatternFindsFilesSortedByBytes) {
  for (const char* name : {"b.png", "a.png", "B.png", "a.jpg", ".hidden.png", "new\nline.png"}) touch(name);
  const auto found = expand_pattern((folder_ / "*.png").native());
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].filename(), "B.png");
  EXPECT_EQ(found[1].filename(), "a.png");
  EXPECT_EQ(found[2].filename(), "b.png");
  EXPECT_EQ(found[3].filename(), "new\nline.png");
  EXPECT_TRUE(expand_pattern((folder_ / "*.gif").native()).empty());
}

TEST_F(Paths, OneFileHasOneIdentity) {
  fs::create_directory(folder_ / "sub");
  touch("a.png");
  fs::create_symlink(folder_ / "sub", folder_ / "link");
  EXPECT_EQ(file_identity(folder_ / "sub" / ".." / "a.png"), file_identity(folder_ / "a.png"));
  EXPECT_EQ(file_identity(folder_ / "link" / "new.png"), file_identity(folder_ / "sub" / "new.png"));
  EXPECT_NE(file_identity(folder_ / "a.png"), file_identity(folder_ / "b.png"));
}

TEST(FitFileName, KeepsWhatFits) {
  EXPECT_EQ(fit_file_name("page", ".png"), "page.png");
  EXPECT_EQ(fit_file_name(std::string(251, 'a'), ".png").size(), 255u);
}

TEST(FitFileName, LongNamesGetAHashAndStayApart) {
  const std::string stem(252, 'a');
  const std::string one = fit_file_name(stem + "1", ".webp");
  const std::string two = fit_file_name(stem + "2", ".webp");
  EXPECT_LE(one.size(), 255u);
  EXPECT_NE(one, two);
  EXPECT_EQ(one.substr(one.size() - 5), ".webp");
}

TEST(FitFileName, NeverCutsACharacter) {
  std::string stem;
  for (int i = 0; i < 90; ++i) stem += "漫";
  const std::string name = fit_file_name(stem, ".png");
  EXPECT_LE(name.size(), 255u);
  EXPECT_EQ(name.find('~') % 3, 0u) << "each of these characters has three bytes";
}

TEST(UserSettingsFolder, FollowsTheEnvironment) {
  const auto home = [](const char* name) {
    return std::string{name} == "HOME" ? std::optional<std::string>{"/home/a"} : std::nullopt;
  };
  const auto xdg = [](const char* name) { return std::optional<std::string>{std::string{"/"} + name}; };
  EXPECT_EQ(user_settings_folder(home), "/home/a/.config/weir");
  EXPECT_EQ(user_settings_folder(xdg), "/XDG_CONFIG_HOME/weir");
  EXPECT_TRUE(user_settings_folder([](const char*) { return std::optional<std::string>{}; }).empty());
}

}  // namespace
}  // namespace weir
