// Audits a thousand generated programs of 274 lines, 12 MB together. Each imports a GPU library and passes a device to
// 22 tensors, so the audit must parse all of them. Each imports a function of another program, and every tenth sets a
// mask.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "audit/audit.hpp"
#include "audit/syntax/tree.hpp"

namespace {

namespace fs = std::filesystem;

/// Returns the text of one program, with imports, functions, loops and a call.
std::string program(int number) {
  std::string text = "import os\nimport sys\n";
  if (number % 10 == 0) text += "os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";
  text += "import numpy as np\nimport torch\nfrom module_";
  text += std::to_string((number + 1) % 1000);
  text += " import work_0\n\n";
  for (int i = 0; i < 22; ++i) {
    const std::string n = std::to_string(i);
    text += "\ndef work_";
    text += n;
    text += "(values, scale=1.0, name=\"work ";
    text += n;
    text +=
        "\"):\n    \"\"\"Does one thing.\"\"\"\n    total = 0\n"
        "    for index, value in enumerate(values):\n        if value > scale * index and name:\n"
        "            total += np.sqrt(value) * scale + len(f\"{name}-{index}\")\n        else:\n"
        "            total -= sum(x for x in range(index) if x % 2 == 0)\n    result = {\"total\": total, "
        "\"name\": name, \"scale\": scale}\n"
        "    print(\"done\", result[\"total\"], sys.argv[0])\n    return torch.tensor([total]).to(\"cuda:0\")\n";
  }
  text += "\n\nif __name__ == \"__main__\":\n    print(work_1([1, 2, 3]))\n";
  return text;
}

void BM_audit_1000_files(benchmark::State& state) {
  const fs::path folder = fs::temp_directory_path() / "weir-audit-bench";
  fs::create_directories(folder);
  for (int i = 0; i < 1000; ++i) std::ofstream{folder / ("module_" + std::to_string(i) + ".py")} << program(i);
  weir::audit::AuditRequest request;
  request.operands = {folder.native()};
  request.threads = static_cast<int>(state.range(0));
  for (auto _ : state) {
    const auto audit = run_audit(request);
    if (!audit || audit->file_count != 1000 || audit->findings.size() < 100) return state.SkipWithError("wrong result");
  }
  state.SetItemsProcessed(state.iterations() * 1000);
  fs::remove_all(folder);
}
BENCHMARK(BM_audit_1000_files)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

/// Measures only the parser, on the same texts.
void BM_audit_parse_1000_files(benchmark::State& state) {
  std::vector<std::string> programs(1000);
  for (int i = 0; i < 1000; ++i) programs[static_cast<std::size_t>(i)] = program(i);
  for (auto _ : state) {
    for (const std::string& text : programs)
      if (!weir::audit::parse(weir::audit::Language::python, text)) return state.SkipWithError("does not parse");
  }
}
BENCHMARK(BM_audit_parse_1000_files)->Unit(benchmark::kMillisecond);

}  // namespace
