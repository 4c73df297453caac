#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "audit/mask.hpp"
#include "audit/rules/checks.hpp"

// G08 (index outside the mask) for a number that is chosen at run time, by the user or a scheduler, and is used twice:
// in the mask and as a device number. Under a mask devices are numbered from 0, so the number usually does not exist
// there.

namespace weir::audit {
namespace {

using Kind = Event::Kind;

/// Returns whether two occurrences of this value can be recognised as the same value: the user's choice, an environment
/// variable, a parameter, an object with an id.
bool is_identifiable(const PossibleValue& alternative) {
  switch (alternative.kind) {
    case PossibleValue::Kind::user_choice:
      return !alternative.key.empty();
    case PossibleValue::Kind::environment_variable:
    case PossibleValue::Kind::parameter:
    case PossibleValue::Kind::symbol:
      return true;
    case PossibleValue::Kind::runtime_index:
      return !alternative.text.empty();
    case PossibleValue::Kind::call_result:
      return alternative.number != 0;
    default:
      return false;
  }
}

/// Returns the only alternative if it is identifiable; otherwise null.
const PossibleValue* single_identifiable(const Value& value) {
  return value.single_alternative() != nullptr && is_identifiable(*value.single_alternative())
             ? value.single_alternative()
             : nullptr;
}

/// Returns the number of a device: for a text with a hole such as "cuda:{}" the value of the hole, for other texts with
/// holes unknown, and for all other values the whole value.
Value number_of(const Value& device) {
  const PossibleValue* pattern = device.single_alternative(PossibleValue::Kind::pattern);
  if (pattern == nullptr) return device;
  std::string with_zero = pattern->text;
  if (with_zero.empty() || with_zero.back() != kHole) return {};
  with_zero.back() = '0';
  return parse_device(with_zero) ? hole_value(*pattern) : Value{};
}

/// Returns whether the path is equal to `whole` or continues it.
bool is_within(std::string_view path, std::string_view whole) {
  return path == whole || (path.size() > whole.size() && path.starts_with(whole) &&
                           (whole.empty() || path[whole.size()] == kPathSeparator));
}

/// Returns whether the value comes from an environment variable: it is the variable's value, or a device number,
/// because int() makes a PossibleValue::Kind::runtime_index from a variable such as LOCAL_RANK.
bool is_variable(const PossibleValue& alternative) {
  return alternative.kind == PossibleValue::Kind::environment_variable ||
         alternative.kind == PossibleValue::Kind::runtime_index;
}

/// Returns whether both are the same value, or one is an item of the other.
bool is_same_value(const PossibleValue& a, const PossibleValue& b) {
  return (a.kind == b.kind || (is_variable(a) && is_variable(b))) && a.text == b.text && a.number == b.number &&
         (is_within(a.key, b.key) || is_within(b.key, a.key));
}

/// Returns whether the number may be the mask or an item of it.
bool may_contain(const Value& mask, const PossibleValue& number) {
  const auto& alternatives = mask.alternatives();
  return std::any_of(alternatives.begin(), alternatives.end(), [&](const PossibleValue& alternative) {
    return is_identifiable(alternative) && is_same_value(alternative, number);
  });
}

/// Returns whether the mask that one step sets may contain the device number that the other step uses. Step::value is
/// compared first, in which parameters are replaced by arguments, then Event::value, which still has the parameters.
bool is_same_number(const Step& mask, const Step& use) {
  const Value resolved = number_of(use.value);
  if (const PossibleValue* number = single_identifiable(resolved)) {
    const bool comparable =
        number->kind != PossibleValue::Kind::parameter || mask.parameter_call_id == use.parameter_call_id;
    if (comparable && may_contain(mask.value, *number)) return true;
  }
  // Within one call of a function a parameter has one value, even if it is not known. check_under_mask() in
  // index_rules.cpp checks constants.
  if (mask.call_id != use.call_id || is_constant(use.value)) return false;
  const Value unresolved = number_of(use.event->value);
  const PossibleValue* number = single_identifiable(unresolved);
  return number != nullptr && may_contain(mask.event->value, *number);
}

/// Returns the name of the attribute that contains the device number: "gpu" for args.gpu. Empty if it is not known.
std::string attribute_name(const Value& device) {
  const Value number = number_of(device);
  const PossibleValue* alternative = single_identifiable(number);
  if (alternative == nullptr) return {};
  return alternative->key.substr(alternative->key.rfind(kPathSeparator) + 1);
}

/// Returns whether the attribute that contains the device number is overwritten before the use: by a constant, or by
/// any value after the mask was set. `use` is the index of the step that uses the device.
bool is_overwritten(const Execution& execution, const Step& mask, std::size_t use) {
  const std::string name = attribute_name(execution.steps[use].event->value);
  if (name.empty()) return false;
  for (std::size_t i = 0; i < use; ++i) {
    const Step& step = execution.steps[i];
    if (step.event->kind != Kind::overwrite_attribute || step.event->name != name ||
        are_exclusive(step, execution.steps[use]))
      continue;
    if (is_constant(step.value) || &step > &mask) return true;
  }
  return false;
}

/// Returns the last write of a mask of the vendor before the step `index` if it has certainly happened; otherwise null.
/// The write may come after the driver's start.
const Step* mask_write_before(const Execution& execution, std::size_t index, Vendor vendor) {
  const Step& use = execution.steps[index];
  for (std::size_t i = index; i-- > 0;) {
    const Step& step = execution.steps[i];
    if (!sets_own_mask(step) || are_exclusive(step, use)) continue;
    const Vendor mask_vendor = find_device_variable(step.event->name)->vendor;
    // PyTorch for AMD cards uses the name "cuda", too.
    const bool is_same_driver = mask_vendor == vendor || (vendor == Vendor::nvidia && mask_vendor == Vendor::amd);
    if (is_same_driver) return is_always_before(step, use) ? &step : nullptr;
  }
  return nullptr;
}

/// Returns whether the device may be a constant above 0.
bool may_be_above_zero(const Value& device) {
  const Value each = expand_patterns(device);
  return std::any_of(each.alternatives().begin(), each.alternatives().end(), [](const PossibleValue& alternative) {
    const auto constant = alternative.kind == PossibleValue::Kind::text ? parse_device(alternative.text) : std::nullopt;
    return constant && constant->index > 0;
  });
}

/// Returns the mask before a command, as in "CUDA_VISIBLE_DEVICES=$GPU command cuda:$GPU", if it contains the device
/// number that the command gets; otherwise null.
const Argument* command_mask_with_number(const Step& use) {
  const Value unresolved = number_of(use.event->value);
  const PossibleValue* number = single_identifiable(unresolved);
  if (number == nullptr) return nullptr;
  if (number->kind == PossibleValue::Kind::parameter) {
    // For a parameter of a function, the caller's argument decides whether the device exists under the mask.
    const Value resolved = number_of(use.value);
    const PossibleValue* chosen = single_identifiable(resolved);
    const bool is_identified = chosen != nullptr && chosen->kind != PossibleValue::Kind::parameter;
    if (!is_identified && !may_be_above_zero(use.value)) return nullptr;
  }
  const auto& masks = use.event->arguments;
  const auto found =
      std::find_if(masks.begin(), masks.end(), [&](const Argument& one) { return may_contain(one.value, *number); });
  return found == masks.end() ? nullptr : &*found;
}

Vendor vendor_of_device(const Event& use) {
  const PossibleValue* pattern = use.value.single_alternative(PossibleValue::Kind::pattern);
  const bool is_xpu =
      (pattern != nullptr && pattern->text.starts_with("xpu")) || use.name.find("xpu") != std::string::npos;
  return is_xpu ? Vendor::intel : Vendor::nvidia;
}

}  // namespace

void check_chosen_index(const Execution& execution, std::size_t index, const RuleContext& context) {
  const Step& use = execution.steps[index];
  if (use.event->device_count_checked) return;
  if (const Argument* command_mask = command_mask_with_number(use)) {
    context.findings.add(
        make_finding("G08", *use.module, use.event->range,
                     fmt::format("this device number is also the value of {}: under a mask the visible cards are "
                                 "numbered from 0",
                                 command_mask->keyword),
                     "use device 0 under the mask, or remove the mask"));
    return;
  }
  const Step* mask = mask_write_before(execution, index, vendor_of_device(*use.event));
  if (mask == nullptr || !is_same_number(*mask, use) || is_overwritten(execution, *mask, index)) return;
  const auto mask_index = static_cast<std::size_t>(mask - execution.steps.data());
  const bool is_too_late =
      driver_start_before(execution, mask_index, find_device_variable(mask->event->name)->vendor) != nullptr;
  // A mask that is set too late renumbers nothing, so the number is correct. It is still reported if mask and use are
  // in one call, because they contradict each other.
  if (is_too_late && mask->call_id != use.call_id) return;
  const std::string place = location_text(*use.module, *mask->module, mask->event->range);
  auto found = make_finding(
      "G08", *use.module, use.event->range,
      is_too_late
          ? fmt::format(
                "the same number is put into {} ({}) and used here: it works only while the mask is set too late",
                mask->event->name, place)
          : fmt::format("this device number is also the value of {} ({}): under a mask the visible cards are numbered "
                        "from 0",
                        mask->event->name, place),
      "use device 0 under the mask, or remove the mask");
  if (is_too_late || mask->event->mode == Event::Mode::set_if_unset) found.severity = Severity::fragile;
  context.findings.add(std::move(found));
}

}  // namespace weir::audit
