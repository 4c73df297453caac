#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// Calls that read or write environment variables, or may do so.

namespace weir::audit::python {

bool is_environ(const Value& value) {
  const PossibleValue* name = value.single_alternative(PossibleValue::Kind::qualified_name);
  return name != nullptr && name->text == "os.environ";
}

namespace {

/// Returns whether a key that is no single text may be the name of a variable that selects devices.
bool may_be_device_variable(const Value& key) {
  if (key.single_alternative(PossibleValue::Kind::text) != nullptr) return false;
  return key.is_unknown() ||
         std::any_of(key.alternatives().begin(), key.alternatives().end(), [](const PossibleValue& name) {
           return name.kind != PossibleValue::Kind::text || find_device_variable(name.text) != nullptr;
         });
}

/// Returns whether the value is a writing method of the environment, as in map(os.environ.setdefault, names, values).
bool writes_environment(const Value& value) {
  constexpr std::array<std::string_view, 5> kWriters{"os.environ.setdefault", "os.environ.update",
                                                     "os.environ.__setitem__", "os.environ.pop", "os.putenv"};
  const PossibleValue* name = value.single_alternative(PossibleValue::Kind::qualified_name);
  return name != nullptr && std::find(kWriters.begin(), kWriters.end(), name->text) != kWriters.end();
}

}  // namespace

/// Reads the pairs of a dictionary, or the keywords of a call, as environment variables. Adds the pairs with known keys
/// to `items` if it is not null.
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
    const std::string outer = std::exchange(frame_->target_name, key.as_text().value_or(""));
    const Value value = expression(child.field("value"));
    frame_->target_name = outer;
    const auto name = key.as_text();
    if (!name) continue;
    if (items != nullptr) items->values.insert_or_assign(*name, value);
    if (find_device_variable(*name) != nullptr) {
      const bool editable = std::exchange(frame_->is_editable, false);
      set_variable(child, mapping, *name, value, mode);
      frame_->is_editable = editable;
    } else if (pair && mode == Event::Mode::child_environment) {
      const DeviceKeyword* keyword = find_device_keyword(*name);
      const bool is_device =
          keyword != nullptr &&
          (value.single_alternative(PossibleValue::Kind::text) != nullptr ||
           (keyword->accepts_number && value.single_alternative(PossibleValue::Kind::number) != nullptr));
      if (is_device && gpu_library_imported_ && *name == "device_id")
        emit(Event::Kind::use_device, child, *name, value);
    }
  }
}

/// Handles os.environ.update(...) and dict(...), whose arguments are or may be variables.
bool Reader::mapping_call(const CallTarget& called, Node node, Value& result) {
  const Node list = node.field("arguments");
  if (called.name == "os.environ.update") {
    for (const Node child : named_children(list)) {
      // An argument that is not written out here may contain any variable.
      const bool written_out =
          child.is("keyword_argument") || (child.is("dictionary") && !child_of_kind(child, "dictionary_splat"));
      if (!written_out) change_environment(node);
    }
    environment_mapping(list, Event::Mode::assign, node);
    return true;
  }
  if (called.name != "dict") return false;
  bool copies_environment = false;
  for (const Node child : named_children(list))
    copies_environment = copies_environment || (!child.is("keyword_argument") && is_environ(expression(child)));
  auto items = std::make_shared<Items>();
  environment_mapping(list, Event::Mode::child_environment, node, items.get());
  if (copies_environment)
    result = value_of_kind(PossibleValue::Kind::environment_copy);
  else if (!items->values.empty())
    result = PossibleValue{.kind = PossibleValue::Kind::dictionary, .items = std::move(items)};
  return true;
}

/// Returns whether the call empties the environment, loads a file into it, changes it for a test (monkeypatch.setenv),
/// runs unknown code, or receives the environment as an argument and may change it.
bool Reader::may_change_environment(const CallTarget& called, const std::vector<Argument>& args) {
  constexpr std::array<std::string_view, 12> kCalls{"os.environ.clear", "os.environ.popitem", "dotenv.load_dotenv",
                                                    "dotenv.main.load_dotenv",
                                                    // These run unknown code.
                                                    "importlib.import_module", "importlib.reload", "runpy.run_path",
                                                    "runpy.run_module", "__import__", "exec", "eval", "execfile"};
  if (std::find(kCalls.begin(), kCalls.end(), called.name) != kCalls.end() || called.name.starts_with("os.environb."))
    return true;
  // Changes that a test undoes: monkeypatch.setenv(), patch.dict("os.environ", ...).
  if (called.name.ends_with(".setenv") || called.name.ends_with(".delenv")) return true;
  if (called.name.ends_with("patch.dict") && argument_value(args, 0).as_text() == "os.environ") return true;
  constexpr std::array<std::string_view, 9> kReaders{"dict", "len",  "list",       "sorted",       "print",
                                                     "str",  "repr", "json.dumps", "pprint.pprint"};
  if (std::find(kReaders.begin(), kReaders.end(), called.name) != kReaders.end()) return false;
  return std::any_of(args.begin(), args.end(), [](const Argument& arg) {
    return (is_environ(arg.value) && arg.keyword != "env") || writes_environment(arg.value);
  });
}

bool Reader::environment_call(const CallTarget& called, const std::vector<Argument>& args, Node node, Value& result) {
  const std::string_view name = called.name;
  const bool on_copy = called.object.may_be(PossibleValue::Kind::environment_copy);
  const auto variable = argument_value(args, 0, "key").as_text();
  const Node target = node.field("function").field("object");
  if (name == "os.environ.get" || name == "os.getenv") {
    if (variable) {
      note_variable_read(*variable);
      result = value_of_kind(PossibleValue::Kind::environment_variable, *variable);
    }
    return true;
  }
  if (name == "os.environ.copy" || name == "copy.copy" || name == "copy.deepcopy") {
    const bool environ = name == "os.environ.copy" || is_environ(argument_value(args, 0));
    if (environ) result = value_of_kind(PossibleValue::Kind::environment_copy);
    return environ;
  }
  if (name == "os.environ.setdefault" || (on_copy && method_name(name) == "setdefault")) {
    if (!on_copy && may_be_device_variable(argument_value(args, 0, "key"))) change_environment(node);
    if (variable)
      set_variable(node, target, *variable, argument_value(args, 1),
                   on_copy ? Event::Mode::child_environment : Event::Mode::set_if_unset);
    return true;
  }
  if (name == "os.putenv" || name == "os.environ.__setitem__") {
    if (may_be_device_variable(argument_value(args, 0, "key"))) change_environment(node);
    if (variable) set_variable(node, {}, *variable, argument_value(args, 1), Event::Mode::assign);
    return true;
  }
  if (name == "os.environ.pop" || name == "os.unsetenv" || name == "os.environ.__delitem__") {
    if (may_be_device_variable(argument_value(args, 0, "key"))) change_environment(node);
    if (variable && find_device_variable(*variable) != nullptr) emit(Event::Kind::remove_variable, node, *variable);
    if (variable) result = value_of_kind(PossibleValue::Kind::environment_variable, *variable);
    return true;
  }
  return false;
}

}  // namespace weir::audit::python
