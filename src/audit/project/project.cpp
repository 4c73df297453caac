#include "audit/project/project.hpp"

#include <algorithm>
#include <memory>

namespace weir::audit {
namespace {

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash);
}

std::string join(const std::string& folder, std::string_view name) {
  return folder.empty() ? std::string{name} : folder + '/' + std::string{name};
}

std::string normal_path(const Module& module) { return module.source.path().lexically_normal().native(); }

}  // namespace

Project::Project(std::vector<Module> modules) : modules_{std::move(modules)} {
  std::map<std::filesystem::path, const Module*> targets;
  for (const Module& module : modules_)
    if (module.link_target.empty()) targets.emplace(module.source.path(), &module);
  for (const Module& module : modules_) {
    const auto target = targets.find(module.link_target);
    const bool has_same_content = target != targets.end() && target->second->kind == module.kind &&
                                  target->second->source.text() == module.source.text();
    if (has_same_content) link_targets_.emplace(&module, target->second);
  }
  for (const Module& module : modules_) {
    if (module.kind != FileKind::python) continue;
    const std::string path = normal_path(module);
    by_path_.emplace(path, &module);
    for (const Event& event : module.body().events) {
      const std::size_t dot = event.name.rfind('.');
      if (event.kind == Event::Kind::import_module && dot != std::string::npos && dot + 1 < event.name.size())
        imported_names_[&module].emplace(event.name.substr(dot + 1), event.name);
    }
    // The first name of an import is the name of a file or of a folder above one. A folder whose name is known may have
    // unknown folders above it.
    std::string rest = path.ends_with(".py") ? path.substr(0, path.size() - 3) : path;
    while (true) {
      first_names_.insert(rest.substr(rest.rfind('/') + 1));
      if (rest.find('/') == std::string::npos) break;
      rest = folder_of(rest);
    }
  }
}

const Module& Project::reported_module(const Module& module) const {
  const auto found = link_targets_.find(&module);
  return found == link_targets_.end() ? module : *found->second;
}

const Module* Project::module_at(const std::string& path) const {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : found->second;
}

/// Returns the modules of "a.b.c" below a folder: a/__init__.py, a/b/__init__.py, a/b/c.py. The last one must exist.
std::vector<const Module*> Project::modules_below(const std::string& folder, std::string_view name) const {
  std::vector<const Module*> found;
  std::string path = folder;
  while (true) {
    const std::size_t dot = name.find('.');
    path = join(path, name.substr(0, dot));
    const Module* package = module_at(path + "/__init__.py");
    if (dot == std::string_view::npos) {
      const Module* last = package != nullptr ? package : module_at(path + ".py");
      if (last == nullptr) return {};
      found.push_back(last);
      return found;
    }
    if (package != nullptr) found.push_back(package);
    name.remove_prefix(dot + 1);
  }
}

std::vector<const Module*> Project::resolve_import(const Module& importer, std::string_view name) const {
  std::string folder = folder_of(normal_path(importer));
  if (name.starts_with('.')) {
    name.remove_prefix(1);
    while (name.starts_with('.')) {
      folder = folder_of(folder);
      name.remove_prefix(1);
    }
    if (!name.empty()) return modules_below(folder, name);
    const Module* package = module_at(join(folder, "__init__.py"));
    return package == nullptr ? std::vector<const Module*>{} : std::vector<const Module*>{package};
  }
  if (!first_names_.contains(std::string{name.substr(0, name.find('.'))})) return {};
  constexpr int kMaxFolders = 32;
  for (int i = 0; i < kMaxFolders; ++i) {
    for (const std::string& root : {folder, join(folder, "src")}) {
      if (auto found = modules_below(root, name); !found.empty() && found.back() != &importer) return found;
    }
    if (folder.empty() || folder == "/") break;
    folder = folder_of(folder);
  }
  return {};
}

/// Returns a function of a module, or a method of a class or its base classes; null if there is none. Bounded, because
/// invalid code may contain a cycle of base classes.
Project::ResolvedFunction Project::find_member(const Module& module, const std::string& key, int& budget) const {
  if (const Function* function = module.find_function(key)) return {&module, function};
  const std::string first = key.substr(0, key.find('.'));
  if (const std::string* full = find_imported_name(module, first); full != nullptr && --budget >= 0)
    return find_imported_function(module, *full + key.substr(first.size()), budget);
  const std::size_t dot = key.rfind('.');
  const auto bases =
      dot == std::string::npos ? module.base_classes.end() : module.base_classes.find(key.substr(0, dot));
  if (bases == module.base_classes.end() || --budget < 0) return {};
  for (const std::string& base : bases->second) {
    const std::string inherited = base + key.substr(dot);
    const ResolvedFunction found = base.find('.') == std::string::npos
                                       ? find_member(module, inherited, budget)
                                       : find_imported_function(module, inherited, budget);
    if (found.function != nullptr) return found;
  }
  return {};
}

Project::ResolvedFunction Project::find_imported_function(const Module& importer, std::string_view name,
                                                          int& budget) const {
  // Resolves "package.module.function" or "package.module.Class.method", with the longest possible module name.
  std::size_t dot = name.rfind('.');
  for (int part = 0; part < 2 && dot != std::string_view::npos; ++part) {
    const std::size_t before = name.substr(0, dot).find_last_not_of('.');
    const bool is_in_package = before == std::string_view::npos;  // ".function": the dots are the package's name
    if (is_in_package && name.front() != '.') break;
    const auto modules = resolve_import(importer, name.substr(0, is_in_package ? dot + 1 : dot));
    if (!modules.empty()) {
      const std::string key{name.substr(dot + 1)};
      ResolvedFunction found = find_member(*modules.back(), key, budget);
      if (found.function == nullptr) found = find_member(*modules.back(), key + ".__init__", budget);
      if (found.function != nullptr) return found;
    }
    if (is_in_package) break;
    dot = name.rfind('.', dot - 1);
  }
  return {};
}

/// Returns the imported name that a name of a module stands for; null if it is not imported.
const std::string* Project::find_imported_name(const Module& module, std::string_view name) const {
  const auto names = imported_names_.find(&module);
  if (names == imported_names_.end()) return nullptr;
  const auto found = names->second.find(name);
  return found == names->second.end() ? nullptr : &found->second;
}

Project::Class Project::find_class(const Module& importer, std::string_view name, int& budget) const {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return {&importer, std::string{name}};
  const auto modules = resolve_import(importer, name.substr(0, dot));
  if (modules.empty() || --budget < 0) return {};
  const std::string last{name.substr(dot + 1)};
  if (modules.back()->base_classes.contains(last)) return {modules.back(), last};
  const std::string* full = find_imported_name(*modules.back(), last);
  return full == nullptr ? Class{} : find_class(*modules.back(), *full, budget);
}

void Project::add_attributes(const Class& owner, const std::vector<Argument>& args, Items& items, int& budget) const {
  if (owner.module == nullptr || --budget < 0) return;
  const Function* init = owner.module->find_function(owner.name + ".__init__");
  const std::string prefix = owner.name + '.';
  const auto& all = owner.module->attributes;
  for (auto at = all.lower_bound(prefix); at != all.end() && at->first.starts_with(prefix); ++at) {
    Value value = init == nullptr ? at->second : substitute_parameters(at->second, *init, args);
    if (!value.is_unknown()) items.values.emplace(at->first.substr(prefix.size()), std::move(value));
  }
  if (init != nullptr) {
    // follows the arguments that the constructor passes to the constructors of the base classes
    for (const Event& event : init->events) {
      const std::string_view name = event.name;
      if (event.kind != Event::Kind::call || !name.ends_with(".__init__")) continue;
      std::vector<Argument> passed;
      for (const Argument& arg : event.arguments)
        passed.push_back({arg.keyword, substitute_parameters(arg.value, *init, args)});
      const std::string_view base = name.substr(0, name.size() - std::string_view{".__init__"}.size());
      add_attributes(find_class(*owner.module, base.starts_with(':') ? base.substr(1) : base, budget), passed, items,
                     budget);
    }
    return;
  }
  for (const Argument& arg : args) {  // without a constructor, as in a dataclass, keywords become attributes
    if (!arg.keyword.empty() && arg.keyword != kSelf && !arg.value.is_unknown())
      items.values.insert_or_assign(arg.keyword, arg.value);
  }
  const auto bases = owner.module->base_classes.find(owner.name);
  if (bases == owner.module->base_classes.end()) return;
  for (const std::string& base : bases->second)
    add_attributes(find_class(*owner.module, base, budget), args, items, budget);
}

Value Project::make_instance(const Module& importer, std::string_view name, const std::vector<Argument>& args) const {
  int budget = 16;  // maximum number of steps through imports and base classes
  const Class owner = find_class(importer, name, budget);
  if (owner.module == nullptr) return {};
  auto items = std::make_shared<Items>();
  add_attributes(owner, args, *items, budget);
  return PossibleValue{.kind = PossibleValue::Kind::instance, .text = owner.name, .items = std::move(items)};
}

Value Project::make_instance_from(const ResolvedFunction& constructor, const std::vector<Argument>& args) const {
  const std::string& key = constructor.function->key;
  return make_instance(*constructor.module, key.substr(0, key.rfind('.')), args);
}

Project::ResolvedFunction Project::find_function(const Module& importer, std::string_view name) const {
  int budget = 64;  // maximum number of steps through imports and base classes
  return find_imported_function(importer, name, budget);
}

}  // namespace weir::audit
