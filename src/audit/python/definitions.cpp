#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// Functions and classes: defined where they stand, walked when they are called for the first time.

namespace weir::audit::python {

/// A device object as the default of a parameter puts no work on the device.
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

void Reader::define_function(Node node) {
  const std::string name{text_of(node.field("name"))};
  const std::string& within = frame_->function->key;
  const bool method = frame_->in_class_body;
  std::string key = method ? frame_->class_name + '.' + name : within.empty() ? name : within + '.' + name;
  // A second definition of a name replaces the first from here on; both are walked.
  while (pending_.contains(key)) key += '\'';
  for (const Node parameter : named_children(node.field("parameters"))) {
    if (const Node value = parameter.field("value")) default_value(value);
  }
  pending_.emplace(key, Pending{node, method ? frame_->scope->outer : frame_->scope,
                                method ? frame_->class_name : std::string{}, false});
  order_.push_back(key);
  assign_text(name, kind_value(Atom::Kind::function, key));
}

void Reader::define_class(Node node) {
  const std::string name{text_of(node.field("name"))};
  std::vector<std::string> bases;
  for (const Node base : named_children(node.field("superclasses"))) {
    const Value value = expression(base);
    if (const Atom* local = value.single(Atom::Kind::class_)) bases.push_back(local->text);
    const Atom* imported = value.single(Atom::Kind::name);
    const bool dotted = imported != nullptr && imported->number != kUnbound &&
                        imported->text.find('.', 1) != std::string::npos && find_library(imported->text) == nullptr;
    if (dotted) bases.push_back(imported->text);
  }
  bases_[name] = std::move(bases);
  // The body runs now, in a scope that its methods do not see.
  scopes_.push_back(std::make_unique<Scope>());
  Scope* const outer = frame_->scope;
  const std::string outer_class = std::exchange(frame_->class_name, name);
  const bool outer_body = std::exchange(frame_->in_class_body, true);
  scopes_.back()->outer = outer;
  frame_->scope = scopes_.back().get();
  block(node.field("body"));
  for (const auto& [member, value] : frame_->scope->names) {
    if (!value.may_be(Atom::Kind::function)) attributes_.emplace(fmt::format("{}.{}", name, member), value);
  }
  frame_->scope = outer;
  frame_->class_name = outer_class;
  frame_->in_class_body = outer_body;
  assign_text(name, kind_value(Atom::Kind::class_, name));
}

void Reader::read_parameters(Node node, Function& function, Scope& scope, const std::string& class_name) {
  for (const Node parameter : named_children(node)) {
    Node name = parameter;
    if (parameter.is("default_parameter") || parameter.is("typed_default_parameter"))
      name = parameter.field("name");
    else if (!parameter.is("identifier"))
      name = parameter.first_child();  // typed_parameter, list_splat_pattern ...
    const std::string text{text_of(name)};
    if (text.empty() || text == "*" || text == "/") continue;
    const bool self = function.parameters.empty() && !class_name.empty();
    const Node value = parameter.field("value");
    function.is_method = function.is_method || self;
    function.parameters.push_back(text);
    function.defaults.push_back(value ? default_value(value) : Value{});
    scope.names[text] = self ? Value{Atom{.kind = Atom::Kind::instance, .text = class_name, .key = text}}
                             : kind_value(Atom::Kind::parameter, text);
  }
}

void Reader::walk_function(const std::string& key) {
  Pending& pending = pending_.at(key);
  if (pending.walked) return;
  pending.walked = true;
  functions_.push_back(std::make_unique<Function>());
  Function& function = *functions_.back();
  function.key = key;
  function.where = pending.definition.range();
  scopes_.push_back(std::make_unique<Scope>());
  Scope& scope = *scopes_.back();
  scope.outer = pending.scope;
  Frame frame{.function = &function, .scope = &scope};
  Frame* const caller = frame_;
  frame_ = &frame;
  read_parameters(pending.definition.field("parameters"), function, scope, pending.class_name);
  const int outer_depth = depth_;
  block(pending.definition.field("body"));
  depth_ = outer_depth;
  frame_ = caller;
}

}  // namespace weir::audit::python
