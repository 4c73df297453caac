#include <algorithm>
#include <array>
#include <utility>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// Calls: the callee, the arguments, and the function that evaluates them.

namespace weir::audit::python {
namespace {

/// Returns the first named child; null if there is none.
Node first_named(Node node) {
  for (const Node child : named_children(node)) return child;
  return {};
}

}  // namespace

std::string method_name(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string{} : std::string{name.substr(dot + 1)};
}

std::string canonical_name(std::string name) {
  constexpr std::array<std::string_view, 3> kAliases{"tensorflow.compat.v1", "tensorflow.compat.v2",
                                                     "tensorflow.python.keras"};
  for (const std::string_view alias : kAliases) {
    if (name.starts_with(alias)) return "tensorflow" + name.substr(alias.size());
  }
  // posix.environ is another name of os.environ.
  if (name.starts_with("posix.environ")) return "os" + name.substr(5);
  return name;
}

/// Returns a method of an object; for the result of an imported class, the full name of the class's method.
Value Reader::find_method(const Value& object, const std::string& method) {
  Value all;
  bool first = true;
  for (const PossibleValue& alternative : object.alternatives()) {
    const Value one = alternative.kind == PossibleValue::Kind::call_result
                          ? value_of_kind(PossibleValue::Kind::qualified_name, alternative.text + '.' + method)
                          : attribute_of(alternative, method);
    all = first ? one : all.joined(one);
    first = false;
  }
  return all;
}

/// Handles d.get("device", "cuda:0") for a dictionary, or a parameter that may be one.
bool Reader::dictionary_get_call(const CallTarget& called, const std::vector<Argument>& args, Value& result) {
  const PossibleValue* container = called.object.single_alternative();
  const bool may_be_dictionary = container != nullptr && (container->kind == PossibleValue::Kind::dictionary ||
                                                          container->kind == PossibleValue::Kind::parameter);
  const Value key = argument_value(args, 0);
  if (!may_be_dictionary || (method_name(called.name) != "get" && method_name(called.name) != "pop") ||
      key.single_alternative(PossibleValue::Kind::text) == nullptr || key.single_alternative()->text.empty())
    return false;
  bool missing = false;
  result = item_of(called.object, key.single_alternative()->text, missing);
  const Argument* default_argument = find_argument(args, 1, {});
  if (missing)
    result = default_argument == nullptr ? value_of_kind(PossibleValue::Kind::none) : default_argument->value;
  if (container->kind == PossibleValue::Kind::parameter && default_argument != nullptr &&
      !default_argument->value.is_unknown())
    result = result.joined(default_argument->value);
  return true;
}

/// Finds out what a call calls. `function` is the expression before the parentheses.
Reader::CallTarget Reader::resolve(Node function) {
  CallTarget called;
  if (function.is("attribute")) {
    called.object = expression(function.field("object"));
    const std::string method{text_of(function.field("attribute"))};
    const PossibleValue* alternative = called.object.single_alternative();
    called.callee = find_method(called.object, method);
    const bool imported = alternative != nullptr && alternative->kind == PossibleValue::Kind::qualified_name &&
                          alternative->number != kUnbound;
    called.name = imported ? canonical_name(alternative->text + '.' + method) : "?." + method;
    return called;
  }
  called.callee = expression(function);
  if (const PossibleValue* name = called.callee.single_alternative(PossibleValue::Kind::qualified_name))
    called.name = name->text;
  return called;
}

/// Adds the unpacked arguments of f(*list) and f(**dictionary), as far as they are known.
void Reader::add_unpacked_arguments(Node splat, std::vector<Argument>& args) {
  const Value whole = expression(named_children(splat).front());
  const PossibleValue* alternative = whole.single_alternative();
  const bool is_list = splat.is("list_splat");
  const bool is_known = alternative != nullptr && alternative->items != nullptr;
  if (is_list && is_known && alternative->kind == PossibleValue::Kind::sequence) {
    for (const Value& element : elements_of(*alternative)) args.push_back({{}, element});
    return;
  }
  if (is_list || !is_known || alternative->kind != PossibleValue::Kind::dictionary ||
      alternative->items->values.contains(kIncompleteKey)) {
    args.push_back({std::string{is_list ? kListKeyword : kDictionaryKeyword}, whole});
    return;
  }
  for (const auto& [key, value] : alternative->items->values) args.push_back({key, value});
}

/// Evaluates the arguments of a call, in order.
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
      add_unpacked_arguments(child, args);
    else
      args.push_back({{}, expression(child)});
  }
  return args;
}

/// Records the events that follow from the name and the arguments of a call, whatever its callee does.
void Reader::note_call(const CallTarget& called, const std::vector<Argument>& args, Node node) {
  if (call_starts_driver(called.name, args)) emit(Event::Kind::start_driver, node, called.name);
  note_process_group(called, args, node);
  if (reads_device_identity(called.name) || called.name == "weir.verify")
    emit(Event::Kind::verify_device, node, called.name);
  if (starts_process(called.name)) {
    const Node call_arguments = node.field("arguments");
    const Node first_argument = call_arguments.is("argument_list") ? first_named(call_arguments) : Node{};
    const Node program =
        first_argument.is("list") || first_argument.is("tuple") ? first_named(first_argument) : first_argument;
    emit(Event::Kind::start_process, node, called.name, program.is("string") ? string(program) : Value{});
  }
  if (const auto replacement = replacement_of(called.name); !replacement.empty())
    emit(Event::Kind::deprecated_call, node.field("function"), called.name, text_value(std::string{replacement}));
  if (called.name == "gc.collect" || called.name == "torch.cuda.empty_cache")
    emit(Event::Kind::memory_cleanup, node, called.name);
  if (called.name == "os.chdir" || called.name == "sys.path.insert") emit(Event::Kind::change_paths, node, called.name);
}

/// Records what a call in the module's body reveals about the module: that it is a program (parse_args()), or that a
/// server calls its functions.
void Reader::note_program(const CallTarget& called) {
  if (!frame_->function->key.empty() || frame_->in_class_body) return;
  if (called.name.ends_with(".parse_args")) content_.is_entry_point = true;
  if (creates_server(called.name)) content_.is_served = true;
}

/// Evaluates a call. Each kind of callee has a function of its own; the first one that knows the callee decides.
Value Reader::call(Node node) {
  const CallTarget called = resolve(node.field("function"));
  note_changing_method(node.field("function"), called.object);
  Value result;
  if (mapping_call(called, node, result)) return result;
  const bool asserts = method_name(called.name).starts_with("assert");  // assertEqual, assert_called_with
  // The arguments of an assertion put no work on a device.
  const bool outer = std::exchange(frame_->in_comparison, asserts);
  std::vector<Argument> args = arguments(node.field("arguments"));
  frame_->in_comparison = outer;
  if (environment_call(called, args, node, result)) return result;
  if (may_change_environment(called, args)) change_environment(node);
  if (!asserts) device_arguments(called, args, node);
  note_call(called, args, node);
  if (worker_call(called, args, node, result)) return result;
  note_program(called);
  if (value_call(called, args, node, result)) return result;
  if (dictionary_get_call(called, args, result)) return result;
  if (called.name == "super" && !frame_->function->key.empty()) return super_instance();
  const PossibleValue* callee = called.callee.single_alternative();
  if (callee == nullptr || callee->kind == PossibleValue::Kind::symbol) return call_each(called, args, node);
  if (callee->kind == PossibleValue::Kind::function || callee->kind == PossibleValue::Kind::class_)
    return local_call(called, *callee, std::move(args), node);
  note_callbacks(called, args, node);
  const bool imported =
      callee->kind == PossibleValue::Kind::qualified_name && callee->text.find('.') != std::string::npos;
  if (imported && find_library(callee->text) == nullptr) return imported_call(called, *callee, std::move(args), node);
  return result;
}

/// Evaluates a call of a function or class of another module.
Value Reader::imported_call(const CallTarget& called, const PossibleValue& callee, std::vector<Argument> args,
                            Node node) {
  const Value first = argument_value(args, 0);
  // A command-line parser that constructs the given class: tyro.cli(Main).
  const bool constructs_class =
      !first.is_unknown() && std::all_of(first.alternatives().begin(), first.alternatives().end(), is_class);
  Value result = constructs_class ? Value{} : imported_result(callee, args);
  add_instance(called, callee.text, args);
  emit(Event::Kind::call, node, callee.text).arguments = std::move(args);
  if (!constructs_class) return result;
  for (const PossibleValue& alternative : first.alternatives()) {
    const bool is_local = alternative.kind == PossibleValue::Kind::class_;
    const Value one =
        value_of_kind(is_local ? PossibleValue::Kind::instance : PossibleValue::Kind::call_result, alternative.text);
    result = result.is_unknown() ? one : result.joined(one);
  }
  return result;
}

/// Calls each of several possible callees; each is a separate arm of one branch.
Value Reader::call_each(const CallTarget& called, const std::vector<Argument>& args, Node node) {
  const std::uint32_t id = branch_count_++;
  std::uint32_t arm = 0;
  Value result;
  for (const PossibleValue& callee : called.callee.alternatives()) {
    const bool imported = callee.kind == PossibleValue::Kind::qualified_name && callee.number != kUnbound &&
                          callee.text.find('.') != std::string::npos && find_library(callee.text) == nullptr;
    frame_->arms.push_back({id, arm++});
    Value one;
    if (imported) {
      std::vector<Argument> passed = args;
      add_instance(called, callee.text, passed);
      emit(Event::Kind::call, node, callee.text).arguments = std::move(passed);
      if (is_class(callee)) one = imported_result(callee, args);
    } else if (callee.kind == PossibleValue::Kind::function || callee.kind == PossibleValue::Kind::class_) {
      const std::string key = callee.kind == PossibleValue::Kind::class_ ? callee.text + ".__init__" : callee.text;
      if (pending_.contains(key)) {
        walk_function(key);
        emit(Event::Kind::call, node, ':' + key).arguments = args;
      }
      if (callee.kind == PossibleValue::Kind::class_) one = make_instance(callee, args);
    }
    frame_->arms.pop_back();
    result = arm == 1 ? one : result.joined(one);
  }
  return result;
}

/// Records functions of this module that are passed to other code as callbacks: buttons, command lines. Excludes
/// functions that another process or thread runs, because worker_call() handles them.
void Reader::note_callbacks(const CallTarget& called, const std::vector<Argument>& args, Node node) {
  if (starts_process(called.name) || passes_function_to_worker(method_name(called.name))) return;
  for (const Argument& arg : args) {
    if (is_init_keyword(arg.keyword)) continue;
    const PossibleValue* method_of_object = arg.value.single_alternative(PossibleValue::Kind::call_result);
    const bool is_callback_keyword =
        arg.keyword == "fn" || arg.keyword == "func" || arg.keyword == "callback" || arg.keyword == "command";
    if (method_of_object != nullptr && is_callback_keyword) {
      frame_->arms.push_back({branch_count_++, 0});
      emit(Event::Kind::call, node, method_of_object->text).passes_callback = true;
      frame_->arms.pop_back();
    }
    const PossibleValue* function = arg.value.single_alternative(PossibleValue::Kind::function);
    if (function == nullptr || !pending_.contains(function->text)) continue;
    walk_function(std::string{function->text});
    frame_->arms.push_back({branch_count_++, 0});
    emit(Event::Kind::call, node, ':' + function->text).passes_callback = true;
    frame_->arms.pop_back();
  }
}

}  // namespace weir::audit::python
