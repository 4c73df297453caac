#include <algorithm>
#include <array>
#include <utility>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// Calls: what is called, with what, and who answers for it.

namespace weir::audit::python {
namespace {

Node first_named(Node node) {
  for (const Node child : named_children(node)) return child;
  return {};
}

}  // namespace

std::string method_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string{} : std::string{name.substr(dot + 1)};
}

std::string canonical(std::string name) {
  constexpr std::array<std::string_view, 3> kAliases{"tensorflow.compat.v1", "tensorflow.compat.v2",
                                                     "tensorflow.python.keras"};
  for (const std::string_view alias : kAliases) {
    if (name.starts_with(alias)) return "tensorflow" + name.substr(alias.size());
  }
  if (name.starts_with("posix.environ")) return "os" + name.substr(5);
  return name;
}

/// The method of an object: of what an imported call gave it is known by the class's name.
Value Reader::method_named(const Value& object, const std::string& method) {
  Value all;
  bool first = true;
  for (const Atom& atom : object.atoms()) {
    const Value one = atom.kind == Atom::Kind::object ? kind_value(Atom::Kind::name, atom.text + '.' + method)
                                                      : attribute_of(atom, method);
    all = first ? one : all.joined(one);
    first = false;
  }
  return all;
}

/// d.get("device", "cuda:0") of a dictionary or of a parameter that may be one.
bool Reader::item_call(const Called& called, const std::vector<Argument>& args, Value& result) {
  const Atom* of = called.object.single();
  const bool known = of != nullptr && (of->kind == Atom::Kind::dictionary || of->kind == Atom::Kind::parameter);
  const Value key = value_of(args, 0);
  if (!known || (method_of(called.name) != "get" && method_of(called.name) != "pop") ||
      key.single(Atom::Kind::text) == nullptr || key.single()->text.empty())
    return false;
  bool missing = false;
  result = item_of(called.object, key.single()->text, missing);
  const Argument* otherwise = find_argument(args, 1, {});
  if (missing) result = otherwise == nullptr ? kind_value(Atom::Kind::none) : otherwise->value;
  if (of->kind == Atom::Kind::parameter && otherwise != nullptr && !otherwise->value.is_unknown())
    result = result.joined(otherwise->value);
  return true;
}

Reader::Called Reader::resolve(Node function) {
  Called called;
  if (function.is("attribute")) {
    called.object = expression(function.field("object"));
    const std::string method{text_of(function.field("attribute"))};
    const Atom* atom = called.object.single();
    called.callee = method_named(called.object, method);
    const bool imported = atom != nullptr && atom->kind == Atom::Kind::name && atom->number != kUnbound;
    called.name = imported ? canonical(atom->text + '.' + method) : "?." + method;
    return called;
  }
  called.callee = expression(function);
  if (const Atom* name = called.callee.single(Atom::Kind::name)) called.name = name->text;
  return called;
}

/// f(*list), f(**dictionary): what stands in them, as far as that is known.
void Reader::hand_on(Node splat, std::vector<Argument>& args) {
  const Value whole = expression(named_children(splat).front());
  const Atom* atom = whole.single();
  const bool list = splat.is("list_splat");
  const bool known = atom != nullptr && atom->items != nullptr;
  if (list && known && atom->kind == Atom::Kind::sequence) {
    for (const Value& element : elements_of(*atom)) args.push_back({{}, element});
    return;
  }
  if (list || !known || atom->kind != Atom::Kind::dictionary || atom->items->values.contains(kOpen)) {
    args.push_back({std::string{list ? kList : kDictionary}, whole});
    return;
  }
  for (const auto& [key, value] : atom->items->values) args.push_back({key, value});
}

std::vector<Argument> Reader::arguments(Node node) {
  std::vector<Argument> args;
  if (!node.is("argument_list")) {
    if (node) args.push_back({{}, expression(node)});  // f(x for x in y)
    return args;
  }
  for (const Node child : named_children(node)) {
    if (child.is("keyword_argument"))
      args.push_back({std::string{text_of(child.field("name"))}, expression(child.field("value"))});
    else if (child.is("dictionary_splat") || child.is("list_splat"))
      hand_on(child, args);
    else
      args.push_back({{}, expression(child)});
  }
  return args;
}

/// What a call by its name alone says of the program.
void Reader::note_call(const Called& called, const std::vector<Argument>& args, Node node) {
  if (touches_driver(called.name, args)) emit(Event::Kind::touch, node, called.name);
  join_process_group(called, args, node);
  if (is_verification(called.name) || called.name == "weir.verify") emit(Event::Kind::verify, node, called.name);
  if (is_process_start(called.name)) {
    const Node list = node.field("arguments");
    const Node given = list.is("argument_list") ? first_named(list) : Node{};
    const Node program = given.is("list") || given.is("tuple") ? first_named(given) : given;
    emit(Event::Kind::start_process, node, called.name, program.is("string") ? string(program) : Value{});
  }
  if (const auto replacement = replacement_of(called.name); !replacement.empty())
    emit(Event::Kind::deprecated_call, node.field("function"), called.name, text_value(std::string{replacement}));
  if (called.name == "gc.collect" || called.name == "torch.cuda.empty_cache")
    emit(Event::Kind::memory_cleanup, node, called.name);
  if (called.name == "os.chdir" || called.name == "sys.path.insert") emit(Event::Kind::header_noise, node, called.name);
}

/// What a call in the module's own body makes of it: a program without a main part, or one whose functions a server calls.
void Reader::note_program(const Called& called) {
  if (!frame_->function->key.empty() || frame_->in_class_body) return;
  if (called.name.ends_with(".parse_args")) reading_.entry_point = true;
  if (makes_server(called.name)) reading_.served = true;
}

Value Reader::call(Node node) {
  const Called called = resolve(node.field("function"));
  note_changing_method(node.field("function"), called.object);
  Value result;
  if (mapping_call(called, node, result)) return result;
  const bool asserts = method_of(called.name).starts_with("assert");  // assertEqual, assert_called_with
  const bool outer = std::exchange(frame_->compared, asserts);
  std::vector<Argument> args = arguments(node.field("arguments"));
  frame_->compared = outer;
  if (environment_call(called, args, node, result)) return result;
  if (may_change_environment(called, args)) change_environment(node);
  if (!asserts) device_arguments(called, args, node);
  note_call(called, args, node);
  if (worker_call(called, args, node, result)) return result;
  note_program(called);
  if (value_call(called, args, node, result)) return result;
  if (item_call(called, args, result)) return result;
  if (called.name == "super" && !frame_->function->key.empty()) return super_instance();
  const Atom* callee = called.callee.single();
  if (callee == nullptr || callee->kind == Atom::Kind::same) return call_each(called, args, node);
  if (callee->kind == Atom::Kind::function || callee->kind == Atom::Kind::class_)
    return local_call(called, *callee, std::move(args), node);
  hand_over(called, args, node);
  const bool imported = callee->kind == Atom::Kind::name && callee->text.find('.') != std::string::npos;
  if (imported && find_library(callee->text) == nullptr) return imported_call(called, *callee, std::move(args), node);
  return result;
}

/// A call of what another module defines.
Value Reader::imported_call(const Called& called, const Atom& callee, std::vector<Argument> args, Node node) {
  const Value first = value_of(args, 0);
  // A command line's reader that makes the class it is given: tyro.cli(Main).
  const bool makes = !first.is_unknown() && std::all_of(first.atoms().begin(), first.atoms().end(), is_class);
  Value made = makes ? Value{} : made_object(callee, args);
  add_instance(called, callee.text, args);
  emit(Event::Kind::call, node, callee.text).arguments = std::move(args);
  if (!makes) return made;
  for (const Atom& atom : first.atoms()) {
    const bool own = atom.kind == Atom::Kind::class_;
    const Value one = kind_value(own ? Atom::Kind::instance : Atom::Kind::object, atom.text);
    made = made.is_unknown() ? one : made.joined(one);
  }
  return made;
}

/// One of several, as the branches before decided: each is a way of its own.
Value Reader::call_each(const Called& called, const std::vector<Argument>& args, Node node) {
  const std::uint32_t id = branches_++;
  std::uint32_t arm = 0;
  Value made;
  for (const Atom& callee : called.callee.atoms()) {
    const bool imported = callee.kind == Atom::Kind::name && callee.number != kUnbound &&
                          callee.text.find('.') != std::string::npos && find_library(callee.text) == nullptr;
    frame_->arms.push_back({id, arm++});
    Value one;
    if (imported) {
      std::vector<Argument> passed = args;
      add_instance(called, callee.text, passed);
      emit(Event::Kind::call, node, callee.text).arguments = std::move(passed);
      if (is_class(callee)) one = made_object(callee, args);
    } else if (callee.kind == Atom::Kind::function || callee.kind == Atom::Kind::class_) {
      const std::string key = callee.kind == Atom::Kind::class_ ? callee.text + ".__init__" : callee.text;
      if (pending_.contains(key)) {
        walk_function(key);
        emit(Event::Kind::call, node, ':' + key).arguments = args;
      }
      if (callee.kind == Atom::Kind::class_) one = made_instance(callee, args);
    }
    frame_->arms.pop_back();
    made = arm == 1 ? one : made.joined(one);
  }
  return made;
}

/// Functions of this module that something else is given to call: buttons, callbacks, command lines. Those that run in another
/// process are judged by themselves.
void Reader::hand_over(const Called& called, const std::vector<Argument>& args, Node node) {
  if (is_process_start(called.name) || is_pool_method(method_of(called.name))) return;
  for (const Argument& arg : args) {
    if (is_init_keyword(arg.keyword)) continue;
    const Atom* method_of_object = arg.value.single(Atom::Kind::object);
    const bool named =
        arg.keyword == "fn" || arg.keyword == "func" || arg.keyword == "callback" || arg.keyword == "command";
    if (method_of_object != nullptr && named) {
      frame_->arms.push_back({branches_++, 0});
      emit(Event::Kind::call, node, method_of_object->text).hands_over = true;
      frame_->arms.pop_back();
    }
    const Atom* function = arg.value.single(Atom::Kind::function);
    if (function == nullptr || !pending_.contains(function->text)) continue;
    walk_function(std::string{function->text});
    frame_->arms.push_back({branches_++, 0});
    emit(Event::Kind::call, node, ':' + function->text).hands_over = true;
    frame_->arms.pop_back();
  }
}

}  // namespace weir::audit::python
