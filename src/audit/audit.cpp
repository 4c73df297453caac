#include "audit/audit.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "audit/baseline.hpp"
#include "audit/other/readers.hpp"
#include "audit/project/imported.hpp"
#include "audit/python/python_module.hpp"
#include "audit/rules/checks.hpp"
#include "audit/rules/rule.hpp"
#include "audit/source/file_list.hpp"
#include "audit/suppression.hpp"
#include "base/text.hpp"
#include "base/threads.hpp"

namespace weir::audit {
namespace {

/// Words without which no rule has anything to say of a file. Only a filter: what has one is parsed.
bool mentions_devices(std::string_view text) {
  for (const std::string_view word : {"VISIBLE_DEVICES", "cuda", "CUDA", "gpu", "GPU", "ZE_AFFINITY", "xpu", "nvidia",
                                      "__future__", "ONEAPI_", "vulkan", "Vulkan", "ALLOC_CONF"}) {
    if (text.find(word) != std::string_view::npos) return true;
  }
  return false;
}

bool selects_devices(std::string_view text) {
  for (const std::string_view word : {"VISIBLE_DEVICES", "ZE_AFFINITY_MASK", "CUDA_DEVICE_ORDER", "SetDevice("}) {
    if (text.find(word) != std::string_view::npos) return true;
  }
  return false;
}

/// A script that may run others in its environment, whatever it says itself.
bool may_run_others(FileKind kind, std::string_view text) {
  if (kind != FileKind::shell) return false;
  for (const std::string_view word : {".sh", "source ", "python"}) {
    if (text.find(word) != std::string_view::npos) return true;
  }
  return false;
}

struct Read {
  std::optional<Module> module;
  std::string problem;
};

Read read_listed_file(const ListedFile& file) {
  Read read;
  auto source = SourceFile::read(file.path, file.name);
  if (!source) {
    // Data files that happen to end in .json are no problem of ours.
    if (source.error().code != Errc::unsupported || file.kind == FileKind::python) read.problem = source.error().what;
    return read;
  }
  const bool relevant = mentions_devices(source->text());
  if (!relevant && file.kind != FileKind::python && !may_run_others(file.kind, source->text())) return read;
  auto module = read_module(file.kind, *std::move(source));
  if (!module) {
    read.problem = fmt::format("{}: {}", printable(file.name), module.error().what);
    return read;
  }
  // Macros hide much of C++ from a parser; that matters where devices are selected.
  const bool selects = file.kind == FileKind::python ? relevant : selects_devices(module->source.text());
  if (module->error && selects) {
    const Place place = module->source.place(module->error->begin);
    read.problem = fmt::format("{}:{}:{}: does not parse here; the rest was judged, nothing in it is edited",
                               printable(file.name), place.line, place.column);
  }
  read.module = *std::move(module);
  read.module->link_target = file.link_target;
  return read;
}

std::vector<Read> read_all(const std::vector<ListedFile>& files, int threads) {
  std::vector<Read> all(files.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < files.size(); i = next++) all[i] = read_listed_file(files[i]);
  };
  const auto helpers = start_helpers(threads - 1, work);
  work();
  return all;
}

bool has(const std::vector<std::string>& list, std::string_view id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

Status check_rules(const std::vector<std::string>& ids, const char* flag) {
  for (const std::string& id : ids) {
    if (find_rule(id) == nullptr) return Error{Errc::invalid_argument, fmt::format("{}: {}", flag, no_rule_text(id))};
  }
  return ok();
}

bool wanted(const Finding& finding, const AuditRequest& request) {
  if (has(request.ignore, finding.rule)) return false;
  if (!request.select.empty()) return has(request.select, finding.rule);
  return request.policy.given || !find_rule(finding.rule)->needs_policy;
}

}  // namespace

namespace {

/// Takes a reading of whatever language over into the module.
template <class Reading>
Result<Module> filled(Module& module, Result<Reading> reading) {
  if (!reading) return reading.error();
  module.functions = std::move(reading->functions);
  module.bases = std::move(reading->bases);
  module.entry_point = reading->entry_point || module.source.path().filename() == "__main__.py";
  if constexpr (requires { reading->served; }) {
    module.served = reading->served;
    module.attributes = std::move(reading->attributes);
    module.names = std::move(reading->names);
    module.rewritten = std::move(reading->rewritten);
  }
  module.header_at = reading->header_at;
  module.error = reading->error;
  return std::move(module);
}

}  // namespace

Result<Module> read_module(FileKind kind, SourceFile source, const ImportedNames& imports) {
  if (kind == FileKind::notebook) {
    auto code = notebook_code(source);
    if (!code) return code.error();
    source = *std::move(code);
  }
  Module module{.kind = kind, .source = std::move(source)};
  const std::string_view text = module.source.text();
  switch (kind) {
    case FileKind::python:
      return filled(module, python::read_python(text, imports));
    case FileKind::notebook: {
      auto notebook = filled(module, python::read_python(text, imports));
      if (notebook) add_magics(notebook->source, notebook->functions.front());
      return notebook;
    }
    case FileKind::powershell:
      return filled(module, read_powershell(text));
    case FileKind::shell:
      return filled(module, read_shell(text));
    case FileKind::cpp:
      return filled(module, read_cpp(text));
    case FileKind::yaml:
      return filled(module, read_settings(Language::yaml, text));
    case FileKind::json:
      return filled(module, read_settings(Language::json, text));
    case FileKind::toml:
      return filled(module, read_settings(Language::toml, text));
    case FileKind::dockerfile:
      return filled(module, Result<ScriptReading>{read_lines(LineFormat::dockerfile, text)});
    case FileKind::dotenv:
      return filled(module, Result<ScriptReading>{read_lines(LineFormat::dotenv, text)});
    case FileKind::systemd:
      return filled(module, Result<ScriptReading>{read_lines(LineFormat::systemd, text)});
    case FileKind::batch:
      return filled(module, Result<ScriptReading>{read_lines(LineFormat::batch, text)});
  }
  return Error{Errc::unsupported, "is of no kind that weir audit reads"};
}

std::vector<Finding> judge_wanted(const Project& project, const AuditRequest& request) {
  auto findings = judge(project, request.policy);
  std::erase_if(findings, [&](const Finding& finding) { return !wanted(finding, request); });
  apply_comments(findings);
  apply_baseline(request.known, findings);
  return findings;
}

Result<Audit> run_audit(const AuditRequest& request) {
  if (auto right = check_rules(request.select, "--select"); !right) return right.error();
  if (auto right = check_rules(request.ignore, "--ignore"); !right) return right.error();
  auto list = list_files(request.operands, request.policy.exclude);
  if (!list) return list.error();
  Audit audit;
  audit.files = list->files.size();
  audit.problems = std::move(list->problems);
  audit.notes = std::move(list->notes);
  std::vector<Module> modules;
  for (Read& read : read_all(list->files, request.threads)) {
    if (!read.problem.empty()) audit.problems.push_back(std::move(read.problem));
    if (!read.module) continue;
    read.module->entry_point = read.module->entry_point || request.policy.names_program(read.module->source.name());
    modules.push_back(*std::move(read.module));
  }
  audit.project = linked_project(std::move(modules));
  audit.findings = judge_wanted(*audit.project, request);
  for (const Module& module : audit.project->modules()) {
    if (!module.link_target.empty()) continue;
    auto notes = unknown_rules_in_comments(module);
    std::move(notes.begin(), notes.end(), std::back_inserter(audit.notes));
  }
  return audit;
}

}  // namespace weir::audit
