// Devices and masks that are defined in another module.

#include <string>

#include <gtest/gtest.h>

#include "flow.hpp"

namespace weir::audit {
namespace {

using test_kit::Files;
using test_kit::kHeader;
using test_kit::outside_mask_findings;

const std::string kTorch = "import torch\nx = torch.zeros(2)\n";
const std::string kMaskOfName =
    "import os\nos.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\nos.environ['CUDA_VISIBLE_DEVICES'] = GPU\n";

bool is_reported(const std::string& settings, const std::string& program, const Files& others = {}) {
  Files files = others;
  files.emplace("settings.py", settings);
  files.emplace("a.py", program);
  return !outside_mask_findings(files).empty();
}

TEST(AuditStrangeFlow, NamesOfOtherModulesAreResolved) {
  const std::string settings = "DEVICE = 'cuda:1'\nGPU_INDEX = 1\n";
  const std::string use = kTorch + "x.to(DEVICE)\n";
  EXPECT_TRUE(is_reported(settings, kHeader + "from settings import DEVICE\n" + use));
  EXPECT_TRUE(is_reported(settings, kHeader + "from settings import DEVICE as D\n" + kTorch + "x.to(D)\n"));
  EXPECT_TRUE(is_reported(settings, kHeader + "import settings\n" + kTorch + "x.to(settings.DEVICE)\n"));
  EXPECT_TRUE(
      is_reported(settings, kHeader + "from settings import GPU_INDEX\n" + kTorch + "x.to(f'cuda:{GPU_INDEX}')\n"));
  EXPECT_FALSE(is_reported("DEVICE = 'cuda:0'\n", kHeader + "from settings import DEVICE\n" + use));
  EXPECT_FALSE(is_reported(settings, kHeader + "from settings import DEVICE\nDEVICE = 'cuda:0'\n" + use));
  EXPECT_FALSE(is_reported(settings, "from settings import DEVICE\n" + use));  // no mask
  // Values that are overwritten, or that depend on a condition.
  EXPECT_FALSE(is_reported(
      settings, kHeader + "import settings\nsettings.DEVICE = 'cuda:0'\n" + kTorch + "x.to(settings.DEVICE)\n"));
  EXPECT_FALSE(is_reported("import sys\nDEVICE = 'cuda:1'\nif sys.argv:\n    DEVICE = 'cuda:0'\n",
                           kHeader + "from settings import DEVICE\n" + use));
  EXPECT_FALSE(is_reported("DEVICE = 'cuda:1'\ndef choose(d):\n    global DEVICE\n    DEVICE = d\n",
                           kHeader + "from settings import DEVICE\n" + use));
  EXPECT_FALSE(
      is_reported("DEVICE = 'cuda:1'\nglobals().update(read())\n", kHeader + "from settings import DEVICE\n" + use));
}

TEST(AuditStrangeFlow, StarImportsBindTheNamesOfAModule) {
  const std::string star = "from settings import *\n";
  const std::string use = kTorch + "x.to(DEVICE)\n";
  const std::string settings = "DEVICE = 'cuda:1'\n";
  EXPECT_TRUE(is_reported(settings, kHeader + star + use));
  EXPECT_TRUE(is_reported("GPU = '1'\n", star + kMaskOfName + kTorch + "x.to('cuda:1')\n"));
  EXPECT_TRUE(is_reported("GPU = '1'\nDEVICE = 'cuda:1'\n", star + kMaskOfName + use));
  EXPECT_TRUE(is_reported("__all__ = ['DEVICE']\nDEVICE = 'cuda:1'\n", kHeader + star + use));
  EXPECT_TRUE(is_reported("import torch\nDEVICE = 'cuda:1'\n", kHeader + star + "x = torch.zeros(2)\nx.to(DEVICE)\n"));
  EXPECT_TRUE(is_reported("from inner import *\n", kHeader + star + use, {{"inner.py", settings}}));
  EXPECT_TRUE(is_reported("from inner import DEVICE\n", kHeader + star + use, {{"inner.py", settings}}));
  EXPECT_TRUE(is_reported("def place(t):\n    return t.to('cuda:1')\n", kHeader + star + kTorch + "place(x)\n"));
  EXPECT_TRUE(is_reported("from .inner import *\n", kHeader + "from pack import *\n" + use,
                          {{"pack/__init__.py", "from .inner import *\n"}, {"pack/inner.py", settings}}));
  EXPECT_FALSE(is_reported("DEVICE = 'cuda:0'\n", kHeader + star + use));
  EXPECT_FALSE(is_reported(settings, kHeader + star + "DEVICE = 'cuda:0'\n" + use));
  EXPECT_FALSE(
      is_reported(settings, kHeader + star + "from other import *\n" + use, {{"other.py", "DEVICE = 'cuda:0'\n"}}));
  // the content of that module is unknown
  EXPECT_FALSE(is_reported(settings, kHeader + star + "from elsewhere import *\n" + use));
  EXPECT_FALSE(is_reported("__all__ = ['OTHER']\nDEVICE = 'cuda:1'\nOTHER = 1\n", kHeader + star + use));
  EXPECT_FALSE(is_reported("_DEVICE = 'cuda:1'\n", kHeader + star + kTorch + "x.to(_DEVICE)\n"));
  EXPECT_FALSE(is_reported("GPU = '0,1'\n", star + kMaskOfName + kTorch + "x.to('cuda:1')\n"));
  EXPECT_FALSE(
      is_reported("import os\nGPU = os.environ.get('GPU', '1')\n", star + kMaskOfName + kTorch + "x.to('cuda:1')\n"));
  EXPECT_FALSE(is_reported("import sys\nGPU = '1'\nif sys.argv:\n    GPU = '0,1'\n",
                           star + kMaskOfName + kTorch + "x.to('cuda:1')\n"));
  EXPECT_FALSE(is_reported(settings, star + use));  // no mask
}

}  // namespace
}  // namespace weir::audit
