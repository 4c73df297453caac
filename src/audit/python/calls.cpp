#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

namespace weir::audit::python {
namespace {

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
           atom.kind == Atom::Kind::instance || atom.kind == Atom::Kind::same;
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

/// What a call that is given lists or dictionaries of devices puts to use.
Value devices_in(const Value& value) {
  const Atom* atom = value.single();
  if (atom == nullptr || atom->items == nullptr) return value;
  if (atom->kind == Atom::Kind::sequence) return any_element(value);
  if (atom->kind != Atom::Kind::dictionary) return value;
  Value any;
  bool first = true;
  for (const auto& [key, one] : atom->items->values) {
    if (one.is_unknown()) continue;
    any = first ? one : any.joined(one);
    first = false;
  }
  return any;
}

/// With what stands in lists, and in dictionaries where those name devices.
std::vector<Argument> with_devices(std::string_view called, std::vector<Argument> args) {
  int position = 0;
  for (Argument& arg : args) {
    const bool second = arg.keyword.empty() && position++ == 1;
    const bool maps =
        arg.keyword == "map_location" || arg.keyword == "device_map" || (second && called == "torch.load");
    const bool list = arg.value.single(Atom::Kind::sequence) != nullptr;
    if (list || maps) arg.value = devices_in(arg.value);
  }
  return args;
}

/// Trainer(devices=[1]), unless it works on the CPU.
const Argument* device_list(std::string_view call, const std::vector<Argument>& args) {
  const auto accelerator = value_of(args, -1, "accelerator").as_text();
  if (accelerator && *accelerator != "gpu" && *accelerator != "cuda" && *accelerator != "auto") return nullptr;
  const auto found = std::find_if(args.begin(), args.end(), [&](const Argument& arg) {
    return takes_device_list(call, arg.keyword) && arg.value.single(Atom::Kind::sequence) != nullptr;
  });
  return found == args.end() ? nullptr : &*found;
}

}  // namespace

bool is_environ(const Value& value) {
  const Atom* name = value.single(Atom::Kind::name);
  return name != nullptr && name->text == "os.environ";
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

/// NCCL asks the driver for its devices, and works on no other (ProcessGroupNCCL's constructor in PyTorch).
void Reader::join_process_group(const Called& called, const std::vector<Argument>& args, Node node) {
  if (called.name != "torch.distributed.init_process_group") return;
  const Value backend = value_of(args, 0, "backend");
  const auto& atoms = backend.atoms();
  const bool nccl = std::any_of(atoms.begin(), atoms.end(), [](const Atom& atom) {
    return atom.kind == Atom::Kind::text && atom.text.find("nccl") != std::string::npos;
  });
  if (!nccl) return;
  if (atoms.size() > 1) frame_->arms.push_back({branches_++, 0});  // one of several
  emit(Event::Kind::touch, node, called.name);
  if (atoms.size() > 1) frame_->arms.pop_back();
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
    if (items != nullptr) items->values.insert_or_assign(*name, value);
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
  note_changing_method(node.field("function"), called.object);
  if (called.name == "os.environ.update") {
    for (const Node child : named_children(list)) {
      // What is not written out here may hold any variable.
      const bool written_out =
          child.is("keyword_argument") || (child.is("dictionary") && !child_of_kind(child, "dictionary_splat"));
      if (!written_out) change_environment(node);
    }
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
  if (may_change_environment(called, args)) change_environment(node);
  if (!asserts) device_arguments(called, args, node);
  // onnxruntime that is given the CPU alone starts no driver.
  const Value providers = devices_in(value_of(args, -1, "providers"));
  const Atom* provider = providers.single(Atom::Kind::text);
  const bool cpu_alone = provider != nullptr && provider->text == "CPUExecutionProvider";
  if (is_touch(called.name) && !cpu_alone) emit(Event::Kind::touch, node, called.name);
  join_process_group(called, args, node);
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
  if (worker_call(called, args, node, result)) return result;
  if (frame_->function->key.empty() && !frame_->in_class_body && called.name.ends_with(".parse_args"))
    reading_.entry_point = true;  // a program without a main part
  if (frame_->function->key.empty() && !frame_->in_class_body && makes_server(called.name)) reading_.served = true;
  if (value_call(called, args, node, result)) return result;
  if (item_call(called, args, result)) return result;
  if (called.name == "super" && !frame_->function->key.empty()) {
    const std::string& key = frame_->function->key;
    const auto& parameters = frame_->function->parameters;
    return Atom{.kind = Atom::Kind::instance,
                .text = "super " + key.substr(0, key.rfind('.')),
                .key = parameters.empty() ? std::string{} : parameters.front()};
  }
  const Atom* callee = called.callee.single();
  if (callee == nullptr || callee->kind == Atom::Kind::same) {
    return call_each(called, args, node);
  }
  if (callee->kind == Atom::Kind::function || callee->kind == Atom::Kind::class_)
    return local_call(called, *callee, std::move(args), node);
  hand_over(called, args, node);
  const bool imported = callee->kind == Atom::Kind::name && callee->text.find('.') != std::string::npos;
  if (imported && find_library(callee->text) == nullptr) {
    const Value first = value_of(args, 0);
    // A command line's reader that makes the class it is given: tyro.cli(Main).
    const bool makes = !first.is_unknown() && std::all_of(first.atoms().begin(), first.atoms().end(), is_class);
    Value made = makes ? Value{} : made_object(*callee, args);
    add_instance(called, callee->text, args);
    emit(Event::Kind::call, node, callee->text).arguments = std::move(args);
    if (!makes) return made;
    for (const Atom& atom : first.atoms()) {
      const bool own = atom.kind == Atom::Kind::class_;
      const Value one = kind_value(own ? Atom::Kind::instance : Atom::Kind::object, atom.text);
      made = made.is_unknown() ? one : made.joined(one);
    }
    return made;
  }
  return result;
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

/// What an imported class or function gives; of a class with what it was made from, by which its attributes may be known.
Value Reader::made_object(const Atom& callee, const std::vector<Argument>& args) {
  Atom object{.kind = Atom::Kind::object, .text = callee.text};
  if (!is_class(callee)) return object;
  auto items = std::make_shared<Items>();
  int position = 0;
  for (const Argument& arg : args) {
    const std::string key = arg.keyword.empty() ? std::to_string(position++) : arg.keyword;
    const auto& atoms = arg.value.atoms();
    // Objects within objects would grow without end.
    const bool flat = std::none_of(atoms.begin(), atoms.end(), [](const Atom& atom) {
      return atom.kind == Atom::Kind::object || atom.kind == Atom::Kind::instance;
    });
    if (flat && !arg.value.is_unknown()) items->values.insert_or_assign(constructor_key(key), arg.value);
  }
  object.items = std::move(items);  // empty: the defaults are known
  return object;
}

/// A method of an object that another module's class made is given the object.
void Reader::add_instance(const Called& called, const std::string& method, std::vector<Argument>& args) {
  for (const Atom& atom : called.object.atoms()) {
    if (atom.kind != Atom::Kind::object || !method.starts_with(atom.text + '.')) continue;
    const std::size_t path = atom.key.find(kPathBreak);
    if (path != std::string::npos)  // an attribute of an instance: what it was made from is known where the instance is
      args.push_back({std::string{kSelf}, Value{Atom{.kind = Atom::Kind::parameter,
                                                     .text = atom.key.substr(0, path),
                                                     .key = atom.key.substr(path + 1)}}});
    else if (atom.items != nullptr)
      args.push_back({std::string{kSelf}, Value{atom}});
  }
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

/// The constructor of a class of this module, its own or the first that it inherits; empty if there is none here.
std::string Reader::constructor_of(const std::string& class_name) const {
  constexpr std::size_t kMostClasses = 16;  // they may be made from each other by mistake
  std::vector<std::string> classes{class_name};
  for (std::size_t i = 0; i < classes.size() && i < kMostClasses; ++i) {
    if (pending_.contains(classes[i] + ".__init__")) return classes[i] + ".__init__";
    const auto bases = bases_.find(classes[i]);
    if (bases != bases_.end()) classes.insert(classes.end(), bases->second.begin(), bases->second.end());
  }
  return {};
}

/// A function whose body was read by now; null if it was not.
const Function* Reader::walked(std::string_view key) const {
  const auto found =
      std::find_if(functions_.begin(), functions_.end(), [&](const auto& function) { return function->key == key; });
  return found == functions_.end() ? nullptr : found->get();
}

/// What the constructor of a class and those that it calls leave in the attributes.
void Reader::add_attributes(const std::string& class_name, const std::vector<Argument>& args, Items& items,
                            int& budget) const {
  if (--budget < 0) return;
  const std::string prefix = class_name + '.';
  const Function* init = walked(prefix + "__init__");
  for (auto at = attributes_.lower_bound(prefix); at != attributes_.end() && at->first.starts_with(prefix); ++at) {
    Value value = init == nullptr ? at->second : substituted(at->second, *init, args);
    if (!value.is_unknown()) items.values.emplace(at->first.substr(prefix.size()), std::move(value));
  }
  if (init == nullptr) {
    const auto bases = bases_.find(class_name);
    if (bases == bases_.end()) return;
    for (const std::string& base : bases->second) add_attributes(base, args, items, budget);
    return;
  }
  constexpr std::string_view kInit = ".__init__";
  for (const Event& event : init->events) {
    const bool constructs =
        event.kind == Event::Kind::call && event.name.starts_with(':') && event.name.ends_with(kInit);
    if (!constructs || !value_of(event.arguments, -1, kSelf).may_be(Atom::Kind::parameter)) continue;
    std::vector<Argument> passed;
    for (const Argument& arg : event.arguments) passed.push_back({arg.keyword, substituted(arg.value, *init, args)});
    add_attributes(event.name.substr(1, event.name.size() - 1 - kInit.size()), passed, items, budget);
  }
}

/// An instance with what its constructor left in its attributes.
Value Reader::made_instance(const Atom& class_atom, const std::vector<Argument>& args) const {
  auto items = std::make_shared<Items>();
  int budget = 16;  // classes that are looked at
  add_attributes(class_atom.text, args, *items, budget);
  // Without a constructor, as a model that reads its fields by itself: what is given by name is kept by name.
  const bool plain = constructor_of(class_atom.text).empty();
  for (const Argument& arg : args) {
    const bool named =
        !arg.keyword.empty() && arg.keyword != kSelf && arg.keyword != kList && arg.keyword != kDictionary;
    if (plain && named && !arg.value.is_unknown()) items->values.insert_or_assign(arg.keyword, arg.value);
  }
  Atom made{.kind = Atom::Kind::instance, .text = class_atom.text};
  if (!items->values.empty()) made.items = std::move(items);
  return made;
}

/// Empties the environment, reads a file into it, runs what may, or hands it to somebody: mock.patch.dict(os.environ).
bool Reader::may_change_environment(const Called& called, const std::vector<Argument>& args) {
  constexpr std::array<std::string_view, 12> kCalls{"os.environ.clear", "os.environ.popitem", "dotenv.load_dotenv",
                                                    "dotenv.main.load_dotenv",
                                                    // Code that is not known here runs.
                                                    "importlib.import_module", "importlib.reload", "runpy.run_path",
                                                    "runpy.run_module", "__import__", "exec", "eval", "execfile"};
  if (std::find(kCalls.begin(), kCalls.end(), called.name) != kCalls.end() || called.name.starts_with("os.environb."))
    return true;
  // What a test sets for itself, and takes back: monkeypatch.setenv(), patch.dict("os.environ", ...).
  if (called.name.ends_with(".setenv") || called.name.ends_with(".delenv")) return true;
  if (called.name.ends_with("patch.dict") && value_of(args, 0).as_text() == "os.environ") return true;
  constexpr std::array<std::string_view, 9> kReaders{"dict", "len",  "list",       "sorted",       "print",
                                                     "str",  "repr", "json.dumps", "pprint.pprint"};
  if (std::find(kReaders.begin(), kReaders.end(), called.name) != kReaders.end()) return false;
  return std::any_of(args.begin(), args.end(),
                     [](const Argument& arg) { return is_environ(arg.value) && arg.keyword != "env"; });
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
    if (variable)
      set_variable(node, {}, *variable, value_of(args, 1), Event::Mode::assign);
    else
      change_environment(node);
    return true;
  }
  if (name == "os.environ.pop" || name == "os.unsetenv") {
    if (!variable) change_environment(node);
    if (variable && find_variable(*variable) != nullptr) emit(Event::Kind::remove_variable, node, *variable);
    if (variable) result = kind_value(Atom::Kind::environment, *variable);
    return true;
  }
  return false;
}

void Reader::device_arguments(const Called& called, const std::vector<Argument>& given, Node node) {
  const std::vector<Argument> args = with_devices(called.name, given);
  if (const Argument* list = device_list(called.name, given))
    emit(Event::Kind::use_device, node, list->keyword + '=', devices_in(list->value));
  const std::string method = '.' + method_of(called.name);
  const DeviceParameter* known = find_device_parameter(called.name);
  // An object that comes from another module is as good as an unknown one.
  if (known == nullptr && find_library(called.name) == nullptr) known = find_device_parameter(method);
  const bool own = called.callee.single(Atom::Kind::function) != nullptr;  // a method of this module called to()
  if (takes_smi_index(called.name)) emit(Event::Kind::use_smi_index, node, called.name, value_of(args, 0, "index"));
  if (known != nullptr && !own) {
    const Argument* arg = find_argument(args, known->position, known->keyword);
    const bool made = called.name == "torch.device";
    if (arg == nullptr && made) arg = find_argument(args, -1, "type");
    if (arg != nullptr && made && (arg->keyword.empty() || arg->keyword == "type")) {
      Value whole;
      value_call(called, args, node, whole);
      if (!whole.is_unknown() && whole.single(Atom::Kind::same) == nullptr && !frame_->compared)
        emit(Event::Kind::use_device, node, called.name, whole);
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
  const Argument* further = find_argument(args, -1, kDictionary);
  if (further != nullptr && further->value.single(Atom::Kind::parameter) != nullptr &&
      find_library(called.name) != nullptr) {
    bool missing = false;
    const std::string keyword = called.name == "torch.load" ? "map_location" : "device";
    emit(Event::Kind::use_device, node, keyword + '=', item_of(further->value, keyword, missing)).if_given = true;
  }
  // The arguments of a function of this module are judged where it uses them.
  if (called.name == "functools.partial" && !args.empty() && args.front().value.single(Atom::Kind::function)) return;
  for (const Argument& arg : args) {
    const DeviceKeyword* keyword = arg.keyword.empty() ? nullptr : find_device_keyword(arg.keyword);
    if (keyword == nullptr || own) continue;
    const Atom* number = arg.value.single(Atom::Kind::number);
    // Of PyTorch's own functions a number is a device, too.
    const bool numbers = keyword->numbers || called.name.starts_with("torch.");
    if (number != nullptr && (!numbers || number->number < 0)) continue;
    const Atom* thing = arg.value.single();
    const bool numbered = keyword->numbers && thing != nullptr && keeps_meaning(*thing);
    if ((says_nothing(arg.value) && !numbered) || arg.value.single(Atom::Kind::none)) continue;
    emit(Event::Kind::use_device, node, arg.keyword + '=', arg.value);
    if (is_gpu_text(arg.value) && find_library(called.name) != nullptr) emit(Event::Kind::touch, node, called.name);
  }
}

/// What the functions around this one were given, where it is called in one of them.
void Reader::add_closure(const std::string& key, std::vector<Argument>& args) {
  const std::string& here = frame_->function->key;
  for (std::size_t dot = key.rfind('.'); dot != std::string::npos && dot > 0; dot = key.rfind('.', dot - 1)) {
    const std::string around = key.substr(0, dot);
    if (here != around && !here.starts_with(around + '.')) continue;
    const auto found =
        std::find_if(functions_.begin(), functions_.end(), [&](const auto& one) { return one->key == around; });
    if (found == functions_.end()) continue;
    for (const std::string& name : (*found)->parameters)
      args.push_back({std::string{kClosure} + name, kind_value(Atom::Kind::parameter, name)});
  }
}

Value Reader::local_call(const Called& called, const Atom& callee, std::vector<Argument> args, Node node) {
  const bool makes = callee.kind == Atom::Kind::class_;
  const std::string key = makes ? constructor_of(callee.text) : callee.text;
  const bool known = pending_.contains(key);
  if (!makes) {
    args = with_bound(callee, args);
    add_closure(key, args);
  }
  const Atom* self = called.object.single(Atom::Kind::instance);
  // Base.__init__(self, ...): the instance comes first.
  const bool by_class = known && called.object.single(Atom::Kind::class_) != nullptr && !args.empty();
  const Atom* own_self = by_class ? args.front().value.single(Atom::Kind::instance) : nullptr;
  if (own_self != nullptr && !own_self->key.empty() && args.front().keyword.empty()) {
    const Value instance = kind_value(Atom::Kind::parameter, own_self->key);
    args.erase(args.begin());
    args.push_back({std::string{kSelf}, instance});
  }
  if (self != nullptr && !makes) {
    const bool own = !self->key.empty();
    args.push_back({std::string{kSelf}, own ? kind_value(Atom::Kind::parameter, self->key) : Value{*self}});
  }
  if (known) {
    walk_function(key);
    emit(Event::Kind::call, node, ':' + key).arguments = args;
    if (const Function* function = walked(key)) forget_changed(*function, node.field("arguments"));
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
  return all.may_be(Atom::Kind::same) ? Value{} : all;  // each call makes another
}

}  // namespace weir::audit::python
