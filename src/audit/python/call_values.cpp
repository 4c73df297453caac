#include <algorithm>
#include <array>
#include <string>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// What a call gives back, where that may be a device, a mask or a choice of the user.

namespace weir::audit::python {
namespace {

/// What hands on the kind of its argument: text handling, choosing the smallest.
constexpr std::array<std::string_view, 25> kHandOn{
    "round",         "str",         "list",     "tuple",        "sorted",       "min",         "max",
    "next",          "iter",        "reversed", "numpy.argmin", "numpy.argmax", "numpy.array", "numpy.argsort",
    "numpy.asarray", "filter",      "?.split",  "?.splitlines", "?.strip",      "?.decode",    "?.index",
    "?.read",        "?.readlines", "?.rstrip", "?.lower"};

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

/// int() and what is like it, of whatever keeps its meaning as a number.
bool Reader::number_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result) {
  const std::string_view name = called.name;
  if (name != "int" && name != "float" && name != "map") return false;
  const Value first = value_of(args, 0);
  const Value of = name == "map" ? value_of(args, 1) : first;
  const bool to_int =
      name == "int" || (name == "map" && first.single(Atom::Kind::name) != nullptr && first.single()->text == "int");
  const Atom* variable = of.single(Atom::Kind::environment);
  if (to_int && variable != nullptr && is_mask(variable->text) && !frame_->in_try && !frame_->checks_digits)
    emit(Event::Kind::mask_as_number, node, variable->text);
  if (variable != nullptr && (variable->text == "LOCAL_RANK" || variable->text == "OMPI_COMM_WORLD_LOCAL_RANK"))
    result = kind_value(Atom::Kind::ordinal);
  else if (of.single(Atom::Kind::choice) || of.single(Atom::Kind::ordinal) || of.single(Atom::Kind::smi_index) ||
           of.single(Atom::Kind::parameter) || of.single(Atom::Kind::counter) ||
           (name != "map" && of.single(Atom::Kind::number)))
    result = of;
  return true;
}

/// Devices, how many there are, and what they are called.
bool Reader::device_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result) {
  const std::string_view name = called.name;
  const Value first = value_of(args, 0);
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
    const auto text = first.as_text();
    const Atom* number = index.single(Atom::Kind::number);
    if (text && number != nullptr)
      result = text_value(*text + ':' + std::to_string(number->number), number->literal);
    else if (text && index.single(Atom::Kind::parameter))
      result = index;
    else if (number == nullptr && index.is_unknown())
      result = first;
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
  } else if (name == "?.join") {
    const auto separator = called.object.as_text();
    if (separator && first.single() != nullptr && (first.single(Atom::Kind::text) || first.single(Atom::Kind::number)))
      result = text_value(*first.as_text());
    else if (first.single(Atom::Kind::choice))
      result = first;
  } else if (name == "?.format") {
    result = Atom{.kind = Atom::Kind::pattern, .text = with_holes(called.object.as_text().value_or("{}"))};
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
  if (gives_choice(name) || (called.object.single(Atom::Kind::choice) && !called.callee.single(Atom::Kind::function))) {
    result = kind_value(Atom::Kind::choice);
    return true;
  }
  if (std::find(kHandOn.begin(), kHandOn.end(), name) == kHandOn.end()) return false;
  const Value of = name.starts_with("?.") ? called.object : value_of(args, 0);
  const Atom* atom = of.single();
  if (name == "str" && atom != nullptr && atom->kind == Atom::Kind::number)
    result = text_value(std::to_string(atom->number), atom->literal);
  else if (atom != nullptr && atom->kind != Atom::Kind::name && atom->kind != Atom::Kind::instance)
    result = of;
  return true;
}

}  // namespace weir::audit::python
