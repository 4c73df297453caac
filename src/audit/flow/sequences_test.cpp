// Devices in tuples and lists, and in loops over them.

#include <string>

#include <gtest/gtest.h>

#include "flow.hpp"

namespace weir::audit {
namespace {

using test_kit::Codes;
using test_kit::is_outside_mask;

TEST(AuditStrangeFlow, TupleElementsAreKnownByPosition) {
  for (const std::string& code :
       Codes{"name, device = 'a', 'cuda:1'\nx.to(device)\n", "(name, device) = ('a', 'cuda:1')\nx.to(device)\n",
             "pair = ('a', 'cuda:1')\nname, device = pair\nx.to(device)\n", "pair = ['a', 'cuda:1']\nx.to(pair[1])\n",
             "pair = ('a', 'cuda:1')\nx.to(pair[-1])\n", "a, (b, c) = 1, ('x', 'cuda:1')\nx.to(c)\n",
             "def both():\n    return 'a', 'cuda:1'\nname, device = both()\nx.to(device)\n",
             "devices = ['cuda:1', 'cuda:1']\nx.to(devices[0])\n"})
    EXPECT_TRUE(is_outside_mask(code)) << code;
  for (const std::string& code :
       Codes{"name, device = 'cuda:1', 'cuda:0'\nx.to(device)\n", "pair = ('cuda:1', 'cuda:0')\nx.to(pair[1])\n",
             "pair = ['cuda:1', 'cpu']\nx.to(pair[-1])\n", "pair = ['cuda:1']\npair[0] = 'cuda:0'\nx.to(pair[0])\n",
             "pair = ['cuda:0', 'cuda:1']\npair.pop()\nx.to(pair[-1])\n",
             "pair = ['cuda:0', 'cuda:1']\npair.reverse()\nx.to(pair[0])\n",
             "def change(pair):\n    pair[0] = 'cuda:0'\npair = ['cuda:1']\nchange(pair)\n"
             "x.to(pair[0])\n",
             "devices = ['cuda:0', 'cuda:1'][:torch.cuda.device_count()]\nx.to(devices[0])\n",
             "a, *rest = 'cuda:1', 'cuda:0', 'cuda:0'\nx.to(rest[0])\n", "*rest, a = 'cuda:1', 'cuda:0'\nx.to(a)\n",
             "devices = ['cuda:0', 'cuda:1']\nx.to(devices[rank()])\n",
             "pair = ['cuda:1', 'cuda:0']\nother = pair\nother[0] = 'cuda:0'\nx.to(pair[0])\n",
             "class A:\n    def __init__(self):\n        self.ds = ['cuda:0', 'cuda:1']\n        self.ds.pop()\n"
             "    def go(self):\n        x.to(self.ds[-1])\nA().go()\n",
             "opts = {'device': 'cuda:1'}\ndel opts['device']\ntorch.zeros(2, **opts)\n",
             "class C:\n    device = 'cuda:1'\n    def __init__(self, device):\n        self.device = device\n"
             "x.to(C('cuda:0').device)\n"})
    EXPECT_FALSE(is_outside_mask(code)) << code;
}

TEST(AuditStrangeFlow, ZipEndsWithItsShortestList) {
  const auto loop_over = [](const std::string& lists) { return "for n, d in zip(" + lists + "):\n    x.to(d)\n"; };
  EXPECT_FALSE(is_outside_mask(loop_over("['a'], ['cuda:0', 'cuda:1']")));
  // A list that is not known may be as long as the known one.
  EXPECT_TRUE(is_outside_mask(loop_over("names, ['cuda:0', 'cuda:1']")));
  // `strict` is no list, and an unpacked list may be several of them.
  EXPECT_TRUE(is_outside_mask(loop_over("['a', 'b'], ['cuda:0', 'cuda:1'], strict=True")));
  EXPECT_FALSE(is_outside_mask("for n, d in zip(*names, ['cuda:0', 'cuda:1'], ['cuda:0', 'cuda:0']):\n    x.to(d)\n"));
}

TEST(AuditStrangeFlow, ALoopVisitsAllElements) {
  for (const std::string& code :
       Codes{"for d in ['cuda:0', 'cuda:1']:\n    x.to(d)\n",
             "for d in ('cuda:0', 'cuda:1'):\n    torch.zeros(1, device=d)\n",
             "for i in range(2):\n    x.to(f'cuda:{i}')\n", "for i in range(1, 2):\n    x.to('cuda:' + str(i))\n",
             "for i in range(2):\n    torch.cuda.set_device(i)\n",
             "for i in range(2):\n    x.to(torch.device('cuda', i))\n",
             "for i, d in enumerate(['cuda:0', 'cuda:1']):\n    print(i)\n    x.to(d)\n",
             "for n, d in zip('ab', ['cuda:0', 'cuda:1']):\n    x.to(d)\n",
             "for n, d in [('a', 'cuda:0'), ('b', 'cuda:1')]:\n    x.to(d)\n",
             "for n, d in {'a': 'cuda:0', 'b': 'cuda:1'}.items():\n    x.to(d)\n",
             "for d in {'a': 'cuda:0', 'b': 'cuda:1'}.values():\n    x.to(d)\n",
             "for d in {'cuda:0': 1, 'cuda:1': 2}:\n    x.to(d)\n",
             "DEVICES = ['cuda:0', 'cuda:1']\ndef run():\n    for d in DEVICES:\n"
             "        x.to(d)\nrun()\n",
             "y = [x.to(d) for d in ['cuda:0', 'cuda:1']]\n", "y = [x.to(f'cuda:{i}') for i in range(2)]\n",
             "ds = [f'cuda:{i}' for i in range(2)]\nx.to(ds[1])\n", "y = {d: x.to(d) for d in ['cuda:0', 'cuda:1']}\n"})
    EXPECT_TRUE(is_outside_mask(code)) << code;
  for (const std::string& code :
       Codes{"for d in ['cuda:0', 'cpu']:\n    x.to(d)\n", "for i in range(1):\n    x.to(f'cuda:{i}')\n",
             "for i in range(2):\n    i = 0\n    x.to(f'cuda:{i}')\n",
             "for i in range(torch.cuda.device_count()):\n    x.to(f'cuda:{i}')\n",
             "for i in range(2):\n    if i < torch.cuda.device_count():\n        x.to(f'cuda:{i}')\n",
             "for i in range(2):\n    if i == 1:\n        continue\n    x.to(f'cuda:{i}')\n",
             "for d in ['cuda:0', 'cuda:1']:\n    if works(d):\n        x.to(d)\n",
             "for d in ['cuda:0', 'cuda:1']:\n    try:\n        x.to(d)\n    except RuntimeError:\n        pass\n",
             "for d in ['cuda:0', 'cuda:1']:\n    x.to(d)\n    break\n",
             "def first():\n    for d in ['cuda:0', 'cuda:1']:\n        return x.to(d)\nfirst()\n",
             "y = [x.to(d) for d in ['cuda:0', 'cuda:1'] if works(d)]\n",
             "ds = [f'cuda:{i}' for i in range(2)]\nx.to(ds[0])\n",
             "for i, n in enumerate(['cuda:1', 'cuda:2']):\n    print(n)\n    torch.cuda.set_device(0)\n",
             "for d in sorted(['cuda:0', 'cuda:1'])[:1]:\n    x.to(d)\n",
             "for i in range(2):\n    print(i)\nx.to('cuda:0')\n"})
    EXPECT_FALSE(is_outside_mask(code)) << code;
}

}  // namespace
}  // namespace weir::audit
