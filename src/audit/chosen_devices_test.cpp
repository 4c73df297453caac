// G08 for a number that the user, the scheduler or the program chooses at run time, used both in the mask and as a
// device number under it.

#include <string>

#include <gtest/gtest.h>

#include "audit_findings.hpp"

namespace weir::audit {
namespace {

using namespace test_kit;  // NOLINT(google-build-using-namespace)

const std::string kOrdered = "os.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\n";

Lines indices(const Files& files) { return findings_of(files, one_device_policy(), {"G08"}); }

TEST(AuditChosenDevices, TheNumberInAMaskIsNoDeviceNumberUnderIt) {
  const std::string parse = "import argparse, os\np = argparse.ArgumentParser()\np.add_argument('--gpu')\n";
  const std::string mask = "os.environ['CUDA_VISIBLE_DEVICES'] = str(args.gpu)\nimport torch\n";
  const std::string parsed = parse + "args = p.parse_args()\n" + kOrdered + mask;
  const auto one = [&](const std::string& use) { return indices({{"a.py", parsed + use}}); };
  const Lines last{"a.py:8 G08"};
  EXPECT_EQ(one("torch.cuda.set_device(args.gpu)\n"), last);
  EXPECT_EQ(one("d = torch.device(f'cuda:{args.gpu}')\n"), last);
  EXPECT_EQ(one("d = torch.device('cuda:{}'.format(args.gpu))\n"), last);
  EXPECT_EQ(one("d = torch.device('cuda:%d' % args.gpu)\n"), last);
  EXPECT_EQ(one("d = torch.device('cuda:' + args.gpu)\n"), last);
  EXPECT_EQ(one("d = torch.device('cuda', int(args.gpu))\n"), last);
  EXPECT_EQ(one("net = torch.nn.Linear(2, 2).cuda(args.gpu)\n"), last);
  EXPECT_EQ(one("net = torch.nn.DataParallel(torch.nn.Linear(2, 2), device_ids=[args.gpu])\n"), last);
  // Another number, one that was recomputed, the default device, another choice.
  EXPECT_EQ(one("torch.cuda.set_device(0)\n"), Lines{});
  EXPECT_EQ(one("net = torch.nn.Linear(2, 2).cuda()\n"), Lines{});
  EXPECT_EQ(one("torch.cuda.set_device(args.rank)\n"), Lines{});
  EXPECT_EQ(one("args.gpu = 0\ntorch.cuda.set_device(args.gpu)\n"), Lines{});
  // The same number, although its text may be a whole device.
  EXPECT_EQ(one("d = torch.device(args.gpu)\n"), last);
  // Numbers computed from it.
  EXPECT_EQ(one("n = len(args.gpu.split(','))\ntorch.cuda.set_device(n - 1)\n"), Lines{});
  EXPECT_EQ(one("at = args.gpus.index(args.gpu)\ntorch.cuda.set_device(at)\n"), Lines{});
  EXPECT_EQ(one("for i, g in enumerate(args.gpu):\n    torch.cuda.set_device(i)\n"), Lines{});
}

TEST(AuditChosenDevices, TheNumberIsRecognisedFromEverySource) {
  const auto body = [](const std::string& how, const std::string& what) {
    return Files{{"a.py", "import os, sys\n" + how + kOrdered + "os.environ['CUDA_VISIBLE_DEVICES'] = str(" + what +
                              ")\nimport torch\ntorch.cuda.set_device(int(" + what + "))\n"}};
  };
  EXPECT_EQ(indices(body("", "os.environ['GPU']")), Lines{"a.py:5 G08"});
  EXPECT_EQ(indices(body("", "os.environ['LOCAL_RANK']")), Lines{"a.py:5 G08"});
  EXPECT_EQ(indices(body("rank = int(os.environ['LOCAL_RANK'])\n", "rank")), Lines{"a.py:6 G08"});
  EXPECT_EQ(indices(body("", "sys.argv[1]")), Lines{"a.py:5 G08"});
  EXPECT_EQ(indices(body("from cards import free\ngpu = free()\n", "gpu")), Lines{"a.py:7 G08"});
  EXPECT_EQ(indices(body("import yaml\nc = yaml.safe_load(open('c.yaml'))\n", "c['gpu']")), Lines{"a.py:7 G08"});
  // Two calls give two values; so do two keys.
  EXPECT_EQ(indices({{"a.py", "import os\nfrom cards import card, place\n" + kOrdered +
                                  "os.environ['CUDA_VISIBLE_DEVICES'] = str(card())\nimport torch\n"
                                  "torch.cuda.set_device(place())\n"}}),
            Lines{});
  EXPECT_EQ(indices({{"a.py", "import os, json\nc = json.load(open('c'))\n" + kOrdered +
                                  "os.environ['CUDA_VISIBLE_DEVICES'] = c['mask']\nimport torch\n"
                                  "torch.cuda.set_device(c['index'])\n"}}),
            Lines{});
}

TEST(AuditChosenDevices, ParametersTakeTheirCallersValues) {
  const std::string both =
      "    os.environ['CUDA_VISIBLE_DEVICES'] = str(gpu)\n    import torch\n"
      "    return torch.device('cuda', gpu)\n";
  EXPECT_EQ(indices({{"a.py", "import os\n" + kOrdered + "def choose(gpu):\n" + both}}), Lines{"a.py:6 G08"});
  EXPECT_EQ(indices({{"a.py", "import os, click\n" + kOrdered +
                                  "@click.command()\n@click.option('--gpu')\ndef main(gpu):\n    select(gpu)\n"
                                  "    work(gpu)\ndef select(n):\n    os.environ['CUDA_VISIBLE_DEVICES'] = n\n"
                                  "def work(n):\n    import torch\n    torch.cuda.set_device(n)\n"
                                  "if __name__ == '__main__':\n    main()\n"}}),
            Lines{"a.py:12 G08"});
  // With 0, which its only caller passes, the code is correct.
  EXPECT_EQ(indices({{"a.py", "import os\n" + kOrdered + "def choose(gpu):\n" + both + "choose(0)\n"}}), Lines{});
  // The mask of one call is not the number of the other.
  EXPECT_EQ(indices({{"a.py", "import os\n" + kOrdered +
                                  "def select(n):\n    os.environ['CUDA_VISIBLE_DEVICES'] = n\n"
                                  "def work(n):\n    import torch\n    torch.cuda.set_device(n)\n"
                                  "def both(a, b):\n    select(a)\n    work(b)\n"}}),
            Lines{});
}

TEST(AuditChosenDevices, ListsOfCardsAreCountedFromZeroToo) {
  const auto body = [](const std::string& ids) {
    return Files{{"a.py", "import argparse, os\nargs = argparse.ArgumentParser().parse_args()\n" + kOrdered +
                              "os.environ['CUDA_VISIBLE_DEVICES'] = args.gpus\nimport torch\nids = " + ids +
                              "\nnet = torch.nn.DataParallel(torch.nn.Linear(2, 2).cuda(), device_ids=ids)\n"}};
  };
  EXPECT_EQ(indices(body("[int(g) for g in args.gpus.split(',')]")), Lines{"a.py:7 G08"});
  EXPECT_EQ(indices(body("list(map(int, args.gpus.split(',')))")), Lines{"a.py:7 G08"});
  EXPECT_EQ(indices(body("list(range(len(args.gpus.split(','))))")), Lines{});
  EXPECT_EQ(indices(body("range(torch.cuda.device_count())")), Lines{});
}

TEST(AuditChosenDevices, ALateMaskIsReportedInItsOwnFunctionOnly) {
  const std::string select = "def select(args):\n    os.environ['CUDA_VISIBLE_DEVICES'] = str(args.gpu)\n";
  const std::string start = "import os, torch\ntorch.cuda.is_available()\n";
  EXPECT_EQ(indices({{"a.py", start + select + "    return torch.device(f'cuda:{args.gpu}')\n"}}), Lines{"a.py:5 G08"});
  EXPECT_EQ(
      indices({{"a.py", start + select + "def go(args):\n    select(args)\n    torch.cuda.set_device(args.gpu)\n"}}),
      Lines{});
}

TEST(AuditChosenDevices, OverwrittenAttributesAreOtherValues) {
  const std::string head = "import os, torch\n" + kOrdered +
                           "class Run:\n    def __init__(self, args):\n"
                           "        self.args = args\n    def go(self):\n"
                           "        os.environ['CUDA_VISIBLE_DEVICES'] = str(self.args.gpu)\n";
  const std::string use = "        torch.cuda.set_device(self.args.gpu)\n";
  EXPECT_EQ(indices({{"a.py", head + use}}), Lines{"a.py:8 G08"});
  EXPECT_EQ(indices({{"a.py", head + "        self.args.gpu = 0\n" + use}}), Lines{});
  EXPECT_EQ(indices({{"a.py", head + "        renumber(self.args)\n" + use +
                                  "def renumber(args):\n    args.gpu = args.first\n"}}),
            Lines{});
}

TEST(AuditChosenDevices, ObjectsOfOtherModulesKeepTheirArguments) {
  const Files work{{"work.py",
                    "class Base:\n    def __init__(self, device):\n        self.device = device\n"
                    "class Work(Base):\n    def __init__(self, width, device='cuda:0'):\n"
                    "        super().__init__(device)\n        self.width = width\n    def go(self, net):\n"
                    "        return net.to(self.device)\n"},
                   {"pack/__init__.py", "from work import Work\n"}};
  const auto with = [&](const std::string& text) {
    Files files = work;
    files.emplace("a.py", kHeader + text);
    return indices(files);
  };
  EXPECT_EQ(with("from work import Work\nWork(3, device='cuda:1').go(None)\n"), Lines{"a.py:5 G08"});
  EXPECT_EQ(with("from work import Work\nw = Work(3, 'cuda:1')\nw.go(None)\n"), Lines{"a.py:5 G08"});
  EXPECT_EQ(with("from pack import Work\nw = Work(3, 'cuda:1')\nw.go(None)\n"), Lines{"a.py:5 G08"});
  EXPECT_EQ(with("from work import Work\nc = {'device': 'cuda:1'}\ndef main():\n    w = Work(2, c['device'])\n"
                 "    w.go(None)\nmain()\n"),
            Lines{"a.py:5 G08"});
  EXPECT_EQ(with("from work import Work\nWork(3).go(None)\n"), Lines{});
  // An object within an object.
  const std::string pair =
      "from work import Work\nclass Pair:\n    def __init__(self, a, b):\n"
      "        self.a = Work(2, a)\n        self.b = Work(2, b)\n    def go(self):\n"
      "        self.a.go(None)\n        self.b.go(None)\n";
  EXPECT_EQ(with(pair + "Pair('cuda:0', 'cuda:1').go()\n"), Lines{"a.py:12 G08"});
  EXPECT_EQ(with(pair + "Pair('cuda:0', 'cuda:0').go()\n"), Lines{});
  EXPECT_EQ(with("from work import Work\nWork(3, 'cuda:0').go(None)\nother = 'cuda:1'\n"), Lines{});
}

}  // namespace
}  // namespace weir::audit
