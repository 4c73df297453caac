#include "tasks/output_names.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/paths.hpp"
#include "base/splitmix64.hpp"

namespace weir::tasks {
namespace {

namespace fs = std::filesystem;

/// Returns an input. `below`: its relative path; empty: its file name.
NamingInput input(const std::string& path, const std::string& below = {}, const std::string& extension = ".png") {
  NamingInput made;
  made.path = path;
  made.identity = file_identity(path);
  made.relative_path = below.empty() ? fs::path{path}.filename() : fs::path{below};
  made.output_extension = extension;
  made.has_own_extension = made.relative_path.has_extension();
  return made;
}

/// The OutputOriginLookup of a folder without outputs of earlier runs.
OutputOrigin no_origin(std::size_t, const fs::path&) { return OutputOrigin::none; }

/// Returns the names without their folder, in the order of the inputs; hashes are cut after "~".
std::vector<std::string> names(const std::vector<NamingInput>& inputs, const OutputOriginLookup& earlier = no_origin) {
  std::vector<std::string> texts;
  for (const fs::path& output : choose_output_names(inputs, "out", earlier)) {
    std::string text = output.lexically_relative("out").native();
    if (const auto mark = text.find('~'); mark != std::string::npos) text.erase(mark + 1, 16);
    texts.push_back(text);
  }
  return texts;
}

using Texts = std::vector<std::string>;

TEST(OutputNames, UniqueNamesAreShort) {
  EXPECT_EQ(names({input("a/x.jpg"), input("a/y.png"), input("a/z.tif", "", ".tif"), input("scan")}),
            (Texts{"x.png", "y.png", "z.tif", "scan.png"}));
}

TEST(OutputNames, EqualShortNamesBecomeFullExceptTheInputsOwn) {
  EXPECT_EQ(names({input("cover.jpg"), input("cover.png")}), (Texts{"cover.jpg.png", "cover.png"}));
  EXPECT_EQ(names({input("cover.png"), input("cover.jpg")}), (Texts{"cover.png", "cover.jpg.png"}));
  EXPECT_EQ(names({input("cover.jpg"), input("cover.gif"), input("cover.bmp")}),
            (Texts{"cover.jpg.png", "cover.gif.png", "cover.bmp.png"}));
}

TEST(OutputNames, AFullNameThatAnInputHasIsNotUsed) {
  const Texts all = names({input("cover.jpg"), input("cover.png"), input("cover.jpg.png")});
  EXPECT_EQ(all, (Texts{"cover.jpg~.png", "cover.png", "cover.jpg.png"}));
  EXPECT_EQ(names({input("cover"), input("cover.png")}), (Texts{"cover~.png", "cover.png"}));
}

TEST(OutputNames, NamesThatDifferOnlyInCaseAreEqual) {
  EXPECT_EQ(names({input("Cover.jpg"), input("cover.png")}), (Texts{"Cover.jpg.png", "cover.png"}));
  EXPECT_EQ(names({input("Page.png"), input("page.png")}), (Texts{"Page.png~.png", "page.png~.png"}));
  EXPECT_EQ(names({input("Page.jpg"), input("page.jpg")}), (Texts{"Page.jpg~.png", "page.jpg~.png"}));
}

TEST(OutputNames, EqualNamesFromSeveralFoldersAreHashed) {
  const std::vector<NamingInput> inputs{input("/x/a.png"), input("/y/a.png"), input("/x/sub/a.png", "sub/a.png")};
  EXPECT_EQ(names(inputs), (Texts{"a.png~.png", "a.png~.png", "sub/a.png"}));
  const auto outputs = choose_output_names(inputs, "out", no_origin);
  EXPECT_NE(outputs[0], outputs[1]);
  EXPECT_EQ(choose_output_names(std::vector{inputs[1], inputs[0]}, "out", no_origin)[0], outputs[1])
      << "depends only on the location";
}

TEST(OutputNames, AnOutputIsNeverAnotherInput) {
  EXPECT_EQ(names({input("z/b.png", "sub/b.png"), input("out/sub/b.png", "b.png")}), (Texts{"sub/b.png.png", "b.png"}));
  EXPECT_EQ(names({input("out/b.png")}), (Texts{"b.png"})) << "a picture may replace itself";
}

TEST(OutputNames, LongNamesAreShortenedAndStayDistinct) {
  const std::string stem(250, 'n');
  const auto outputs = choose_output_names(std::vector{input(stem + ".jpg"), input(stem + ".gif")}, "out", no_origin);
  EXPECT_NE(outputs[0], outputs[1]);
  for (const auto& output : outputs) EXPECT_LE(output.filename().native().size(), 255u);
}

/// A folder in which pictures are added and removed between runs. Outputs stay, and their origins are stored.
class Runs : public ::testing::Test {
 protected:
  /// Runs once and returns the outputs by input. Fails if an output is made from a different input than before.
  std::map<std::string, std::string> run(const std::vector<std::string>& files) {
    std::vector<NamingInput> inputs;
    inputs.reserve(files.size());
    for (const std::string& file : files) inputs.push_back(input("in/" + file));
    const auto outputs = choose_output_names(inputs, "out", [&](std::size_t i, const fs::path& output) {
      const auto made = made_from_.find(output.native());
      if (made == made_from_.end()) return OutputOrigin::none;
      return made->second == inputs[i].path.native() ? OutputOrigin::this_input : OutputOrigin::other_input;
    });
    std::map<std::string, std::string> result;
    for (std::size_t i = 0; i < files.size(); ++i) {
      const auto [at, fresh] = made_from_.emplace(outputs[i].native(), inputs[i].path.native());
      EXPECT_EQ(at->second, inputs[i].path.native()) << outputs[i] << " belongs to another input";
      result[files[i]] = outputs[i].filename().native();
    }
    return result;
  }
  std::map<std::string, std::string> made_from_;  // by output
};

TEST_F(Runs, AnOutputIsMadeFromTheSameInputInEveryRun) {
  EXPECT_EQ(run({"cover.jpg"})["cover.jpg"], "cover.png");
  const auto more = run({"cover.jpg", "cover.png"});
  EXPECT_EQ(more.at("cover.jpg"), "cover.png") << "as before";
  EXPECT_EQ(more.at("cover.png"), "cover.png.png");
  EXPECT_EQ(run({"cover.png"})["cover.png"], "cover.png.png");
  EXPECT_EQ(run({"cover.gif"})["cover.gif"], "cover.gif.png");
  EXPECT_EQ(run({"cover.jpg"})["cover.jpg"], "cover.png");
}

TEST_F(Runs, AddingAndRemovingInputsKeepsTheNames) {
  const std::vector<std::string> files{"a.jpg", "a.png", "a.gif", "A.png", "a.jpg.png"};
  std::map<std::string, std::string> first;  // the output that each input got first, since the last start anew
  SplitMix64 bits{1};
  for (int round = 0; round < 2000; ++round) {
    if (round % 40 == 0) {  // start anew, so that many orders of adding and removing are tried
      first.clear();
      made_from_.clear();
    }
    std::vector<std::string> now;
    for (const std::string& file : files) {
      if (bits.next() % 2 == 0) now.push_back(file);
    }
    for (const auto& [file, output] : run(now)) EXPECT_EQ(first.emplace(file, output).first->second, output) << round;
  }
}

}  // namespace
}  // namespace weir::tasks
