// Fixes that could lose a program's mask: code between two equal writes that following calls does not reach, or a write
// that may not happen. Each program runs with stubs before and after the fix.

#include <array>
#include <filesystem>
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
using test_kit::NamedText;

const std::string kMasked =
    "import os\nos.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\nos.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";
const std::string kAgain = "os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";
const std::string kUse = "import torch\nprint(torch.ones(1).cuda())\n";

/// Code between two equal mask writes of one program. It changes the mask, so that the second write is needed.
const std::array kBetween{
    "os.environ.clear()\n",
    "os.environ.update({'CUDA_VISIBLE_DEVICES': '0'} if os.environ else {})\n",
    "import json\nos.environ.update(json.loads('{\"CUDA_VISIBLE_DEVICES\": \"0\"}'))\n",
    "for key, value in (('CUDA_VISIBLE_DEVICES', '0'),):\n    os.environ[key] = value\n",
    "os.environ['CUDA_' + ''.join(['VISIBLE']) + '_DEVICES'] = '0'\n",
    "os.environb[b'CUDA_VISIBLE_DEVICES'] = b'0'\n",
    "os.environ.pop(''.join(['CUDA_VISIBLE', '_DEVICES']))\n",
    "list(map(sel.zero, [1]))\n",
    "getattr(sel, 'zero')(1)\n",
    "for f in [sel.zero]:\n    f(1)\n",
    "table = {'z': sel.zero}\ntable['z'](1)\n",
    "import threading\nt = threading.Thread(target=sel.zero, args=(1,))\nt.start()\nt.join()\n",
    "from functools import partial\npartial(sel.zero, 1)()\n",
    "from sel import *\nzero(1)\n",
    "sel.put(os.environ, '0')\n",
    "class A:\n    @property\n    def x(self):\n        sel.zero(1)\n        os.environ['CUDA_VISIBLE_DEVICES'] = "
    "'0'\nA().x\n",
    "class A:\n    def __enter__(self):\n        os.environ['CUDA_VISIBLE_DEVICES'] = '0'\n    def __exit__(self, "
    "*a):\n"
    "        pass\nwith A():\n    pass\n",
    "sel.anything\n",
    "steps = sel.steps()\nnext(steps)\nos.environ['CUDA_VISIBLE_DEVICES'] = '1'\nnext(steps)\n",
    "import asyncio\nasync def go():\n    os.environ['CUDA_VISIBLE_DEVICES'] = '0'\ntask = go()\n"
    "asyncio.run(task)\n",
    "import importlib\nimportlib.import_module('plug')\n",
    "__import__('plug')\n",
    "import runpy\nrunpy.run_path('plug.py')\n",
    "exec(open('plug.py').read())\n",
    "set_zero = lambda: os.environ.__setitem__('CUDA_VISIBLE_DEVICES', '0')\nset_zero()\n",
    "sel.one()\nsel.one()\nsel.one()\nsel.give('1')\nsel.give('1')\nsel.give('1')\nsel.give('0')\n",
    "import signal\nsignal.signal(signal.SIGUSR1, sel.zero)\nos.kill(os.getpid(), signal.SIGUSR1)\n",
    "from unittest import mock\nmock.patch.dict(os.environ, {'CUDA_VISIBLE_DEVICES': '0'}).start()\n",
};

/// Code instead of the first of two equal mask writes. It may not write the mask, so that the second write is needed.
const std::array kUncertain{
    "import contextlib\nwith contextlib.suppress(ImportError):\n    import gone\n",
    "try:\n    import gone\nexcept ImportError:\n    pass\n",
    "import sys\ndef setup():\n    if len(sys.argv) < 9:\n        return\n    os.environ['CUDA_VISIBLE_DEVICES'] = "
    "'1'\nsetup()\n",
    "for one in [1]:\n    if one:\n        continue\n    os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n",
    "try:\n    open('/none/there')\n    os.environ['CUDA_VISIBLE_DEVICES'] = '1'\nexcept OSError:\n    pass\n",
    "import sys\nlen(sys.argv) > 9 and sel.one()\n",
    "if __name__ != '__main__':\n    os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n",
    "os.environ['CUDA_VISIBLE_DEVICES'], x = '0', 1\nprint(x)\n",
};

/// Returns the modules that the code above imports.
std::vector<NamedText> helpers() {
  return {{"sel.py",
           "import os\ndef zero(*a):\n    os.environ['CUDA_VISIBLE_DEVICES'] = '0'\n"
           "def one():\n    os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n"
           "def give(card):\n    os.environ['CUDA_VISIBLE_DEVICES'] = card\n"
           "def put(env, card):\n    env['CUDA_VISIBLE_DEVICES'] = card\n"
           "def steps():\n    os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n    yield 1\n"
           "    os.environ['CUDA_VISIBLE_DEVICES'] = '0'\n    yield 2\n"
           "def __getattr__(name):\n    if name != 'anything':\n        raise AttributeError(name)\n"
           "    os.environ['CUDA_VISIBLE_DEVICES'] = '0'\n"},
          {"plug.py", "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '0'\n"},
          {"gone.py", "raise ImportError\n" + kMasked},
          {"other.py", "import sel\nsel.zero()\nsel.one()\nsel.give('0')\n"}};
}

std::vector<std::vector<NamedText>> projects() {
  std::vector<std::vector<NamedText>> all;
  for (const char* const between : kBetween) {
    all.push_back(helpers());
    all.back().push_back({"main.py", fmt::format("{}import sel\n{}{}{}", kMasked, between, kAgain, kUse)});
  }
  for (const char* const uncertain_write : kUncertain) {
    all.push_back(helpers());
    all.back().push_back({"main.py", fmt::format("import os\nimport sel\n{}{}{}", uncertain_write, kAgain, kUse)});
  }
  return all;
}

/// Checks that each program sees the same devices before and after the fix.
void check(bool unsafe) {
  if (!find_python()) GTEST_SKIP() << "no python3 on PATH";
  const test::Folder folder;
  std::vector<fs::path> before;
  std::vector<fs::path> after;
  const auto all = projects();
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const char* const when : {"before", "after"})
      for (const auto& [name, text] : all[i]) folder.put(fmt::format("{}/p{}/{}", when, i, name), text);
    before.push_back(folder / fmt::format("before/p{}", i));
    after.push_back(folder / fmt::format("after/p{}", i));
    ASSERT_TRUE(fix_files({.operands = {after.back().native()}}, {.unsafe = unsafe, .write = true}));
  }
  const auto seen_before = test_kit::run_with_stubs(before);
  const auto seen_after = test_kit::run_with_stubs(after);
  EXPECT_EQ(seen_before.size(), 5 * all.size());
  for (const auto& [name, seen] : seen_before) {
    ASSERT_TRUE(seen_after.contains(name)) << name;
    EXPECT_EQ(seen_after.at(name), seen) << name << "\n--- before\n"
                                         << folder.text("before/" + name) << "\n--- after\n"
                                         << folder.text("after/" + name);
  }
}

TEST(AuditLostMasks, ASafeFixKeepsTheDevicesOfEveryProgram) { check(false); }

TEST(AuditLostMasks, AnUnsafeFixThatSelectsNoOtherCardKeepsTheDevices) { check(true); }

TEST(AuditLostMasks, PlainRepetitionsAreStillDeleted) {
  const test::Folder folder;
  folder.put("main.py", kMasked + "import json\nSIZE = 3\n" + kAgain + kUse);
  folder.put("sel.py", "import os\ndef unused():\n    os.environ['CUDA_VISIBLE_DEVICES'] = '0'\n");
  ASSERT_TRUE(fix_files({.operands = {folder.path().native()}}, {.unsafe = false, .write = true}));
  EXPECT_EQ(folder.text("main.py"), kMasked + "import json\nSIZE = 3\n" + kUse);
}

}  // namespace
}  // namespace weir::audit
