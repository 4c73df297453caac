#include "audit/audit.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "audit/baseline.hpp"
#include "audit/other/readers.hpp"
#include "audit/project/link_project.hpp"
#include "audit/python/python_module.hpp"
#include "audit/rules/checks.hpp"
#include "audit/rules/rule.hpp"
#include "audit/source/file_list.hpp"
#include "audit/suppression.hpp"
#include "base/text.hpp"
#include "base/threads.hpp"

namespace weir::audit {
namespace {

/// Returns whether the text contains one of the words without which no rule can report anything. Of the files without
/// such a word, only two kinds are parsed: Python files, because other files may import them, and shell scripts for
/// which may_run_other_files() is true.
bool mentions_devices(std::string_view text) {
  for (const std::string_view word : {"VISIBLE_DEVICES", "cuda", "CUDA", "gpu", "GPU", "ZE_AFFINITY", "xpu", "nvidia",
                                      "__future__", "ONEAPI_", "vulkan", "Vulkan", "ALLOC_CONF"}) {
    if (text.find(word) != std::string_view::npos) return true;
  }
  return false;
}

/// Returns whether the text contains a word that selects devices.
bool selects_devices(std::string_view text) {
  for (const std::string_view word : {"VISIBLE_DEVICES", "ZE_AFFINITY_MASK", "CUDA_DEVICE_ORDER", "SetDevice("}) {
    if (text.find(word) != std::string_view::npos) return true;
  }
  return false;
}

/// Returns whether a shell script may run other files, which get its environment.
bool may_run_other_files(FileKind kind, std::string_view text) {
  if (kind != FileKind::shell) return false;
  for (const std::string_view word : {".sh", "source ", "python"}) {
    if (text.find(word) != std::string_view::npos) return true;
  }
  return false;
}

struct ReadResult {
  std::optional<Module> module;  ///< empty if the file cannot be read or is irrelevant to all rules
  std::string problem;           ///< why the file could not be read or parsed completely; otherwise empty
};

ReadResult read_listed_file(const ListedFile& file) {
  ReadResult read;
  auto source = SourceFile::read(file.path, file.name);
  if (!source) {
    // Other files than Python that are too large or not text, such as large .json files, are data and no problem.
    if (source.error().code != Errc::unsupported || file.kind == FileKind::python) read.problem = source.error().what;
    return read;
  }
  const bool relevant = mentions_devices(source->text());
  if (!relevant && file.kind != FileKind::python && !may_run_other_files(file.kind, source->text())) return read;
  auto module = read_module(file.kind, *std::move(source));
  if (!module) {
    read.problem = fmt::format("{}: {}", printable(file.name), module.error().what);
    return read;
  }
  // Macros hide much C++ code from a parser; this matters only where devices are selected.
  const bool selects = file.kind == FileKind::python ? relevant : selects_devices(module->source.text());
  if (module->parse_error && selects) {
    const TextPosition place = module->source.position(module->parse_error->begin);
    read.problem = fmt::format("{}:{}:{}: does not parse here; the rest was audited, but the file is not edited",
                               printable(file.name), place.line, place.column);
  }
  read.module = *std::move(module);
  read.module->link_target = file.link_target;
  return read;
}

std::vector<ReadResult> read_all(const std::vector<ListedFile>& files, int threads) {
  std::vector<ReadResult> all(files.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < files.size(); i = next++) all[i] = read_listed_file(files[i]);
  };
  const auto helpers = start_helpers(threads - 1, work);
  work();
  return all;
}

bool lists_rule(const std::vector<std::string>& list, std::string_view id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

Status check_rules(const std::vector<std::string>& ids, const char* flag) {
  for (const std::string& id : ids) {
    if (find_rule(id) == nullptr)
      return Error{Errc::invalid_argument, fmt::format("{}: {}", flag, unknown_rule_text(id))};
  }
  return ok();
}

bool is_selected(const Finding& finding, const AuditRequest& request) {
  if (lists_rule(request.ignore, finding.rule)) return false;
  if (!request.select.empty()) return lists_rule(request.select, finding.rule);
  return request.policy.is_defined || !find_rule(finding.rule)->needs_policy;
}

}  // namespace

namespace {

/// Moves the content of a file, in any language, into the module.
template <class Content>
Result<Module> fill_module(Module& module, Result<Content> content) {
  if (!content) return content.error();
  module.functions = std::move(content->functions);
  module.base_classes = std::move(content->base_classes);
  module.is_entry_point = content->is_entry_point || module.source.path().filename() == "__main__.py";
  if constexpr (requires { content->is_served; }) {
    module.is_served = content->is_served;
    module.attributes = std::move(content->attributes);
    module.exported_names = std::move(content->exported_names);
    module.overwritten_attributes = std::move(content->overwritten_attributes);
  }
  module.header_offset = content->header_offset;
  module.parse_error = content->parse_error;
  return std::move(module);
}

}  // namespace

Result<Module> read_module(FileKind kind, SourceFile source, const ImportedNames& imports) {
  if (kind == FileKind::notebook) {
    auto code = extract_notebook_code(source);
    if (!code) return code.error();
    source = *std::move(code);
  }
  Module module{.kind = kind, .source = std::move(source)};
  const std::string_view text = module.source.text();
  switch (kind) {
    case FileKind::python:
      return fill_module(module, python::read_python(text, imports));
    case FileKind::notebook: {
      auto notebook = fill_module(module, python::read_python(text, imports));
      if (notebook) add_magic_events(notebook->source, notebook->functions.front());
      return notebook;
    }
    case FileKind::powershell:
      return fill_module(module, read_powershell(text));
    case FileKind::shell:
      return fill_module(module, read_shell(text));
    case FileKind::cpp:
      return fill_module(module, read_cpp(text));
    case FileKind::yaml:
      return fill_module(module, read_settings(Language::yaml, text));
    case FileKind::json:
      return fill_module(module, read_settings(Language::json, text));
    case FileKind::toml:
      return fill_module(module, read_settings(Language::toml, text));
    case FileKind::dockerfile:
      return fill_module(module, Result<ScriptContent>{read_lines(LineFormat::dockerfile, text)});
    case FileKind::dotenv:
      return fill_module(module, Result<ScriptContent>{read_lines(LineFormat::dotenv, text)});
    case FileKind::systemd:
      return fill_module(module, Result<ScriptContent>{read_lines(LineFormat::systemd, text)});
    case FileKind::batch:
      return fill_module(module, Result<ScriptContent>{read_lines(LineFormat::batch, text)});
  }
  return Error{Errc::unsupported, "is of no kind that weir audit reads"};
}

std::vector<Finding> apply_requested_rules(const Project& project, const AuditRequest& request) {
  auto findings = apply_rules(project, request.policy);
  std::erase_if(findings, [&](const Finding& finding) { return !is_selected(finding, request); });
  apply_suppression_comments(findings);
  apply_baseline(request.baseline, findings);
  return findings;
}

Result<AuditResult> run_audit(const AuditRequest& request) {
  if (auto valid = check_rules(request.select, "--select"); !valid) return valid.error();
  if (auto valid = check_rules(request.ignore, "--ignore"); !valid) return valid.error();
  auto list = list_files(request.operands, request.policy.exclude);
  if (!list) return list.error();
  AuditResult audit;
  audit.file_count = list->files.size();
  audit.problems = std::move(list->problems);
  audit.notes = std::move(list->notes);
  std::vector<Module> modules;
  for (ReadResult& read : read_all(list->files, request.threads)) {
    if (!read.problem.empty()) audit.problems.push_back(std::move(read.problem));
    if (!read.module) continue;
    read.module->is_entry_point =
        read.module->is_entry_point || request.policy.is_entry_point(read.module->source.name());
    modules.push_back(*std::move(read.module));
  }
  audit.project = link_project(std::move(modules));
  audit.findings = apply_requested_rules(*audit.project, request);
  for (const Module& module : audit.project->modules()) {
    if (!module.link_target.empty()) continue;
    auto notes = unknown_rule_warnings(module);
    std::move(notes.begin(), notes.end(), std::back_inserter(audit.notes));
  }
  return audit;
}

}  // namespace weir::audit
