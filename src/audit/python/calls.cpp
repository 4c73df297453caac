#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

namespace weir::audit::python {
namespace {

bool is_environ(const Value& value) {
  const Atom* name = value.single(Atom::Kind::name);
  return name != nullptr && name->text == "os.environ";
}

std::string method_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string{} : std::string{name.substr(dot + 1)};
}

Node first_named(Node node) {
  for (const Node child : named_children(node)) return child;
  return {};
}

/// What a device argument cannot be told from: neither a device nor a parameter that may be given one.
bool says_nothing(const Value& value) {
  return std::all_of(value.atoms().begin(), value.atoms().end(), [](const Atom& atom) {
    return atom.kind == Atom::Kind::object || atom.kind == Atom::Kind::dictionary || atom.kind == Atom::Kind::name ||
           atom.kind == Atom::Kind::instance;
  });
}

/// What may become a device's text: a parameter, or one of several.
bool may_name_device(const Value& value) {
  return std::any_of(value.atoms().begin(), value.atoms().end(), [](const Atom& atom) {
    const bool text = atom.kind == Atom::Kind::text || atom.kind == Atom::Kind::pattern;
    return atom.kind == Atom::Kind::parameter || (text && parse_device(atom.text).has_value());
  });
}

bool is_gpu_text(const Value& value) {
  return std::any_of(value.atoms().begin(), value.atoms().end(), [](const Atom& atom) {
    const bool text = atom.kind == Atom::Kind::text || atom.kind == Atom::Kind::pattern;
    return text && (atom.text.starts_with("cuda") || atom.text.starts_with("xpu") || atom.text.starts_with("gpu"));
  });
}

}  // namespace

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
      expression(child);
    else
      args.push_back({{}, expression(child)});
  }
  return args;
}

/// Pairs of a dictionary, or keywords of a call, that are variables of an environment.
void Reader::environment_mapping(Node mapping, Event::Mode mode, Node whole, Items* items) {
  for (const Node child : named_children(mapping)) {
    const bool pair = child.is("pair");
    if (child.is("dictionary") || child.is("parenthesized_expression")) {
      environment_mapping(child, mode, whole);
      continue;
    }
    if (!pair && !child.is("keyword_argument")) {
      if (!child.is("dictionary_splat")) expression(child);
      continue;
    }
    const Value key = pair ? expression(child.field("key")) : text_value(std::string{text_of(child.field("name"))});
    const std::string outer = std::exchange(frame_->goal, key.as_text().value_or(""));
    const Value value = expression(child.field("value"));
    frame_->goal = outer;
    const auto name = key.as_text();
    if (!name) continue;
    if (items != nullptr && !value.is_unknown()) items->values.insert_or_assign(*name, value);
    if (find_variable(*name) != nullptr) {
      const bool editable = std::exchange(frame_->editable, false);
      set_variable(child, mapping, *name, value, mode);
      frame_->editable = editable;
    } else if (pair && mode == Event::Mode::child) {
      const DeviceKeyword* keyword = find_device_keyword(*name);
      const bool device = keyword != nullptr && (value.single(Atom::Kind::text) != nullptr ||
                                                 (keyword->numbers && value.single(Atom::Kind::number) != nullptr));
      if (device && gpu_library_ && *name == "device_id") emit(Event::Kind::use_device, child, *name, value);
    }
  }
}

Value Reader::call(Node node) {
  const Node list = node.field("arguments");
  const Called called = resolve(node.field("function"));
  if (called.name == "os.environ.update") {
    environment_mapping(list, Event::Mode::assign, node);
    return {};
  }
  if (called.name == "dict") {
    bool copies = false;
    for (const Node child : named_children(list))
      copies = copies || (!child.is("keyword_argument") && is_environ(expression(child)));
    auto items = std::make_shared<Items>();
    environment_mapping(list, Event::Mode::child, node, items.get());
    if (copies) return kind_value(Atom::Kind::environment_copy);
    if (items->values.empty()) return {};
    return Atom{.kind = Atom::Kind::dictionary, .items = std::move(items)};
  }
  const bool asserts = method_of(called.name).starts_with("assert");  // assertEqual, assert_called_with
  const bool outer = std::exchange(frame_->compared, asserts);
  std::vector<Argument> args = arguments(list);
  frame_->compared = outer;
  Value result;
  if (environment_call(called, args, node, result)) return result;
  if (!asserts) device_arguments(called, args, node);
  // onnxruntime that is given the CPU alone starts no driver.
  const Value providers = value_of(args, -1, "providers");
  const Atom* provider = providers.single(Atom::Kind::text);
  const bool cpu_alone = provider != nullptr && provider->text == "CPUExecutionProvider";
  if (is_touch(called.name) && !cpu_alone) emit(Event::Kind::touch, node, called.name);
  if (is_verification(called.name) || called.name == "weir.verify") emit(Event::Kind::verify, node, called.name);
  if (is_process_start(called.name)) {
    const Node given = list.is("argument_list") ? first_named(list) : Node{};
    const Node program = given.is("list") || given.is("tuple") ? first_named(given) : given;
    emit(Event::Kind::start_process, node, called.name, program.is("string") ? string(program) : Value{});
  }
  if (const auto replacement = replacement_of(called.name); !replacement.empty())
    emit(Event::Kind::deprecated_call, node.field("function"), called.name, text_value(std::string{replacement}));
  if (called.name == "gc.collect" || called.name == "torch.cuda.empty_cache")
    emit(Event::Kind::memory_cleanup, node, called.name);
  if (called.name == "os.chdir" || called.name == "sys.path.insert") emit(Event::Kind::header_noise, node, called.name);
  const bool thread = called.name == "threading.Thread";
  if (thread || called.name == "multiprocessing.Process" || called.name == "torch.multiprocessing.Process") {
    const Value given = value_of(args, 1, "target");
    if (const Atom* target = given.single(Atom::Kind::function))
      emit(thread ? Event::Kind::thread_target : Event::Kind::process_target, node, ':' + target->text);
  }
  if (frame_->function->key.empty() && !frame_->in_class_body && called.name.ends_with(".parse_args"))
    reading_.entry_point = true;  // a program without a main part
  if (value_call(called, args, node, result)) return result;
  if (item_call(called, args, result)) return result;
  if (called.name == "super" && !frame_->function->key.empty()) {
    const std::string& key = frame_->function->key;
    return kind_value(Atom::Kind::instance, "super " + key.substr(0, key.rfind('.')));
  }
  const Atom* callee = called.callee.single();
  if (callee == nullptr) {
    call_each(called.callee, args, node);
    return result;
  }
  if (callee->kind == Atom::Kind::function || callee->kind == Atom::Kind::class_)
    return local_call(called, *callee, std::move(args), node);
  hand_over(called, args, node);
  const bool imported = callee->kind == Atom::Kind::name && callee->text.find('.') != std::string::npos;
  if (imported && find_library(callee->text) == nullptr) {
    const Value first = value_of(args, 0);
    // A command line's reader that makes the class it is given: tyro.cli(Main).
    const bool makes =
        !first.is_unknown() && std::all_of(first.atoms().begin(), first.atoms().end(),
                                           [](const Atom& atom) { return atom.kind == Atom::Kind::class_; });
    emit(Event::Kind::call, node, callee->text).arguments = std::move(args);
    if (!makes) return kind_value(Atom::Kind::object, callee->text);
    Value made;
    for (const Atom& atom : first.atoms()) {
      const Value one = kind_value(Atom::Kind::instance, atom.text);
      made = made.is_unknown() ? one : made.joined(one);
    }
    return made;
  }
  return result;
}

/// One of several, as the branches before decided: each is a way of its own.
void Reader::call_each(const Value& callees, const std::vector<Argument>& args, Node node) {
  const std::uint32_t id = branches_++;
  std::uint32_t arm = 0;
  for (const Atom& callee : callees.atoms()) {
    const bool imported = callee.kind == Atom::Kind::name && callee.number != kUnbound &&
                          callee.text.find('.') != std::string::npos && find_library(callee.text) == nullptr;
    frame_->arms.push_back({id, arm++});
    if (imported) {
      emit(Event::Kind::call, node, callee.text).arguments = args;
    } else if (callee.kind == Atom::Kind::function || callee.kind == Atom::Kind::class_) {
      const std::string key = callee.kind == Atom::Kind::class_ ? callee.text + ".__init__" : callee.text;
      if (pending_.contains(key)) {
        walk_function(key);
        emit(Event::Kind::call, node, ':' + key).arguments = args;
      }
    }
    frame_->arms.pop_back();
  }
}

/// Functions of this module that something else is given to call: buttons, callbacks, command lines. Those that run in another
/// process are judged by themselves.
void Reader::hand_over(const Called& called, const std::vector<Argument>& args, Node node) {
  constexpr std::array<std::string_view, 10> kProcesses{"map",   "imap",   "imap_unordered", "starmap", "apply",
                                                        "spawn", "submit", "apply_async",    "Process", "Thread"};
  const std::string method = method_of(called.name);
  const bool process =
      is_process_start(called.name) || std::find(kProcesses.begin(), kProcesses.end(), method) != kProcesses.end();
  if (process) return;
  for (const Argument& arg : args) {
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

/// An instance with what its constructor left in its attributes.
Value Reader::made_instance(const Atom& class_atom, const std::vector<Argument>& args) const {
  auto items = std::make_shared<Items>();
  const std::string prefix = class_atom.text + '.';
  const auto init = std::find_if(functions_.begin(), functions_.end(),
                                 [&](const auto& function) { return function->key == prefix + "__init__"; });
  for (auto at = attributes_.lower_bound(prefix); at != attributes_.end() && at->first.starts_with(prefix); ++at) {
    Value value = init == functions_.end() ? at->second : substituted(at->second, **init, args);
    if (!value.is_unknown()) items->values.emplace(at->first.substr(prefix.size()), std::move(value));
  }
  Atom made{.kind = Atom::Kind::instance, .text = class_atom.text};
  if (!items->values.empty()) made.items = std::move(items);
  return made;
}

bool Reader::environment_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result) {
  const std::string_view name = called.name;
  const bool copy = called.object.may_be(Atom::Kind::environment_copy);
  const auto variable = value_of(args, 0, "key").as_text();
  const Node target = node.field("function").field("object");
  if (name == "os.environ.get" || name == "os.getenv") {
    if (variable) {
      looked_at(*variable);
      result = kind_value(Atom::Kind::environment, *variable);
    }
    return true;
  }
  if (name == "os.environ.copy" || name == "copy.copy" || name == "copy.deepcopy") {
    const bool environ = name == "os.environ.copy" || is_environ(value_of(args, 0));
    if (environ) result = kind_value(Atom::Kind::environment_copy);
    return environ;
  }
  if (name == "os.environ.setdefault" || (copy && method_of(name) == "setdefault")) {
    if (variable)
      set_variable(node, target, *variable, value_of(args, 1), copy ? Event::Mode::child : Event::Mode::keep);
    return true;
  }
  if (name == "os.putenv" || name == "os.environ.__setitem__") {
    if (variable) set_variable(node, {}, *variable, value_of(args, 1), Event::Mode::assign);
    return true;
  }
  if (name == "os.environ.pop" || name == "os.unsetenv") {
    if (variable && find_variable(*variable) != nullptr) emit(Event::Kind::remove_variable, node, *variable);
    if (variable) result = kind_value(Atom::Kind::environment, *variable);
    return true;
  }
  return false;
}

void Reader::device_arguments(const Called& called, const std::vector<Argument>& args, Node node) {
  const std::string method = '.' + method_of(called.name);
  const DeviceParameter* known = find_device_parameter(called.name);
  // An object that comes from another module is as good as an unknown one.
  if (known == nullptr && find_library(called.name) == nullptr) known = find_device_parameter(method);
  const bool own = called.callee.single(Atom::Kind::function) != nullptr;  // a method of this module called to()
  if (takes_smi_index(called.name)) emit(Event::Kind::use_smi_index, node, called.name, value_of(args, 0, "index"));
  if (known != nullptr && !own) {
    const Argument* arg = find_argument(args, known->position, known->keyword);
    if (arg != nullptr && called.name == "torch.device" && arg->keyword.empty()) {
      Value whole;
      value_call(called, args, node, whole);
      if (!whole.is_unknown() && !frame_->compared) emit(Event::Kind::use_device, node, called.name, whole);
      return;
    }
    if (arg != nullptr && (known->numbers || arg->value.as_text() || may_name_device(arg->value))) {
      const bool bare = arg->value.single(Atom::Kind::number) != nullptr && !known->numbers;
      if (!bare) emit(Event::Kind::use_device, node, std::string{known->name}, arg->value);
    }
    const bool moves = known->name == ".cuda" || known->name == ".xpu" ||
                       (known->name == ".to" && arg != nullptr && is_gpu_text(arg->value));
    if (moves) emit(Event::Kind::touch, node, method, arg == nullptr ? Value{} : arg->value);
    if (arg != nullptr) return;
  }
  for (const Argument& arg : args) {
    const DeviceKeyword* keyword = arg.keyword.empty() ? nullptr : find_device_keyword(arg.keyword);
    if (keyword == nullptr || own) continue;
    const Atom* number = arg.value.single(Atom::Kind::number);
    if (number != nullptr && (!keyword->numbers || number->number < 0)) continue;
    if (says_nothing(arg.value) || arg.value.single(Atom::Kind::none)) continue;
    emit(Event::Kind::use_device, node, arg.keyword + '=', arg.value);
    if (is_gpu_text(arg.value) && find_library(called.name) != nullptr) emit(Event::Kind::touch, node, called.name);
  }
}

Value Reader::local_call(const Called& called, const Atom& callee, std::vector<Argument> args, Node node) {
  const bool makes = callee.kind == Atom::Kind::class_;
  const std::string key = makes ? callee.text + ".__init__" : callee.text;
  const bool known = pending_.contains(key);
  const Atom* self = called.object.single(Atom::Kind::instance);
  if (self != nullptr && !makes) {
    const bool own = !self->key.empty();
    args.push_back({std::string{kSelf}, own ? kind_value(Atom::Kind::parameter, self->key) : Value{*self}});
  }
  if (known) {
    walk_function(key);
    emit(Event::Kind::call, node, ':' + key).arguments = args;
  }
  if (makes) {
    if (const Value inherited = member_of(callee, "__init__"); !known && inherited.single(Atom::Kind::name) != nullptr)
      emit(Event::Kind::call, node, inherited.single()->text).arguments = args;
    return made_instance(callee, args);
  }
  return known ? returned_by(key, args) : Value{};
}

Value Reader::returned_by(const std::string& key, const std::vector<Argument>& args) {
  const auto found =
      std::find_if(functions_.begin(), functions_.end(), [&](const auto& function) { return function->key == key; });
  if (found == functions_.end() || (*found)->returns.empty()) return {};
  const Function& function = **found;
  Value all = substituted(function.returns.front(), function, args);
  for (const Value& value : function.returns) all = all.joined(substituted(value, function, args));
  return all;
}

}  // namespace weir::audit::python
