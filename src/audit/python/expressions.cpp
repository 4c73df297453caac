#include <charconv>
#include <unordered_map>
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
  using Read = Value (Reader::*)(Node);
  static const std::unordered_map<std::string_view, Read> kReaders{
      {"string", &Reader::string},
      {"concatenated_string", &Reader::concatenated_string},
      {"call", &Reader::call},
      {"attribute", &Reader::attribute},
      {"subscript", &Reader::subscript},
      {"binary_operator", &Reader::binary},
      {"boolean_operator", &Reader::either},
      {"unary_operator", &Reader::unary},
      {"comparison_operator", &Reader::comparison},
      {"conditional_expression", &Reader::conditional},
      {"named_expression", &Reader::named},
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
  if (kind == "none") return kind_value(Atom::Kind::none);
  const auto children = named_children(node);
  const bool is_what_it_holds =
      kind == "parenthesized_expression" || kind == "await" || kind == "expression_list" || kind == "list_splat";
  if (is_what_it_holds && children.size() == 1) return expression(children.front());
  for (const Node child : children) expression(child);
  return {};
}

/// a or b: one of them.
Value Reader::either(Node node) {
  const Value left = expression(node.field("left"));
  return left.joined(expression(node.field("right")));
}

Value Reader::named(Node node) {
  Value value = expression(node.field("value"));
  assign_text(text_of(node.field("name")), value);
  return value;
}

Value Reader::lambda(Node node) {
  const Names before = frame_->scope->names;
  for (const Node parameter : named_children(node.field("parameters"))) bind_pattern(parameter, {});
  expression(node.field("body"));
  frame_->scope->names = before;
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

}  // namespace weir::audit::python
