#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// Functions and classes. They are defined at their statement and walked at their first call.

namespace weir::audit::python {

/// Evaluates the default of a parameter. A device object there puts no work on the device, so its event is removed.
Value Reader::default_value(Node node) {
  auto& events = frame_->function->events;
  const auto before = static_cast<std::ptrdiff_t>(events.size());
  Value value = expression(node);
  const auto makes_device = [](const Event& event) {
    return event.kind == Event::Kind::use_device && event.name == "torch.device";
  };
  events.erase(std::remove_if(events.begin() + before, events.end(), makes_device), events.end());
  return value;
}

/// Binds the name of a function or method. Its body is walked later, by walk_function().
void Reader::define_function(Node node) {
  const std::string name{text_of(node.field("name"))};
  const std::string& outer_key = frame_->function->key;
  const bool method = frame_->in_class_body;
  std::string key = method ? frame_->class_name + '.' + name : outer_key.empty() ? name : outer_key + '.' + name;
  // A second definition replaces the first from here on; both are walked.
  while (pending_.contains(key)) key += '\'';
  for (const Node parameter : named_children(node.field("parameters"))) {
    if (const Node value = parameter.field("value")) default_value(value);
  }
  pending_.emplace(key, PendingFunction{.definition = node,
                                        .scope = method ? frame_->scope->outer : frame_->scope,
                                        .class_name = method ? frame_->class_name : std::string{},
                                        .is_command = frame_->is_command,
                                        .is_property = method && frame_->is_property});
  pending_order_.push_back(key);
  assign_name(name, value_of_kind(PossibleValue::Kind::function, key));
}

void Reader::define_class(Node node) {
  const std::string name{text_of(node.field("name"))};
  std::vector<std::string> bases;
  for (const Node base : named_children(node.field("superclasses"))) {
    const Value value = expression(base);
    if (const PossibleValue* local = value.single_alternative(PossibleValue::Kind::class_))
      bases.push_back(local->text);
    const PossibleValue* imported = value.single_alternative(PossibleValue::Kind::qualified_name);
    const bool is_imported_class = imported != nullptr && imported->number != kUnbound &&
                                   imported->text.find('.', 1) != std::string::npos &&
                                   find_library(imported->text) == nullptr;
    if (is_imported_class) bases.push_back(imported->text);
  }
  base_classes_[name] = bases;
  const bool has_fields = std::exchange(frame_->is_dataclass, false);
  // The body runs now, in a scope that its methods do not see.
  scopes_.push_back(std::make_unique<Scope>());
  Scope* const outer = frame_->scope;
  const std::string outer_class = std::exchange(frame_->class_name, name);
  const bool outer_body = std::exchange(frame_->in_class_body, true);
  scopes_.back()->outer = outer;
  frame_->scope = scopes_.back().get();
  block(node.field("body"));
  for (const auto& [member, value] : frame_->scope->names) {
    if (!value.may_be(PossibleValue::Kind::function)) attributes_.emplace(fmt::format("{}.{}", name, member), value);
  }
  const bool is_named_tuple = std::find(bases.begin(), bases.end(), "typing.NamedTuple") != bases.end();
  if (is_named_tuple || has_fields) add_fields(node.field("body"), name, bases);
  frame_->scope = outer;
  frame_->class_name = outer_class;
  frame_->in_class_body = outer_body;
  assign_name(name, value_of_kind(PossibleValue::Kind::class_, name));
  note_class_called_by_runner(name, bases, node);
}

/// Adds and returns the generated constructor of a dataclass or named tuple; null if the class defines its own.
Function* Reader::add_field_constructor(const std::string& name) {
  const std::string key = name + ".__init__";
  if (pending_.contains(key) || pending_.contains(name + ".__post_init__")) return nullptr;
  pending_.emplace(key,
                   PendingFunction{.definition = {}, .scope = frame_->scope, .class_name = name, .is_walked = true});
  functions_.push_back(std::make_unique<Function>());
  Function& constructor = *functions_.back();
  constructor.key = key;
  constructor.is_method = true;
  constructor.parameters.emplace_back(kSelf);
  constructor.defaults.emplace_back();
  return &constructor;
}

/// Adds a field: a parameter of the generated constructor, which sets the attribute of the same name. A second field of
/// this name replaces the default.
void Reader::add_field(Function& constructor, const std::string& name, const Value& field_default) {
  const auto earlier_field = std::find(constructor.parameters.begin(), constructor.parameters.end(), name);
  if (earlier_field != constructor.parameters.end()) {
    constructor.defaults[static_cast<std::size_t>(earlier_field - constructor.parameters.begin())] = field_default;
  } else {
    constructor.parameters.push_back(name);
    constructor.defaults.push_back(field_default);
  }
  const std::string prefix = constructor.key.substr(0, constructor.key.rfind('.') + 1);
  attributes_.insert_or_assign(prefix + name, value_of_kind(PossibleValue::Kind::parameter, name));
}

/// Adds the fields of a dataclass, those of its base classes first.
void Reader::add_fields(Node body, const std::string& name, const std::vector<std::string>& bases) {
  Function* const constructor = add_field_constructor(name);
  if (constructor == nullptr) return;
  for (const std::string& base : bases) {
    const Function* inherited = walked_function(base + ".__init__");
    for (std::size_t i = 1; inherited != nullptr && i < inherited->parameters.size(); ++i)
      add_field(*constructor, inherited->parameters[i], inherited->defaults[i]);
  }
  for (const Node statement : named_children(body)) {
    const Node field = statement.is("expression_statement") ? statement.first_child() : Node{};
    if (!field.is("assignment") || !field.field("type") || !field.field("left").is("identifier")) continue;
    const std::string field_name{text_of(field.field("left"))};
    add_field(*constructor, field_name, field.field("right") ? look_up(field_name) : Value{});
  }
}

/// Handles namedtuple("Job", "name device", defaults=["cuda:0"]), which creates a class.
Value Reader::named_tuple(const std::vector<Argument>& args) {
  const auto name = argument_value(args, 0, "typename").as_text();
  if (!name || name->empty() || base_classes_.contains(*name)) return {};
  const Value field_names = argument_value(args, 1, "field_names");
  std::vector<std::string> fields;
  if (const PossibleValue* list = field_names.single_alternative(PossibleValue::Kind::sequence)) {
    for (const Value& field : elements_of(*list)) fields.push_back(field.as_text().value_or(""));
  } else {
    const std::string text = field_names.as_text().value_or("");
    constexpr std::string_view kSeparators = ", ";
    for (std::size_t at = text.find_first_not_of(kSeparators); at != std::string::npos;) {
      const std::size_t end = std::min(text.find_first_of(kSeparators, at), text.size());
      fields.push_back(text.substr(at, end - at));
      at = text.find_first_not_of(kSeparators, end);
    }
  }
  Function* const constructor = add_field_constructor(*name);
  if (constructor == nullptr) return {};
  base_classes_[*name] = {};
  const Value list = argument_value(args, -1, "defaults");
  const auto defaults =
      list.single_alternative() == nullptr ? std::vector<Value>{} : elements_of(*list.single_alternative());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t remaining = fields.size() - i;
    add_field(*constructor, fields[i], remaining <= defaults.size() ? defaults[defaults.size() - remaining] : Value{});
  }
  return value_of_kind(PossibleValue::Kind::class_, *name);
}

namespace {

/// Returns the "*args" or "**kwargs" node of a parameter, annotated or not; null if it is neither.
Node splat_node(Node parameter) {
  const Node inner = parameter.is("typed_parameter") ? parameter.first_child() : parameter;
  return inner.is("list_splat_pattern") || inner.is("dictionary_splat_pattern") ? inner : Node{};
}

}  // namespace

/// Adds the parameters to the function, and binds their names in its scope to symbolic values, which callers replace by
/// their arguments. The first parameter of a method is bound to the instance.
void Reader::read_parameters(Node node, Function& function, Scope& scope, const std::string& class_name) {
  for (const Node parameter : named_children(node)) {
    Node name = parameter;
    if (parameter.is("default_parameter") || parameter.is("typed_default_parameter"))
      name = parameter.field("name");
    else if (!parameter.is("identifier"))
      name = parameter.first_child();  // typed_parameter, list_splat_pattern ...
    const std::string text{text_of(name)};
    const Node splat = splat_node(parameter);
    if (splat) {
      const std::string name_of_splat{text_of(named_children(splat).front())};
      const bool is_args = splat.is("list_splat_pattern");
      (is_args ? function.args_parameter : function.kwargs_parameter) = name_of_splat;
      if (is_args) function.positional_count = function.parameters.size();
      function.parameters.push_back(name_of_splat);
      function.defaults.emplace_back();
      scope.names[name_of_splat] = value_of_kind(PossibleValue::Kind::parameter, name_of_splat);
      continue;
    }
    if (parameter.is("keyword_separator") || text == "*") function.positional_count = function.parameters.size();
    if (text.empty() || text == "*" || text == "/") continue;
    const bool is_self = function.parameters.empty() && !class_name.empty();
    const Node value = parameter.field("value");
    function.is_method = function.is_method || is_self;
    function.parameters.push_back(text);
    const auto event_count = static_cast<std::ptrdiff_t>(function.events.size());
    function.defaults.push_back(value ? default_value(value) : Value{});
    // Defaults are evaluated at the `def` statement.
    function.events.erase(function.events.begin() + event_count, function.events.end());
    scope.names[text] =
        is_self ? Value{PossibleValue{.kind = PossibleValue::Kind::instance, .text = class_name, .key = text}}
                : value_of_kind(PossibleValue::Kind::parameter, text);
  }
}

/// Walks the body of a function, if it was not walked before.
void Reader::walk_function(const std::string& key) {
  PendingFunction& pending = pending_.at(key);
  if (pending.is_walked) return;
  pending.is_walked = true;
  functions_.push_back(std::make_unique<Function>());
  Function& function = *functions_.back();
  function.key = key;
  function.range = pending.definition.range();
  scopes_.push_back(std::make_unique<Scope>());
  Scope& scope = *scopes_.back();
  scope.outer = pending.scope;
  Frame frame{.function = &function, .scope = &scope};
  Frame* const caller = frame_;
  frame_ = &frame;
  read_parameters(pending.definition.field("parameters"), function, scope, pending.class_name);
  for (const std::string& name : function.parameters) {
    Value& value = scope.names[name];
    if (pending.is_command && value.may_be(PossibleValue::Kind::parameter))
      value = PossibleValue{.kind = PossibleValue::Kind::user_choice, .text = key, .key = name};
  }
  const int outer_depth = depth_;
  block(pending.definition.field("body"));
  depth_ = outer_depth;
  if (frame.is_generator) function.return_values = {frame.yields_unknown ? Value{} : sequence_value(frame.yielded)};
  // A generator or a coroutine runs later than its call, or in parts.
  const bool runs_later = frame.is_generator || text_of(pending.definition).starts_with("async");
  if (runs_later && writes_masks_since(0)) change_environment(pending.definition);
  frame_ = caller;
}

}  // namespace weir::audit::python
