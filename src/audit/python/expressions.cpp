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
  if (name == "total_memory") return kind_value(Atom::Kind::counter, "total");
  Value all;
  bool first = true;
  for (const Atom& atom : object.atoms()) {
    const Value one = attribute_of(atom, name);
    all = first ? one : all.joined(one);
    first = false;
  }
  return all;
}

Value Reader::attribute_of(const Atom& atom, const std::string& name) {
  bool missing = false;
  switch (atom.kind) {
    case Atom::Kind::choice:
    case Atom::Kind::parameter:
      return item_of(atom, name, missing);
    case Atom::Kind::object:
      return kind_value(Atom::Kind::object, atom.text + '.' + name);
    case Atom::Kind::name: {
      if (atom.number == kUnbound) return {};
      const std::string full = canonical(atom.text + '.' + name);
      return full == "sys.argv" ? kind_value(Atom::Kind::choice) : kind_value(Atom::Kind::name, full);
    }
    case Atom::Kind::instance:
    case Atom::Kind::class_:
      return member_of(atom, name);
    case Atom::Kind::ordinal:
      return name == "index" ? Value{atom} : Value{};
    default:
      return {};
  }
}

/// What the class, or one that it is made from, says; bounded, since classes may be made from each other by mistake.
Value Reader::member_of(const Atom& instance, const std::string& name) {
  constexpr std::string_view kSuper = "super ";
  std::vector<std::string> classes{instance.text};
  if (instance.text.starts_with(kSuper)) classes = bases_[instance.text.substr(kSuper.size())];
  std::string imported;
  for (std::size_t i = 0; i < classes.size() && i < 16; ++i) {
    const std::string key = classes[i] + '.' + name;
    if (classes[i].find('.') != std::string::npos) {
      if (imported.empty()) imported = key;
      continue;
    }
    if (const auto found = attributes_.find(key); found != attributes_.end()) {
      const Value& value = found->second;
      bool missing = false;
      if (instance.items != nullptr && value.may_be(Atom::Kind::parameter)) return item_of(instance, name, missing);
      // What the constructor was given is known where the instance is.
      const bool elsewhere = frame_->function->key != classes[i] + ".__init__" && value.may_be(Atom::Kind::parameter);
      if (!elsewhere || instance.key.empty()) return value;
      Value own = Atom{.kind = Atom::Kind::parameter, .text = instance.key, .key = name};
      for (const Atom& atom : value.atoms())
        if (atom.kind != Atom::Kind::parameter) own = own.joined(atom);
      return own;
    }
    if (pending_.contains(key)) return kind_value(Atom::Kind::function, key);
    const auto& bases = bases_[classes[i]];
    classes.insert(classes.end(), bases.begin(), bases.end());
  }
  return imported.empty() ? Value{} : kind_value(Atom::Kind::name, imported);
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
    if (one.single(Atom::Kind::class_) != nullptr || one.atoms().size() > 1)
      classes = classes.is_unknown() ? one : classes.joined(one);
  }
  const Atom* atom = container.single();
  if (atom == nullptr) return {};
  if (atom->kind == Atom::Kind::name && classes.may_be(Atom::Kind::class_)) return classes;
  if (atom->kind == Atom::Kind::dictionary || atom->kind == Atom::Kind::parameter) {
    const Atom* text = key.single(Atom::Kind::text);
    bool missing = false;
    return text == nullptr || text->text.empty() ? Value{} : item_of(container, text->text, missing);
  }
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
  const bool outer_counted = std::exchange(frame_->counted, frame_->counted || asks_how_many(text_of(parts[1])));
  const Value yes = expression(parts[0]);
  frame_->counted = outer_counted;
  frame_->arms.back().arm = 1;
  const Value no = expression(parts[2]);
  frame_->arms.pop_back();
  const auto cpu = no.as_text();
  if (cpu && *cpu == "cpu" && asks_for_gpu(text_of(parts[1])))
    emit(Event::Kind::cpu_fallback, node, std::string{text_of(parts[1])}).target = parts[0].range();
  return yes.joined(no);
}

}  // namespace weir::audit::python
