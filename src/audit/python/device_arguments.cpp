#include <algorithm>
#include <string>
#include <vector>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// What calls are given as devices.

namespace weir::audit::python {
namespace {

/// What a device argument cannot be told from: neither a device nor a parameter that may be given one.
bool says_nothing(const Value& value) {
  return std::all_of(value.atoms().begin(), value.atoms().end(), [](const Atom& atom) {
    return atom.kind == Atom::Kind::object || atom.kind == Atom::Kind::dictionary || atom.kind == Atom::Kind::name ||
           atom.kind == Atom::Kind::instance || atom.kind == Atom::Kind::same || atom.kind == Atom::Kind::boolean;
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

/// The call starts the driver. onnxruntime that is given the CPU alone starts none.
bool Reader::touches_driver(std::string_view call, const std::vector<Argument>& args) {
  const Value providers = devices_in(value_of(args, -1, "providers"));
  const Atom* provider = providers.single(Atom::Kind::text);
  const bool cpu_alone = provider != nullptr && provider->text == "CPUExecutionProvider";
  return is_touch(call) && !cpu_alone;
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

}  // namespace weir::audit::python
