#include <algorithm>
#include <string>
#include <vector>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// The device arguments of calls.

namespace weir::audit::python {
namespace {

/// Returns whether the value gives no information about a device: it is unknown, or it is neither a device nor a
/// parameter that may be one.
bool is_uninformative(const Value& value) {
  return std::all_of(value.alternatives().begin(), value.alternatives().end(), [](const PossibleValue& alternative) {
    return alternative.kind == PossibleValue::Kind::call_result ||
           alternative.kind == PossibleValue::Kind::dictionary ||
           alternative.kind == PossibleValue::Kind::qualified_name ||
           alternative.kind == PossibleValue::Kind::instance || alternative.kind == PossibleValue::Kind::symbol ||
           alternative.kind == PossibleValue::Kind::boolean;
  });
}

/// Returns whether the value may be a device text: one of its alternatives is a parameter or the text of a device.
bool may_name_device(const Value& value) {
  return std::any_of(value.alternatives().begin(), value.alternatives().end(), [](const PossibleValue& alternative) {
    const bool text = alternative.kind == PossibleValue::Kind::text || alternative.kind == PossibleValue::Kind::pattern;
    return alternative.kind == PossibleValue::Kind::parameter || (text && parse_device(alternative.text).has_value());
  });
}

bool is_gpu_text(const Value& value) {
  return std::any_of(value.alternatives().begin(), value.alternatives().end(), [](const PossibleValue& alternative) {
    const bool text = alternative.kind == PossibleValue::Kind::text || alternative.kind == PossibleValue::Kind::pattern;
    return text && (alternative.text.starts_with("cuda") || alternative.text.starts_with("xpu") ||
                    alternative.text.starts_with("gpu"));
  });
}

/// Returns the devices in a list or dictionary argument.
Value devices_in(const Value& value) {
  const PossibleValue* alternative = value.single_alternative();
  if (alternative == nullptr || alternative->items == nullptr) return value;
  if (alternative->kind == PossibleValue::Kind::sequence) return any_element(value);
  if (alternative->kind != PossibleValue::Kind::dictionary) return value;
  Value any;
  bool first = true;
  for (const auto& [key, one] : alternative->items->values) {
    if (one.is_unknown()) continue;
    any = first ? one : any.joined(one);
    first = false;
  }
  return any;
}

/// Replaces list arguments, and dictionary arguments that name devices, by their devices.
std::vector<Argument> expand_device_arguments(std::string_view called, std::vector<Argument> args) {
  int position = 0;
  for (Argument& arg : args) {
    const bool is_second = arg.keyword.empty() && position++ == 1;
    const bool names_devices =
        arg.keyword == "map_location" || arg.keyword == "device_map" || (is_second && called == "torch.load");
    const bool is_list = arg.value.single_alternative(PossibleValue::Kind::sequence) != nullptr;
    if (is_list || names_devices) arg.value = devices_in(arg.value);
  }
  return args;
}

/// Returns the device list of Trainer(devices=[1]), unless it uses the CPU.
const Argument* device_list(std::string_view call, const std::vector<Argument>& args) {
  const auto accelerator = argument_value(args, -1, "accelerator").as_text();
  if (accelerator && *accelerator != "gpu" && *accelerator != "cuda" && *accelerator != "auto") return nullptr;
  const auto found = std::find_if(args.begin(), args.end(), [&](const Argument& arg) {
    return takes_device_list(call, arg.keyword) &&
           arg.value.single_alternative(PossibleValue::Kind::sequence) != nullptr;
  });
  return found == args.end() ? nullptr : &*found;
}

}  // namespace

/// Returns whether the call starts the driver. onnxruntime with only the CPU provider does not.
bool Reader::call_starts_driver(std::string_view call, const std::vector<Argument>& args) {
  const Value providers = devices_in(argument_value(args, -1, "providers"));
  const PossibleValue* provider = providers.single_alternative(PossibleValue::Kind::text);
  const bool cpu_alone = provider != nullptr && provider->text == "CPUExecutionProvider";
  return starts_driver(call) && !cpu_alone;
}

/// Records that a process group with the backend NCCL starts the driver: NCCL queries the driver for its devices, and
/// uses no others (ProcessGroupNCCL's constructor in PyTorch).
void Reader::note_process_group(const CallTarget& called, const std::vector<Argument>& args, Node node) {
  if (called.name != "torch.distributed.init_process_group") return;
  const Value backend = argument_value(args, 0, "backend");
  const auto& alternatives = backend.alternatives();
  const bool nccl = std::any_of(alternatives.begin(), alternatives.end(), [](const PossibleValue& alternative) {
    return alternative.kind == PossibleValue::Kind::text && alternative.text.find("nccl") != std::string::npos;
  });
  if (!nccl) return;
  if (alternatives.size() > 1) frame_->arms.push_back({branch_count_++, 0});  // one of several backends
  emit(Event::Kind::start_driver, node, called.name);
  if (alternatives.size() > 1) frame_->arms.pop_back();
}

/// Records the devices among the arguments of a call.
void Reader::device_arguments(const CallTarget& called, const std::vector<Argument>& given, Node node) {
  const std::vector<Argument> args = expand_device_arguments(called.name, given);
  if (const Argument* list = device_list(called.name, given))
    emit(Event::Kind::use_device, node, list->keyword + '=', devices_in(list->value));
  const std::string method = '.' + method_name(called.name);
  const DeviceParameter* parameter = find_device_parameter(called.name);
  // In a call outside the GPU libraries the type of the object is unknown, so only the name of the method counts.
  if (parameter == nullptr && find_library(called.name) == nullptr) parameter = find_device_parameter(method);
  // This module defines the function itself, such as a method to().
  const bool is_local_function = called.callee.single_alternative(PossibleValue::Kind::function) != nullptr;
  if (takes_smi_index(called.name))
    emit(Event::Kind::use_smi_index, node, called.name, argument_value(args, 0, "index"));
  if (parameter != nullptr && !is_local_function) {
    const Argument* arg = find_argument(args, parameter->position, parameter->keyword);
    const bool makes_device = called.name == "torch.device";
    if (arg == nullptr && makes_device) arg = find_argument(args, -1, "type");
    if (arg != nullptr && makes_device && (arg->keyword.empty() || arg->keyword == "type")) {
      Value whole;
      value_call(called, args, node, whole);
      if (!whole.is_unknown() && whole.single_alternative(PossibleValue::Kind::symbol) == nullptr &&
          !frame_->in_comparison)
        emit(Event::Kind::use_device, node, called.name, whole);
      return;
    }
    if (arg != nullptr && (parameter->accepts_number || arg->value.as_text() || may_name_device(arg->value))) {
      const bool is_meaningless_number =
          arg->value.single_alternative(PossibleValue::Kind::number) != nullptr && !parameter->accepts_number;
      if (!is_meaningless_number) emit(Event::Kind::use_device, node, std::string{parameter->name}, arg->value);
    }
    const bool moves_to_gpu = parameter->name == ".cuda" || parameter->name == ".xpu" ||
                              (parameter->name == ".to" && arg != nullptr && is_gpu_text(arg->value));
    if (moves_to_gpu) emit(Event::Kind::start_driver, node, method, arg == nullptr ? Value{} : arg->value);
    if (arg != nullptr) return;
  }
  const Argument* unpacked_keywords = find_argument(args, -1, kDictionaryKeyword);
  if (unpacked_keywords != nullptr &&
      unpacked_keywords->value.single_alternative(PossibleValue::Kind::parameter) != nullptr &&
      find_library(called.name) != nullptr) {
    bool missing = false;
    const std::string keyword = called.name == "torch.load" ? "map_location" : "device";
    emit(Event::Kind::use_device, node, keyword + '=', item_of(unpacked_keywords->value, keyword, missing))
        .only_if_known = true;
  }
  // The arguments of a function of this module are checked where the function uses them.
  if (called.name == "functools.partial" && !args.empty() &&
      args.front().value.single_alternative(PossibleValue::Kind::function))
    return;
  for (const Argument& arg : args) {
    const DeviceKeyword* keyword = arg.keyword.empty() ? nullptr : find_device_keyword(arg.keyword);
    if (keyword == nullptr || is_local_function) continue;
    const PossibleValue* number = arg.value.single_alternative(PossibleValue::Kind::number);
    // In PyTorch's own functions a number is a device, too.
    const bool accepts_number = keyword->accepts_number || called.name.starts_with("torch.");
    if (number != nullptr && (!accepts_number || number->number < 0)) continue;
    const PossibleValue* single = arg.value.single_alternative();
    const bool may_be_number = keyword->accepts_number && single != nullptr && keeps_kind(*single);
    if ((is_uninformative(arg.value) && !may_be_number) || arg.value.single_alternative(PossibleValue::Kind::none))
      continue;
    emit(Event::Kind::use_device, node, arg.keyword + '=', arg.value);
    if (is_gpu_text(arg.value) && find_library(called.name) != nullptr)
      emit(Event::Kind::start_driver, node, called.name);
  }
}

}  // namespace weir::audit::python
