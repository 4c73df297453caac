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

/// The prefix letters and quotes that a string starts with: raw, f-string, bytes.
bool is_raw(std::string_view start) { return start.find_first_of("rR") != std::string_view::npos; }

/// Escapes other than these stay as they are: no variable, mask or device has any.
char unescaped(std::string_view escape) {
  if (escape.size() != 2) return '\0';
  switch (escape[1]) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '\\':
    case '\'':
    case '"':
      return escape[1];
    default:
      return '\0';
  }
}

bool mentions_gpu_test(std::string_view text) {
  return text.find("is_available") != std::string_view::npos || text.find("device_count") != std::string_view::npos;
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
  for (const Node child : children) {
    if (child.is_named()) expression(child);
  }
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

Value Reader::string(Node node) {
  std::string text;
  bool raw = false;
  bool constant = true;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  Value only;
  int parts = 0;
  for (const Node part : named_children(node)) {
    if (part.is("string_start")) {
      raw = is_raw(text_of(part));
      begin = end = part.range().end;
    } else if (part.is("string_content")) {
      ++parts;
      std::uint32_t at = part.range().begin;
      for (const Node escape : named_children(part)) {
        if (raw || !escape.is("escape_sequence")) continue;
        text += text_.substr(at, escape.range().begin - at);
        if (const char c = unescaped(text_of(escape)); c != '\0') text += c;
        at = escape.range().end;
      }
      text += text_.substr(at, part.range().end - at);
      end = part.range().end;
    } else if (part.is("interpolation")) {
      ++parts;
      const Value value = expression(part.field("expression"));
      const auto known = value.as_text();
      constant = constant && known && value.single()->kind != Atom::Kind::pattern;
      text += known ? *known : std::string{kHole};
      only = value;
    }
  }
  if (constant) return text_value(std::move(text), {begin, end});
  if (parts == 1 && !only.is_unknown()) return only;  // f"{x}" is x as a text
  return Atom{.kind = Atom::Kind::pattern, .text = std::move(text), .number = 0, .literal = {begin, end}};
}

Value Reader::concatenation(const Value& left, const Value& right) {
  const auto a = left.as_text();
  const auto b = right.as_text();
  if (!a && !b) return {};
  std::string text = (a ? *a : std::string{kHole}) + (b ? *b : std::string{kHole});
  const bool constant = text.find(kHole) == std::string::npos;
  return Atom{.kind = constant ? Atom::Kind::text : Atom::Kind::pattern, .text = std::move(text)};
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

Value Reader::binary(Node node) {
  const Value left = expression(node.field("left"));
  const Value right = expression(node.field("right"));
  const std::string_view op = text_of(node.field("operator"));
  if (op == "+") {
    if (node.field("left").is("list") || node.field("right").is("list")) return {};
    const Atom* a = left.single(Atom::Kind::number);
    const Atom* b = right.single(Atom::Kind::number);
    if (a != nullptr && b != nullptr) return number_value(a->number + b->number);
    return concatenation(left, right);
  }
  if (op == "%") {
    if (const Atom* format = left.single(Atom::Kind::text)) {
      const std::size_t at = format->text.find('%');
      if (at != std::string::npos && at + 2 <= format->text.size()) {
        const auto known = right.as_text();
        std::string text =
            format->text.substr(0, at) + (known ? *known : std::string{kHole}) + format->text.substr(at + 2);
        const bool constant = text.find(kHole) == std::string::npos && text.find('%') == std::string::npos;
        return Atom{.kind = constant ? Atom::Kind::text : Atom::Kind::pattern, .text = std::move(text)};
      }
    }
    if (left.may_be(Atom::Kind::ordinal) || right.may_be(Atom::Kind::ordinal)) return kind_value(Atom::Kind::ordinal);
  }
  if (op == "|" && (left.single(Atom::Kind::name) != nullptr && left.single()->text == "os.environ")) {
    environment_mapping(node.field("right"), Event::Mode::child, node);
    return kind_value(Atom::Kind::environment_copy);
  }
  if (op == "-") {
    const auto is_counter = [](std::string_view name, std::string_view what) {
      return name.find(what) != std::string_view::npos;
    };
    const std::string_view a = text_of(node.field("left"));
    const std::string_view b = text_of(node.field("right"));
    const bool total = is_counter(a, "total_memory") || is_counter(a, "memory_reserved(");
    if (total && (is_counter(b, "memory_allocated(") || is_counter(b, "memory_reserved(")) &&
        b.find('-') == std::string_view::npos)
      emit(Event::Kind::free_memory, node);
  }
  return {};
}

Value Reader::comparison(Node node) {
  const auto children = all_children(node);
  std::vector<Node> operands;
  std::string op;
  for (const Node child : children) {
    if (child.is_named() && !child.is("comment"))
      operands.push_back(child);
    else
      op += text_of(child);
  }
  std::vector<Value> values;
  values.reserve(operands.size());
  const bool outer = std::exchange(frame_->compared, true);
  for (const Node operand : operands) values.push_back(expression(operand));
  frame_->compared = outer;
  if (values.size() != 2) return {};
  const bool membership = op == "in" || op == "notin" || op == "not in";
  const auto text = values[0].as_text();
  if (membership && text && values[1].single(Atom::Kind::name) != nullptr && values[1].single()->text == "os.environ")
    looked_at(*text);
  for (int side = 0; side < 2; ++side) {
    const Atom* variable = values[static_cast<std::size_t>(side)].single(Atom::Kind::environment);
    const auto literal = values[static_cast<std::size_t>(1 - side)].as_text();
    if (variable != nullptr && literal && !membership && is_mask(variable->text))
      emit(Event::Kind::compare_mask, node, variable->text, values[static_cast<std::size_t>(1 - side)]);
  }
  const auto is_device_name = [](const Value& value) { return value.may_be(Atom::Kind::device_name); };
  if (text && is_device_name(values[1])) emit(Event::Kind::compare_name, node, {}, values[0]);
  if (const auto other = values[1].as_text(); other && is_device_name(values[0]))
    emit(Event::Kind::compare_name, node, {}, values[1]);
  return {};
}

Value Reader::conditional(Node node) {
  const auto parts = named_children(node);
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
  if (cpu && *cpu == "cpu" && mentions_gpu_test(text_of(parts[1])))
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
