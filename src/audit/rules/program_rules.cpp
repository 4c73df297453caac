#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "audit/fix/edits.hpp"
#include "audit/fix/header.hpp"
#include "audit/rules/checks.hpp"

// What a whole program does or leaves out: G05, G11, G12, G13.

namespace weir::audit {
namespace {

using Kind = Event::Kind;

const Step* find_step(const Execution& execution, bool (*is)(const Step&)) {
  const auto found = std::find_if(execution.steps.begin(), execution.steps.end(), is);
  return found == execution.steps.end() ? nullptr : &*found;
}

bool uses_device(const Step& step) { return step.event->kind == Kind::touch || step.event->kind == Kind::use_device; }
/// Calls that ask about devices: a program that does no more works on the CPU.
bool only_asks(std::string_view call) {
  return call.ends_with(".is_available") || call.find(".get_device_") != std::string_view::npos ||
         call == "torch.cuda.device_count" || call == "torch.xpu.device_count";
}

/// Not the CPU, and not what the user of the program named.
bool may_be_gpu(const Atom& atom) {
  if (atom.kind == Atom::Kind::choice || atom.kind == Atom::Kind::none) return false;
  if (atom.kind != Atom::Kind::text) return true;
  constexpr std::array<std::string_view, 5> kOthers{"cpu", "/cpu", "/CPU", "/device:CPU", "meta"};
  return std::none_of(kOthers.begin(), kOthers.end(), [&](auto other) { return atom.text.starts_with(other); });
}

/// Work is put on a GPU.
bool works_on_gpu(const Event& event, const Value& value) {
  if (only_asks(event.name)) return false;
  const auto& atoms = value.atoms();
  return event.kind == Kind::touch ||
         (event.kind == Kind::use_device && (atoms.empty() || std::any_of(atoms.begin(), atoms.end(), may_be_gpu)));
}

/// The first work that a program puts on a GPU; for one that hands its functions to others to call (workers, callbacks), its
/// first question about one. Null if there is no such work.
const Step* gpu_use(const Execution& execution) {
  if (const Step* work = find_step(execution, [](const Step& step) { return works_on_gpu(*step.event, step.value); }))
    return work;
  const auto& functions = execution.program->functions;
  const bool works = std::any_of(functions.begin(), functions.end(), [](const Function& function) {
    return std::any_of(function.events.begin(), function.events.end(),
                       [](const Event& event) { return works_on_gpu(event, event.value); });
  });
  const auto asks = [](const Step& step) { return step.event->kind == Kind::touch; };
  return works ? find_step(execution, asks) : nullptr;
}

bool verifies(const Step& step) { return step.event->kind == Kind::verify; }
bool starts_process(const Step& step) { return step.event->kind == Kind::start_process; }

/// Clients of servers that own the GPU themselves.
const Event* client_import(const Module& module) {
  constexpr std::array<std::string_view, 6> kClients{"ollama",   "openai",   "tritonclient", "xinference_client",
                                                     "lmstudio", "anthropic"};
  for (const Event& event : module.body().events) {
    const std::string_view first = std::string_view{event.name}.substr(0, event.name.find('.'));
    if (event.kind == Kind::import_module && std::find(kClients.begin(), kClients.end(), first) != kClients.end())
      return &event;
  }
  return nullptr;
}

/// Everything that the module imports is Python's own, so nothing else can use a device.
bool imports_only_python(const Module& module) {
  constexpr std::array<std::string_view, 36> kOwn{
      "subprocess", "threading", "os",         "sys",         "re",     "json",   "time", "math",
      "random",     "logging",   "argparse",   "pathlib",     "shutil", "glob",   "csv",  "typing",
      "itertools",  "datetime",  "functools",  "collections", "io",     "string", "copy", "hashlib",
      "struct",     "tempfile",  "warnings",   "platform",    "socket", "enum",   "abc",  "traceback",
      "signal",     "textwrap",  "contextlib", "dataclasses"};
  return std::all_of(module.body().events.begin(), module.body().events.end(), [&](const Event& event) {
    const std::string_view first = std::string_view{event.name}.substr(0, event.name.find('.'));
    return event.kind != Kind::import_module || std::find(kOwn.begin(), kOwn.end(), first) != kOwn.end();
  });
}

/// Masks and orders leave the module's body, all or none.
std::vector<Edit> without_selection(const Module& module) {
  std::vector<Edit> edits;
  for (const Event& event : module.body().events) {
    if (event.kind != Kind::set_variable || event.mode == Event::Mode::child) continue;
    const auto gone = removal(module.source, event.statement);
    if (!event.editable || !event.outermost || module.error || gone.empty()) return {};
    edits.push_back(gone.front());
  }
  return edits;
}

/// weir.verify() above the statement of the program's own text that leads to the first use of a device.
std::vector<Edit> verified(const Module& program, const Event& use) {
  if (program.kind != FileKind::python || program.error || !own_lines(program.source, use.statement)) return {};
  const Edit call = line_before(program.source, use.statement.begin, "weir.verify()");
  return {line_before(program.source, use.statement.begin, "import weir"), call};
}

void check_header(const Execution& execution, const Judging& judging) {
  const Step* const mask = find_step(execution, sets_own_mask);
  if (mask == nullptr || mask->module != execution.program) return;
  const bool gpu = find_step(execution, loads_gpu_library) != nullptr || find_step(execution, uses_device) != nullptr ||
                   find_step(execution, starts_process) != nullptr;
  if (gpu || mask->in_call) return;
  if (const Event* client = client_import(*execution.program)) {
    judging.findings.add(finding_of("G12", *mask->module, mask->event->where,
                                    fmt::format("this program asks a server ({}, {}); its mask reaches nobody",
                                                code_text(*mask->module, client->where),
                                                place_text(*mask->module, *execution.program, client->where)),
                                    "set it where the server is started"));
    return;
  }
  if (!imports_only_python(*execution.program)) return;
  auto found = finding_of("G11", *mask->module, mask->event->where,
                          fmt::format("{} is set, and nothing here uses a GPU", mask->event->name), "remove it");
  found.edits = without_selection(*mask->module);
  found.fixing = found.edits.empty() ? Fixing::manual : Fixing::unsafe;
  judging.findings.add(std::move(found));
}

bool is_named_program(const Module& module, const Policy& policy) {
  return std::any_of(policy.entry_points.begin(), policy.entry_points.end(),
                     [&](const std::string& pattern) { return matches_pattern(pattern, module.source.name()); });
}

void check_selected(const Execution& execution, const Judging& judging) {
  const Module& program = *execution.program;
  const Step* const use = gpu_use(execution);
  const Step* const import = find_step(execution, loads_gpu_library);
  if (use == nullptr || import == nullptr || !program.entry_point) return;
  if (find_step(execution, sets_own_mask) == nullptr) {
    auto found = finding_of(
        "G05", program, import->entry->where,
        fmt::format("this program uses a GPU (`{}`, {}) and selects none", code_text(*use->module, use->event->where),
                    place_text(program, *use->module, use->event->where)),
        "select the policy's card before the first import of a GPU library");
    if (!execution.imported || is_named_program(program, judging.policy))
      found.edits = header(program, judging.policy);
    else
      found.advice += ", in the programs: others import this file (or name it in the policy's entry_points)";
    found.fixing = found.edits.empty() ? Fixing::manual : Fixing::unsafe;
    judging.findings.add(std::move(found));
  }
  if (find_step(execution, verifies) == nullptr) {
    auto found = finding_of("G13", program, use->entry->where, "nothing checks which card this program got",
                            "weir.verify(), or compare the UUID with the policy");
    found.edits = verified(program, *use->entry);
    found.fixing = found.edits.empty() ? Fixing::manual : Fixing::unsafe;
    judging.findings.add(std::move(found));
  }
}

}  // namespace

void check_programs(const Execution& execution, const Judging& judging) {
  if (execution.function != nullptr || execution.program->kind != FileKind::python) return;
  check_header(execution, judging);
  check_selected(execution, judging);
}

}  // namespace weir::audit
