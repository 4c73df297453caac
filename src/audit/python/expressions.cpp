#include <algorithm>
#include <charconv>
#include <utility>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

namespace weir::audit::python {
namespace {

std::optional<long> parse_integer(std::string_view text) {
  long number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Value Reader::expression(Node node) {
  if (!node || events_ >= kMostEvents || depth_ >= kMostDepth) return {};
  ++depth_;
  Value value = evaluate(node);
  --depth_;
  return value;
}

Value Reader::evaluate(Node node) {
  const std::string_view kind = node.kind();
  if (kind == "identifier") return look_up(text_of(node));
  if (kind == "string") return string(node);
  if (kind == "integer") {
    const auto number = parse_integer(text_of(node));
    return number ? number_value(*number, node.range()) : Value{};
  }
  if (kind == "none") return kind_value(Atom::Kind::none);
  if (kind == "call") return call(node);
  if (kind == "attribute") return attribute(node);
  if (kind == "subscript") return subscript(node);
  if (kind == "binary_operator") return binary(node);
  if (kind == "comparison_operator") return comparison(node);
  if (kind == "conditional_expression") return conditional(node);
  if (kind == "dictionary") return dictionary(node);
  if (kind.ends_with("_comprehension") || kind == "generator_expression") return comprehension(node);
  if (kind == "concatenated_string") {
    Value whole;
    bool first = true;
    for (const Node part : named_children(node)) {
      const Value value = expression(part);
      whole = first ? value : concatenation(whole, value);
      first = false;
    }
    return whole;
  }
  const auto children = named_children(node);
  if (kind == "boolean_operator") {  // a or b: one of them
    const Value left = expression(node.field("left"));
    const Value right = expression(node.field("right"));
    return left.joined(right);
  }
  if (kind == "named_expression") {
    Value value = expression(node.field("value"));
    assign_text(text_of(node.field("name")), value);
    return value;
  }
  if (kind == "parenthesized_expression" || kind == "await" || kind == "expression_list" || kind == "list_splat")
    return children.size() == 1 ? expression(children.front()) : [&] {
      for (const Node child : children) expression(child);
      return Value{};
    }();
  if (kind == "list" || kind == "tuple" || kind == "set") {
    // A list is known by what its elements are alike.
    Value any;
    bool first = true;
    for (const Node child : children) {
      const Value value = expression(child);
      any = first ? value : any.joined(value);
      first = false;
    }
    const bool numbers = std::all_of(any.atoms().begin(), any.atoms().end(),
                                     [](const Atom& atom) { return atom.kind == Atom::Kind::number; });
    const bool keeps = any.single(Atom::Kind::ordinal) != nullptr || any.single(Atom::Kind::environment) != nullptr ||
                       (children.size() == 1 && any.single() != nullptr) || numbers;
    return keeps ? any : Value{};
  }
  if (kind == "lambda") {
    const Names before = frame_->scope->names;
    for (const Node parameter : named_children(node.field("parameters"))) bind_pattern(parameter, {});
    expression(node.field("body"));
    frame_->scope->names = before;
    return {};
  }
  if (kind == "unary_operator") {
    const Value value = children.empty() ? Value{} : expression(children.back());
    const Atom* number = value.single(Atom::Kind::number);
    if (number != nullptr && text_of(node).starts_with('-')) return number_value(-number->number, node.range());
    return {};
  }
  for (const Node child : children) expression(child);
  return {};
}

Value Reader::look_up(std::string_view name) const {
  for (const Scope* scope = frame_->scope; scope != nullptr; scope = scope->outer) {
    if (const auto found = scope->names.find(name); found != scope->names.end()) return found->second;
  }
  return Atom{.kind = Atom::Kind::name, .text = std::string{name}, .number = kUnbound};  // a builtin, or unknown
}

void Reader::bind_pattern(Node pattern, const Value& value) {
  if (pattern.is("identifier")) {
    assign_text(text_of(pattern), value);
  } else if (pattern.is("attribute") || pattern.is("subscript")) {
    assign(pattern, value, pattern);
  } else {
    for (const Node child : named_children(pattern)) bind_pattern(child, {});
  }
}

Value Reader::attribute(Node node) {
  Value object = expression(node.field("object"));
  const std::string name{text_of(node.field("attribute"))};
  const Atom* atom = object.single();
  if (atom == nullptr) return {};
  if (atom->kind == Atom::Kind::choice) return object;
  if (atom->kind == Atom::Kind::name && atom->number != kUnbound) {
    const std::string full = canonical(atom->text + '.' + name);
    if (full == "sys.argv") return kind_value(Atom::Kind::choice);
    return kind_value(Atom::Kind::name, full);
  }
  if (atom->kind == Atom::Kind::instance || atom->kind == Atom::Kind::class_) {
    // What the class, or one that it is made from, says; bounded, since classes may be made from each other by mistake.
    std::vector<std::string> classes{atom->text};
    for (std::size_t i = 0; i < classes.size() && i < 16; ++i) {
      const std::string key = classes[i] + '.' + name;
      if (const auto found = attributes_.find(key); found != attributes_.end()) return found->second;
      if (pending_.contains(key)) return kind_value(Atom::Kind::function, key);
      const auto& bases = bases_[classes[i]];
      classes.insert(classes.end(), bases.begin(), bases.end());
    }
  }
  if (name == "index" && atom->kind == Atom::Kind::ordinal) return object;
  return {};
}

Value Reader::subscript(Node node) {
  const Value container = expression(node.field("value"));
  const Node index = node.field("subscript");
  const Value key = expression(index);
  const Atom* atom = container.single();
  if (atom == nullptr) return {};
  if (atom->kind == Atom::Kind::name && atom->text == "os.environ") {
    const auto name = key.as_text();
    if (!name) return {};
    looked_at(*name);
    return kind_value(Atom::Kind::environment, *name);
  }
  if (atom->kind == Atom::Kind::devices) {
    if (const Atom* number = key.single(Atom::Kind::number); number != nullptr && number->number >= 0) {
      emit(Event::Kind::use_device, node, std::string{text_of(node)}, key);
    }
    return {};
  }
  return element_of(container);
}

Value Reader::element_of(const Value& container) const {
  const Atom* atom = container.single();
  if (atom == nullptr) return {};
  const bool keeps = atom->kind == Atom::Kind::ordinal || atom->kind == Atom::Kind::device_name ||
                     atom->kind == Atom::Kind::environment || atom->kind == Atom::Kind::choice ||
                     atom->kind == Atom::Kind::smi_index;
  return keeps ? container : Value{};
}

Value Reader::conditional(Node node) {
  const auto parts = named_children(node).listed();
  if (parts.size() != 3) {
    for (const Node part : parts) expression(part);
    return {};
  }
  expression(parts[1]);
  const std::uint32_t id = branches_++;
  frame_->arms.push_back({id, 0});
  const Value yes = expression(parts[0]);
  frame_->arms.back().arm = 1;
  const Value no = expression(parts[2]);
  frame_->arms.pop_back();
  const auto cpu = no.as_text();
  if (cpu && *cpu == "cpu" && asks_for_gpu(text_of(parts[1])))
    emit(Event::Kind::cpu_fallback, node, std::string{text_of(parts[1])}).target = parts[0].range();
  return yes.joined(no);
}

Value Reader::comprehension(Node node) {
  const Names before = frame_->scope->names;
  Node body;
  for (const Node child : named_children(node)) {
    if (child.is("for_in_clause"))
      bind_pattern(child.field("left"), element_of(expression(child.field("right"))));
    else if (child.is("if_clause"))
      for (const Node test : named_children(child)) expression(test);
    else
      body = child;
  }
  const bool outer = std::exchange(frame_->in_loop, true);
  const Value element = expression(body);
  frame_->in_loop = outer;
  frame_->scope->names = before;
  return element_of(element);
}

Value Reader::dictionary(Node node) {
  bool copies = false;
  for (const Node child : named_children(node)) {
    if (!child.is("dictionary_splat")) continue;
    for (const Node inner : named_children(child)) {
      const Value value = expression(inner);
      const Atom* name = value.single(Atom::Kind::name);
      copies = copies || value.may_be(Atom::Kind::environment_copy) || (name != nullptr && name->text == "os.environ");
    }
  }
  if (frame_->compared)
    for (const Node child : named_children(node)) expression(child.field("value"));
  else
    environment_mapping(node, Event::Mode::child, node);
  return copies ? kind_value(Atom::Kind::environment_copy) : Value{};
}

}  // namespace weir::audit::python
