#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "audit/mask.hpp"
#include "audit/rules/checks.hpp"

// A number that nobody knows beforehand, and that is both put into the mask and taken for a device behind it: G08.

namespace weir::audit {
namespace {

using Kind = Event::Kind;

/// Something that can be told again: the user's choice, a variable of the environment, a parameter, a thing of this run.
bool is_told_again(const Atom& atom) {
  switch (atom.kind) {
    case Atom::Kind::choice:
      return !atom.key.empty();
    case Atom::Kind::environment:
    case Atom::Kind::parameter:
    case Atom::Kind::same:
      return true;
    case Atom::Kind::ordinal:
      return !atom.text.empty();
    case Atom::Kind::object:
      return atom.number != 0;
    default:
      return false;
  }
}

const Atom* told_again(const Value& value) {
  return value.single() != nullptr && is_told_again(*value.single()) ? value.single() : nullptr;
}

/// The number of a device: all of the value, or what fills "cuda:{}".
Value number_of(const Value& device) {
  const Atom* pattern = device.single(Atom::Kind::pattern);
  if (pattern == nullptr) return device;
  std::string first = pattern->text;
  if (first.empty() || first.back() != kHole) return {};
  first.back() = '0';
  return parse_device(first) ? filling_of(*pattern) : Value{};
}

bool is_within(std::string_view path, std::string_view whole) {
  return path == whole ||
         (path.size() > whole.size() && path.starts_with(whole) && (whole.empty() || path[whole.size()] == kPathBreak));
}

/// A variable of the environment, or that as a number.
bool is_variable(const Atom& atom) { return atom.kind == Atom::Kind::environment || atom.kind == Atom::Kind::ordinal; }

/// The same thing, or one an element of the other.
bool same_thing(const Atom& a, const Atom& b) {
  return (a.kind == b.kind || (is_variable(a) && is_variable(b))) && a.text == b.text && a.number == b.number &&
         (is_within(a.key, b.key) || is_within(b.key, a.key));
}

bool may_be(const Value& mask, const Atom& number) {
  const auto& atoms = mask.atoms();
  return std::any_of(atoms.begin(), atoms.end(),
                     [&](const Atom& atom) { return is_told_again(atom) && same_thing(atom, number); });
}

/// The mask is made of the number that the device is given.
bool is_same_number(const Step& mask, const Step& use) {
  const Value given = number_of(use.value);
  if (const Atom* number = told_again(given)) {
    const bool comparable = number->kind != Atom::Kind::parameter || mask.open_call == use.open_call;
    if (comparable && may_be(mask.value, *number)) return true;
  }
  // In one call of a function a parameter is what it is, whoever calls; a constant is for the rule that knows it.
  if (mask.call != use.call || is_constant(use.value)) return false;
  const Value raw = number_of(use.event->value);
  const Atom* number = told_again(raw);
  return number != nullptr && may_be(mask.event->value, *number);
}

/// The last name of a path: "gpu" of args.gpu.
std::string last_name(const Value& device) {
  const Value number = number_of(device);
  const Atom* atom = told_again(number);
  if (atom == nullptr) return {};
  return atom->key.substr(atom->key.rfind(kPathBreak) + 1);
}

/// Somebody gives that attribute another value: a constant that is known, or one between the mask and the use.
bool is_rewritten(const Execution& execution, const Step& mask, std::size_t use) {
  const std::string name = last_name(execution.steps[use].event->value);
  if (name.empty()) return false;
  for (std::size_t i = 0; i < use; ++i) {
    const Step& step = execution.steps[i];
    if (step.event->kind != Kind::rewrite || step.event->name != name || exclusive(step, execution.steps[use]))
      continue;
    if (is_constant(step.value) || &step > &mask) return true;
  }
  return false;
}

/// The write that is sure to be in force at a step, late or not.
const Step* written_before(const Execution& execution, std::size_t index, Vendor vendor) {
  const Step& use = execution.steps[index];
  for (std::size_t i = index; i-- > 0;) {
    const Step& step = execution.steps[i];
    if (!sets_own_mask(step) || exclusive(step, use)) continue;
    const Vendor masked = find_variable(step.event->name)->vendor;
    const bool counts = masked == vendor || (vendor == Vendor::nvidia && masked == Vendor::amd);
    if (counts) return always_before(step, use) ? &step : nullptr;
  }
  return nullptr;
}

/// A constant above 0 is among what the device may be.
bool may_be_above_zero(const Value& device) {
  const Value each = with_holes_filled(device);
  return std::any_of(each.atoms().begin(), each.atoms().end(), [](const Atom& atom) {
    const auto known = atom.kind == Atom::Kind::text ? parse_device(atom.text) : std::nullopt;
    return known && known->index > 0;
  });
}

/// "CUDA_VISIBLE_DEVICES=$GPU command cuda:$GPU": the mask of the command; null if it has none of that number.
const Argument* prefix_of_number(const Step& use) {
  const Value raw = number_of(use.event->value);
  const Atom* number = told_again(raw);
  if (number == nullptr) return nullptr;
  if (number->kind == Atom::Kind::parameter) {
    // Of a function: only its caller knows whether it is a number that exists behind the mask.
    const Value given = number_of(use.value);
    const Atom* chosen = told_again(given);
    const bool told = chosen != nullptr && chosen->kind != Atom::Kind::parameter;
    if (!told && !may_be_above_zero(use.value)) return nullptr;
  }
  const auto& masks = use.event->arguments;
  const auto found =
      std::find_if(masks.begin(), masks.end(), [&](const Argument& one) { return may_be(one.value, *number); });
  return found == masks.end() ? nullptr : &*found;
}

Vendor vendor_of_device(const Event& use) {
  const Atom* pattern = use.value.single(Atom::Kind::pattern);
  const bool xpu =
      (pattern != nullptr && pattern->text.starts_with("xpu")) || use.name.find("xpu") != std::string::npos;
  return xpu ? Vendor::intel : Vendor::nvidia;
}

}  // namespace

void check_chosen_index(const Execution& execution, std::size_t index, const Judging& judging) {
  const Step& use = execution.steps[index];
  if (use.event->counted) return;
  if (const Argument* prefix = prefix_of_number(use)) {
    judging.findings.add(
        finding_of("G08", *use.module, use.event->where,
                   fmt::format("the device has the number that {} is given: behind the mask the cards count from 0",
                               prefix->keyword),
                   "take device 0 behind the mask, or leave the mask out"));
    return;
  }
  const Step* mask = written_before(execution, index, vendor_of_device(*use.event));
  if (mask == nullptr || !is_same_number(*mask, use) || is_rewritten(execution, *mask, index)) return;
  const auto at = static_cast<std::size_t>(mask - execution.steps.data());
  const bool dead = touch_before(execution, at, find_variable(mask->event->name)->vendor) != nullptr;
  // A late mask leaves the number right. Only within one function do the two contradict each other whatever came before.
  if (dead && mask->call != use.call) return;
  const std::string place = place_text(*use.module, *mask->module, mask->event->where);
  auto found = finding_of(
      "G08", *use.module, use.event->where,
      dead ? fmt::format(
                 "the same number is put into {} ({}) and counted on here: it works only while that comes too late",
                 mask->event->name, place)
           : fmt::format("the device has the number that {} is given ({}): behind the mask the cards count from 0",
                         mask->event->name, place),
      "take device 0 behind the mask, or leave the mask out");
  if (dead || mask->event->mode == Event::Mode::keep) found.severity = Severity::fragile;
  judging.findings.add(std::move(found));
}

}  // namespace weir::audit
