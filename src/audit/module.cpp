#include "audit/module.hpp"

#include <algorithm>

namespace weir::audit {

const Function* Module::find_function(std::string_view key) const {
  const auto found =
      std::find_if(functions.begin(), functions.end(), [&](const Function& function) { return function.key == key; });
  return found == functions.end() ? nullptr : &*found;
}

std::optional<Language> code_language(FileKind kind) {
  switch (kind) {
    case FileKind::python:
    case FileKind::notebook:
      return Language::python;
    case FileKind::powershell:
      return Language::powershell;
    case FileKind::shell:
      return Language::shell;
    case FileKind::cpp:
      return Language::cpp;
    case FileKind::yaml:
      return Language::yaml;
    case FileKind::json:
      return Language::json;
    case FileKind::toml:
      return Language::toml;
    default:
      return std::nullopt;
  }
}

}  // namespace weir::audit
