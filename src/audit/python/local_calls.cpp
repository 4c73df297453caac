#include <algorithm>
#include <memory>
#include <utility>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// Calls of functions and classes of this module, and the instances that they make.

namespace weir::audit::python {

/// What an imported class or function gives; of a class with what it was made from, by which its attributes may be known.
Value Reader::made_object(const Atom& callee, const std::vector<Argument>& args) {
  Atom object{.kind = Atom::Kind::object, .text = callee.text};
  if (!is_class(callee)) return object;
  auto items = std::make_shared<Items>();
  int position = 0;
  for (const Argument& arg : args) {
    const std::string key = arg.keyword.empty() ? std::to_string(position++) : arg.keyword;
    const auto& atoms = arg.value.atoms();
    // Objects within objects would grow without end.
    const bool flat = std::none_of(atoms.begin(), atoms.end(), [](const Atom& atom) {
      return atom.kind == Atom::Kind::object || atom.kind == Atom::Kind::instance;
    });
    if (flat && !arg.value.is_unknown()) items->values.insert_or_assign(constructor_key(key), arg.value);
  }
  object.items = std::move(items);  // empty: the defaults are known
  return object;
}

/// A method of an object that another module's class made is given the object.
void Reader::add_instance(const Called& called, const std::string& method, std::vector<Argument>& args) {
  for (const Atom& atom : called.object.atoms()) {
    if (atom.kind != Atom::Kind::object || !method.starts_with(atom.text + '.')) continue;
    const std::size_t path = atom.key.find(kPathBreak);
    if (path != std::string::npos)  // an attribute of an instance: what it was made from is known where the instance is
      args.push_back({std::string{kSelf}, Value{Atom{.kind = Atom::Kind::parameter,
                                                     .text = atom.key.substr(0, path),
                                                     .key = atom.key.substr(path + 1)}}});
    else if (atom.items != nullptr)
      args.push_back({std::string{kSelf}, Value{atom}});
  }
}

/// The constructor of a class of this module, its own or the first that it inherits; empty if there is none here.
std::string Reader::constructor_of(const std::string& class_name) const {
  constexpr std::size_t kMostClasses = 16;  // they may be made from each other by mistake
  std::vector<std::string> classes{class_name};
  for (std::size_t i = 0; i < classes.size() && i < kMostClasses; ++i) {
    if (pending_.contains(classes[i] + ".__init__")) return classes[i] + ".__init__";
    const auto bases = bases_.find(classes[i]);
    if (bases != bases_.end()) classes.insert(classes.end(), bases->second.begin(), bases->second.end());
  }
  return {};
}

/// A function whose body was read by now; null if it was not.
const Function* Reader::walked(std::string_view key) const {
  const auto found =
      std::find_if(functions_.begin(), functions_.end(), [&](const auto& function) { return function->key == key; });
  return found == functions_.end() ? nullptr : found->get();
}

/// What the constructor of a class and those that it calls leave in the attributes.
void Reader::add_attributes(const std::string& class_name, const std::vector<Argument>& args, Items& items,
                            int& budget) const {
  if (--budget < 0) return;
  const std::string prefix = class_name + '.';
  const Function* init = walked(prefix + "__init__");
  for (auto at = attributes_.lower_bound(prefix); at != attributes_.end() && at->first.starts_with(prefix); ++at) {
    Value value = init == nullptr ? at->second : substituted(at->second, *init, args);
    if (!value.is_unknown()) items.values.emplace(at->first.substr(prefix.size()), std::move(value));
  }
  if (init == nullptr) {
    const auto bases = bases_.find(class_name);
    if (bases == bases_.end()) return;
    for (const std::string& base : bases->second) add_attributes(base, args, items, budget);
    return;
  }
  constexpr std::string_view kInit = ".__init__";
  for (const Event& event : init->events) {
    const bool constructs =
        event.kind == Event::Kind::call && event.name.starts_with(':') && event.name.ends_with(kInit);
    if (!constructs || !value_of(event.arguments, -1, kSelf).may_be(Atom::Kind::parameter)) continue;
    std::vector<Argument> passed;
    for (const Argument& arg : event.arguments) passed.push_back({arg.keyword, substituted(arg.value, *init, args)});
    add_attributes(event.name.substr(1, event.name.size() - 1 - kInit.size()), passed, items, budget);
  }
}

/// An instance with what its constructor left in its attributes.
Value Reader::made_instance(const Atom& class_atom, const std::vector<Argument>& args) const {
  auto items = std::make_shared<Items>();
  int budget = 16;  // classes that are looked at
  add_attributes(class_atom.text, args, *items, budget);
  // Without a constructor, as a model that reads its fields by itself: what is given by name is kept by name.
  const bool plain = constructor_of(class_atom.text).empty();
  for (const Argument& arg : args) {
    const bool named =
        !arg.keyword.empty() && arg.keyword != kSelf && arg.keyword != kList && arg.keyword != kDictionary;
    if (plain && named && !arg.value.is_unknown()) items->values.insert_or_assign(arg.keyword, arg.value);
  }
  Atom made{.kind = Atom::Kind::instance, .text = class_atom.text};
  if (!items->values.empty()) made.items = std::move(items);
  return made;
}

/// super() within a method.
Value Reader::super_instance() const {
  const std::string& key = frame_->function->key;
  const auto& parameters = frame_->function->parameters;
  return Atom{.kind = Atom::Kind::instance,
              .text = "super " + key.substr(0, key.rfind('.')),
              .key = parameters.empty() ? std::string{} : parameters.front()};
}

/// What the functions around this one were given, where it is called in one of them.
void Reader::add_closure(const std::string& key, std::vector<Argument>& args) {
  const std::string& here = frame_->function->key;
  for (std::size_t dot = key.rfind('.'); dot != std::string::npos && dot > 0; dot = key.rfind('.', dot - 1)) {
    const std::string around = key.substr(0, dot);
    if (here != around && !here.starts_with(around + '.')) continue;
    const auto found =
        std::find_if(functions_.begin(), functions_.end(), [&](const auto& one) { return one->key == around; });
    if (found == functions_.end()) continue;
    for (const std::string& name : (*found)->parameters)
      args.push_back({std::string{kClosure} + name, kind_value(Atom::Kind::parameter, name)});
  }
}

Value Reader::local_call(const Called& called, const Atom& callee, std::vector<Argument> args, Node node) {
  const bool makes = callee.kind == Atom::Kind::class_;
  const std::string key = makes ? constructor_of(callee.text) : callee.text;
  const bool known = pending_.contains(key);
  if (!makes) {
    args = with_bound(callee, args);
    add_closure(key, args);
  }
  const Atom* self = called.object.single(Atom::Kind::instance);
  // Base.__init__(self, ...): the instance comes first.
  const bool by_class = known && called.object.single(Atom::Kind::class_) != nullptr && !args.empty();
  const Atom* own_self = by_class ? args.front().value.single(Atom::Kind::instance) : nullptr;
  if (own_self != nullptr && !own_self->key.empty() && args.front().keyword.empty()) {
    const Value instance = kind_value(Atom::Kind::parameter, own_self->key);
    args.erase(args.begin());
    args.push_back({std::string{kSelf}, instance});
  }
  if (self != nullptr && !makes) {
    const bool own = !self->key.empty();
    args.push_back({std::string{kSelf}, own ? kind_value(Atom::Kind::parameter, self->key) : Value{*self}});
  }
  if (known) {
    walk_function(key);
    emit(Event::Kind::call, node, ':' + key).arguments = args;
    if (const Function* function = walked(key)) forget_changed(*function, node.field("arguments"));
  }
  if (makes) {
    if (const Value inherited = member_of(callee, "__init__"); !known && inherited.single(Atom::Kind::name) != nullptr)
      emit(Event::Kind::call, node, inherited.single()->text).arguments = args;
    return made_instance(callee, args);
  }
  return known ? returned_by(key, args) : Value{};
}

Value Reader::returned_by(const std::string& key, const std::vector<Argument>& args) {
  const auto found =
      std::find_if(functions_.begin(), functions_.end(), [&](const auto& function) { return function->key == key; });
  if (found == functions_.end() || (*found)->returns.empty()) return {};
  const Function& function = **found;
  Value all = substituted(function.returns.front(), function, args);
  for (const Value& value : function.returns) all = all.joined(substituted(value, function, args));
  return all.may_be(Atom::Kind::same) ? Value{} : all;  // each call makes another
}

}  // namespace weir::audit::python
