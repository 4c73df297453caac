#include <cctype>
#include <charconv>
#include <memory>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

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

bool is_class_name(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot != std::string_view::npos && dot + 1 < name.size() &&
         std::isupper(static_cast<unsigned char>(name[dot + 1])) != 0;
}

bool is_class(const Atom& atom) {
  if (atom.kind == Atom::Kind::class_) return true;
  return atom.kind == Atom::Kind::name && atom.number != kUnbound && is_class_name(atom.text);
}

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
  if (kind == "true" || kind == "false")
    return Atom{.kind = Atom::Kind::boolean, .number = kind == "true" ? 1 : 0, .literal = node.range()};
  if (kind == "none") return kind_value(Atom::Kind::none);
  const auto children = named_children(node);
  if (kind == "yield") {
    // One that may be left out, or comes again, makes of the generator something that is not followed.
    const bool plain = frame_->arms.empty() && !frame_->in_loop && !frame_->in_try && children.size() == 1 &&
                       !text_of(node).starts_with("yield from");
    frame_->yields = true;
    frame_->yields_more = frame_->yields_more || !plain;
    if (children.size() == 1) frame_->yielded.push_back(expression(children.front()));
    return {};
  }
  const bool is_what_it_holds =
      kind == "parenthesized_expression" || kind == "await" || kind == "expression_list" || kind == "list_splat";
  if (is_what_it_holds && children.size() == 1) return expression(children.front());
  if (kind == "expression_list") return elements(node);
  for (const Node child : children) expression(child);
  return {};
}

/// a or b: one of them.
Value Reader::either(Node node) {
  const Value left = expression(node.field("left"));
  frame_->arms.push_back({branches_++, 0, true});
  const Value right = expression(node.field("right"));
  frame_->arms.pop_back();
  return left.joined(right);
}

Value Reader::named(Node node) {
  Value value = expression(node.field("value"));
  assign_text(text_of(node.field("name")), value);
  return value;
}

/// The body is read twice, and so what it holds four times: a lambda that stands in too many others is not known.
Value Reader::lambda(Node node) {
  constexpr int kMostAround = 6;
  const Names before = frame_->scope->names;
  for (const Node parameter : named_children(node.field("parameters"))) bind_pattern(parameter, {});
  const std::size_t events = frame_->function->events.size();
  ++lambdas_around_;
  expression(node.field("body"));
  if (writes_masks_since(events)) change_environment(node);  // when it is called, if ever
  frame_->scope->names = before;
  Value function = lambdas_around_ <= kMostAround ? lambda_function(node) : Value{};
  --lambdas_around_;
  return function;
}

/// The function that a lambda is, with what depends on its parameters; the rest of it was noted where it stands.
Value Reader::lambda_function(Node node) {
  const std::string& within = frame_->function->key;
  std::string key = fmt::format("{}<lambda {}>", within.empty() ? "" : within + '.', node.range().begin);
  if (pending_.contains(key)) return kind_value(Atom::Kind::function, key);
  pending_.emplace(key, Pending{.definition = node, .scope = frame_->scope, .class_name = {}, .walked = true});
  functions_.push_back(std::make_unique<Function>());
  Function& function = *functions_.back();
  function.key = key;
  function.where = node.range();
  scopes_.push_back(std::make_unique<Scope>());
  scopes_.back()->outer = frame_->scope;
  Frame frame{.function = &function, .scope = scopes_.back().get()};
  frame.statement = frame_->statement;
  frame.top = frame_->top;
  frame.listing = true;
  Frame* const outer = std::exchange(frame_, &frame);
  read_parameters(node.field("parameters"), function, *scopes_.back(), {});
  function.returns.push_back(expression(node.field("body")));
  frame_ = outer;
  const auto is_noted = [](const Event& event) {
    const bool open = event.kind == Event::Kind::use_device && event.value.may_be(Atom::Kind::parameter);
    return !open && event.kind != Event::Kind::call;
  };
  std::erase_if(function.events, is_noted);
  return kind_value(Atom::Kind::function, key);
}

Value Reader::look_up(std::string_view name) const {
  for (const Scope* scope = frame_->scope; scope != nullptr; scope = scope->outer) {
    if (const auto found = scope->names.find(name); found != scope->names.end()) return found->second;
  }
  return Atom{.kind = Atom::Kind::name, .text = std::string{name}, .number = kUnbound};  // a builtin, or unknown
}

void Reader::bind_pattern(Node pattern, const Value& value) {
  if (pattern.is("identifier") || pattern.is("attribute") || pattern.is("subscript")) {
    assign(pattern, value, pattern);
    return;
  }
  // name, device = job: the parts are known as those of the job.
  const bool parts = pattern.is("pattern_list") || pattern.is("tuple_pattern") || pattern.is("list_pattern");
  const Atom* whole = value.single();
  const auto children = named_children(pattern);
  bool known = parts && whole != nullptr && (whole->kind == Atom::Kind::parameter || whole->kind == Atom::Kind::choice);
  if (parts && whole != nullptr && whole->kind == Atom::Kind::sequence)
    known = whole->items != nullptr && whole->items->values.size() == children.size();
  bool missing = false;
  int at = 0;
  for (const Node child : children) {
    known = known && !child.is("list_splat_pattern");  // what it takes, and so where the next stands, is not known
    bind_pattern(child, known ? item_of(value, std::to_string(at++), missing) : Value{});
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
    case Atom::Kind::object: {
      Atom part{.kind = Atom::Kind::object, .text = atom.text + '.' + name};
      part.number = atom.number;
      return part;
    }
    case Atom::Kind::name: {
      if (atom.number == kUnbound) return {};
      if (Value known = imported_value(atom.text + '.' + name); !known.is_unknown()) return known;
      const std::string full = canonical(atom.text + '.' + name);
      return kind_value(full == "sys.argv" ? Atom::Kind::choice : Atom::Kind::name, full);
    }
    case Atom::Kind::instance:
    case Atom::Kind::class_:
      return member_of(atom, name);
    case Atom::Kind::ordinal:
      return name == "index" ? Value{atom} : Value{};
    case Atom::Kind::text:
      if (name == "index") return item_of(atom, name, missing);
      [[fallthrough]];
    case Atom::Kind::number:
      return name == "value" ? Value{atom} : Value{};  // of a member of an enumeration
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
      const Function* constructor = walked(classes[i] + ".__init__");
      if (instance.kind == Atom::Kind::class_ && constructor != nullptr) return substituted(value, *constructor, {});
      if (instance.items != nullptr && value.may_be(Atom::Kind::parameter)) return item_of(instance, name, missing);
      // What the constructor was given is known where the instance is.
      if (const Atom* part = value.single(Atom::Kind::object); part != nullptr && part->items != nullptr &&
                                                               !instance.key.empty() &&
                                                               frame_->function->key != classes[i] + ".__init__") {
        Atom open = *part;
        open.key = instance.key + kPathBreak + name;
        return open;
      }
      const bool elsewhere = frame_->function->key != classes[i] + ".__init__" && value.may_be(Atom::Kind::parameter);
      if (!elsewhere || instance.key.empty()) return value;
      Value own = Atom{.kind = Atom::Kind::parameter, .text = instance.key, .key = name};
      for (const Atom& atom : value.atoms())
        if (atom.kind != Atom::Kind::parameter) own = own.joined(atom);
      return own;
    }
    if (const auto found = pending_.find(key); found != pending_.end()) {
      const bool read = found->second.property && instance.kind == Atom::Kind::instance;
      return read ? property_of(instance, key) : kind_value(Atom::Kind::function, key);
    }
    const auto& bases = bases_[classes[i]];
    classes.insert(classes.end(), bases.begin(), bases.end());
  }
  if (imported.empty()) return {};
  const Value known = imported_value(imported);
  return known.is_unknown() ? kind_value(Atom::Kind::name, imported) : known;
}

/// What a property gives.
Value Reader::property_of(const Atom& instance, const std::string& key) {
  walk_function(key);
  const bool own = !instance.key.empty();
  return returned_by(key,
                     {{std::string{kSelf}, own ? kind_value(Atom::Kind::parameter, instance.key) : Value{instance}}});
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
    if (one.single() != nullptr ? is_class(*one.single()) : one.atoms().size() > 1)
      classes = classes.is_unknown() ? one : classes.joined(one);
  }
  const Atom* atom = container.single();
  if (atom == nullptr) return {};
  const bool of_several = atom->text.ends_with("Union") || atom->text.ends_with("Annotated");
  if (atom->kind == Atom::Kind::name && (of_several ? !classes.is_unknown() : classes.may_be(Atom::Kind::class_)))
    return classes;
  if (const auto member = key.as_text();
      atom->kind == Atom::Kind::class_ && member && attributes_.contains(atom->text + '.' + *member))
    return member_of(*atom, *member);
  if (atom->kind == Atom::Kind::sequence) {
    const auto all = elements_of(*atom);
    const Atom* place = key.single(Atom::Kind::number);
    if (place == nullptr) return {};
    const long at = place->number < 0 ? place->number + static_cast<long>(all.size()) : place->number;
    return at >= 0 && at < static_cast<long>(all.size()) ? all[static_cast<std::size_t>(at)] : Value{};
  }
  if (atom->kind == Atom::Kind::dictionary || atom->kind == Atom::Kind::parameter || atom->kind == Atom::Kind::choice) {
    const auto path = key.single(Atom::Kind::pattern) == nullptr ? key.as_text() : std::nullopt;
    bool missing = false;
    if (path && !path->empty()) return item_of(container, *path, missing);
    return atom->kind == Atom::Kind::dictionary ? Value{} : any_element(container);
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
  // An item of what another module's function gave is told by its key.
  if (const auto path = key.as_text(); atom->kind == Atom::Kind::object && path)
    return attribute_of(*atom, '[' + *path + ']');
  return any_element(container);
}

Value Reader::conditional(Node node) {
  const auto parts = named_children(node).listed();
  if (parts.size() != 3) {
    for (const Node part : parts) expression(part);
    return {};
  }
  const auto conditions = conditions_of(parts[1]);
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
  const bool never = std::any_of(conditions.begin(), conditions.end(), [](const Condition& one) {
    const auto truth = one.value.truth();
    return truth && *truth != one.holds;
  });
  return never ? no : yes.joined(no);
}

}  // namespace weir::audit::python
