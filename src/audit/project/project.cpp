#include "audit/project/project.hpp"

#include <algorithm>

namespace weir::audit {
namespace {

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash);
}

std::string join(const std::string& folder, std::string_view name) {
  return folder.empty() ? std::string{name} : folder + '/' + std::string{name};
}

std::string normal(const Module& module) { return module.source.path().lexically_normal().native(); }

}  // namespace

Project::Project(std::vector<Module> modules) : modules_{std::move(modules)} {
  for (const Module& module : modules_) {
    if (module.kind != FileKind::python) continue;
    const std::string path = normal(module);
    by_path_.emplace(path, &module);
    // What an import may start with: the names of files and of all folders above them.
    std::string rest = path.ends_with(".py") ? path.substr(0, path.size() - 3) : path;
    while (first_names_.insert(rest.substr(rest.rfind('/') + 1)).second || rest.find('/') != std::string::npos) {
      if (rest.find('/') == std::string::npos) break;
      rest = folder_of(rest);
    }
  }
}

const Module* Project::at(const std::string& path) const {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : found->second;
}

/// The modules of "a.b.c" as it lies below a folder: a/__init__.py, a/b/__init__.py, a/b/c.py. The last must be there.
std::vector<const Module*> Project::below(const std::string& folder, std::string_view name) const {
  std::vector<const Module*> found;
  std::string path = folder;
  while (true) {
    const std::size_t dot = name.find('.');
    path = join(path, name.substr(0, dot));
    const Module* package = at(path + "/__init__.py");
    if (dot == std::string_view::npos) {
      const Module* last = package != nullptr ? package : at(path + ".py");
      if (last == nullptr) return {};
      found.push_back(last);
      return found;
    }
    if (package != nullptr) found.push_back(package);
    name.remove_prefix(dot + 1);
  }
}

std::vector<const Module*> Project::imported(const Module& importer, std::string_view name) const {
  std::string folder = folder_of(normal(importer));
  if (name.starts_with('.')) {
    name.remove_prefix(1);
    while (name.starts_with('.')) {
      folder = folder_of(folder);
      name.remove_prefix(1);
    }
    if (!name.empty()) return below(folder, name);
    const Module* package = at(join(folder, "__init__.py"));
    return package == nullptr ? std::vector<const Module*>{} : std::vector<const Module*>{package};
  }
  if (!first_names_.contains(std::string{name.substr(0, name.find('.'))})) return {};
  constexpr int kMostFolders = 32;
  for (int i = 0; i < kMostFolders; ++i) {
    for (const std::string& root : {folder, join(folder, "src")}) {
      if (auto found = below(root, name); !found.empty() && found.back() != &importer) return found;
    }
    if (folder.empty() || folder == "/") break;
    folder = folder_of(folder);
  }
  return {};
}

/// A function of a module, a class's own or that of what it is made from; null if there is none. Bounded, since classes may be
/// made from each other by mistake.
Project::Found Project::member(const Module& module, const std::string& key, int& budget) const {
  if (const Function* function = module.find_function(key)) return {&module, function};
  const std::size_t dot = key.rfind('.');
  const auto bases = dot == std::string::npos ? module.bases.end() : module.bases.find(key.substr(0, dot));
  if (bases == module.bases.end() || --budget < 0) return {};
  for (const std::string& base : bases->second) {
    const std::string inherited = base + key.substr(dot);
    const Found found = base.find('.') == std::string::npos ? member(module, inherited, budget)
                                                            : imported_function(module, inherited, budget);
    if (found.function != nullptr) return found;
  }
  return {};
}

Project::Found Project::imported_function(const Module& importer, std::string_view name, int& budget) const {
  // "package.module.function" or "package.module.Class.method": the longest module first.
  std::size_t dot = name.rfind('.');
  for (int part = 0; part < 2 && dot != std::string_view::npos && dot > 0; ++part) {
    const auto modules = imported(importer, name.substr(0, dot));
    if (!modules.empty()) {
      const std::string key{name.substr(dot + 1)};
      Found found = member(*modules.back(), key, budget);
      if (found.function == nullptr) found = member(*modules.back(), key + ".__init__", budget);
      if (found.function != nullptr) return found;
    }
    dot = name.rfind('.', dot - 1);
  }
  return {};
}

Project::Found Project::function(const Module& importer, std::string_view name) const {
  int budget = 64;  // classes that are looked at
  return imported_function(importer, name, budget);
}

}  // namespace weir::audit
