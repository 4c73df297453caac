#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// What a call gives back, where that may be a device, a mask or a choice of the user.

namespace weir::audit::python {
namespace {

/// What hands on the kind of its argument: text handling, choosing the smallest.
constexpr std::array<std::string_view, 27> kHandOn{
    "round",         "str",         "list",     "tuple",        "sorted",       "min",         "max",
    "next",          "iter",        "reversed", "numpy.argmin", "numpy.argmax", "numpy.array", "numpy.argsort",
    "numpy.asarray", "filter",      "?.split",  "?.splitlines", "?.strip",      "?.decode",    "?.index",
    "?.read",        "?.readlines", "?.rstrip", "?.lower",      "?.replace",    "?.copy"};

/// What a call that hands on gives for this: a position in a list is no longer what the list holds, and a text with other words
/// in it is another.
bool hands_on(std::string_view call, const Atom& of) {
  const bool of_known = of.kind == Atom::Kind::text || of.kind == Atom::Kind::pattern;
  const bool of_choice =
      of.kind == Atom::Kind::choice || of.kind == Atom::Kind::parameter || of.kind == Atom::Kind::same;
  if (of.kind == Atom::Kind::sequence) {
    constexpr std::array<std::string_view, 6> kSame{"list", "tuple", "iter", "numpy.array", "numpy.asarray", "?.copy"};
    return std::find(kSame.begin(), kSame.end(), call) != kSame.end();
  }
  if (call == "?.index") return !of_choice;
  if (call == "?.replace") return !of_known;
  return of.kind != Atom::Kind::name && of.kind != Atom::Kind::instance;
}

/// "cuda:{}" of a format() as a pattern.
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

/// range(2), enumerate(cards), zip(names, cards) of lists that are known.
bool sequence_call(std::string_view name, const std::vector<Argument>& args, Value& result) {
  const Value first = value_of(args, 0);
  if (name == "range") {
    const Value second = value_of(args, 1);
    const Atom* low = args.size() == 2 ? first.single(Atom::Kind::number) : nullptr;
    const Atom* high = args.size() == 1 ? first.single(Atom::Kind::number) : second.single(Atom::Kind::number);
    constexpr long kMost = 12;
    const long begin = low == nullptr ? 0 : low->number;
    if (high == nullptr || (low == nullptr && args.size() != 1) || begin < 0 || high->number - begin > kMost)
      return false;
    std::vector<Value> numbers;
    for (long i = begin; i < high->number; ++i) numbers.push_back(number_value(i));
    result = sequence_value(numbers);
    return true;
  }
  if (name != "enumerate" && name != "zip") return false;
  std::vector<std::vector<Value>> columns;
  for (const Argument& arg : args) {
    const Atom* list = arg.keyword.empty() ? arg.value.single(Atom::Kind::sequence) : nullptr;
    columns.push_back(list == nullptr ? std::vector<Value>{} : elements_of(*list));
  }
  std::size_t rows = 0;
  for (const auto& column : columns) rows = std::max(rows, column.size());
  if (rows == 0 || (name == "enumerate" && args.size() != 1)) return false;
  std::vector<Value> all;
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<Value> row;
    if (name == "enumerate") row.push_back(number_value(static_cast<long>(i)));
    for (const auto& column : columns) row.push_back(i < column.size() ? column[i] : Value{});
    all.push_back(sequence_value(row));
  }
  result = sequence_value(all);
  return true;
}

/// What join() makes of a list all of whose elements are known.
Value joined_text(const Atom& list, const std::optional<std::string>& separator) {
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

/// "a,b".split(",")
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

Value listed_items(const Atom& dictionary, std::string_view what) {
  std::vector<Value> all;
  if (dictionary.items->values.contains(kOpen)) return {};
  for (const auto& [key, value] : dictionary.items->values) {
    if (what == "keys") all.push_back(text_value(key));
    if (what == "values") all.push_back(value);
    if (what == "items") all.push_back(sequence_value({text_value(key), value}));
  }
  return sequence_value(all);
}

/// int() and what is like it, of whatever keeps its meaning as a number.
bool Reader::number_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result) {
  const std::string_view name = called.name;
  if (name != "int" && name != "float" && name != "map") return false;
  const Value first = value_of(args, 0);
  const Value of = name == "map" ? value_of(args, 1) : first;
  if (name == "int" && of.atoms().size() > 1) {
    result = each_constant(of, [](const Value& one) { return one; });
    return true;
  }
  const bool to_text =
      name == "map" && first.single(Atom::Kind::name) != nullptr && first.single()->text == "str" && args.size() == 2;
  if (to_text && of.single(Atom::Kind::sequence) != nullptr) {
    result = of;
    return true;
  }
  const bool to_int =
      name == "int" || (name == "map" && first.single(Atom::Kind::name) != nullptr && first.single()->text == "int");
  const Atom* variable = of.single(Atom::Kind::environment);
  if (to_int && variable != nullptr && is_mask(variable->text) && !frame_->in_try && !frame_->checks_digits)
    emit(Event::Kind::mask_as_number, node, variable->text);
  if (variable != nullptr && (variable->text == "LOCAL_RANK" || variable->text == "OMPI_COMM_WORLD_LOCAL_RANK"))
    result = kind_value(Atom::Kind::ordinal, variable->text);
  else if (const Atom* one = of.single(); one != nullptr && !(variable != nullptr && is_mask(variable->text)) &&
                                          (keeps_meaning(*one) || one->kind == Atom::Kind::counter ||
                                           (name != "map" && one->kind == Atom::Kind::number)))
    result = of;
  return true;
}

/// Devices, how many there are, and what they are called.
bool Reader::device_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result) {
  const std::string_view name = called.name;
  const Value first = value_of(args, 0);
  if (sequence_call(name, args, result)) return true;
  if (name == "range" || name == "enumerate") {
    if (first.single(Atom::Kind::ordinal) || first.single(Atom::Kind::smi_index) ||
        first.single(Atom::Kind::environment))
      result = first;
  } else if (gives_device_count(name) || gives_ordinal(name)) {
    result = kind_value(Atom::Kind::ordinal);
  } else if (name == "pynvml.nvmlDeviceGetCount" || name.starts_with("GPUtil.get")) {
    result = kind_value(Atom::Kind::smi_index);
  } else if (gives_device_list(name)) {
    result = kind_value(Atom::Kind::devices);
  } else if (name == "torch.cuda.get_device_name" || name == "torch.xpu.get_device_name") {
    result = kind_value(Atom::Kind::device_name);
  } else if (name == "torch.device") {
    const Value index = value_of(args, 1, "index");
    const Value type = value_of(args, 0, "type");
    const auto text = type.as_text();
    const Atom* number = index.single(Atom::Kind::number);
    if (text && number != nullptr)
      result = text_value(*text + ':' + std::to_string(number->number), number->literal);
    else if (number == nullptr && index.is_unknown() && find_argument(args, 1, "index") == nullptr)
      result = type;
    else if (text)
      result = pattern_value(*text + ':' + kHole, index);
  } else if (name.starts_with("torch.cuda.memory_") || name.starts_with("torch.xpu.memory_")) {
    const std::string_view what = name.substr(name.rfind('_') + 1);
    if (what == "reserved" || what == "allocated") result = kind_value(Atom::Kind::counter, std::string{what});
    return false;  // it takes a device, too
  } else if (is_process_start(name)) {
    if (text_of(node).find("nvidia-smi") != std::string_view::npos) result = kind_value(Atom::Kind::smi_index);
  } else {
    return false;
  }
  return true;
}

/// Methods of texts.
bool Reader::text_call(const Called& called, const std::vector<Argument>& args, Value& result) {
  const std::string_view name = called.name;
  const Value first = value_of(args, 0);
  if (name == "?.isdigit" || name == "?.isnumeric" || name == "?.isdecimal") {
    frame_->checks_digits = frame_->checks_digits || called.object.may_be(Atom::Kind::environment);
  } else if (const Atom* of = called.object.single(Atom::Kind::dictionary);
             of != nullptr && of->items != nullptr && args.empty() &&
             (name == "?.items" || name == "?.values" || name == "?.keys")) {
    result = listed_items(*of, name.substr(2));
  } else if (name == "?.join") {
    const auto separator = called.object.as_text();
    if (const Atom* list = first.single(Atom::Kind::sequence))
      result = joined_text(*list, separator);
    else if (separator && first.single() != nullptr &&
             (first.single(Atom::Kind::text) || first.single(Atom::Kind::number)))
      result = text_value(*first.as_text());
    else if (first.single() != nullptr && keeps_meaning(*first.single()) && (!separator || *separator == ","))
      result = first;
  } else if (name == "?.split" && called.object.single(Atom::Kind::text) != nullptr && args.size() == 1 &&
             first.single(Atom::Kind::text) != nullptr) {
    result = split_text(called.object.single()->text, first.single()->text);
  } else if (name == "?.format") {
    const auto format = called.object.as_text();
    const bool one = format && args.size() == 1;

    result = pattern_value(with_holes(format.value_or("{}")), one ? args.front().value : Value{});
  } else {
    return false;
  }
  return true;
}

bool Reader::value_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result) {
  if (number_call(called, args, node, result) || device_call(called, args, node, result) ||
      text_call(called, args, result))
    return true;
  const std::string_view name = called.name;
  const bool known = std::find(kHandOn.begin(), kHandOn.end(), name) != kHandOn.end();
  const Atom* choice = called.object.single(Atom::Kind::choice);
  if (name == "collections.namedtuple") {
    result = named_tuple(args);
    return true;
  }
  if (name == "dataclasses.field") {
    result = value_of(args, -1, "default");
    const Value factory = value_of(args, -1, "default_factory");
    if (const Atom* function = factory.single(Atom::Kind::function)) result = returned_by(function->text, {});
    return true;
  }
  if (gives_choice(name)) {
    result = kind_value(Atom::Kind::choice, called.name);
    return true;
  }
  if (choice != nullptr && !called.callee.single(Atom::Kind::function)) {
    const Value key = value_of(args, 0);
    bool missing = false;
    if (name == "?.get" && key.single(Atom::Kind::text) != nullptr && !key.single()->text.empty())
      result = item_of(called.object, key.single()->text, missing);
    else
      result = known && hands_on(name, *choice) ? called.object : kind_value(Atom::Kind::choice);
    return true;
  }
  if (!known) return false;
  const Value of = name.starts_with("?.") ? called.object : value_of(args, 0);
  const Atom* atom = of.single();
  if (name == "str" && atom != nullptr && atom->kind == Atom::Kind::number)
    result = text_value(std::to_string(atom->number), atom->literal);
  else if (name == "str" && of.atoms().size() > 1)
    result = each_constant(of, [](const Value& one) { return text_value(*one.as_text()); });
  else if (atom != nullptr && hands_on(name, *atom))
    result = of;
  return true;
}

}  // namespace weir::audit::python
