// Devices in classes: inherited defaults, fields, members of enumerations, properties.

#include <string>

#include <gtest/gtest.h>

#include "flow.hpp"

namespace weir::audit {
namespace {

using test_kit::Codes;
using test_kit::Files;
using test_kit::is_outside_mask;
using test_kit::kHeader;
using test_kit::outside_mask_findings;

const std::string kBase =
    "class Base:\n    def __init__(self, device='cuda:1'):\n        self.device = device\n"
    "    def run(self):\n        return x.to(self.device)\n";

TEST(AuditStrangeFlow, AttributesOfABaseConstructorAreInherited) {
  for (const std::string& code :
       Codes{kBase + "class Sub(Base):\n    pass\nSub().run()\n",
             kBase + "class Sub(Base):\n    def go(self):\n        x.to(self.device)\nSub().go()\n",
             kBase + "class Sub(Base):\n    def __init__(self):\n        super().__init__()\nSub().run()\n",
             kBase + "class Sub(Base):\n    def __init__(self, n):\n        super().__init__()\n        self.n = n\n"
                     "x.to(Sub(3).device)\n",
             kBase + "class Sub(Base):\n    def __init__(self):\n        Base.__init__(self, 'cuda:1')\nSub().run()\n",
             kBase + "class Mid(Base):\n    pass\nclass Sub(Mid):\n    pass\nSub().run()\n",
             std::string{"class Base:\n    DEVICE = 'cuda:1'\nclass Sub(Base):\n    pass\nx.to(Sub.DEVICE)\n"},
             std::string{"class Base:\n    DEVICE = 'cuda:1'\nclass Sub(Base):\n    def go(self):\n"
                         "        x.to(self.DEVICE)\nSub().go()\n"}})
    EXPECT_TRUE(is_outside_mask(code)) << code;
  for (const std::string& code :
       Codes{kBase + "class Sub(Base):\n    pass\nSub('cuda:0').run()\n",
             kBase + "class Sub(Base):\n    def __init__(self):\n        super().__init__('cuda:0')\nSub().run()\n",
             kBase + "class Sub(Base):\n    def __init__(self):\n        super().__init__(device='cpu')\nSub().run()\n",
             kBase + "class Sub(Base):\n    def __init__(self):\n        self.device = 'cuda:0'\nSub().run()\n",
             kBase + "class Sub(Base):\n    def __init__(self, device='cuda:0'):\n        super().__init__(device)\n"
                     "Sub().run()\n",
             kBase + "b = Base()\nb.device = 'cuda:0'\nb.run()\n",
             std::string{
                 "class Base:\n    DEVICE = 'cuda:1'\nclass Sub(Base):\n    DEVICE = 'cuda:0'\nx.to(Sub.DEVICE)\n"},
             std::string{"class Base:\n    DEVICE = 'cuda:1'\nBase.DEVICE = 'cuda:0'\nx.to(Base.DEVICE)\n"}})
    EXPECT_FALSE(is_outside_mask(code)) << code;
}

TEST(AuditStrangeFlow, ABaseOfAnotherModuleIsInheritedToo) {
  const Files base{{"base.py",
                    "class Base:\n    DEVICE = 'cuda:1'\n    def __init__(self, device='cuda:1'):\n"
                    "        self.device = device\n    def run(self, x):\n        return x.to(self.device)\n"}};
  const auto finds = [&](const std::string& code) {
    Files files = base;
    files.emplace("a.py", kHeader + "import torch\nfrom base import Base\nx = torch.zeros(2)\n" + code);
    return !outside_mask_findings(files).empty();
  };
  EXPECT_TRUE(finds("class Sub(Base):\n    pass\nx.to(Sub.DEVICE)\n"));
  EXPECT_TRUE(finds("x.to(Base.DEVICE)\n"));
  EXPECT_FALSE(finds("class Sub(Base):\n    pass\nSub('cuda:0').run(x)\n"));
  EXPECT_FALSE(finds("class Sub(Base):\n    def __init__(self):\n        super().__init__('cuda:0')\nSub().run(x)\n"));
  EXPECT_FALSE(finds("class Sub(Base):\n    DEVICE = 'cuda:0'\nx.to(Sub.DEVICE)\n"));
}

TEST(AuditStrangeFlow, FieldsOfADataclassHaveDefaults) {
  const std::string config =
      "from dataclasses import dataclass, field\n@dataclass\nclass Config:\n    width: int = 3\n"
      "    device: str = 'cuda:1'\n";
  const std::string named =
      "from typing import NamedTuple\nclass Config(NamedTuple):\n    width: int = 3\n    device: str = 'cuda:1'\n";
  const std::string tuple =
      "from collections import namedtuple\nConfig = namedtuple('Config', 'width device', defaults=[3, 'cuda:1'])\n";
  const std::string list =
      "import collections\nConfig = collections.namedtuple('Config', ['width', 'device'], defaults=('cuda:1',))\n";
  for (const std::string& made : Codes{config, named, tuple, list}) {
    EXPECT_TRUE(is_outside_mask(made + "x.to(Config(2).device)\n")) << made;
    EXPECT_TRUE(is_outside_mask(made + "c = Config(width=2)\ndef go(c):\n    x.to(c.device)\ngo(c)\n")) << made;
    EXPECT_FALSE(is_outside_mask(made + "x.to(Config(3, 'cuda:0').device)\n")) << made;
    EXPECT_FALSE(is_outside_mask(made + "x.to(Config(3, device='cuda:0').device)\n")) << made;
    EXPECT_FALSE(is_outside_mask(made + "def go(c):\n    x.to(c.device)\ngo(Config(3, 'cpu'))\n")) << made;
    EXPECT_FALSE(is_outside_mask(made + "x.to(Config(*read()).device)\n")) << made;
    EXPECT_FALSE(is_outside_mask(made + "x.to(Config(**read()).device)\n")) << made;
  }
  EXPECT_TRUE(
      is_outside_mask("from dataclasses import dataclass, field\n@dataclass(frozen=True)\nclass C:\n"
                      "    device: str = field(default='cuda:1')\nx.to(C().device)\n"));
  EXPECT_TRUE(
      is_outside_mask("from dataclasses import dataclass, field\n@dataclass\nclass C:\n"
                      "    device: str = field(default_factory=lambda: 'cuda:1')\nx.to(C().device)\n"));
  EXPECT_TRUE(is_outside_mask(config + "class Wide(Config):\n    pass\nx.to(Wide().device)\n"));
  EXPECT_FALSE(is_outside_mask(config + "c = Config()\nc.device = 'cuda:0'\nx.to(c.device)\n"));
  EXPECT_FALSE(
      is_outside_mask(config + "@dataclass\nclass Wide(Config):\n    device: str = 'cuda:0'\nx.to(Wide().device)\n"));
}

TEST(AuditStrangeFlow, EnumMembersAndPropertiesHaveTheirValues) {
  const std::string members = "import enum\nclass Card(enum.Enum):\n    A = 'cuda:0'\n    B = 'cuda:1'\n";
  EXPECT_TRUE(is_outside_mask(members + "x.to(Card.B.value)\n"));
  EXPECT_TRUE(is_outside_mask(members + "x.to(Card['B'].value)\n"));
  EXPECT_TRUE(is_outside_mask("import enum\nclass Card(enum.IntEnum):\n    B = 1\ntorch.cuda.set_device(Card.B)\n"));
  EXPECT_FALSE(is_outside_mask(members + "x.to(Card.A.value)\n"));
  EXPECT_FALSE(is_outside_mask(members + "x.to(Card[name()].value)\n"));
  EXPECT_FALSE(is_outside_mask("import enum\nclass Card(enum.Enum):\n    B = enum.auto()\nx.to(Card.B.value)\n"));
  const std::string property =
      "class Net:\n    def __init__(self, device='cuda:1'):\n        self._device = device\n    @property\n"
      "    def device(self):\n        return self._device\n    def run(self):\n        x.to(self.device)\n";
  EXPECT_TRUE(
      is_outside_mask("class Net:\n    @property\n    def device(self):\n        return 'cuda:1'\n"
                      "x.to(Net().device)\n"));
  EXPECT_TRUE(is_outside_mask(property + "Net().run()\n"));
  EXPECT_TRUE(is_outside_mask(property + "x.to(Net().device)\n"));
  EXPECT_FALSE(is_outside_mask(property + "Net('cuda:0').run()\n"));
  EXPECT_FALSE(is_outside_mask(property + "x.to(Net('cuda:0').device)\n"));
  EXPECT_FALSE(
      is_outside_mask("class Net:\n    @property\n    def device(self):\n        return 'cuda:1'\n"
                      "class Sub(Net):\n    @property\n    def device(self):\n        return 'cuda:0'\n"
                      "x.to(Sub().device)\n"));
}

}  // namespace
}  // namespace weir::audit
