// Runs the fixer on randomly generated projects, from a fixed seed. Each program runs with stubs instead of GPU
// libraries (tests/audit/run_with_stubs.py), and must see the same devices and print the same as before.

#include <array>
#include <filesystem>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "audit/fix/fixer.hpp"
#include "audit/run_program.hpp"
#include "program.hpp"
#include "stub_runs.hpp"

namespace weir::audit {
namespace {

namespace fs = std::filesystem;

/// Generates one random project. Some projects are a package with a program, driver.py, that runs all modules. A module
/// imports only modules with a higher number, so there are no import cycles.
class ProjectGenerator {
 public:
  explicit ProjectGenerator(unsigned seed) : random_{seed} {}

  std::vector<test_kit::NamedText> project() {
    std::vector<test_kit::NamedText> files;
    const int count = below(4) + 2;
    const std::string folder = chance(3) ? "pkg/" : "";
    if (!folder.empty()) {
      from_ = chance(2) ? "from . " : "from pkg ";
      package_ = "pkg.";
      files.push_back({"pkg/__init__.py", chance(3) ? "import os\n" + write() + "\n" : ""});
      files.push_back({"driver.py", driver(count)});
    }
    for (int i = 0; i < count; ++i) files.push_back({fmt::format("{}m{}.py", folder, i), module(i, count)});
    return files;
  }

 private:
  /// Returns a random number from 0 to `count` - 1.
  int below(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
  /// Returns true once in `count` calls on average.
  bool chance(int count) { return below(count) == 0; }
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

  /// Returns a write that the fixer deletes where it is repeated.
  static std::string repeated() { return "os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n"; }

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

  /// Returns code that imports a module with a higher number than `index`: `first`, then a call in the format `how`.
  std::string import_by(int index, int count, fmt::format_string<std::string&, int> how, const std::string& first) {
    if (index + 1 >= count) return "print('leaf')\n";
    return first + fmt::format(how, package_, index + 1 + below(count - index - 1));
  }

  /// Returns a program that runs all modules of the package one after the other.
  std::string driver(int count) {
    std::string text = "import os\nimport runpy\n" + write() + "\n";
    for (int i = 0; i < count; ++i) {
      text += chance(2) ? fmt::format("import pkg.m{0}\npkg.m{0}.run()\n", i)
                        : fmt::format("runpy.run_module('pkg.m{}', run_name='__main__')\n", i);
    }
    return text + "import torch\ntorch.ones(1).cuda()\n";
  }

  /// Returns one random statement of the outermost block.
  std::string piece(int index, int count) {
    switch (below(15)) {
      case 0:
      case 1:
        return write() + "\n";
      case 2:
        return "if len(sys.argv) > 5:\n" + indented(write());
      case 3:
        return fmt::format("def select{0}():\n{1}\n\nselect{0}()\n", below(1000), indented(write()));
      case 4:
        return index + 1 < count ? fmt::format("{}import m{}\n", from_, index + 1 + below(count - index - 1))
                                 : "print('leaf')\n";
      case 5:
        return index + 1 < count ? fmt::format("try:\n    {0}import m{1}\n{2}except ImportError:\n    {0}import m{3}\n",
                                               from_, index + 1 + below(count - index - 1),
                                               chance(2) ? "    raise ImportError('later')\n" : "",
                                               index + 1 + below(count - index - 1))
                                 : "import gc\n";
      case 6:
        return "os.environ.pop('CUDA_VISIBLE_DEVICES', None)\n";
      case 7:
        return import_by(index, count, "importlib.import_module('{}m{}')\n", "import importlib\n");
      case 8:
        return import_by(index, count, "runpy.run_module('{}m{}', run_name='__main__')\n", "import runpy\n");
      case 9:
        return "try:\n    raise ImportError('gone')\nexcept ImportError:\n" + indented(write());
      case 10:
        return fmt::format("def callback{0}(_):\n{1}\n\nlist(map(callback{0}, [0]))\n", below(1000), indented(write()));
      case 11:
        return fmt::format("def early{0}():\n    if len(sys.argv) < 9:\n        return\n{1}\n\nearly{0}()\n",
                           below(1000), indented(write()));
      default:
        return use() + "\n";
    }
  }

  std::string module(int index, int count) {
    std::string text = "import os\nimport sys\n";
    if (chance(2)) text += write() + "\n";
    if (chance(3)) text += repeated() + (chance(2) ? "SIZE = 3\n" : "") + repeated();
    text += "import torch\n";
    const int pieces = below(5) + 1;
    for (int i = 0; i < pieces; ++i) text += piece(index, count);
    text += fmt::format("\n\ndef run():\n{}    return {}\n", chance(3) ? indented(write()) : "", index);
    if (index + 1 < count && chance(2))
      text += fmt::format("\n\n{1}import m{0}\nprint(m{0}.run())\n", index + 1, from_);
    text += fmt::format("\n\nif __name__ == '__main__':\n{}    print('m{}', run())\n", indented(use()), index);
    return text;
  }

  std::mt19937 random_;
  std::string from_{};     ///< prefix of an import of a sibling
  std::string package_{};  ///< prefix of the full name of a sibling
};

void check_drawn(unsigned first_seed, bool unsafe) {
  if (!find_python()) GTEST_SKIP() << "no python3 on PATH";
  constexpr unsigned kProjects = 90;
  const test::Folder folder;
  std::vector<fs::path> before;
  std::vector<fs::path> after;
  std::size_t fixed_count = 0;
  for (unsigned i = 0; i < kProjects; ++i) {
    const auto modules = ProjectGenerator{first_seed + i}.project();
    for (const char* const when : {"before", "after"}) {
      for (const auto& [name, text] : modules) folder.put(fmt::format("{}/p{}/{}", when, i, name), text);
    }
    before.push_back(folder / fmt::format("before/p{}", i));
    after.push_back(folder / fmt::format("after/p{}", i));
  }
  const auto outcome = fix_files({.operands = {(folder / "after").native()}}, {.unsafe = unsafe, .write = true});
  ASSERT_TRUE(outcome);
  for (const FixedFile& file : outcome->files) {
    EXPECT_EQ(file.problem, "") << file.name;
    fixed_count += file.text_before == file.text_after ? 0 : 1;
  }
  for (const bool again : {false, unsafe}) {
    const auto second = fix_files({.operands = {(folder / "after").native()}}, {.unsafe = again, .write = false});
    ASSERT_TRUE(second);
    for (const FixedFile& file : second->files) EXPECT_EQ(file.text_before, file.text_after) << file.name;
  }
  // The test proves something only if enough files are edited. Most repeated writes are not certainly redundant and
  // stay.
  EXPECT_GT(fixed_count, kProjects / (unsafe ? 12 : 5));
  const auto seen_before = test_kit::run_with_stubs(before);
  const auto seen_after = test_kit::run_with_stubs(after);
  EXPECT_GT(seen_before.size(), 2 * kProjects);
  for (const auto& [name, seen] : seen_before) {
    ASSERT_TRUE(seen_after.contains(name)) << name;
    EXPECT_EQ(seen_after.at(name), seen) << name << "\n--- before\n"
                                         << folder.text("before/" + name.substr(0, name.find(' '))) << "\n--- after\n"
                                         << folder.text("after/" + name.substr(0, name.find(' ')));
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(AuditDrawnProjects, SafeFixesChangeNothingThatAProgramSees) { check_drawn(1000, false); }

TEST(AuditDrawnProjects, UnsafeFixesThatSelectNoOtherCardKeepTheDevices) { check_drawn(5000, true); }

}  // namespace
}  // namespace weir::audit
