// Further device flows (G08), found with a hold-out set of small programs.

#include <string>

#include <gtest/gtest.h>

#include "flow.hpp"

namespace weir::audit {
namespace {

using test_kit::Codes;
using test_kit::is_outside_mask;

TEST(AuditStrangeFlow, MoreDeviceFlowsAreFollowed) {
  const std::string context =
      "class On:\n    def __init__(self, d):\n        self.d = d\n    def __enter__(self):\n        return self.d\n"
      "    def __exit__(self, *e):\n        pass\n";
  const std::string generator = "def devices():\n    yield 'cuda:0'\n    yield 'cuda:1'\n";
  for (const std::string& code :
       Codes{"x.to(':'.join(['cuda', '1']))\n", "x.to('cuda:%d' % (2 - 1))\n", "x.to('cuda:1,cuda:0'.split(',')[0])\n",
             "x.to(torch.device(type='cuda', index=1))\n", "if (d := 'cuda:1'):\n    x.to(d)\n",
             "D = 'cuda:0'\ndef choose():\n    global D\n    D = 'cuda:1'\nchoose()\nx.to(D)\n",
             "class Net:\n    DEVICE = 'cuda:1'\n    @classmethod\n    def place(cls):\n        return cls.DEVICE\n"
             "x.to(Net.place())\n",
             context + "with On('cuda:1') as d:\n    x.to(d)\n", generator + "for d in devices():\n    x.to(d)\n"})
    EXPECT_TRUE(is_outside_mask(code)) << code;
  for (const std::string& code :
       Codes{"x.to(':'.join(['cuda', '0']))\n", "x.to('cuda:%d' % (2 - 2))\n", "x.to('cuda:1,cuda:0'.split(',')[1])\n",
             "x.to(torch.device(type='cuda', index=0))\n", "x.to(torch.device(type='cpu', index=1))\n",
             context + "with On('cuda:0') as d:\n    x.to(d)\n",
             context + "with On('cuda:1') as d:\n    x.to('cuda:0')\n",
             "def devices():\n    yield 'cuda:0'\n    if more():\n        yield 'cuda:1'\nfor d in devices():\n    "
             "x.to(d)\n",
             generator + "for d in devices():\n    x.to(d)\n    break\n"})
    EXPECT_FALSE(is_outside_mask(code)) << code;
}

}  // namespace
}  // namespace weir::audit
