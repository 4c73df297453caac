// Devices in lambdas, closures and partial functions, and in unpacked arguments.

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "flow.hpp"

namespace weir::audit {
namespace {

using test_kit::Codes;
using test_kit::is_outside_mask;

TEST(AuditStrangeFlow, LambdasAndClosuresReturnTheirDevices) {
  for (const std::string& code : Codes{
           "f = lambda: 'cuda:1'\nx.to(f())\n", "name = lambda i: f'cuda:{i}'\nx.to(name(1))\n",
           "place = lambda t, d='cuda:1': t.to(d)\nplace(x)\n", "place = lambda t, d: t.to(d)\nplace(x, 'cuda:1')\n",
           "def outer():\n    device = 'cuda:1'\n    def inner():\n        return device\n    x.to(inner())\nouter()\n",
           "def outer(device):\n    def inner():\n        x.to(device)\n    inner()\nouter('cuda:1')\n",
           "def make(device):\n    def inner():\n        return device\n    return inner\nx.to(make('cuda:1')())\n",
           "def make(device):\n    def inner(t):\n        return t.to(device)\n    return inner\nf = "
           "make('cuda:1')\nf(x)\n",
           "def make(i):\n    return lambda: f'cuda:{i}'\nx.to(make(1)())\n"})
    EXPECT_TRUE(is_outside_mask(code)) << code;
  for (const std::string& code : Codes{
           "f = lambda: 'cuda:0'\nx.to(f())\n", "name = lambda i: f'cuda:{i}'\nx.to(name(0))\n",
           "place = lambda t, d='cuda:1': t.to(d)\nplace(x, 'cuda:0')\n",
           "def outer(device='cuda:1'):\n    def inner(device='cuda:0'):\n        x.to(device)\n    inner()\nouter()\n",
           "def make(device):\n    def inner(t):\n        return t.to(device)\n    return inner\nf = "
           "make('cuda:0')\nf(x)\n",
           "def make(device):\n    def inner(t):\n        return t.to(device)\n    return inner\nf = make('cuda:1')\n",
           "def outer():\n    device = 'cuda:1'\n    def inner():\n        nonlocal device\n        device = 'cuda:0'\n"
           "    inner()\n    x.to(device)\nouter()\n",
           "name = lambda i: f'cuda:{i}'\nx.to(name(rank()))\n"})
    EXPECT_FALSE(is_outside_mask(code)) << code;
}

TEST(AuditStrangeFlow, DefaultsAreEvaluatedAtTheDefinition) {
  const std::string use = "import torch\ntorch.zeros(1).cuda()\n";
  for (const std::string define :
       {"def f(x=os.environ.__setitem__('CUDA_VISIBLE_DEVICES', '1')): pass\n",
        "class C:\n    def f(self, x=os.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')): pass\n",
        "def g():\n    def f(x=os.putenv('CUDA_VISIBLE_DEVICES', '1')): pass\ng()\n"}) {
    EXPECT_EQ(test_kit::findings_of({{"a.py", fmt::format("import os\n{}{}", define, use)}}, {}, {"G01", "G03", "G07"}),
              test_kit::Lines{})
        << define;
    EXPECT_FALSE(test_kit::findings_of({{"a.py", fmt::format("import os\n{}{}", use, define)}}, {}, {"G03"}).empty())
        << define;
  }
}

TEST(AuditStrangeFlow, PartialFunctionsKeepTheirArguments) {
  const std::string load = "from functools import partial\ndef load(t, device='cuda:0'):\n    return t.to(device)\n";
  for (const std::string& code :
       Codes{load + "f = partial(load, device='cuda:1')\nf(x)\n", load + "f = partial(load, x, 'cuda:1')\nf()\n",
             load + "partial(load, device='cuda:1')(x)\n",
             std::string{"import functools\nzeros = functools.partial(torch.zeros, "
                         "device='cuda:1')\nzeros(2)\n"}})
    EXPECT_TRUE(is_outside_mask(code)) << code;
  for (const std::string& code :
       Codes{load + "f = partial(load, device='cuda:0')\nf(x)\n",
             load + "f = partial(load, device='cuda:1')\nf(x, device='cuda:0')\n",
             load + "f = partial(load, device='cuda:1')\nload(x)\n", load + "f = partial(load, x)\nf('cuda:0')\n"})
    EXPECT_FALSE(is_outside_mask(code)) << code;
}

TEST(AuditStrangeFlow, UnpackedArgumentsAreFollowed) {
  const std::string make = "def make(n, **kwargs):\n    return torch.zeros(n, **kwargs)\n";
  const std::string on =
      "def go(t, device='cuda:0'):\n    t.to(device)\ndef run(*args, **kwargs):\n    go(*args, **kwargs)\n";
  for (const std::string& code :
       Codes{std::string{"opts = {'device': 'cuda:1'}\ntorch.zeros(2, **opts)\n"},
             std::string{"opts = dict(device='cuda:1')\ntorch.zeros(2, **opts)\n"},
             std::string{"def go(t, device):\n    t.to(device)\nopts = {'device': 'cuda:1'}\ngo(x, **opts)\n"},
             std::string{"def go(t, device):\n    t.to(device)\nparts = (x, 'cuda:1')\ngo(*parts)\n"},
             make + "make(2, device='cuda:1')\n", make + "opts = {'device': 'cuda:1'}\nmake(2, **opts)\n",
             on + "run(x, 'cuda:1')\n", on + "run(x, device='cuda:1')\n",
             std::string{"def go(**opts):\n    x.to(opts['device'])\ngo(device='cuda:1')\n"},
             std::string{"def go(**opts):\n    x.to(opts.get('device', 'cuda:0'))\ngo(device='cuda:1')\n"},
             std::string{"def go(*devices):\n    x.to(devices[1])\ngo('cuda:0', 'cuda:1')\n"},
             std::string{"def wrap(ids):\n    torch.nn.DataParallel(x, device_ids=ids)\nwrap([0, 1])\n"}})
    EXPECT_TRUE(is_outside_mask(code)) << code;
  for (const std::string& code :
       Codes{std::string{"opts = {'device': 'cuda:0', 'note': 'cuda:1'}\ntorch.zeros(2, **opts)\n"},
             std::string{"opts = {'device': 'cuda:1'}\nopts['device'] = 'cuda:0'\ntorch.zeros(2, **opts)\n"},
             std::string{"opts = {'device': 'cuda:1'}\nopts.update(device='cuda:0')\ntorch.zeros(2, **opts)\n"},
             std::string{"opts = {**read(), 'name': 'cuda:1'}\ntorch.zeros(2, **opts)\n"},
             make + "make(2, device='cuda:0')\n", make + "make('cuda:1')\n", on + "run(x, 'cuda:0')\n",
             on + "run('cuda:1')\n", on + "run(x, *read())\n",
             std::string{"def go(**opts):\n    x.to(opts.get('device', 'cuda:0'))\ngo(other='cuda:1')\n"},
             std::string{"def go(*devices):\n    x.to(devices[0])\ngo('cuda:0', 'cuda:1')\n"},
             std::string{"def go(**opts):\n    x.to(opts.pop('device', 'cuda:1'))\ngo(device='cuda:0')\n"},
             std::string{"def go(a, *rest, device='cuda:0'):\n    x.to(device)\ngo(1, 2, 'cuda:1')\n"}})
    EXPECT_FALSE(is_outside_mask(code)) << code;
}

}  // namespace
}  // namespace weir::audit
