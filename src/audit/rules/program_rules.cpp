#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "audit/fix/edits.hpp"
#include "audit/fix/header.hpp"
#include "audit/mask.hpp"
#include "audit/project/call_graph.hpp"
#include "audit/python/gpu_names.hpp"
#include "audit/rules/checks.hpp"

// Rules about a whole program: G05, G11, G12, G13.

namespace weir::audit {
namespace {

using Kind = Event::Kind;

/// Returns the first step of the program itself that satisfies `matches`. If the program itself has none, returns the
/// first such step of its child processes; null if these have none either.
const Step* find_step(const Execution& execution, bool (*matches)(const Step&)) {
  for (const auto* steps : {&execution.steps, &execution.worker_steps}) {
    const auto found = std::find_if(steps->begin(), steps->end(), matches);
    if (found != steps->end()) return &*found;
  }
  return nullptr;
}

bool uses_device(const Step& step) {
  return step.event->kind == Kind::start_driver || step.event->kind == Kind::use_device;
}

/// Returns whether the call only queries devices and puts no work on them.
bool is_device_query(std::string_view call) {
  return call.ends_with(".is_available") || call.find(".get_device_") != std::string_view::npos ||
         call.ends_with(".device_count") || call == "torch.cuda.is_bf16_supported";
}

/// Returns whether the value is certainly a GPU, even if it is not known which GPU. The CPU, the user's choice and
/// unknown values are not.
bool is_gpu(const PossibleValue& alternative) {
  if (alternative.kind == PossibleValue::Kind::number || alternative.kind == PossibleValue::Kind::runtime_index ||
      alternative.kind == PossibleValue::Kind::smi_index)
    return true;
  if (alternative.kind != PossibleValue::Kind::text && alternative.kind != PossibleValue::Kind::pattern) return false;
  constexpr std::array<std::string_view, 9> kStarts{"cuda",        "gpu", "GPU", "/gpu", "/GPU",
                                                    "/device:GPU", "xpu", "hip", "CUDA"};
  return std::any_of(kStarts.begin(), kStarts.end(), [&](auto start) { return alternative.text.starts_with(start); }) ||
         alternative.text == "auto";  // device_map="auto" of transformers distributes a model over the GPUs
}

/// Returns whether the event starts the driver or uses a device that is certainly a GPU. Queries do not count. `value`
/// is the device that the event uses.
bool works_on_gpu(const Event& event, const Value& value) {
  if (is_device_query(event.name)) return false;
  const auto& alternatives = value.alternatives();
  return event.kind == Kind::start_driver ||
         (event.kind == Kind::use_device && std::any_of(alternatives.begin(), alternatives.end(), is_gpu));
}

/// Returns whether the step counts as intended use of a GPU. A conditional step that the import of another module
/// causes does not count, because it only tests the machine. A step that a constant disables never happens.
bool is_intended_use(const Step& step) {
  if (step.is_switched_off) return false;
  return step.entry_event->kind != Kind::import_module || step.entry_event == step.event ||
         std::all_of(step.arms.begin(), step.arms.end(), [](const Arm& arm) { return arm.is_default; });
}

/// Returns whether the step sets a mask that shows at least one card.
bool shows_any_card(const Step& step) {
  const auto mask = parse_mask(step.value);
  return sets_own_mask(step) && !(mask && mask->hides_all());
}

/// Returns whether the step receives a device that is not known to be the CPU.
bool takes_some_device(const Step& step) {
  const auto& alternatives = step.value.alternatives();
  return step.event->kind == Kind::use_device && !step.is_switched_off && !is_device_query(step.event->name) &&
         std::none_of(alternatives.begin(), alternatives.end(),
                      [](const PossibleValue& alternative) { return alternative.text == "cpu"; });
}

/// Returns the first step that puts work on a GPU. If there is none, but a function of the file would put work on a GPU
/// when other code calls it (workers, callbacks), returns the first query about a GPU. If there is none either and the
/// program sets a mask, returns the first use of a device that is not known to be the CPU. Otherwise returns null.
const Step* first_gpu_use(const Execution& execution) {
  const auto works_here = [](const Step& step) {
    return works_on_gpu(*step.event, step.value) && is_intended_use(step);
  };
  if (const Step* work = find_step(execution, works_here)) return work;
  const auto& functions = execution.program->functions;
  const bool any_function_works = std::any_of(functions.begin(), functions.end(), [](const Function& function) {
    return std::any_of(function.events.begin(), function.events.end(),
                       [](const Event& event) { return works_on_gpu(event, event.value); });
  });
  const auto queries_gpu = [](const Step& step) {
    return step.event->kind == Kind::start_driver && is_intended_use(step);
  };
  if (const Step* query = any_function_works ? find_step(execution, queries_gpu) : nullptr) return query;
  // A program that sets a mask intends to use a GPU, so a device that is known only at run time counts as a GPU.
  return find_step(execution, shows_any_card) != nullptr ? find_step(execution, takes_some_device) : nullptr;
}

bool verifies(const Step& step) { return step.event->kind == Kind::verify_device; }
bool starts_process(const Step& step) { return step.event->kind == Kind::start_process; }

/// Returns whether a notebook command writes unknown variables: "%run" of a file outside the project, "%dotenv".
bool may_set_variables_in_notebook(const Step& step) {
  return step.event->kind == Kind::change_environment && step.module->kind == FileKind::notebook;
}

/// Returns whether the step starts a process that may use a GPU: any program except tools known to use none.
bool starts_gpu_process(const Step& step) {
  const auto program = step.value.as_text();
  return starts_process(step) && !(program && python::is_non_gpu_program(*program));
}

std::string_view first_name(const Event& event) { return std::string_view{event.name}.substr(0, event.name.find('.')); }

/// Returns the first import of a client library (its calls send work to a server process, which uses the GPU); null if
/// there is none.
const Event* client_import(const Module& module) {
  for (const Function& function : module.functions) {
    for (const Event& event : function.events) {
      if (event.kind == Kind::import_module && python::is_client_library(event.name)) return &event;
    }
  }
  return nullptr;
}

/// Returns whether no code of the module uses a device, and each of its imports is a client of a server or a common
/// module of Python's standard library.
bool has_no_gpu_code(const Module& module) {
  constexpr std::array<std::string_view, 44> kStandardModules{
      "subprocess", "threading",   "os",      "sys",    "re",        "json",    "time",     "math",       "random",
      "logging",    "argparse",    "pathlib", "shutil", "glob",      "csv",     "typing",   "itertools",  "datetime",
      "functools",  "collections", "io",      "string", "copy",      "hashlib", "struct",   "tempfile",   "warnings",
      "platform",   "socket",      "enum",    "abc",    "traceback", "signal",  "textwrap", "contextlib", "dataclasses",
      "urllib",     "http",        "asyncio", "base64", "queue",     "uuid",    "sqlite3",  "__future__"};
  const auto harmless = [&](const Event& event) {
    if (event.kind == Kind::start_driver || event.kind == Kind::use_device) return false;
    return event.kind != Kind::import_module || python::is_client_library(event.name) ||
           std::find(kStandardModules.begin(), kStandardModules.end(), first_name(event)) != kStandardModules.end();
  };
  return std::all_of(module.functions.begin(), module.functions.end(), [&](const Function& function) {
    return std::all_of(function.events.begin(), function.events.end(), harmless);
  });
}

/// Returns edits that delete all writes of masks and device orders from the module's body; empty if one cannot be
/// deleted.
std::vector<Edit> remove_selection(const Module& module) {
  std::vector<Edit> edits;
  for (const Event& event : module.body().events) {
    if (event.kind != Kind::set_variable || event.mode == Event::Mode::child_environment) continue;
    const auto deletion = remove_statement(module.source, event.statement);
    if (!event.is_editable || !event.is_top_level || module.parse_error || deletion.empty()) return {};
    edits.push_back(deletion.front());
  }
  return edits;
}

/// Returns edits that insert weir.verify(), which compares the device in use with the policy, above the program's
/// statement that leads to the first use of a device.
std::vector<Edit> add_verification(const Module& program, const Event& use) {
  // Callbacks and worker functions are verified where they run, not where they are registered.
  const bool runs_elsewhere = use.passes_callback || is_worker_start(use);
  if (program.kind != FileKind::python || program.parse_error || runs_elsewhere ||
      !statement_lines(program.source, use.statement))
    return {};
  const Edit call = insert_line_before(program.source, use.statement.begin, "weir.verify()");
  return {insert_line_before(program.source, use.statement.begin, "import weir"), call};
}

/// Checks G11 and G12: a program that sets a mask and uses no GPU itself.
void check_unused_mask(const Execution& execution, const RuleContext& context) {
  const Step* const mask = find_step(execution, sets_own_mask);
  if (mask == nullptr || mask->module != execution.program || execution.is_imported) return;
  const bool touches_gpu = find_step(execution, loads_gpu_library) != nullptr ||
                           find_step(execution, uses_device) != nullptr ||
                           find_step(execution, starts_gpu_process) != nullptr;
  if (touches_gpu || !has_no_gpu_code(*execution.program)) return;
  if (const Event* client = client_import(*execution.program)) {
    context.findings.add(
        make_finding("G12", *mask->module, mask->event->range,
                     fmt::format("this program is a client of a server ({}, {}); its mask has no effect on the server",
                                 code_text(*mask->module, client->range),
                                 location_text(*mask->module, *execution.program, client->range)),
                     "set it where the server is started"));
    return;
  }
  auto found = make_finding("G11", *mask->module, mask->event->range,
                            fmt::format("{} is set, and nothing here uses a GPU", mask->event->name), "remove it");
  found.edits = remove_selection(*mask->module);
  found.fixability = found.edits.empty() ? Fixability::manual : Fixability::unsafe;
  context.findings.add(std::move(found));
}

Vendor vendor_used(const Step& use) {
  std::optional<Vendor> use_vendor = python::vendor_of(use.event->name);
  for (const PossibleValue& alternative : use.value.alternatives())
    if (!use_vendor) use_vendor = python::vendor_of(alternative.text);
  return use_vendor.value_or(Vendor::nvidia);
}

/// Returns whether the execution sets a mask for the vendor's cards. An AMD mask counts for "nvidia" as well, because
/// PyTorch uses the name "cuda" for both.
bool has_mask(const Execution& execution, Vendor vendor) {
  const auto selects = [&](const Step& step) {
    if (!sets_own_mask(step)) return false;
    const Vendor mask_vendor = find_device_variable(step.event->name)->vendor;
    return mask_vendor == vendor || (mask_vendor == Vendor::amd && vendor == Vendor::nvidia);
  };
  return std::any_of(execution.steps.begin(), execution.steps.end(), selects) ||
         std::any_of(execution.worker_steps.begin(), execution.worker_steps.end(), selects);
}

/// Returns whether the __init__.py beside the program, which Python runs first, has imports.
bool has_package_that_imports(const Execution& execution) {
  const auto package = execution.program->source.path().parent_path() / "__init__.py";
  return std::any_of(execution.loaded_modules.begin(), execution.loaded_modules.end(), [&](const Module* module) {
    const auto& events = module->body().events;
    return module->source.path() == package && std::any_of(events.begin(), events.end(), [](const Event& event) {
             return event.kind == Kind::import_module;
           });
  });
}

/// Returns why no header (the lines that select the policy's card) can be inserted; empty if it can.
std::string header_obstacle(const Execution& execution, const Step& use, const Policy& policy) {
  const Module& program = *execution.program;
  const Vendor vendor = policy.vendor();
  const Vendor used = vendor_used(use);
  const bool is_same_driver = used == vendor || (used == Vendor::nvidia && vendor == Vendor::amd);
  if (!is_same_driver) return "its devices are not of the policy's vendor";
  if (program.source.path().filename() == "__main__.py" && has_package_that_imports(execution))
    return "do so in the package's __init__.py, which Python runs first";
  std::vector<Step> all_steps = execution.steps;
  all_steps.insert(all_steps.end(), execution.worker_steps.begin(), execution.worker_steps.end());
  for (const Step& step : all_steps) {
    const bool counts_devices = step.event->name == "torch.cuda.device_count" || step.event->device_count_checked;
    const PossibleValue* text = step.value.single_alternative(PossibleValue::Kind::text);
    const auto device = text == nullptr ? std::nullopt : parse_device(text->text);
    const PossibleValue* number = step.value.single_alternative(PossibleValue::Kind::number);
    const bool is_above_zero = step.event->kind == Kind::use_device &&
                               ((device && device->index > 0) || (number != nullptr && number->number > 0));
    if (counts_devices || is_above_zero)
      return fmt::format("under a mask of one card {} must change first ({})",
                         is_above_zero ? "the index above 0" : "the code that reads the number of cards",
                         location_text(program, *step.module, step.event->range));
  }
  return {};
}

/// Returns whether the event is a call of a function of the same file, and the call begins a statement ("train()"). A
/// call of main() may also be inside a statement that assigns its result to no name ("sys.exit(main())").
bool calls_own_function(const Module& module, const Event& entry) {
  const std::string_view text_before_call = module.source.text({entry.statement.begin, entry.range.begin});
  const bool assigns_result = text_before_call.find('=') != std::string_view::npos;
  return entry.kind == Kind::call && entry.name.starts_with(':') && !entry.passes_callback &&
         (text_before_call.empty() || (entry.name == ":main" && entry.is_top_level && !assigns_result));
}

/// Returns whether the file is part of a package or of its tests, so that other code runs it.
bool is_part_of_package(const Module& module) {
  const std::filesystem::path& path = module.source.path();
  const std::string name = path.filename().native();
  std::error_code ignored;
  return name.starts_with("test_") || name.ends_with("_test.py") || name == "conftest.py" ||
         std::filesystem::exists(path.parent_path() / "__init__.py", ignored);
}

/// Returns whether the file's own body puts work on a GPU, directly or by a call of its own function; torch.device()
/// creates only a description and counts as no work.
bool works_in_body(const Execution& execution) {
  const Module& module = *execution.program;
  return std::any_of(execution.steps.begin(), execution.steps.end(), [&](const Step& step) {
    if (!works_on_gpu(*step.event, step.value) || !is_intended_use(step)) return false;
    const bool is_direct =
        step.entry_event == step.event && step.module == &module && step.event->name != "torch.device";
    return is_direct || calls_own_function(module, *step.entry_event);
  });
}

/// Returns whether the file is a program. This is so if Module::is_entry_point is true. It is also so if no module of
/// the project imports the file and one of these is true: a server runs it; it defines no function; its first use of a
/// GPU, `use`, is a call of its own function; its body puts work on a GPU and it is no part of a package.
bool is_program(const Execution& execution, const Step& use) {
  const Module& module = *execution.program;
  const bool is_unimported_python = !execution.is_imported && module.kind == FileKind::python;
  if (module.is_entry_point || (is_unimported_python && module.is_served)) return true;
  if (!is_unimported_python || module.source.path().filename() == "__init__.py") return false;
  return module.functions.size() == 1 || calls_own_function(module, *use.entry_event) ||
         (works_in_body(execution) && !is_part_of_package(module));
}

/// Checks G05 and G13: a program that uses a GPU without selecting it, or without verifying which one it got.
void check_selection_and_verification(const Execution& execution, const RuleContext& context) {
  const Module& program = *execution.program;
  const Step* const use = first_gpu_use(execution);
  const Step* const import = find_step(execution, loads_gpu_library);
  if (use == nullptr || import == nullptr || !is_program(execution, *use)) return;
  if (!has_mask(execution, vendor_used(*use)) && find_step(execution, may_set_variables_in_notebook) == nullptr) {
    auto found = make_finding(
        "G05", program, import->entry_event->range,
        fmt::format("this program uses a GPU (`{}`, {}) and selects none", code_text(*use->module, use->event->range),
                    location_text(program, *use->module, use->event->range)),
        "select the policy's card before the first import of a GPU library");
    const std::string why_not = header_obstacle(execution, *use, context.policy);
    if (!why_not.empty())
      found.advice += "; " + why_not;
    else if (!execution.is_imported || context.policy.is_entry_point(program.source.name()))
      found.edits = header_edits(program, context.policy);
    else
      found.advice += ", in the programs that import this file (or add this file to the policy's entry-points)";
    found.fixability = found.edits.empty() ? Fixability::manual : Fixability::unsafe;
    context.findings.add(std::move(found));
  }
  if (find_step(execution, verifies) == nullptr) {
    auto found = make_finding("G13", program, use->entry_event->range, "nothing checks which card this program got",
                              "call weir.verify(), or compare the UUID with the policy");
    found.edits = add_verification(program, *use->entry_event);
    found.fixability = found.edits.empty() ? Fixability::manual : Fixability::unsafe;
    context.findings.add(std::move(found));
  }
}

}  // namespace

void check_programs(const Execution& execution, const RuleContext& context) {
  if (execution.function != nullptr || execution.program->kind != FileKind::python) return;
  check_unused_mask(execution, context);
  check_selection_and_verification(execution, context);
}

}  // namespace weir::audit
