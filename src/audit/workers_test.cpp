// Functions that other code runs: pools, threads, child processes, servers and model runners.

#include <string>

#include <gtest/gtest.h>

#include "audit_findings.hpp"

namespace weir::audit {
namespace {

using namespace test_kit;  // NOLINT(google-build-using-namespace)

const std::string kTask =
    "def task(job):\n    path, card = job\n    os.environ['CUDA_VISIBLE_DEVICES'] = str(card)\n"
    "    import torch\n    return torch.load(path).cuda()\n";

/// Returns the findings of G03 and G25 for a program with kTask; `pool` is the code that passes the task to a pool.
Lines findings_of_pool(const std::string& pool) {
  return findings_of({{"a.py", "import os\n" + kTask + pool}}, one_device_policy(), {"G03", "G25"});
}

TEST(AuditWorkers, APoolWorkerKeepsItsDriver) {
  const Lines dead{"a.py:4 G03"};
  EXPECT_EQ(findings_of_pool("import multiprocessing as mp\nwith mp.Pool(4) as p:\n    p.map(task, [])\n"), dead);
  EXPECT_EQ(findings_of_pool("from multiprocessing import Pool\np = Pool(2)\nlist(p.imap_unordered(task, []))\n"),
            dead);
  EXPECT_EQ(findings_of_pool(
                "import torch.multiprocessing as mp\np = mp.get_context('spawn').Pool(2)\np.starmap(task, [])\n"),
            dead);
  EXPECT_EQ(findings_of_pool("from concurrent.futures import ProcessPoolExecutor\nwith ProcessPoolExecutor() as e:\n"
                             "    e.submit(task, ('a', 1))\n"),
            dead);
  EXPECT_EQ(findings_of_pool(
                "from functools import partial\nfrom multiprocessing import Pool\nPool(2).map(partial(task), [])\n"),
            dead);
  EXPECT_EQ(
      findings_of_pool("from joblib import Parallel, delayed\nParallel(n_jobs=2)(delayed(task)(j) for j in [])\n"),
      dead);
  // A mask that is set after an import (G01) is a separate defect.
  EXPECT_EQ(findings_of({{"a.py",
                          "import os, torch\nfrom multiprocessing import Pool\ndef task(card):\n"
                          "    os.environ['CUDA_VISIBLE_DEVICES'] = card\n    torch.ones(1).cuda()\n"
                          "Pool(2).map(task, [])\n"}},
                        one_device_policy(), {"G01", "G03"}),
            (Lines{"a.py:4 G01", "a.py:4 G03"}));
  // No finding: each task has a process of its own.
  EXPECT_EQ(findings_of_pool("from multiprocessing import Pool\np = Pool(2, maxtasksperchild=1)\np.map(task, [])\n"),
            Lines{});
  EXPECT_EQ(findings_of_pool("from multiprocessing import Process\nProcess(target=task, args=(('a', 1),)).start()\n"),
            Lines{});
  EXPECT_EQ(findings_of_pool("import torch.multiprocessing as mp\nmp.spawn(task, nprocs=2)\n"), Lines{});
}

TEST(AuditWorkers, AMaskSetOncePerWorkerIsCorrect) {
  const std::string worker =
      "import multiprocessing as mp\nimport os\ndef start(queue):\n"
      "    os.environ['CUDA_VISIBLE_DEVICES'] = str(queue.get())\n"
      "def task(path):\n    import torch\n    return torch.load(path).cuda()\n";
  EXPECT_EQ(
      findings_of({{"a.py", worker + "p = mp.Pool(2, initializer=start, initargs=(mp.Queue(),))\np.map(task, [])\n"}},
                  one_device_policy(), {"G03"}),
      Lines{});
  // No finding: a constant mask, and a mask for a command that the task starts.
  const std::string pool = "from multiprocessing import Pool\nPool(2).map(task, [])\n";
  EXPECT_EQ(findings_of({{"a.py",
                          "import os\ndef task(j):\n    os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n    import torch\n"
                          "    torch.ones(1).cuda()\n" +
                              pool}},
                        one_device_policy(), {"G03"}),
            Lines{});
  EXPECT_EQ(findings_of({{"a.py",
                          "import os, subprocess\ndef task(j):\n    os.environ['CUDA_VISIBLE_DEVICES'] = str(j)\n"
                          "    subprocess.run(['train', str(j)])\n" +
                              pool}},
                        one_device_policy(), {"G03"}),
            Lines{});
  // The init function of a loader's workers runs in the workers.
  EXPECT_EQ(findings_of({{"a.py",
                          "import os, torch\nfrom torch.utils.data import DataLoader\n"
                          "def init(i):\n    os.environ['CUDA_VISIBLE_DEVICES'] = ''\n"
                          "if __name__ == '__main__':\n    torch.ones(1).cuda()\n"
                          "    DataLoader([], num_workers=2, worker_init_fn=init)\n"}},
                        one_device_policy(), {"G03"}),
            Lines{});
}

TEST(AuditWorkers, ThreadsShareTheEnvironment) {
  const Lines shared{"a.py:4 G25"};
  EXPECT_EQ(findings_of_pool("from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as e:\n"
                             "    e.map(task, [])\n"),
            shared);
  EXPECT_EQ(findings_of_pool("from multiprocessing.pool import ThreadPool\nThreadPool(2).map(task, [])\n"), shared);
  EXPECT_EQ(findings_of_pool("from joblib import Parallel, delayed\n"
                             "Parallel(n_jobs=2, prefer='threads')(delayed(task)(j) for j in [])\n"),
            shared);
  EXPECT_EQ(findings_of({{"a.py",
                          "import os, threading\nclass Worker(threading.Thread):\n    def run(self):\n"
                          "        os.environ['CUDA_VISIBLE_DEVICES'] = str(self.name)\n"}},
                        one_device_policy(), {"G25"}),
            Lines{"a.py:4 G25"});
  EXPECT_EQ(findings_of({{"a.py", "import threading\nfrom b import task\nthreading.Thread(target=task).start()\n"},
                         {"b.py", "import os\n" + kTask}},
                        one_device_policy(), {"G25"}),
            Lines{"b.py:4 G25"});
}

TEST(AuditWorkers, WorkOfWorkersCountsForTheProgram) {
  const std::string main = "if __name__ == '__main__':\n    mp.spawn(work, nprocs=2)\n";
  const std::string head = "import torch\nimport torch.distributed as dist\nimport torch.multiprocessing as mp\n";
  const auto with = [&](const std::string& body) {
    return findings_of({{"a.py", head + "def work(rank):\n" + body + main}}, one_device_policy(), {"G05", "G13"});
  };
  const Lines both{"a.py:1 G05", "a.py:7 G13"};
  EXPECT_EQ(with("    dist.init_process_group('nccl', rank=rank)\n    pass\n"), (Lines{"a.py:1 G05", "a.py:8 G13"}));
  EXPECT_EQ(with("    torch.ones(2).to(f'cuda:{rank}')\n"), both);
  EXPECT_EQ(with("    dist.init_process_group('gloo')\n"), Lines{});
  EXPECT_EQ(with("    torch.cuda.get_device_properties(rank)\n"), Lines{});
  EXPECT_EQ(with("    import os\n    os.environ['CUDA_VISIBLE_DEVICES'] = str(rank)\n    torch.ones(1).cuda()\n"),
            Lines{"a.py:9 G13"});
}

TEST(AuditWorkers, ServersAndRunnersArePrograms) {
  const std::string net = "net = torch.nn.Linear(2, 2).to('cuda')\n";
  const auto rules = [](const std::string& text) {
    return findings_of({{"a.py", text}}, one_device_policy(), {"G05", "G13"});
  };
  EXPECT_EQ(rules("import torch\nfrom fastapi import FastAPI\napp = FastAPI()\n" + net),
            (Lines{"a.py:1 G05", "a.py:4 G13"}));
  EXPECT_EQ(rules("import torch\nfrom flask import Flask\napp = Flask(__name__)\n@app.route('/')\ndef page():\n"
                  "    return torch.ones(1).cuda()\n"),
            (Lines{"a.py:1 G05", "a.py:4 G13"}));
  EXPECT_EQ(rules("import torch\nfrom cog import BasePredictor\nclass Predictor(BasePredictor):\n"
                  "    def setup(self):\n        self.net = torch.nn.Linear(2, 2).to('cuda')\n"),
            (Lines{"a.py:1 G05", "a.py:3 G13"}));
  EXPECT_EQ(rules("import torch\nclass Predictor:\n    def setup(self):\n"
                  "        self.net = torch.nn.Linear(2, 2).to('cuda')\n"),
            Lines{});
  EXPECT_EQ(
      findings_of({{"engine.py",
                    "class Engine:\n    def __init__(self, config, device='cuda'):\n"
                    "        self.device = device\n    def load(self, net):\n        net.to(self.device)\n"},
                   {"a.py",
                    "import torch\nfrom flask import Flask\nfrom engine import Engine\napp = Flask('a')\n"
                    "engine = Engine({})\n@app.route('/')\ndef page():\n    engine.load(torch.nn.Linear(1, 1))\n"}},
                  one_device_policy(), {"G05", "G13"}),
      (Lines{"a.py:1 G05", "a.py:6 G13"}));
  EXPECT_EQ(rules("import torch\nprint(torch.ones(2).cuda())\n"), (Lines{"a.py:1 G05", "a.py:2 G13"}));
  const std::string work = "import torch\ndef main():\n    print(torch.ones(2).cuda())\n";
  EXPECT_EQ(rules(work + "main()\n"), (Lines{"a.py:1 G05", "a.py:4 G13"}));
  EXPECT_EQ(rules(work + "import host\nhost.on_start(main)\n"), Lines{});  // a plug-in
  EXPECT_EQ(rules(work + "done = main()\n"), Lines{});                     // a module that creates something for others
  // A module that other files import is no program.
  EXPECT_EQ(findings_of({{"a.py", "import torch\n" + net}, {"b.py", "import a\ndef f():\n    return a.net\n"}},
                        one_device_policy(), {"G05", "G13"}),
            Lines{});
}

TEST(AuditWorkers, AFlatScriptIsAProgram) {
  const auto rules = [](const std::string& name, const std::string& text) {
    return findings_of({{name, text}}, one_device_policy(), {"G05", "G13"});
  };
  const std::string net = "import torch\nclass Net(torch.nn.Module):\n    pass\n";
  const std::string helper = "import torch\ndef helper():\n    return 1\n";
  EXPECT_EQ(rules("a.py", net + "model = Net().cuda()\n"), (Lines{"a.py:1 G05", "a.py:4 G13"}));
  EXPECT_EQ(rules("a.py", helper + "torch.zeros(1).cuda()\n"), (Lines{"a.py:1 G05", "a.py:4 G13"}));
  EXPECT_EQ(rules("a.py", net + "device = torch.device('cuda')\nmodel = Net().to(device)\n"),
            (Lines{"a.py:1 G05", "a.py:4 G13"}));
  // Naming a device is no work, a test is run by its runner, and a part of a package by its importer.
  EXPECT_EQ(rules("a.py", helper + "DEVICE = torch.device('cuda')\n"), Lines{});
  EXPECT_EQ(rules("test_a.py", helper + "torch.zeros(1).cuda()\n"), Lines{});
  EXPECT_EQ(rules("__init__.py", helper + "torch.zeros(1).cuda()\n"), Lines{});
  EXPECT_EQ(findings_of({{"pack/__init__.py", ""}, {"pack/a.py", helper + "torch.zeros(1).cuda()\n"}},
                        one_device_policy(), {"G05"}),
            Lines{});
  EXPECT_EQ(
      findings_of({{"a.py", helper + "torch.zeros(1).cuda()\n"}, {"b.py", "import a\n"}}, one_device_policy(), {"G05"}),
      Lines{"b.py:1 G05"});
}

TEST(AuditWorkers, TheMainFileOfAPackageIsAProgram) {
  const std::string run = "import torch\ndef run():\n    torch.zeros(1).cuda()\n";
  const std::string call = "from . import run\nrun()\n";
  const Files files{{"pack/__init__.py", run}, {"pack/__main__.py", call}};
  EXPECT_EQ(findings_of(files, one_device_policy(), {"G05", "G13"}), (Lines{"__main__.py:1 G05", "__main__.py:2 G13"}));
  // The package runs first, so a header in the main file would come after its imports.
  EXPECT_EQ(apply_fixes(files, one_device_policy(), true).at("pack/__main__.py").find("VISIBLE_DEVICES"),
            std::string::npos);
  EXPECT_NE(
      apply_fixes(
          {{"pack/__init__.py", ""}, {"pack/work.py", run}, {"pack/__main__.py", "from .work import run\nrun()\n"}},
          one_device_policy(), true)
          .at("pack/__main__.py")
          .find("VISIBLE_DEVICES"),
      std::string::npos);
}

TEST(AuditWorkers, AProbeOfATestMachineIsNoWork) {
  const std::string probe =
      "import os, torch\ntry:\n    import fast\n    if 'CI' in os.environ:\n"
      "        x = torch.ones(2, device='cuda')\nexcept ImportError:\n    pass\n";
  EXPECT_EQ(
      findings_of({{"lib.py", probe}, {"a.py", "import torch\nimport lib\nif __name__ == '__main__':\n    print(1)\n"}},
                  one_device_policy(), {"G05", "G13"}),
      Lines{});
  const std::string insists = "import torch\nif not torch.cuda.is_available():\n    raise SystemExit('no GPU')\n";
  EXPECT_TRUE(has_rule(
      findings_of({{"a.py", insists + "if __name__ == '__main__':\n    print(1)\n"}}, one_device_policy()), "G05"));
}

}  // namespace
}  // namespace weir::audit
