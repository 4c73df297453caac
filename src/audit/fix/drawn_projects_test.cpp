// The fixer on projects that are drawn by chance, from a fixed seed: each of their programs is run with stubs in the place of
// GPU libraries (tests/audit/run_with_stubs.py), and must see the same devices and print the same as before.

#include <array>
#include <filesystem>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "audit/fix/fixer.hpp"
#include "audit/run_command.hpp"
#include "program.hpp"

namespace weir::audit {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// Draws the modules of one project. A module imports only later ones, so that there are no circles.
class Draw {
 public:
  explicit Draw(unsigned seed) : random_{seed} {}

  std::vector<std::string> project() {
    std::vector<std::string> modules;
    const int count = below(4) + 2;
    modules.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) modules.push_back(module(i, count));
    return modules;
  }

 private:
  int below(int most) { return static_cast<int>(random_() % static_cast<unsigned>(most)); }
  bool chance(int of) { return below(of) == 0; }
  std::string mask() { return chance(4) ? "0" : "1"; }

  std::string write() {
    const std::string value = mask();
    switch (below(6)) {
      case 0:
        return fmt::format("os.environ.setdefault('CUDA_VISIBLE_DEVICES', '{}')", value);
      case 1:
        return fmt::format(
            "os.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"{}\"", value);
      case 2:
        return fmt::format("os.environ.update(CUDA_VISIBLE_DEVICES='{}')", value);
      default:
        return fmt::format("os.environ['CUDA_VISIBLE_DEVICES'] = '{}'", value);
    }
  }

  static std::string indented(const std::string& text) {
    std::istringstream lines{text};
    std::string out;
    for (std::string line; std::getline(lines, line);) out += "    " + line + "\n";
    return out;
  }

  std::string use() {
    constexpr std::array<const char*, 6> kUses{"torch.cuda.is_available()",
                                               "torch.ones(2).cuda()",
                                               "torch.ones(2).to('cuda')",
                                               "print(torch.ones(2, device='cuda:0'))",
                                               "torch.cuda.reset_max_memory_allocated()",
                                               "torch.cuda.empty_cache()"};
    return kUses[static_cast<std::size_t>(below(kUses.size()))];
  }

  /// One statement of the outermost block.
  std::string piece(int index, int count) {
    switch (below(9)) {
      case 0:
      case 1:
        return write() + "\n";
      case 2:
        return "if len(sys.argv) > 5:\n" + indented(write());
      case 3:
        return fmt::format("def select{0}():\n{1}\n\nselect{0}()\n", below(1000), indented(write()));
      case 4:
        return index + 1 < count ? fmt::format("import m{}\n", index + 1 + below(count - index - 1))
                                 : "print('leaf')\n";
      case 5:
        return index + 1 < count ? fmt::format("try:\n    import m{}\nexcept ImportError:\n    import gone\n",
                                               index + 1 + below(count - index - 1))
                                 : "import gc\n";
      case 6:
        return "os.environ.pop('CUDA_VISIBLE_DEVICES', None)\n";
      default:
        return use() + "\n";
    }
  }

  std::string module(int index, int count) {
    std::string text = "import os\nimport sys\n";
    if (chance(2)) text += write() + "\n";
    text += "import torch\n";
    const int pieces = below(5) + 1;
    for (int i = 0; i < pieces; ++i) text += piece(index, count);
    text += fmt::format("\n\ndef run():\n{}    return {}\n", chance(3) ? indented(write()) : "", index);
    if (index + 1 < count && chance(2)) text += fmt::format("\n\nimport m{0}\nprint(m{0}.run())\n", index + 1);
    text += fmt::format("\n\nif __name__ == '__main__':\n{}    print('m{}', run())\n", indented(use()), index);
    return text;
  }

  std::mt19937 random_;
};

/// By "project/file": what the program saw and printed.
std::map<std::string, Json> seen(const std::vector<fs::path>& folders) {
  std::vector<std::string> words{*python_program(), WEIR_SOURCE_DIR "/tests/audit/run_with_stubs.py"};
  for (const fs::path& folder : folders) words.push_back(folder.native());
  const auto ended = run_command({.words = words, .limit = std::chrono::seconds{300}});
  EXPECT_TRUE(ended && ended->status == 0) << (ended ? ended->output : ended.error().what);
  std::map<std::string, Json> all;
  std::istringstream lines{ended ? ended->output : std::string{}};
  for (std::string line; std::getline(lines, line);) {
    Json one = Json::parse(line, nullptr, false);
    EXPECT_FALSE(one.is_discarded()) << line;
    if (one.is_discarded()) continue;
    const std::string name =
        fs::path{one["folder"].get<std::string>()}.filename().native() + '/' + one["file"].get<std::string>();
    one.erase("folder");
    all.emplace(name, std::move(one));
  }
  return all;
}

void check_drawn(unsigned first_seed, bool unsafe) {
  if (!python_program()) GTEST_SKIP() << "no python3 on PATH";
  constexpr unsigned kProjects = 60;
  const test::Folder folder;
  std::vector<fs::path> before;
  std::vector<fs::path> after;
  std::size_t mended = 0;
  for (unsigned i = 0; i < kProjects; ++i) {
    const auto modules = Draw{first_seed + i}.project();
    for (const char* const when : {"before", "after"}) {
      for (std::size_t m = 0; m < modules.size(); ++m) folder.put(fmt::format("{}/p{}/m{}.py", when, i, m), modules[m]);
    }
    before.push_back(folder / fmt::format("before/p{}", i));
    after.push_back(folder / fmt::format("after/p{}", i));
  }
  const auto outcome = fix({.operands = {(folder / "after").native()}}, {.unsafe = unsafe, .write = true});
  ASSERT_TRUE(outcome);
  for (const FixedFile& file : outcome->files) {
    EXPECT_EQ(file.problem, "") << file.name;
    mended += file.before == file.after ? 0 : 1;
  }
  EXPECT_GT(mended, kProjects / 2);  // else the test proves nothing
  const auto was = seen(before);
  const auto is = seen(after);
  EXPECT_GT(was.size(), 2 * kProjects);
  for (const auto& [name, one] : was) {
    ASSERT_TRUE(is.contains(name)) << name;
    EXPECT_EQ(is.at(name), one) << name << "\n--- before\n"
                                << folder.text("before/" + name) << "\n--- after\n"
                                << folder.text("after/" + name);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(AuditDrawnProjects, SafeFixesChangeNothingThatAProgramSees) { check_drawn(1000, false); }

TEST(AuditDrawnProjects, UnsafeFixesThatClaimNoOtherCardGiveNone) { check_drawn(5000, true); }

}  // namespace
}  // namespace weir::audit
