#include <algorithm>
#include <memory>
#include <utility>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// Calls of functions and classes of this module, and the instances that they create.

namespace weir::audit::python {

/// Returns the result of an imported class or function; for a class with its constructor arguments, from which its
/// attributes may be known.
Value Reader::imported_result(const PossibleValue& callee, const std::vector<Argument>& args) {
  PossibleValue object{.kind = PossibleValue::Kind::call_result, .text = callee.text};
  if (!is_class(callee)) return object;
  auto items = std::make_shared<Items>();
  int position = 0;
  for (const Argument& arg : args) {
    const std::string key = arg.keyword.empty() ? std::to_string(position++) : arg.keyword;
    const auto& alternatives = arg.value.alternatives();
    // Nested objects could grow without limit.
    const bool flat = std::none_of(alternatives.begin(), alternatives.end(), [](const PossibleValue& alternative) {
      return alternative.kind == PossibleValue::Kind::call_result || alternative.kind == PossibleValue::Kind::instance;
    });
    if (flat && !arg.value.is_unknown()) items->values.insert_or_assign(constructor_argument_key(key), arg.value);
  }
  object.items = std::move(items);  // empty items: all arguments are defaults
  return object;
}

/// Adds the object to the arguments of a method call (keyword kSelf), if the object is an instance of another module's
/// class.
void Reader::add_instance(const CallTarget& called, const std::string& method, std::vector<Argument>& args) {
  for (const PossibleValue& alternative : called.object.alternatives()) {
    if (alternative.kind != PossibleValue::Kind::call_result || !method.starts_with(alternative.text + '.')) continue;
    const std::size_t path = alternative.key.find(kPathSeparator);
    if (path != std::string::npos)  // for an attribute of an instance, the constructor arguments are known where the
                                    // instance is
      args.push_back({std::string{kSelf}, Value{PossibleValue{.kind = PossibleValue::Kind::parameter,
                                                              .text = alternative.key.substr(0, path),
                                                              .key = alternative.key.substr(path + 1)}}});
    else if (alternative.items != nullptr)
      args.push_back({std::string{kSelf}, Value{alternative}});
  }
}

/// Returns the constructor of a class of this module, its own or the first inherited one; empty if there is none here.
std::string Reader::constructor_of(const std::string& class_name) const {
  constexpr std::size_t kMaxClasses = 16;  // invalid code may contain a cycle of base classes
  std::vector<std::string> classes{class_name};
  for (std::size_t i = 0; i < classes.size() && i < kMaxClasses; ++i) {
    if (pending_.contains(classes[i] + ".__init__")) return classes[i] + ".__init__";
    const auto bases = base_classes_.find(classes[i]);
    if (bases != base_classes_.end()) classes.insert(classes.end(), bases->second.begin(), bases->second.end());
  }
  return {};
}

/// Returns a function whose body has been read; null otherwise.
const Function* Reader::walked_function(std::string_view key) const {
  const auto found =
      std::find_if(functions_.begin(), functions_.end(), [&](const auto& function) { return function->key == key; });
  return found == functions_.end() ? nullptr : found->get();
}

/// Adds the attributes that a constructor, and the constructors that it calls, set.
void Reader::add_attributes(const std::string& class_name, const std::vector<Argument>& args, Items& items,
                            int& budget) const {
  if (--budget < 0) return;
  const std::string prefix = class_name + '.';
  const Function* init = walked_function(prefix + "__init__");
  for (auto at = attributes_.lower_bound(prefix); at != attributes_.end() && at->first.starts_with(prefix); ++at) {
    Value value = init == nullptr ? at->second : substitute_parameters(at->second, *init, args);
    if (!value.is_unknown()) items.values.emplace(at->first.substr(prefix.size()), std::move(value));
  }
  if (init == nullptr) {
    const auto bases = base_classes_.find(class_name);
    if (bases == base_classes_.end()) return;
    for (const std::string& base : bases->second) add_attributes(base, args, items, budget);
    return;
  }
  constexpr std::string_view kInit = ".__init__";
  for (const Event& event : init->events) {
    const bool constructs =
        event.kind == Event::Kind::call && event.name.starts_with(':') && event.name.ends_with(kInit);
    if (!constructs || !argument_value(event.arguments, -1, kSelf).may_be(PossibleValue::Kind::parameter)) continue;
    std::vector<Argument> passed;
    for (const Argument& arg : event.arguments)
      passed.push_back({arg.keyword, substitute_parameters(arg.value, *init, args)});
    add_attributes(event.name.substr(1, event.name.size() - 1 - kInit.size()), passed, items, budget);
  }
}

/// Returns an instance with the attributes that its constructor sets.
Value Reader::make_instance(const PossibleValue& class_value, const std::vector<Argument>& args) const {
  auto items = std::make_shared<Items>();
  int budget = 16;  // number of classes that may still be examined
  add_attributes(class_value.text, args, *items, budget);
  // Without a constructor (a model that reads its fields by itself, for example), keyword arguments become attributes.
  const bool has_no_constructor = constructor_of(class_value.text).empty();
  for (const Argument& arg : args) {
    const bool named = !arg.keyword.empty() && arg.keyword != kSelf && arg.keyword != kListKeyword &&
                       arg.keyword != kDictionaryKeyword;
    if (has_no_constructor && named && !arg.value.is_unknown()) items->values.insert_or_assign(arg.keyword, arg.value);
  }
  PossibleValue result{.kind = PossibleValue::Kind::instance, .text = class_value.text};
  if (!items->values.empty()) result.items = std::move(items);
  return result;
}

/// Returns the value of super() within a method.
Value Reader::super_instance() const {
  const std::string& key = frame_->function->key;
  const auto& parameters = frame_->function->parameters;
  return PossibleValue{.kind = PossibleValue::Kind::instance,
                       .text = "super " + key.substr(0, key.rfind('.')),
                       .key = parameters.empty() ? std::string{} : parameters.front()};
}

/// Adds the parameters of the functions that enclose the function `key`, if it is called inside these functions.
void Reader::add_closure(const std::string& key, std::vector<Argument>& args) {
  const std::string& current_key = frame_->function->key;
  for (std::size_t dot = key.rfind('.'); dot != std::string::npos && dot > 0; dot = key.rfind('.', dot - 1)) {
    const std::string outer_key = key.substr(0, dot);
    if (current_key != outer_key && !current_key.starts_with(outer_key + '.')) continue;
    const auto found =
        std::find_if(functions_.begin(), functions_.end(), [&](const auto& one) { return one->key == outer_key; });
    if (found == functions_.end()) continue;
    for (const std::string& name : (*found)->parameters)
      args.push_back({std::string{kClosurePrefix} + name, value_of_kind(PossibleValue::Kind::parameter, name)});
  }
}

/// Evaluates a call of a function or class of this module: walks its function, and records the call with all arguments,
/// including the instance of a method and the names that a nested function takes from the functions around it.
Value Reader::local_call(const CallTarget& called, const PossibleValue& callee, std::vector<Argument> args, Node node) {
  const bool constructs = callee.kind == PossibleValue::Kind::class_;
  const std::string key = constructs ? constructor_of(callee.text) : callee.text;
  const bool is_defined_here = pending_.contains(key);
  if (!constructs) {
    args = add_bound_arguments(callee, args);
    add_closure(key, args);
  }
  const PossibleValue* self = called.object.single_alternative(PossibleValue::Kind::instance);
  // Base.__init__(self, ...): the first argument is the instance.
  const bool calls_by_class =
      is_defined_here && called.object.single_alternative(PossibleValue::Kind::class_) != nullptr && !args.empty();
  const PossibleValue* own_self =
      calls_by_class ? args.front().value.single_alternative(PossibleValue::Kind::instance) : nullptr;
  if (own_self != nullptr && !own_self->key.empty() && args.front().keyword.empty()) {
    const Value instance = value_of_kind(PossibleValue::Kind::parameter, own_self->key);
    args.erase(args.begin());
    args.push_back({std::string{kSelf}, instance});
  }
  if (self != nullptr && !constructs) {
    const bool is_parameter = !self->key.empty();
    args.push_back(
        {std::string{kSelf}, is_parameter ? value_of_kind(PossibleValue::Kind::parameter, self->key) : Value{*self}});
  }
  if (is_defined_here) {
    walk_function(key);
    emit(Event::Kind::call, node, ':' + key).arguments = args;
    if (const Function* function = walked_function(key)) forget_changed_arguments(*function, node.field("arguments"));
  }
  if (constructs) {
    if (const Value inherited = member_of(callee, "__init__");
        !is_defined_here && inherited.single_alternative(PossibleValue::Kind::qualified_name) != nullptr)
      emit(Event::Kind::call, node, inherited.single_alternative()->text).arguments = args;
    return make_instance(callee, args);
  }
  return is_defined_here ? return_value_of(key, args) : Value{};
}

/// Returns the union of all values that a walked function may return for these arguments.
Value Reader::return_value_of(const std::string& key, const std::vector<Argument>& args) {
  const auto found =
      std::find_if(functions_.begin(), functions_.end(), [&](const auto& function) { return function->key == key; });
  if (found == functions_.end() || (*found)->return_values.empty()) return {};
  const Function& function = **found;
  Value all = substitute_parameters(function.return_values.front(), function, args);
  for (const Value& value : function.return_values) all = all.joined(substitute_parameters(value, function, args));
  // Equal symbols are the same object, but each call returns another object.
  return all.may_be(PossibleValue::Kind::symbol) ? Value{} : all;
}

}  // namespace weir::audit::python
