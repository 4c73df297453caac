#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// The results of calls that may be a device, a mask or a choice of the user.

namespace weir::audit::python {
namespace {

/// Calls whose result has the kind of their argument, such as text methods and min(). "?." stands for any object.
constexpr std::array<std::string_view, 27> kKindPreserving{
    "round",         "str",         "list",     "tuple",        "sorted",       "min",         "max",
    "next",          "iter",        "reversed", "numpy.argmin", "numpy.argmax", "numpy.array", "numpy.argsort",
    "numpy.asarray", "filter",      "?.split",  "?.splitlines", "?.strip",      "?.decode",    "?.index",
    "?.read",        "?.readlines", "?.rstrip", "?.lower",      "?.replace",    "?.copy"};

/// Returns whether the result still has the argument's kind: a position in a list is not an element of it, and a text
/// with other words is another text.
bool preserves_kind(std::string_view call, const PossibleValue& argument) {
  const bool is_text = argument.kind == PossibleValue::Kind::text || argument.kind == PossibleValue::Kind::pattern;
  const bool is_choice = argument.kind == PossibleValue::Kind::user_choice ||
                         argument.kind == PossibleValue::Kind::parameter ||
                         argument.kind == PossibleValue::Kind::symbol;
  if (argument.kind == PossibleValue::Kind::sequence) {
    // A copy of a list has the same elements at the same positions.
    constexpr std::array<std::string_view, 6> kCopies{"list",        "tuple",         "iter",
                                                      "numpy.array", "numpy.asarray", "?.copy"};
    return std::find(kCopies.begin(), kCopies.end(), call) != kCopies.end();
  }
  if (call == "?.index") return !is_choice;
  if (call == "?.replace") return !is_text;
  return argument.kind != PossibleValue::Kind::qualified_name && argument.kind != PossibleValue::Kind::instance;
}

/// Returns a format text such as "cuda:{}" with the character kHole, which stands for an unknown part, for each
/// "{...}".
std::string with_holes(const std::string& format) {
  std::string text;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '{') {
      text += format[i];
      continue;
    }
    text += kHole;
    i = std::min(format.find('}', i), format.size());
  }
  return text;
}

}  // namespace

namespace {

/// Evaluates range(2), enumerate(cards) and zip(names, cards) for known lists. Returns false for other calls, and if no
/// list is known.
bool sequence_call(std::string_view name, const std::vector<Argument>& args, Value& result) {
  const Value first_argument = argument_value(args, 0);
  if (name == "range") {
    const Value second = argument_value(args, 1);
    const PossibleValue* low =
        args.size() == 2 ? first_argument.single_alternative(PossibleValue::Kind::number) : nullptr;
    const PossibleValue* high = args.size() == 1 ? first_argument.single_alternative(PossibleValue::Kind::number)
                                                 : second.single_alternative(PossibleValue::Kind::number);
    constexpr long kMaxLength = 12;
    const long begin = low == nullptr ? 0 : low->number;
    if (high == nullptr || (low == nullptr && args.size() != 1) || begin < 0 || high->number - begin > kMaxLength)
      return false;
    std::vector<Value> numbers;
    for (long i = begin; i < high->number; ++i) numbers.push_back(number_value(i));
    result = sequence_value(numbers);
    return true;
  }
  if (name != "enumerate" && name != "zip") return false;
  std::vector<std::vector<Value>> columns;  // the elements of each list; empty for an unknown list
  std::optional<std::size_t> rows;          // Python stops at the end of the shortest list; nothing: no list is known
  for (const Argument& arg : args) {
    if (name == "zip" && arg.keyword == "strict") continue;
    if (!arg.keyword.empty()) return false;  // an unpacked list stands for an unknown number of arguments
    const PossibleValue* list = arg.value.single_alternative(PossibleValue::Kind::sequence);
    const bool is_known = list != nullptr && list->items != nullptr;
    columns.push_back(is_known ? elements_of(*list) : std::vector<Value>{});
    if (is_known) rows = std::min(rows.value_or(columns.back().size()), columns.back().size());
  }
  if (!rows || (name == "enumerate" && args.size() != 1)) return false;
  std::vector<Value> all_rows;
  for (std::size_t i = 0; i < *rows; ++i) {
    std::vector<Value> row;
    if (name == "enumerate") row.push_back(number_value(static_cast<long>(i)));
    for (const auto& column : columns) row.push_back(i < column.size() ? column[i] : Value{});
    all_rows.push_back(sequence_value(row));
  }
  result = sequence_value(all_rows);
  return true;
}

/// Evaluates join() for a list whose elements are all known; unknown if `separator` is.
Value joined_text(const PossibleValue& list, const std::optional<std::string>& separator) {
  if (!separator) return {};
  std::string text;
  bool first = true;
  for (const Value& element : elements_of(list)) {
    const auto part = element.as_text();
    if (!part) return {};
    text += (first ? "" : *separator) + *part;
    first = false;
  }
  return text.find(kHole) == std::string::npos ? text_value(std::move(text)) : Value{};
}

/// Evaluates "a,b".split(",").
Value split_text(std::string_view text, std::string_view separator) {
  std::vector<Value> parts;
  for (std::size_t at = 0; !separator.empty() && at <= text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text_value(std::string{text.substr(at, end - at)}));
    at = end + separator.size();
  }
  return sequence_value(parts);
}

}  // namespace

Value listed_items(const PossibleValue& dictionary, std::string_view method) {
  std::vector<Value> all;
  if (dictionary.items->values.contains(kIncompleteKey)) return {};
  for (const auto& [key, value] : dictionary.items->values) {
    if (method == "keys") all.push_back(text_value(key));
    if (method == "values") all.push_back(value);
    if (method == "items") all.push_back(sequence_value({text_value(key), value}));
  }
  return sequence_value(all);
}

/// Evaluates int(), float(), map(int, ...) and map(str, ...). For a value such as a user's choice, the result has the
/// kind of the argument.
bool Reader::number_call(const CallTarget& called, const std::vector<Argument>& args, Node node, Value& result) {
  const std::string_view name = called.name;
  if (name != "int" && name != "float" && name != "map") return false;
  const Value first_argument = argument_value(args, 0);
  const Value argument = name == "map" ? argument_value(args, 1) : first_argument;
  if (name == "int" && argument.alternatives().size() > 1) {
    result = map_constants(argument, [](const Value& one) { return one; });
    return true;
  }
  const bool converts_to_text = name == "map" &&
                                first_argument.single_alternative(PossibleValue::Kind::qualified_name) != nullptr &&
                                first_argument.single_alternative()->text == "str" && args.size() == 2;
  if (converts_to_text && argument.single_alternative(PossibleValue::Kind::sequence) != nullptr) {
    result = argument;
    return true;
  }
  const bool converts_to_int =
      name == "int" ||
      (name == "map" && first_argument.single_alternative(PossibleValue::Kind::qualified_name) != nullptr &&
       first_argument.single_alternative()->text == "int");
  const PossibleValue* variable = argument.single_alternative(PossibleValue::Kind::environment_variable);
  if (converts_to_int && variable != nullptr && is_mask_variable(variable->text) && !frame_->in_try &&
      !frame_->checks_digits)
    emit(Event::Kind::mask_as_number, node, variable->text);
  // The number of a worker on its machine is used as a device number.
  if (variable != nullptr && (variable->text == "LOCAL_RANK" || variable->text == "OMPI_COMM_WORLD_LOCAL_RANK"))
    result = value_of_kind(PossibleValue::Kind::runtime_index, variable->text);
  else if (const PossibleValue* one = argument.single_alternative();
           one != nullptr && !(variable != nullptr && is_mask_variable(variable->text)) &&
           (keeps_kind(*one) || one->kind == PossibleValue::Kind::memory_counter ||
            (name != "map" && one->kind == PossibleValue::Kind::number)))
    result = argument;
  return true;
}

/// Evaluates calls that return devices, their number, or their names.
bool Reader::device_call(const CallTarget& called, const std::vector<Argument>& args, Node node, Value& result) {
  const std::string_view name = called.name;
  const Value first_argument = argument_value(args, 0);
  if (sequence_call(name, args, result)) return true;
  if (name == "range" || name == "enumerate") {
    if (first_argument.single_alternative(PossibleValue::Kind::runtime_index) ||
        first_argument.single_alternative(PossibleValue::Kind::smi_index) ||
        first_argument.single_alternative(PossibleValue::Kind::environment_variable))
      result = first_argument;
  } else if (returns_device_count(name) || returns_runtime_index(name)) {
    result = value_of_kind(PossibleValue::Kind::runtime_index);
  } else if (name == "pynvml.nvmlDeviceGetCount" || name.starts_with("GPUtil.get")) {
    result = value_of_kind(PossibleValue::Kind::smi_index);
  } else if (returns_device_list(name)) {
    result = value_of_kind(PossibleValue::Kind::device_list);
  } else if (name == "torch.cuda.get_device_name" || name == "torch.xpu.get_device_name") {
    result = value_of_kind(PossibleValue::Kind::device_name);
  } else if (name == "torch.device") {
    const Value index = argument_value(args, 1, "index");
    const Value type = argument_value(args, 0, "type");
    const auto text = type.as_text();
    const PossibleValue* number = index.single_alternative(PossibleValue::Kind::number);
    if (text && number != nullptr)
      result = text_value(*text + ':' + std::to_string(number->number), number->literal);
    else if (number == nullptr && index.is_unknown() && find_argument(args, 1, "index") == nullptr)
      result = type;
    else if (text)
      result = pattern_value(*text + ':' + kHole, index);
  } else if (name.starts_with("torch.cuda.memory_") || name.starts_with("torch.xpu.memory_")) {
    const std::string_view what = name.substr(name.rfind('_') + 1);
    if (what == "reserved" || what == "allocated")
      result = value_of_kind(PossibleValue::Kind::memory_counter, std::string{what});
    return false;  // the call also takes a device, which is handled elsewhere
  } else if (starts_process(name)) {
    if (text_of(node).find("nvidia-smi") != std::string_view::npos)
      result = value_of_kind(PossibleValue::Kind::smi_index);
  } else {
    return false;
  }
  return true;
}

/// Evaluates methods of texts.
bool Reader::text_call(const CallTarget& called, const std::vector<Argument>& args, Value& result) {
  const std::string_view name = called.name;
  const Value first_argument = argument_value(args, 0);
  if (name == "?.isdigit" || name == "?.isnumeric" || name == "?.isdecimal") {
    frame_->checks_digits = frame_->checks_digits || called.object.may_be(PossibleValue::Kind::environment_variable);
  } else if (const PossibleValue* dictionary = called.object.single_alternative(PossibleValue::Kind::dictionary);
             dictionary != nullptr && dictionary->items != nullptr && args.empty() &&
             (name == "?.items" || name == "?.values" || name == "?.keys")) {
    result = listed_items(*dictionary, name.substr(2));
  } else if (name == "?.join") {
    const auto separator = called.object.as_text();
    if (const PossibleValue* list = first_argument.single_alternative(PossibleValue::Kind::sequence))
      result = joined_text(*list, separator);
    else if (separator && first_argument.single_alternative() != nullptr &&
             (first_argument.single_alternative(PossibleValue::Kind::text) ||
              first_argument.single_alternative(PossibleValue::Kind::number)))
      result = text_value(*first_argument.as_text());
    else if (first_argument.single_alternative() != nullptr && keeps_kind(*first_argument.single_alternative()) &&
             (!separator || *separator == ","))
      result = first_argument;
  } else if (name == "?.split" && called.object.single_alternative(PossibleValue::Kind::text) != nullptr &&
             args.size() == 1 && first_argument.single_alternative(PossibleValue::Kind::text) != nullptr) {
    result = split_text(called.object.single_alternative()->text, first_argument.single_alternative()->text);
  } else if (name == "?.format") {
    const auto format = called.object.as_text();
    const bool has_one_argument = format && args.size() == 1;
    result = pattern_value(with_holes(format.value_or("{}")), has_one_argument ? args.front().value : Value{});
  } else {
    return false;
  }
  return true;
}

/// Evaluates calls whose result may be a device, a mask or a user's choice.
bool Reader::value_call(const CallTarget& called, const std::vector<Argument>& args, Node node, Value& result) {
  if (number_call(called, args, node, result) || device_call(called, args, node, result) ||
      text_call(called, args, result))
    return true;
  const std::string_view name = called.name;
  const bool is_kind_preserving =
      std::find(kKindPreserving.begin(), kKindPreserving.end(), name) != kKindPreserving.end();
  const PossibleValue* choice = called.object.single_alternative(PossibleValue::Kind::user_choice);
  if (name == "collections.namedtuple") {
    result = named_tuple(args);
    return true;
  }
  if (name == "dataclasses.field") {
    result = argument_value(args, -1, "default");
    const Value factory = argument_value(args, -1, "default_factory");
    if (const PossibleValue* function = factory.single_alternative(PossibleValue::Kind::function))
      result = return_value_of(function->text, {});
    return true;
  }
  if (returns_user_choice(name)) {
    result = value_of_kind(PossibleValue::Kind::user_choice, called.name);
    return true;
  }
  if (choice != nullptr && !called.callee.single_alternative(PossibleValue::Kind::function)) {
    const Value key = argument_value(args, 0);
    bool missing = false;
    if (name == "?.get" && key.single_alternative(PossibleValue::Kind::text) != nullptr &&
        !key.single_alternative()->text.empty())
      result = item_of(called.object, key.single_alternative()->text, missing);
    else
      result = is_kind_preserving && preserves_kind(name, *choice) ? called.object
                                                                   : value_of_kind(PossibleValue::Kind::user_choice);
    return true;
  }
  if (!is_kind_preserving) return false;
  const Value argument = name.starts_with("?.") ? called.object : argument_value(args, 0);
  const PossibleValue* alternative = argument.single_alternative();
  if (name == "str" && alternative != nullptr && alternative->kind == PossibleValue::Kind::number)
    result = text_value(std::to_string(alternative->number), alternative->literal);
  else if (name == "str" && argument.alternatives().size() > 1)
    result = map_constants(argument, [](const Value& one) { return text_value(*one.as_text()); });
  else if (alternative != nullptr && preserves_kind(name, *alternative))
    result = argument;
  return true;
}

}  // namespace weir::audit::python
