#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// Functions that other code runs: other processes and threads, pools of them, servers.

namespace weir::audit::python {
namespace {

// The texts of Kind::call_result for the three kinds of pools.
constexpr std::string_view kProcessPool = "process pool";
constexpr std::string_view kOneTaskPool = "process pool of one task";  // a new process for each task
constexpr std::string_view kThreadPool = "thread pool";

std::string_view last_part(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

/// Returns whether the pool runs each task in a new process.
bool runs_one_task(const std::vector<Argument>& args) {
  return std::any_of(args.begin(), args.end(), [](const Argument& arg) {
    const PossibleValue* number = arg.value.single_alternative(PossibleValue::Kind::number);
    const bool is_task_limit = arg.keyword == "maxtasksperchild" || arg.keyword == "max_tasks_per_child";
    return is_task_limit && number != nullptr && number->number == 1;
  });
}

/// Returns the kind of pool that a value is; empty if it is none.
std::string_view pool_of(const Value& value) {
  const PossibleValue* object = value.single_alternative(PossibleValue::Kind::call_result);
  if (object == nullptr) return {};
  for (const std::string_view pool : {kProcessPool, kOneTaskPool, kThreadPool})
    if (object->text == pool) return pool;
  return {};
}

Event::Kind target_kind_of(std::string_view pool) {
  if (pool == kThreadPool) return Event::Kind::thread_target;
  return pool == kOneTaskPool ? Event::Kind::process_target : Event::Kind::pool_task;
}

/// Returns the result of partial() for a function of this module and some arguments; for other functions the function
/// alone.
Value bound_function(const Value& function, const std::vector<Argument>& args) {
  const PossibleValue* alternative = function.single_alternative(PossibleValue::Kind::function);
  if (alternative == nullptr || args.size() < 2) return function;
  auto items = alternative->items == nullptr ? std::make_shared<Items>() : std::make_shared<Items>(*alternative->items);
  std::size_t position = 0;
  while (items->values.contains(std::to_string(position))) ++position;
  bool first = true;  // the first argument is the function itself
  for (const Argument& arg : args) {
    if (!first)
      items->values.insert_or_assign(arg.keyword.empty() ? std::to_string(position++) : arg.keyword, arg.value);
    first = false;
  }
  PossibleValue bound = *alternative;
  bound.items = std::move(items);
  return bound;
}

}  // namespace

/// Records that a function is started in another process or thread; does nothing if the function is unknown.
void Reader::start_worker(Event::Kind kind, const Value& function, Node node) {
  if (const PossibleValue* own = function.single_alternative(PossibleValue::Kind::function)) {
    emit(kind, node, ':' + own->text);
    return;
  }
  const PossibleValue* imported = function.single_alternative(PossibleValue::Kind::qualified_name);
  if (imported != nullptr && imported->number != kUnbound && imported->text.find('.') != std::string::npos)
    emit(kind, node, imported->text);
}

/// Handles Pool(initializer=f) and DataLoader(worker_init_fn=f).
void Reader::note_init_function(const std::vector<Argument>& args, Node node) {
  for (const Argument& arg : args)
    if (is_init_keyword(arg.keyword)) start_worker(Event::Kind::process_target, arg.value, node);
}

/// Handles calls that create pools of processes or threads, and calls that start a function in one of them.
bool Reader::worker_call(const CallTarget& called, const std::vector<Argument>& args, Node node, Value& result) {
  const std::string_view name = called.name;
  const Value first_argument = argument_value(args, 0);
  if (name == "functools.partial") {
    result = bound_function(first_argument, args);
    return true;
  }
  if (name.ends_with("multiprocessing.get_context")) {
    result = value_of_kind(PossibleValue::Kind::qualified_name, std::string{name.substr(0, name.rfind('.'))});
    return true;
  }
  const bool is_thread_pool = creates_thread_pool(name);
  if (is_thread_pool || creates_process_pool(name)) {
    if (!is_thread_pool) note_init_function(args, node);
    result = value_of_kind(PossibleValue::Kind::call_result, std::string{is_thread_pool        ? kThreadPool
                                                                         : runs_one_task(args) ? kOneTaskPool
                                                                                               : kProcessPool});
    return true;
  }
  note_init_function(args, node);
  if (name == "threading.Thread" || name == "asyncio.to_thread") {
    start_worker(Event::Kind::thread_target,
                 name == "threading.Thread" ? argument_value(args, 1, "target") : first_argument, node);
  } else if (name == "multiprocessing.Process" || name == "torch.multiprocessing.Process") {
    start_worker(Event::Kind::process_target, argument_value(args, 1, "target"), node);
  } else if (name == "torch.multiprocessing.spawn" || name == "torch.multiprocessing.start_processes") {
    start_worker(Event::Kind::process_target, argument_value(args, 0, "fn"), node);
  } else if (name == "joblib.delayed") {
    // joblib.Parallel(prefer="threads") is in the same statement.
    const Range range = frame_->statement;
    const bool in_threads = text_.substr(range.begin, range.end - range.begin).find("thread") != std::string_view::npos;
    start_worker(in_threads ? Event::Kind::thread_target : Event::Kind::pool_task, first_argument, node);
    return true;
  } else if (const auto pool = pool_of(called.object); !pool.empty()) {
    if (passes_function_to_worker(last_part(name))) start_worker(target_kind_of(pool), first_argument, node);
    return true;
  } else if (const auto executor = pool_of(first_argument); !executor.empty() && name == "?.run_in_executor") {
    start_worker(target_kind_of(executor), argument_value(args, 1), node);
    return true;
  }
  return false;
}

/// Handles a class whose base class calls its methods: run() of a thread or process, the methods of a predictor.
void Reader::note_class_called_by_runner(const std::string& name, const std::vector<std::string>& bases, Node node) {
  for (const std::string& base : bases) {
    const bool is_thread = base == "threading.Thread";
    if (is_thread || base == "multiprocessing.Process" || base == "torch.multiprocessing.Process") {
      if (pending_.contains(name + ".run"))
        emit(is_thread ? Event::Kind::thread_target : Event::Kind::process_target, node, ':' + name + ".run");
    }
    for (const std::string_view method : methods_called_by_runner(base)) {
      const std::string key = name + '.' + std::string{method};
      if (!frame_->function->key.empty() || !pending_.contains(key)) continue;
      served_functions_.emplace_back(node, key);
      content_.is_served = true;
    }
  }
}

/// Handles decorators: a function may become a command, whose parameters the user gives, or be called by a server.
void Reader::decorated_definition(Node node) {
  bool is_command = false;
  bool is_served = false;
  bool has_fields = false;
  bool is_property = false;
  for (const Node child : named_children(node)) {
    if (!child.is("decorator")) continue;
    const std::string_view text = text_of(child);
    has_fields = has_fields || text.find("dataclass") != std::string_view::npos;
    is_property = is_property || text.ends_with("property");  // cached_property, too
    if (text.ends_with(".setter")) forget_property(text.substr(0, text.size() - std::string_view{".setter"}.size()));
    is_command = is_command || text.find(".command") != std::string_view::npos ||
                 text.find("click.") != std::string_view::npos || text.find("hydra.main") != std::string_view::npos;
    for (const Node inner : named_children(child)) {
      const Node function = inner.is("call") ? inner.field("function") : inner;
      const Node receiver = function.is("attribute") ? function.field("object") : Node{};
      const Value object = receiver.is("identifier") ? look_up(text_of(receiver)) : Value{};
      const PossibleValue* server = object.single_alternative(PossibleValue::Kind::call_result);
      is_served = is_served || (server != nullptr && creates_server(server->text));
      expression(inner);
    }
  }
  const bool outer = std::exchange(frame_->is_command, is_command);
  frame_->is_dataclass = has_fields;
  frame_->is_property = is_property;
  for (const Node child : named_children(node)) {
    if (child.is("decorator")) continue;
    statement(child);
    const Value defined = child.is("function_definition") ? look_up(text_of(child.field("name"))) : Value{};
    if (const PossibleValue* function = defined.single_alternative(PossibleValue::Kind::function);
        is_served && function != nullptr)
      served_functions_.emplace_back(node, function->text);
  }
  frame_->is_command = outer;
  frame_->is_dataclass = frame_->is_property = false;
}

/// Handles "@device.setter": the property can be assigned, so its value is not followed.
void Reader::forget_property(std::string_view decorator) {
  const std::string_view name = decorator.substr(decorator.find('@') + 1);
  const auto found = pending_.find(fmt::format("{}.{}", frame_->class_name, name));
  if (found != pending_.end()) found->second.is_property = false;
}

/// Follows the functions that a server calls. Called after the module's body: the server calls them when the whole body
/// has run.
void Reader::call_served_functions() {
  for (const auto& [node, key] : served_functions_) {
    frame_->statement = frame_->top_statement = node.range();
    frame_->arms.push_back({branch_count_++, 0});
    emit(Event::Kind::call, node, ':' + key).passes_callback = true;
    frame_->arms.pop_back();
  }
}

}  // namespace weir::audit::python
