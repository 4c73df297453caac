#include <cctype>
#include <charconv>
#include <memory>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// Expressions: names, attributes, subscripts, conditional expressions and lambdas. Calls, operators and containers have
// files of their own.

namespace weir::audit::python {
namespace {

std::optional<long> parse_integer(std::string_view text) {
  long number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

bool is_class_name(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot != std::string_view::npos && dot + 1 < name.size() &&
         std::isupper(static_cast<unsigned char>(name[dot + 1])) != 0;
}

bool is_class(const PossibleValue& alternative) {
  if (alternative.kind == PossibleValue::Kind::class_) return true;
  return alternative.kind == PossibleValue::Kind::qualified_name && alternative.number != kUnbound &&
         is_class_name(alternative.text);
}

Value Reader::expression(Node node) {
  if (!node || event_count_ >= kMaxEvents || depth_ >= kMaxDepth) return {};
  ++depth_;
  Value value = evaluate(node);
  --depth_;
  return value;
}

Value Reader::evaluate(Node node) {
  using Read = Value (Reader::*)(Node);
  static const std::unordered_map<std::string_view, Read> kReaders{
      {"string", &Reader::string},
      {"concatenated_string", &Reader::concatenated_string},
      {"call", &Reader::call},
      {"attribute", &Reader::attribute},
      {"subscript", &Reader::subscript},
      {"binary_operator", &Reader::binary},
      {"boolean_operator", &Reader::boolean_operator},
      {"unary_operator", &Reader::unary},
      {"comparison_operator", &Reader::comparison},
      {"conditional_expression", &Reader::conditional},
      {"named_expression", &Reader::named_expression},
      {"lambda", &Reader::lambda},
      {"list", &Reader::elements},
      {"tuple", &Reader::elements},
      {"set", &Reader::elements},
      {"dictionary", &Reader::dictionary},
      {"generator_expression", &Reader::comprehension},
      {"list_comprehension", &Reader::comprehension},
      {"set_comprehension", &Reader::comprehension},
      {"dictionary_comprehension", &Reader::comprehension},
  };
  const std::string_view kind = node.kind();
  if (kind == "identifier") return look_up(text_of(node));
  if (const auto reader = kReaders.find(kind); reader != kReaders.end()) return (this->*reader->second)(node);
  if (kind == "integer") {
    const auto number = parse_integer(text_of(node));
    return number ? number_value(*number, node.range()) : Value{};
  }
  if (kind == "true" || kind == "false")
    return PossibleValue{
        .kind = PossibleValue::Kind::boolean, .number = kind == "true" ? 1 : 0, .literal = node.range()};
  if (kind == "none") return value_of_kind(PossibleValue::Kind::none);
  const auto children = named_children(node);
  if (kind == "yield") {
    // A conditional or repeated yield makes the values of the generator unknown.
    const bool is_known = frame_->arms.empty() && !frame_->in_loop && !frame_->in_try && children.size() == 1 &&
                          !text_of(node).starts_with("yield from");
    frame_->is_generator = true;
    frame_->yields_unknown = frame_->yields_unknown || !is_known;
    if (children.size() == 1) frame_->yielded.push_back(expression(children.front()));
    return {};
  }
  const bool is_wrapper =
      kind == "parenthesized_expression" || kind == "await" || kind == "expression_list" || kind == "list_splat";
  if (is_wrapper && children.size() == 1) return expression(children.front());
  if (kind == "expression_list") return elements(node);
  for (const Node child : children) expression(child);
  return {};
}

/// Evaluates `a or b` and `a and b`: the value may be that of either operand.
Value Reader::boolean_operator(Node node) {
  const Value left = expression(node.field("left"));
  frame_->arms.push_back({.branch_id = branch_count_++, .index = 0, .is_default = true});
  const Value right = expression(node.field("right"));
  frame_->arms.pop_back();
  return left.joined(right);
}

Value Reader::named_expression(Node node) {
  Value value = expression(node.field("value"));
  assign_name(text_of(node.field("name")), value);
  return value;
}

/// Reads a lambda. Its body is read twice, so nested lambdas take exponential time; a deeply nested lambda is unknown.
Value Reader::lambda(Node node) {
  constexpr int kMaxNestedLambdas = 6;
  const Names before = frame_->scope->names;
  for (const Node parameter : named_children(node.field("parameters"))) bind_pattern(parameter, {});
  const std::size_t events = frame_->function->events.size();
  ++lambda_depth_;
  expression(node.field("body"));
  if (writes_masks_since(events)) change_environment(node);  // the lambda may be called at an unknown time, or never
  frame_->scope->names = before;
  Value function = lambda_depth_ <= kMaxNestedLambdas ? lambda_function(node) : Value{};
  --lambda_depth_;
  return function;
}

/// Returns the function of a lambda, with the events that depend on its parameters; all other events were recorded at
/// the lambda.
Value Reader::lambda_function(Node node) {
  const std::string& outer_key = frame_->function->key;
  std::string key = fmt::format("{}<lambda {}>", outer_key.empty() ? "" : outer_key + '.', node.range().begin);
  if (pending_.contains(key)) return value_of_kind(PossibleValue::Kind::function, key);
  pending_.emplace(key,
                   PendingFunction{.definition = node, .scope = frame_->scope, .class_name = {}, .is_walked = true});
  functions_.push_back(std::make_unique<Function>());
  Function& function = *functions_.back();
  function.key = key;
  function.range = node.range();
  scopes_.push_back(std::make_unique<Scope>());
  scopes_.back()->outer = frame_->scope;
  Frame frame{.function = &function, .scope = scopes_.back().get()};
  frame.statement = frame_->statement;
  frame.top_statement = frame_->top_statement;
  frame.listing_elements = true;
  Frame* const outer_frame = std::exchange(frame_, &frame);
  read_parameters(node.field("parameters"), function, *scopes_.back(), {});
  function.return_values.push_back(expression(node.field("body")));
  frame_ = outer_frame;
  const auto is_recorded_elsewhere = [](const Event& event) {
    const bool depends_on_parameter =
        event.kind == Event::Kind::use_device && event.value.may_be(PossibleValue::Kind::parameter);
    return !depends_on_parameter && event.kind != Event::Kind::call;
  };
  std::erase_if(function.events, is_recorded_elsewhere);
  return value_of_kind(PossibleValue::Kind::function, key);
}

Value Reader::look_up(std::string_view name) const {
  for (const Scope* scope = frame_->scope; scope != nullptr; scope = scope->outer) {
    if (const auto found = scope->names.find(name); found != scope->names.end()) return found->second;
  }
  // a builtin, or unknown
  return PossibleValue{.kind = PossibleValue::Kind::qualified_name, .text = std::string{name}, .number = kUnbound};
}

void Reader::bind_pattern(Node pattern, const Value& value) {
  if (pattern.is("identifier") || pattern.is("attribute") || pattern.is("subscript")) {
    assign(pattern, value, pattern);
    return;
  }
  // name, device = job: each name gets the element of `job` at its position.
  const bool has_parts = pattern.is("pattern_list") || pattern.is("tuple_pattern") || pattern.is("list_pattern");
  const PossibleValue* whole = value.single_alternative();
  const auto children = named_children(pattern);
  bool parts_known = has_parts && whole != nullptr &&
                     (whole->kind == PossibleValue::Kind::parameter || whole->kind == PossibleValue::Kind::user_choice);
  if (has_parts && whole != nullptr && whole->kind == PossibleValue::Kind::sequence)
    parts_known = whole->items != nullptr && whole->items->values.size() == children.size();
  bool missing = false;
  int position = 0;
  for (const Node child : children) {
    // The length of a starred part, and so the position of the next part, is unknown.
    parts_known = parts_known && !child.is("list_splat_pattern");
    bind_pattern(child, parts_known ? item_of(value, std::to_string(position++), missing) : Value{});
  }
}

Value Reader::attribute(Node node) {
  Value object = expression(node.field("object"));
  const std::string name{text_of(node.field("attribute"))};
  if (name == "total_memory") return value_of_kind(PossibleValue::Kind::memory_counter, "total");
  Value all;
  bool first = true;
  for (const PossibleValue& alternative : object.alternatives()) {
    const Value one = attribute_of(alternative, name);
    all = first ? one : all.joined(one);
    first = false;
  }
  return all;
}

Value Reader::attribute_of(const PossibleValue& alternative, const std::string& name) {
  bool missing = false;
  switch (alternative.kind) {
    case PossibleValue::Kind::user_choice:
    case PossibleValue::Kind::parameter:
      return item_of(alternative, name, missing);
    case PossibleValue::Kind::call_result: {
      PossibleValue part{.kind = PossibleValue::Kind::call_result, .text = alternative.text + '.' + name};
      part.number = alternative.number;
      return part;
    }
    case PossibleValue::Kind::qualified_name: {
      if (alternative.number == kUnbound) return {};
      if (Value known = imported_value(alternative.text + '.' + name); !known.is_unknown()) return known;
      const std::string full = canonical_name(alternative.text + '.' + name);
      return value_of_kind(full == "sys.argv" ? PossibleValue::Kind::user_choice : PossibleValue::Kind::qualified_name,
                           full);
    }
    case PossibleValue::Kind::instance:
    case PossibleValue::Kind::class_:
      return member_of(alternative, name);
    case PossibleValue::Kind::runtime_index:
      return name == "index" ? Value{alternative} : Value{};
    case PossibleValue::Kind::text:
      if (name == "index") return item_of(alternative, name, missing);
      [[fallthrough]];
    case PossibleValue::Kind::number:
      return name == "value" ? Value{alternative} : Value{};  // a member of an enumeration
    default:
      return {};
  }
}

/// Returns an attribute of an instance or a class, also if a base class defines it. Looks at kMaxClasses classes at
/// most, because base classes of invalid code may form a cycle.
Value Reader::member_of(const PossibleValue& instance, const std::string& name) {
  constexpr std::string_view kSuper = "super ";  // the start of the text that super_instance() makes
  std::vector<std::string> classes{instance.text};
  if (instance.text.starts_with(kSuper)) classes = base_classes_[instance.text.substr(kSuper.size())];
  std::string imported;
  constexpr std::size_t kMaxClasses = 16;
  for (std::size_t i = 0; i < classes.size() && i < kMaxClasses; ++i) {
    const std::string key = classes[i] + '.' + name;
    if (classes[i].find('.') != std::string::npos) {
      if (imported.empty()) imported = key;
      continue;
    }
    if (const auto found = attributes_.find(key); found != attributes_.end()) {
      const Value& value = found->second;
      bool missing = false;
      const Function* constructor = walked_function(classes[i] + ".__init__");
      if (instance.kind == PossibleValue::Kind::class_ && constructor != nullptr)
        return substitute_parameters(value, *constructor, {});
      if (instance.items != nullptr && value.may_be(PossibleValue::Kind::parameter))
        return item_of(instance, name, missing);
      // The constructor arguments of this attribute may depend on those of the instance. They are known only where the
      // instance is made, so the value gets the path of the attribute.
      if (const PossibleValue* part = value.single_alternative(PossibleValue::Kind::call_result);
          part != nullptr && part->items != nullptr && !instance.key.empty() &&
          frame_->function->key != classes[i] + ".__init__") {
        PossibleValue with_path = *part;
        with_path.key = instance.key + kPathSeparator + name;
        return with_path;
      }
      const bool depends_on_instance =
          frame_->function->key != classes[i] + ".__init__" && value.may_be(PossibleValue::Kind::parameter);
      if (!depends_on_instance || instance.key.empty()) return value;
      // The attribute of the instance, which a caller replaces by its value.
      Value from_self = PossibleValue{.kind = PossibleValue::Kind::parameter, .text = instance.key, .key = name};
      for (const PossibleValue& alternative : value.alternatives())
        if (alternative.kind != PossibleValue::Kind::parameter) from_self = from_self.joined(alternative);
      return from_self;
    }
    if (const auto found = pending_.find(key); found != pending_.end()) {
      const bool reads_property = found->second.is_property && instance.kind == PossibleValue::Kind::instance;
      return reads_property ? property_of(instance, key) : value_of_kind(PossibleValue::Kind::function, key);
    }
    const auto& bases = base_classes_[classes[i]];
    classes.insert(classes.end(), bases.begin(), bases.end());
  }
  if (imported.empty()) return {};
  const Value known = imported_value(imported);
  return known.is_unknown() ? value_of_kind(PossibleValue::Kind::qualified_name, imported) : known;
}

/// Returns the value of a property: what its function returns for this instance.
Value Reader::property_of(const PossibleValue& instance, const std::string& key) {
  walk_function(key);
  const bool is_self = !instance.key.empty();
  return return_value_of(
      key,
      {{std::string{kSelf}, is_self ? value_of_kind(PossibleValue::Kind::parameter, instance.key) : Value{instance}}});
}

Value Reader::subscript(Node node) {
  const Value container = expression(node.field("value"));
  // Union[A, B], Annotated[A, ...]: one of the classes.
  Value classes;
  Value key;
  bool first = true;
  for (const Node index : named_children(node)) {
    if (index.range() == node.field("value").range()) continue;
    const Value one = expression(index);
    if (first) key = one;
    first = false;
    if (one.single_alternative() != nullptr ? is_class(*one.single_alternative()) : one.alternatives().size() > 1)
      classes = classes.is_unknown() ? one : classes.joined(one);
  }
  const PossibleValue* alternative = container.single_alternative();
  if (alternative == nullptr) return {};
  const bool is_union = alternative->text.ends_with("Union") || alternative->text.ends_with("Annotated");
  if (alternative->kind == PossibleValue::Kind::qualified_name &&
      (is_union ? !classes.is_unknown() : classes.may_be(PossibleValue::Kind::class_)))
    return classes;
  if (const auto member = key.as_text(); alternative->kind == PossibleValue::Kind::class_ && member &&
                                         attributes_.contains(alternative->text + '.' + *member))
    return member_of(*alternative, *member);
  if (alternative->kind == PossibleValue::Kind::sequence) {
    const auto elements = elements_of(*alternative);
    const PossibleValue* index = key.single_alternative(PossibleValue::Kind::number);
    if (index == nullptr) return {};
    const auto count = static_cast<long>(elements.size());
    const long position = index->number < 0 ? index->number + count : index->number;  // -1 is the last element
    return position >= 0 && position < count ? elements[static_cast<std::size_t>(position)] : Value{};
  }
  if (alternative->kind == PossibleValue::Kind::dictionary || alternative->kind == PossibleValue::Kind::parameter ||
      alternative->kind == PossibleValue::Kind::user_choice) {
    const auto path = key.single_alternative(PossibleValue::Kind::pattern) == nullptr ? key.as_text() : std::nullopt;
    bool missing = false;
    if (path && !path->empty()) return item_of(container, *path, missing);
    return alternative->kind == PossibleValue::Kind::dictionary ? Value{} : any_element(container);
  }
  if (alternative->kind == PossibleValue::Kind::qualified_name && alternative->text == "os.environ") {
    const auto name = key.as_text();
    if (!name) return {};
    note_variable_read(*name);
    return value_of_kind(PossibleValue::Kind::environment_variable, *name);
  }
  if (alternative->kind == PossibleValue::Kind::device_list) {
    if (const PossibleValue* number = key.single_alternative(PossibleValue::Kind::number);
        number != nullptr && number->number >= 0) {
      emit(Event::Kind::use_device, node, std::string{text_of(node)}, key);
    }
    return {};
  }
  // An item of the result of another module's function is identified by its key.
  if (const auto path = key.as_text(); alternative->kind == PossibleValue::Kind::call_result && path)
    return attribute_of(*alternative, '[' + *path + ']');
  return any_element(container);
}

Value Reader::conditional(Node node) {
  const auto parts = named_children(node).to_vector();
  if (parts.size() != 3) {
    for (const Node part : parts) expression(part);
    return {};
  }
  const auto conditions = conditions_of(parts[1]);
  const std::uint32_t id = branch_count_++;
  frame_->arms.push_back({id, 0});
  const bool outer_count_checked = std::exchange(frame_->device_count_checked,
                                                 frame_->device_count_checked || tests_device_count(text_of(parts[1])));
  const Value value_if_true = expression(parts[0]);
  frame_->device_count_checked = outer_count_checked;
  frame_->arms.back().index = 1;
  const Value value_if_false = expression(parts[2]);
  frame_->arms.pop_back();
  const auto cpu = value_if_false.as_text();
  if (cpu && *cpu == "cpu" && is_gpu_test(text_of(parts[1])))
    emit(Event::Kind::cpu_fallback, node, std::string{text_of(parts[1])}).target = parts[0].range();
  const bool is_never_true = std::any_of(conditions.begin(), conditions.end(), [](const Condition& one) {
    const auto truth = one.value.truth_value();
    return truth && *truth != one.holds;
  });
  return is_never_true ? value_if_false : value_if_true.joined(value_if_false);
}

}  // namespace weir::audit::python
