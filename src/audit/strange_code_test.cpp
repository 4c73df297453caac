// Small projects that reproduce earlier errors of the rules or the fixer, each with its expected findings.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "audit/fix/fixer.hpp"
#include "audit_findings.hpp"
#include "program.hpp"

namespace weir::audit {
namespace {

using namespace test_kit;  // NOLINT(google-build-using-namespace)
using test::Folder;

TEST(AuditStrangeCode, AMaskNeededByAnotherProgramStays) {
  const Files files{
      {"drive.py", kHeader + "import engine\n\nengine.run()\n"},
      {"drive2.py", "import engine\nengine.run()\n"},
      {"engine.py", kHeader + "import torch\n\n\ndef run():\n    return torch.ones(4).to(\"cuda:0\")\n\n\n"
                              "if __name__ == \"__main__\":\n    print(run())\n"}};
  EXPECT_EQ(apply_fixes(files, one_device_policy(), false), files);
  const Files unsafe = apply_fixes(files, one_device_policy(), true);
  EXPECT_NE(unsafe.at("engine.py").find("\"CUDA_VISIBLE_DEVICES\", \"1\""), std::string::npos);
  // One file that no other file runs, with the same line twice: the second is deleted.
  const Files twice{{"a.py", kHeader + "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n"}};
  EXPECT_EQ(apply_fixes(twice, one_device_policy(), false).at("a.py"), kHeader + "import torch\n");
}

TEST(AuditStrangeCode, AMaskOfACardOutsideThePolicyIsReported) {
  const std::string program =
      "import os\nos.environ.setdefault(\"CUDA_DEVICE_ORDER\", \"PCI_BUS_ID\")\n"
      "os.environ.setdefault(\"CUDA_VISIBLE_DEVICES\", \"0\")\nimport torch\nimport weir\n\nweir.verify()\n"
      "x = torch.ones(4).to(\"cuda:0\")\n";
  EXPECT_EQ(findings_of({{"a.py", program}}, one_device_policy()), Lines{"a.py:3 G33"});
  EXPECT_TRUE(findings_of({{"a.py", program}}, one_device_policy("RTX 3090", "0")).empty());
  EXPECT_TRUE(findings_of({{"run.sh", "export CUDA_DEVICE_ORDER=PCI_BUS_ID\nCUDA_VISIBLE_DEVICES=1,0 python a.py\n"}},
                          one_device_policy()) == Lines{"run.sh:2 G33"});
  // A mask without cards selects no forbidden card, and a UUID cannot be compared with an index.
  for (const std::string mask : {"", "-1", "GPU-5b1f3b1e"})
    EXPECT_FALSE(has_rule(findings_of({{"a.py", "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '" + mask + "'\n"}},
                                      one_device_policy()),
                          "G33"))
        << mask;
  const std::string wrong =
      "import os\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"0\"\nimport torch\ntorch.ones(1).cuda()\n";
  EXPECT_EQ(apply_fixes({{"a.py", wrong}}, one_device_policy(), false).at("a.py").find("setdefault(\"CUDA_VISIBLE"),
            std::string::npos);
  EXPECT_EQ(apply_fixes({{"a.py", wrong}}, one_device_policy(), true).at("a.py").find("\"0\""), std::string::npos);
}

TEST(AuditStrangeCode, ADeviceIsFollowedThroughDictionariesAndConstructors) {
  const Policy policy = one_device_policy();
  const auto in = [&](const std::string& code) {
    return findings_of({{"a.py", kHeader + "import torch\n" + code}}, policy, {"G08"});
  };
  EXPECT_EQ(in("cfg = {\"device\": \"cuda:1\"}\ntorch.nn.Linear(2, 2).to(cfg[\"device\"])\n").size(), 1u);
  EXPECT_EQ(in("class Engine:\n    def __init__(self, cfg):\n        self.place = cfg.get(\"device\", \"cuda:0\")\n"
               "        self.net = torch.nn.Linear(2, 2).to(self.place)\n\n\nif __name__ == \"__main__\":\n"
               "    settings = {\"size\": \"large\", \"device\": \"cuda:1\"}\n    Engine(settings)\n")
                .size(),
            1u);
  EXPECT_EQ(in("class Engine:\n    def __init__(self, place):\n        self.place = place\n"
               "    def run(self):\n        return torch.ones(2).to(self.place)\n\nEngine(\"cuda:1\").run()\n")
                .size(),
            1u);
  EXPECT_EQ(in("def load(device):\n    return torch.ones(2).to(device)\n\nload(\"cuda:1\")\n").size(), 1u);
  EXPECT_EQ(in("def run(cfg):\n    return torch.ones(2).to(cfg[\"gpu\"][\"place\"])\n\n"
               "run({\"gpu\": {\"place\": \"cuda:1\"}})\n")
                .size(),
            1u);
  EXPECT_EQ(in("settings = dict(device=\"cuda:1\")\ntorch.ones(2, device=settings[\"device\"])\n").size(), 1u);
  // The default of an existing key is not used; the value of another key is no device.
  EXPECT_TRUE(in("def run(cfg):\n    return torch.ones(2).to(cfg.get(\"other\", \"cuda:0\"))\n\n"
                 "run({\"device\": \"cuda:1\"})\n")
                  .empty());
  EXPECT_TRUE(in("cfg = {\"device\": \"cuda:0\", \"note\": \"cuda:1\"}\ntorch.ones(2).to(cfg[\"device\"])\n").empty());
}

TEST(AuditStrangeCode, NoIndexIsOutsideADeadMask) {
  const std::string late =
      "import os\nimport torch\n\n\ndef survey():\n    print(torch.cuda.is_available(), torch.cuda.device_count())\n"
      "    os.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n"
      "    return torch.ones(2, device=\"cuda:1\")\n\n\nsurvey()\n";
  EXPECT_EQ(findings_of({{"a.py", late}}, Policy{}), (Lines{"a.py:7 G03", "a.py:8 G03", "a.py:8 G10"}));
  const std::string counted =
      kHeader + "import torch\nif torch.cuda.device_count() > 1:\n    print(torch.cuda.get_device_name(1))\n";
  EXPECT_FALSE(has_rule(findings_of({{"b.py", counted}}, one_device_policy()), "G08"));
  EXPECT_TRUE(has_rule(
      findings_of({{"b.py", kHeader + "import torch\nprint(torch.cuda.get_device_name(1))\n"}}, one_device_policy()),
      "G08"));
}

TEST(AuditStrangeCode, ARepeatedMaskIsNotDead) {
  const Files files{{"main.py",
                     "import os\nos.environ.setdefault(\"CUDA_DEVICE_ORDER\", \"PCI_BUS_ID\")\n"
                     "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\nprint(torch.cuda.is_available())\n"
                     "import part\npart.go()\n"},
                    {"part.py",
                     "import os\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n\n\ndef go():\n    import torch\n"
                     "    return torch.ones(1).to(\"cuda:0\")\n"}};
  const Lines lines = findings_of(files, one_device_policy());
  EXPECT_TRUE(lines.contains("part.py:2 G07"));
  EXPECT_FALSE(has_rule(lines, "G03"));
  EXPECT_FALSE(has_rule(lines, "G11"));
}

TEST(AuditStrangeCode, OneArmOfATryImportRuns) {
  const Files files{
      {"main.py", kHeader + "try:\n    from fast.core import run\nexcept ImportError:\n    from slow import run\n\n"
                            "run()\n"},
      {"fast/__init__.py", ""},
      {"fast/core.py",
       "import torch\ntorch.cuda.is_available()\n\n\ndef run():\n"
       "    return torch.ones(1).to(\"cuda:0\")\n"},
      {"slow.py",
       "import os\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"0\"\nimport torch\n\n\ndef run():\n"
       "    return torch.ones(1).to(\"cuda:0\")\n"}};
  EXPECT_FALSE(has_rule(findings_of(files, Policy{}), "G03"));
  // Code after the `try` normally runs after the import.
  EXPECT_TRUE(has_rule(findings_of({{"a.py",
                                     "import os\ntry:\n    import torch\nexcept ImportError:\n    torch = None\n"
                                     "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n"}},
                                   Policy{}),
                       "G01"));
}

TEST(AuditStrangeCode, CodeThatReceivesOnlyTheCpuUsesNoGpu) {
  const auto with = [](const std::string& providers) {
    return findings_of(
        {{"a.py",
          "import onnxruntime as ort\n\nif __name__ == \"__main__\":\n    ort.InferenceSession(\"m.onnx\", "
          "providers=[" +
              providers + "])\n"}},
        one_device_policy());
  };
  EXPECT_FALSE(has_rule(with("\"CPUExecutionProvider\""), "G05"));
  EXPECT_TRUE(has_rule(with("\"CUDAExecutionProvider\", \"CPUExecutionProvider\""), "G05"));
  // A device object as the default of a parameter, or compared with another, puts no work on it.
  EXPECT_FALSE(has_rule(
      findings_of(
          {{"a.py",
            "import torch\n\n\ndef f(device=torch.device('cuda', 0)):\n    return device == torch.device('cuda')\n\n\n"
            "if __name__ == \"__main__\":\n    print(f('cpu'))\n"}},
          one_device_policy()),
      "G05"));
}

TEST(AuditStrangeCode, NestedValuesAndClassCyclesAreBounded) {
  std::string nested = "import argparse\nimport torch\nargs = argparse.ArgumentParser().parse_args()\n";
  for (int i = 0; i < 40; ++i)
    nested += "if args.v:\n    args.x = args\n    args.y = args\nelse:\n    args.y = args\n    args.x = args\n";
  EXPECT_FALSE(has_rule(findings_of({{"a.py", nested + "torch.ones(1).to(args.x)\n"}}, Policy{}), "G08"));
  std::string classes;
  std::string bases;
  for (int i = 0; i < 12; ++i) bases += (i == 0 ? "C" : ", C") + std::to_string(i);
  for (int i = 0; i < 12; ++i) classes += "class C" + std::to_string(i) + ":\n    pass\n";
  for (int i = 0; i < 12; ++i) classes += "class C" + std::to_string(i) + "(" + bases + "):\n    pass\n";
  EXPECT_TRUE(findings_of({{"m.py", classes}, {"a.py", "import m\nm.C0().run()\nm.C1().stop()\n"}}, Policy{}).empty());
}

TEST(AuditStrangeCode, NestedLambdasAreBounded) {
  std::string made;
  std::string begun;
  std::string ended;
  for (int level = 0; level < 40; ++level) {
    made += "lambda: ";
    begun += "(lambda a: ";
    ended += ")(1)";
  }
  EXPECT_TRUE(
      findings_of({{"a.py", "import torch\nx = " + made + "1\ny = " + begun + "1" + ended + "\n"}}, Policy{}).empty());
}

TEST(AuditStrangeCode, VendorsAreDistinguished) {
  const Files intel{
      {"xpu.py", "import torch\n\n\nif __name__ == \"__main__\":\n    print(torch.ones(2, device=\"xpu:0\"))\n"}};
  const Policy arc = one_device_policy("Arc A770", "0");
  EXPECT_TRUE(has_rule(findings_of(intel, arc), "G05"));
  const std::string after = apply_fixes(intel, arc, true).at("xpu.py");
  EXPECT_EQ(after.find("CUDA"), std::string::npos) << after;
  EXPECT_NE(after.find("setdefault(\"ZE_AFFINITY_MASK\", \"0\")"), std::string::npos) << after;
  // The policy's card is from another vendor than the program's: no header, but a message.
  EXPECT_EQ(apply_fixes(intel, one_device_policy(), true).at("xpu.py").find("VISIBLE_DEVICES"), std::string::npos);
  EXPECT_FALSE(has_rule(findings_of({{"a.py",
                                      "import os\nimport torch\ntorch.cuda.is_available()\n"
                                      "os.environ[\"ZE_AFFINITY_MASK\"] = \"0\"\n"}},
                                    Policy{}),
                        "G03"));
}

TEST(AuditStrangeCode, CopiedHeadersInAFunctionAreReported) {
  const std::string copy =
      "import os\nimport pathlib\nimport sys\n\n\ndef _prepare():\n    top = pathlib.Path(__file__).resolve().parent\n"
      "    if str(top) not in sys.path:\n        sys.path.insert(0, str(top))\n    os.chdir(top)\n"
      "    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n    os.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n"
      "    print(\"card 1 chosen\")\n    return top\n\n\nTOP = _prepare()\nimport torch\n\n"
      "if __name__ == \"__main__\":\n    print(torch.ones(5).to(\"cuda:0\"))\n";
  const Lines lines =
      findings_of({{"a.py", copy}, {"b.py", copy}, {"c.py", copy}, {"d.py", copy}}, one_device_policy(), {"G19"});
  EXPECT_EQ(lines.size(), 4u);
}

TEST(AuditStrangeCode, ProgramsWithoutAGpuAndServerClientsAreReported) {
  const auto of = [](const std::string& code) { return findings_of({{"a.py", code}}, one_device_policy()); };
  for (const std::string& code : std::vector<std::string>{
           kHeader + "import pathlib\nif __name__ == \"__main__\":\n    print(list(pathlib.Path(\".\").glob(\"*\")))\n",
           kHeader + "import subprocess\n\nif __name__ == \"__main__\":\n"
                     "    print(subprocess.check_output([\"git\", \"log\", \"-1\"], text=True))\n",
           "import os\n\n\ndef _prepare():\n    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n\n\n_prepare()\n"
           "if __name__ == \"__main__\":\n    print(1)\n"}) {
    const Lines lines = of(code);
    EXPECT_TRUE(has_rule(lines, "G11")) << code;
    EXPECT_FALSE(has_rule(lines, "G10")) << code;
  }
  const Lines client = of(kHeader +
                          "import httpx\n\nif __name__ == \"__main__\":\n"
                          "    print(httpx.post(\"http://localhost:11434/api/generate\", json={}).json())\n");
  EXPECT_TRUE(has_rule(client, "G12"));
  EXPECT_FALSE(has_rule(client, "G10"));
  // Another process, or an unknown library, may use the card.
  EXPECT_FALSE(has_rule(of(kHeader + "import subprocess\nsubprocess.run([\"python\", \"train.py\"])\n"), "G11"));
  EXPECT_FALSE(has_rule(of(kHeader + "import mylib\nmylib.run()\n"), "G11"));
}

TEST(AuditStrangeCode, AFallbackToAnOldNameIsUnchanged) {
  const Files files{{"a.py",
                     "import torch\n\n\ndef reset():\n    if hasattr(torch.cuda, \"reset_peak_memory_stats\"):\n"
                     "        torch.cuda.reset_peak_memory_stats()\n"
                     "    elif hasattr(torch.cuda, \"reset_max_memory_allocated\"):\n"
                     "        torch.cuda.reset_max_memory_allocated()\n\n\ndef reset2():\n    try:\n"
                     "        torch.cuda.reset_peak_memory_stats()\n    except AttributeError:\n"
                     "        torch.cuda.reset_max_memory_allocated()\n"}};
  EXPECT_TRUE(findings_of(files, Policy{}).empty());
  EXPECT_EQ(apply_fixes(files, Policy{}, true), files);
}

TEST(AuditStrangeCode, ACommentAboutTheRenumberingIsCorrect) {
  const auto with = [](const std::string& comment) {
    return findings_of(
        {{"a.py", "import os\nos.environ.setdefault(\"CUDA_VISIBLE_DEVICES\", \"1\")  # " + comment + "\n"}}, Policy{},
        {"G17"});
  };
  EXPECT_TRUE(with("big card, becomes device 0 of this process").empty());
  EXPECT_TRUE(with("hides GPU 0").empty());
  EXPECT_TRUE(with("not GPU 0").empty());
  EXPECT_TRUE(with("GPU 0 is free").empty());
  EXPECT_FALSE(with("use GPU 0").empty());
  // These comments contain "now", "not", "free" and "seen" only inside of other words.
  for (const std::string comment :
       {"we know this is GPU 0", "use GPU 0, another is slow", "freeze it on GPU 0", "as foreseen, GPU 0"})
    EXPECT_FALSE(with(comment).empty()) << comment;
}

TEST(AuditStrangeCode, ACheckpointIsNoCheckOfADevice) {
  const auto with_name = [](const std::string& name) {
    return findings_of({{"a.py", "import torch\n\n\ndef " + name + "(state):\n    state[\"card\"] = " +
                                     "torch.cuda.get_device_name(0)\n    torch.save(state, \"a.pt\")\n"}},
                       Policy{}, {"G14"});
  };
  EXPECT_EQ(with_name("check_gpu"), Lines{"a.py:4 G14"});
  EXPECT_EQ(with_name("check_checkpoint_gpu"), Lines{"a.py:4 G14"});
  EXPECT_EQ(with_name("save_checkpoint_gpu"), Lines{});
}

TEST(AuditStrangeCode, FreeMemoryIsKnownThroughVariables) {
  const std::string code =
      "import torch\n\n\ndef stats():\n    used = torch.cuda.memory_allocated(0) / 1024**3\n"
      "    kept = torch.cuda.memory_reserved(0) / 1024**3\n"
      "    whole = torch.cuda.get_device_properties(0).total_memory / 1024**3\n"
      "    return {\"free\": whole - kept, \"free2\": whole - used}\n\n\ndef freed():\n"
      "    cached = torch.cuda.memory_reserved(0) - torch.cuda.memory_allocated(0)\n"
      "    print(f\"{cached} bytes lie unused in the cache of the allocator\")\n\n\nprint(stats())\nfreed()\n";
  EXPECT_EQ(findings_of({{"a.py", code}}, Policy{}, {"G31"}), Lines{"a.py:8 G31"});
  const std::string sum =
      "import torch\nkept = torch.cuda.memory_reserved(0)\nused = torch.cuda.memory_allocated(0)\n"
      "free = torch.cuda.get_device_properties(0).total_memory - (kept + used)\n";
  EXPECT_EQ(findings_of({{"a.py", sum}}, Policy{}, {"G31"}), Lines{"a.py:4 G31"});
}

TEST(AuditStrangeCode, AFixNeverChangesTheCardOfAMask) {
  // "1", then "0": the intended value is unknown, and the last one is in force.
  const Files two{{"a.py", kHeader + "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"0\"\nimport torch\n"
                                     "torch.ones(1).to(\"cuda:0\"); print(torch.cuda.get_device_name(0))\n"}};
  EXPECT_TRUE(findings_of(two, Policy{}).contains("a.py:4 G06"));
  for (const bool unsafe : {false, true}) {
    for (const Policy& policy : {Policy{}, one_device_policy()}) {  // a policy does not decide it silently either
      const Files after = apply_fixes(two, policy, unsafe);
      EXPECT_NE(after.at("a.py").find("os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"0\""), std::string::npos) << unsafe;
      EXPECT_TRUE(has_rule(findings_of(after, policy), "G06"));
    }
  }
}

TEST(AuditStrangeCode, AHeaderThatWouldHideASecondCardIsNotInserted) {
  const Files files{{"a.py",
                     "import torch\n\n\ndef warm(net):\n    if torch.cuda.device_count() < 2:\n"
                     "        print(\"second card not found, staying on the CPU\")\n        return net\n"
                     "    torch.cuda.set_device(1)\n    return net.to(\"cuda:1\")\n\n\nif __name__ == \"__main__\":\n"
                     "    warm(torch.nn.Linear(2, 2))\n"}};
  const Files after = apply_fixes(files, one_device_policy(), true);
  EXPECT_EQ(after.at("a.py").find("VISIBLE_DEVICES"), std::string::npos) << after.at("a.py");
  EXPECT_NE(after.at("a.py").find("net.to(\"cuda:1\")"), std::string::npos);
}

TEST(AuditStrangeCode, ATeamsOwnHeaderAndValidatorAreFine) {
  const std::string validator =
      "import torch\n\n\ndef check_gpu():\n    if os.environ.get(\"CUDA_VISIBLE_DEVICES\") != \"1\":\n"
      "        raise RuntimeError(\"wrong mask\")\n    name = torch.cuda.get_device_name(0)\n"
      "    memory = torch.cuda.get_device_properties(0).total_memory / 1024**3\n"
      "    if \"RTX 3090\" not in name or memory < 20:\n        raise RuntimeError(\"wrong card: \" + name)\n\n\n"
      "check_gpu()\nnet = torch.nn.Linear(2, 2).to(\"cuda:0\")\nif __name__ == \"__main__\":\n    print(net)\n";
  EXPECT_EQ(serious_findings_of({{"a.py", kHeader + validator}}, one_device_policy()), Lines{});
}

}  // namespace
}  // namespace weir::audit
