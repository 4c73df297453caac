#include <algorithm>
#include <array>

#include "audit/rules/rule.hpp"

// The table of all rules. The defects come from real code and from the issue threads in the last column.

namespace weir::audit {
namespace {

constexpr auto dead = Severity::dead;
constexpr auto wrong = Severity::wrong;
constexpr auto fragile = Severity::fragile;
constexpr auto style = Severity::style;
constexpr auto safe = Fixability::safe;
constexpr auto opt_in = Fixability::unsafe;  // fixed only with --fix --unsafe
constexpr auto manual = Fixability::manual;

constexpr std::array kRules{
    Rule{"G01", "mask set after a GPU library is imported", fragile, safe, false,
         "The driver reads its masks once, when it is first used in a process. A library may use it while it is "
         "imported, "
         "or a version of it may; then the mask is set too late and every device is seen. Most libraries wait for the "
         "first use, so today's program may work. It is dead code when the library is known to use the driver at "
         "import.",
         "import torch\nimport os\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n",
         "import os\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n", "python",
         "pytorch/pytorch#9158, #20606, #40618, #80876; abetlen/llama-cpp-python#1308; "
         "huggingface/optimum-benchmark#27"},
    Rule{"G02", "mask set again after a GPU library is imported", fragile, safe, false,
         "The mask was set in time, and once more after a library was imported. The second write is too late to be "
         "relied "
         "on. Equal values: it is a copy to delete. Different values: which one counts depends on when the driver "
         "starts.",
         "import os\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n"
         "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n",
         "import os\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n", "python", ""},
    Rule{"G03", "the driver is used before the mask is set", dead, manual, false,
         "is_available(), moving a tensor and the like start the driver, which reads the masks at that moment. A mask "
         "that this process sets afterwards changes nothing. torch.cuda.device_count() did so before PyTorch 1.13; "
         "since "
         "then it asks NVML where it can, and before 2.4 it kept its first answer: this is reported as fragile, and "
         "so is "
         "is_available() where PYTORCH_NVML_BASED_CUDA_CHECK stands in the file.",
         "import os, torch\nif torch.cuda.is_available():\n    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n",
         "import os\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\n", "python",
         "pytorch/pytorch#23544; pytorch/pytorch#122815; ultralytics/ultralytics#24853; areal-project/AReaL#910; "
         "flashinfer-ai/flashinfer#4901"},
    Rule{
        "G04", "index mask without an order", fragile, safe, false,
        "CUDA counts the fastest card first unless CUDA_DEVICE_ORDER is PCI_BUS_ID; nvidia-smi counts by PCI address. "
        "With "
        "unlike cards the index then means another card than the one that was looked up. Intel's masks have the same "
        "gap. A UUID needs no order.",
        "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n",
        "os.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n", "python",
        "flux-framework/flux-core#1598; gpustack/gpustack#1633; LostRuins/koboldcpp#1023; tensorflow/tensorflow#32881"},
    Rule{"G05", "GPU used without any selection", fragile, opt_in, true,
         "This program uses the first card. On a machine with several cards the driver decides which one is first, "
         "and it may not be the policy's card.",
         "import torch\nmodel = Net().to(\"cuda\")\n",
         "import os\nos.environ.setdefault(\"CUDA_DEVICE_ORDER\", \"PCI_BUS_ID\")\n"
         "os.environ.setdefault(\"CUDA_VISIBLE_DEVICES\", \"GPU-...\")\nimport torch\nmodel = Net().to(\"cuda\")\n",
         "python", ""},
    Rule{
        "G06", "two different masks in one program", wrong, manual, false,
        "Both writes happen in the same run, with different values and no condition between them. Only one of them can "
        "be what was meant.",
        "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"0\"\nimport helpers  # sets \"1\"\n",
        "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"0\"\nimport helpers  # sets nothing\n", "python", ""},
    Rule{"G07", "the same mask set twice", style, safe, false,
         "Harmless as long as both are equal. When only one of the copies is changed, the program sets two different "
         "masks.",
         "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n",
         "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n", "python", ""},
    Rule{"G08", "index outside the mask", wrong, opt_in, false,
         "A mask renumbers: under CUDA_VISIBLE_DEVICES=1 the one card is cuda:0, and cuda:1 does not exist. Code that "
         "takes the physical index fails, or works only because the mask has no effect.",
         "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\nmodel.to(\"cuda:1\")\n",
         "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport torch\nmodel.to(\"cuda:0\")\n", "python",
         "unslothai/unsloth-zoo#46; AMD-AGI/Hyperloom#1582; devitocodes/devito#2710; "
         "selkies-project/docker-selkies-glx-desktop#65"},
    Rule{"G09", "fixed index above 0 without a mask", fragile, manual, false,
         "The number means another card on another machine, under a scheduler's mask, or after a card is moved; where "
         "there "
         "is one card it fails. Programs that use several indices on purpose are left alone.",
         "model.to(\"cuda:1\")\n",
         "model.to(\"cuda:0\")  # and the mask chosen outside: weir run --device ... -- python train.py\n", "python",
         ""},
    Rule{
        "G10", "mask overwritten unconditionally", fragile, opt_in, false,
        "A scheduler, a container or the user may have set the mask for a reason; the program replaces it with a fixed "
        "value, and two jobs may then use one card.",
        "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"0\"\n", "os.environ.setdefault(\"CUDA_VISIBLE_DEVICES\", \"0\")\n",
        "python",
        "IsoNet-cryoET/IsoNet2#28; SBU-BMI/quip_cancer_segmentation#4; ray-project/ray#28215; Parsl/parsl#2740; "
        "mozilla/translations#67"},
    Rule{"G11", "mask set in a program that uses no GPU", style, opt_in, true,
         "The line was probably copied. It has no effect, but readers may believe that the program uses a GPU.",
         "import os\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nprint(open(\"log\").read())\n",
         "print(open(\"log\").read())\n", "python", ""},
    Rule{"G12", "mask set in the client of a server", dead, manual, false,
         "The work is done by a server process that was started with its own environment. A mask in the client has no "
         "effect on it.",
         "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nimport ollama\nollama.chat(model=\"llama3\", messages=m)\n",
         "# in the unit of the server: Environment=CUDA_VISIBLE_DEVICES=1\n", "python", ""},
    Rule{"G13", "device never verified", fragile, opt_in, true,
         "Nothing checks which card the program got. An ordinal proves nothing, since masks renumber; a UUID or a PCI "
         "address does.",
         "import torch\nmodel.to(\"cuda\")\n", "import weir\nweir.verify()\nimport torch\nmodel.to(\"cuda\")\n",
         "python", ""},
    Rule{"G14", "device check that is never called", dead, manual, false,
         "The function checks the mask or the card and raises when it is wrong, but no code of the project calls "
         "it.",
         "def check_gpu():\n    if \"3090\" not in torch.cuda.get_device_name(0):\n        raise RuntimeError(\"wrong "
         "card\")\n",
         "def check_gpu():\n    ...\n\ncheck_gpu()\n", "python", ""},
    Rule{"G15", "check that demands one literal mask", fragile, manual, false,
         "The mask may be right and spelled differently: a UUID, a scheduler's index, a container's 0. The check then "
         "refuses the right card, and passes the wrong one where the order differs.",
         "if os.environ.get(\"CUDA_VISIBLE_DEVICES\") != \"1\":\n    raise RuntimeError(\"wrong GPU\")\n",
         "weir.verify()  # compares the UUID with the policy\n", "python", ""},
    Rule{"G16", "product name in the code", style, manual, true,
         "The name belongs in the policy, because the next card has another name.",
         "if \"RTX 3090\" not in torch.cuda.get_device_name(0):\n    sys.exit(1)\n", "weir.verify()\n", "python", ""},
    Rule{"G17", "comment that contradicts the mask", style, opt_in, false,
         "The comment beside the mask names a device that the code does not select. Readers trust comments.",
         "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"  # use GPU 0\n",
         "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"  # use GPU 1\n", "python", ""},
    Rule{"G18", "settings and code select different devices", wrong, opt_in, false,
         "A settings file of the project names a device index that does not exist under the mask that the code sets.",
         "# config.yaml: device: cuda:1\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n",
         "# config.yaml: device: cuda:0\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n", "python", ""},
    Rule{"G19", "the same GPU header copied into many files", style, manual, false,
         "Three or more programs start with the same lines, and the lines do more than select: they change the folder "
         "or "
         "the module path, or print. One import replaces them, so that later changes are made in one place.",
         "import os, sys\nos.chdir(\"/home/me/project\")\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n",
         "import gpu_setup\n", "python", ""},
    Rule{
        "G20", "runtime index given to NVML or nvidia-smi, or the other way round", wrong, opt_in, false,
        "NVML and nvidia-smi count all cards by PCI address and ignore masks; the CUDA runtime counts the visible "
        "ones. The "
        "same number means different cards. Identify cards by UUID or PCI address.",
        "h = pynvml.nvmlDeviceGetHandleByIndex(torch.cuda.current_device())\n",
        "uuid = \"GPU-\" + str(torch.cuda.get_device_properties(0).uuid)\nh = pynvml.nvmlDeviceGetHandleByUUID(uuid)\n",
        "python", "huggingface/transformers#9354"},
    Rule{"G21", "silent fallback to the CPU", style, opt_in, true,
         "When the card is not visible, the program continues many times slower without a message.",
         "device = \"cuda\" if torch.cuda.is_available() else \"cpu\"\n",
         "if not torch.cuda.is_available():\n    raise RuntimeError(\"no GPU\")\ndevice = \"cuda\"\n", "python", ""},
    Rule{"G22", "deprecated memory call, or cleaning up in the wrong order", style, safe, false,
         "PyTorch renamed these calls in 1.4 and warns; the old names only forward. gc.collect() behind empty_cache() "
         "is the same kind "
         "of leftover: what it frees stays in the cache.",
         "torch.cuda.reset_max_memory_allocated()\n", "torch.cuda.reset_peak_memory_stats()\n", "python", ""},
    Rule{"G23", "allocator configured too late", fragile, safe, false,
         "The allocator of PyTorch reads its settings when it is first used. Set after the import they may be ignored. "
         "max_split_size_mb together with expandable_segments has no effect.",
         "import torch\nos.environ[\"PYTORCH_CUDA_ALLOC_CONF\"] = \"expandable_segments:True\"\n",
         "os.environ[\"PYTORCH_CUDA_ALLOC_CONF\"] = \"expandable_segments:True\"\nimport torch\n", "python",
         "pytorch/pytorch#123548"},
    Rule{"G24", "mask removed", fragile, manual, false,
         "Deleting the mask gives the process, and all that it starts, every card again, whatever a scheduler granted.",
         "os.environ.pop(\"CUDA_VISIBLE_DEVICES\", None)\n", "# leave the mask as it was given\n", "python", ""},
    Rule{"G25", "mask set in a thread", wrong, manual, false,
         "The environment belongs to the process. Threads that each set a mask overwrite one another, and the driver "
         "has "
         "read it once already. A mask for each worker needs a process for each.",
         "def work(i):\n    os.environ[\"CUDA_VISIBLE_DEVICES\"] = str(i)\nfor i in range(2):\n"
         "    threading.Thread(target=work, args=(i,)).start()\n",
         "for i in range(2):\n    subprocess.Popen(cmd, env={**os.environ, \"CUDA_VISIBLE_DEVICES\": str(i)})\n",
         "python", ""},
    Rule{"G26", "tile mask built from an index", wrong, opt_in, false,
         "ZE_AFFINITY_MASK=0.1 is the second tile of the first card, not the second card. On cards of one tile it "
         "selects "
         "nothing; with ZE_FLAT_DEVICE_HIERARCHY=FLAT each number without a dot is a tile.",
         "env[\"ZE_AFFINITY_MASK\"] = f\"0.{worker}\"\n", "env[\"ZE_AFFINITY_MASK\"] = f\"{worker}\"\n", "python",
         "oneapi-src/level-zero#86; intel/intel-device-plugins-for-kubernetes#1601"},
    Rule{"G27", "two AMD masks at once", wrong, opt_in, false,
         "ROCR_VISIBLE_DEVICES acts first and renumbers; HIP_VISIBLE_DEVICES and CUDA_VISIBLE_DEVICES then count what "
         "is "
         "left. The same index in both selects nothing as soon as it is above 0.",
         "os.environ[\"ROCR_VISIBLE_DEVICES\"] = \"1\"\nos.environ[\"HIP_VISIBLE_DEVICES\"] = \"1\"\n",
         "os.environ[\"ROCR_VISIBLE_DEVICES\"] = \"1\"\n", "python",
         "Parsl/parsl#3858; mcmonkeyprojects/SwarmUI#566; pytorch/pytorch#131901; ollama/ollama#15752"},
    Rule{"G28", "container and mask both select", wrong, opt_in, false,
         "The container runtime shows the chosen cards and numbers them from 0. A mask with the outer index inside "
         "hides "
         "them all: works for card 0, fails for the others.",
         "docker run --gpus device=1 -e CUDA_VISIBLE_DEVICES=1 image\n", "docker run --gpus device=1 image\n", "shell",
         "AMD-AGI/Hyperloom#1582; devitocodes/devito#2710; NVIDIA/nvidia-docker#907"},
    Rule{"G29", "mask read as a number", wrong, opt_in, false,
         "A mask may hold UUIDs (GPU-..., MIG-...), be empty or be -1. int() raises then, or takes the physical index "
         "where "
         "the runtime counts from 0.",
         "gpu = int(os.environ[\"CUDA_VISIBLE_DEVICES\"])\n", "gpu = 0  # the mask renumbers: the first visible card\n",
         "python",
         "vllm-project/vllm#41848, #6582; pytorch/pytorch#92315; mujocolab/mjlab#1029; unslothai/unsloth#8917"},
    Rule{"G30", "machine-specific path beside the GPU set-up", style, manual, true,
         "A program that is pinned to a folder of one machine and to a card of one machine runs on no other.",
         "os.chdir(\"/home/me/project\")\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n",
         "os.environ.setdefault(\"CUDA_VISIBLE_DEVICES\", \"1\")\n", "python", ""},
    Rule{"G31", "free memory computed from the process's own counters", wrong, opt_in, false,
         "total - allocated ignores other processes, and reserved - allocated is only the unused cache of the "
         "allocator. Neither is the free memory of the card.",
         "free = torch.cuda.get_device_properties(0).total_memory - torch.cuda.memory_allocated(0)\n",
         "free, total = torch.cuda.mem_get_info(0)\n", "python", "unslothai/unsloth#9362"},
    Rule{
        "G32", "from __future__ below other code", dead, safe, false,
        "Python compiles such a file only when the import stands above everything but the docstring. Headers that were "
        "put above it broke the file.",
        "import os\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nfrom __future__ import annotations\n",
        "from __future__ import annotations\nimport os\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n", "python", ""},
    Rule{"G33", "the mask names another card than the policy's", wrong, opt_in, true,
         "The policy names the one card that programs of this machine may use. This mask selects another one: the "
         "program runs where it must not, and respecting such a mask (setdefault) would only keep the mistake.",
         "export CUDA_VISIBLE_DEVICES=0  # weir.toml: index = \"1\"\n", "export CUDA_VISIBLE_DEVICES=1\n", "shell", ""},
};

}  // namespace

std::span<const Rule> all_rules() { return kRules; }

const Rule* find_rule(std::string_view id) {
  const auto* found = std::find_if(kRules.begin(), kRules.end(), [&](const Rule& rule) { return rule.id == id; });
  return found == kRules.end() ? nullptr : found;
}

std::string_view name_of(Severity severity) {
  constexpr std::array<std::string_view, 4> kNames{"dead", "wrong", "fragile", "style"};
  return kNames[static_cast<std::size_t>(severity)];
}

std::string_view name_of(Fixability fixability) {
  constexpr std::array<std::string_view, 3> kNames{"safe", "unsafe", "manual"};
  return kNames[static_cast<std::size_t>(fixability)];
}

}  // namespace weir::audit
