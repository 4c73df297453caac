#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "audit/fix/rewrites.hpp"
#include "audit/mask.hpp"
#include "audit/rules/checks.hpp"

// Device numbers and how they are counted: G08, G09, G18, G20. A mask (CUDA_VISIBLE_DEVICES) limits the visible devices
// and numbers them from 0.

namespace weir::audit {
namespace {

using Kind = Event::Kind;

/// A constant device number in the code.
struct FixedIndex {
  Vendor vendor;
  long index;
  Range literal;              ///< range of the text or number in the code; empty if it is not known
  std::size_t digits_offset;  ///< byte offset of the digits in the device text; 0 for a number
};

std::optional<FixedIndex> fixed_index(const PossibleValue& alternative) {
  // A number without a device name ("cuda:1") counts as a CUDA device.
  if (alternative.kind == PossibleValue::Kind::number && alternative.number >= 0)
    return FixedIndex{
        .vendor = Vendor::nvidia, .index = alternative.number, .literal = alternative.literal, .digits_offset = 0};
  if (alternative.kind != PossibleValue::Kind::text) return std::nullopt;
  const auto device = parse_device(alternative.text);
  if (!device) return std::nullopt;
  return FixedIndex{.vendor = device->vendor,
                    .index = device->index,
                    .literal = alternative.literal,
                    .digits_offset = device->digits_offset};
}

/// Returns whether the code of this module contains the value at the range `fixed.literal`.
bool is_literal_in_module(const Module& module, const PossibleValue& alternative, const FixedIndex& fixed) {
  const std::string_view text = module.source.text(fixed.literal);
  return !fixed.literal.empty() && (text == alternative.text || text == std::to_string(fixed.index));
}

/// Adds an edit that replaces the number of a card by its index within the mask, if the mask contains the card and the
/// literal is in the finding's module.
void renumber(Finding& finding, const PossibleValue& alternative, const FixedIndex& fixed, const Mask& mask) {
  const auto entry = std::find(mask.entries.begin(), mask.entries.end(), std::to_string(fixed.index));
  const Module& module = *finding.module;
  if (entry == mask.entries.end() || module.parse_error || !is_literal_in_module(module, alternative, fixed)) return;
  // The literal may be the whole text ("cuda:1"), or only the number that completes it.
  const bool is_whole_text = module.source.text(fixed.literal) == alternative.text;
  const auto digits_begin = static_cast<std::uint32_t>(fixed.literal.begin + (is_whole_text ? fixed.digits_offset : 0));
  finding.edits = {{{digits_begin, fixed.literal.end}, std::to_string(entry - mask.entries.begin())}};
  finding.fixability = Fixability::unsafe;
  finding.advice = fmt::format("the same card is number {} here", entry - mask.entries.begin());
}

/// Returns the module whose code contains the literal `fixed.literal` of the device: the program's own file if the
/// literal is at this range there and not in the file that uses the device; otherwise the file that uses the device.
const Module& module_of_literal(const Execution& execution, const Step& use, const PossibleValue& alternative,
                                const FixedIndex& fixed) {
  const bool is_in_program = alternative.kind == PossibleValue::Kind::text &&
                             !is_literal_in_module(*use.module, alternative, fixed) &&
                             execution.program->source.text(fixed.literal) == alternative.text;
  return is_in_program ? *execution.program : *use.module;
}

/// Returns the last step before `index` that sets a mask of the vendor's driver while the driver has not started yet;
/// null if there is none, or if that step has not certainly happened.
const Step* mask_before(const Execution& execution, std::size_t index, Vendor vendor) {
  const Step& use = execution.steps[index];
  for (std::size_t i = index; i-- > 0;) {
    const Step& step = execution.steps[i];
    if (!sets_own_mask(step)) continue;
    const DeviceVariable* variable = find_device_variable(step.event->name);
    // A mask that is set after the driver's start renumbers nothing (G03).
    if (driver_start_before(execution, i, variable->vendor) != nullptr) continue;
    // PyTorch for AMD cards uses the name "cuda", too.
    const bool is_same_driver =
        variable->vendor == vendor || (vendor == Vendor::nvidia && variable->vendor == Vendor::amd);
    if (is_same_driver && !are_exclusive(step, use)) return is_always_before(step, use) ? &step : nullptr;
  }
  return nullptr;
}

/// Returns the possible masks of a value; empty if one of them is unknown.
std::vector<Mask> masks_in(const Value& value) {
  std::vector<Mask> all;
  const Value each = expand_patterns(value);
  for (const PossibleValue& alternative : each.alternatives()) {
    auto mask = parse_mask(Value{alternative});
    if (!mask) return {};
    all.push_back(*std::move(mask));
  }
  return all;
}

/// Returns whether the step `mask_write` hides all cards and the step `use` nevertheless uses one: between the two
/// steps no code tests for a GPU or removes the mask, no `try` catches the error, and no condition skips the use.
/// `variable` and `value` are the mask that `mask_write` sets.
bool hides_used_device(const Step& mask_write, const Step& use, std::string_view variable, const Value& value) {
  const std::string text = value.as_text().value_or("?");
  const bool is_cuda_or_hip = variable == "CUDA_VISIBLE_DEVICES" || variable == "HIP_VISIBLE_DEVICES";
  if (!is_cuda_or_hip || (!text.empty() && text != "-1") || use.value.single_alternative() == nullptr ||
      use.event->in_try)
    return false;
  const bool is_unconditional = std::all_of(use.arms.begin(), use.arms.end(), [&](const Arm& arm) {
    return arm.is_child_process ||
           std::find(mask_write.arms.begin(), mask_write.arms.end(), arm) != mask_write.arms.end();
  });
  return is_unconditional && std::none_of(&mask_write, &use, [&](const Step& between) {
           const Event& event = *between.event;
           // The readers put "asserted" into the name of an event where the program ends without a GPU.
           const bool queries_gpu =
               event.kind == Kind::start_driver && (event.name.find("is_available") != std::string::npos ||
                                                    event.name.find("asserted") != std::string::npos);
           return queries_gpu || event.kind == Kind::change_environment ||
                  (event.kind == Kind::remove_variable && event.name == variable);
         });
}

/// Checks G08 for one alternative of the device that the step `index` uses.
void check_under_mask(const Execution& execution, std::size_t index, const PossibleValue& alternative,
                      const RuleContext& context) {
  const Step& use = execution.steps[index];
  const auto fixed = fixed_index(alternative);
  // Code after "if device_count() > 1" does not run under a mask of one card.
  if (!fixed || use.event->device_count_checked) return;
  const Step* mask_write = mask_before(execution, index, fixed->vendor);
  // In "CUDA_VISIBLE_DEVICES=1 command cuda:1" the mask before the command (the prefix) applies instead.
  const Argument* prefix = use.event->arguments.empty() ? nullptr : &use.event->arguments.front();
  if (mask_write == nullptr && prefix == nullptr) return;
  const std::string variable = prefix != nullptr ? prefix->keyword : mask_write->event->name;
  const Value& value = prefix != nullptr ? prefix->value : mask_write->value;
  if (prefix != nullptr) mask_write = &use;  // the command itself sets the mask
  const std::vector<Mask> masks = masks_in(value);
  if (masks.empty()) return;
  // The device must be missing under each possible mask, so the mask with the most entries decides.
  const Mask& mask = *std::max_element(
      masks.begin(), masks.end(), [](const Mask& a, const Mask& b) { return a.entries.size() < b.entries.size(); });
  const bool hides_all_cards = masks.size() == 1 && hides_used_device(*mask_write, use, variable, value);
  const bool any_hides = std::any_of(masks.begin(), masks.end(), [](const Mask& one) { return one.hides_all(); });
  if (!hides_all_cards && (any_hides || static_cast<std::size_t>(fixed->index) < mask.entries.size())) return;
  const Module& literal_module = module_of_literal(execution, use, alternative, *fixed);
  const bool has_literal = is_literal_in_module(literal_module, alternative, *fixed);
  const bool is_in_other_file = &literal_module != use.module;
  auto found = make_finding(
      "G08", literal_module, has_literal ? fixed->literal : use.event->range,
      fmt::format("device {} does not exist under {}={} ({}), which {}", fixed->index, variable, mask_text(value),
                  location_text(literal_module, *mask_write->module, mask_write->event->range),
                  hides_all_cards            ? "hides all cards"
                  : mask.entries.size() == 1 ? "leaves one card numbered from 0"
                                             : fmt::format("leaves {} cards numbered from 0", mask.entries.size())),
      hides_all_cards ? "use the CPU, or make a card visible" : "take the number within the mask, or change the mask");
  if (is_in_other_file)
    found.message += fmt::format(" (used at {})", location_text(literal_module, *use.module, use.event->range));
  if (mask_write->event->mode == Event::Mode::set_if_unset) found.severity = Severity::fragile;
  if (masks.size() == 1) renumber(found, alternative, *fixed, mask);
  context.findings.add(std::move(found));
}

/// Checks G20: a number of the CUDA runtime is given to NVML, a number of nvidia-smi is given to the runtime, or NVML
/// gets the number of a card that the mask does not select first.
void check_counting(const Execution& execution, std::size_t index, const RuleContext& context) {
  const Step& use = execution.steps[index];
  const std::string code = code_text(*use.module, use.event->range);
  if (use.event->kind == Kind::use_smi_index) {
    if (use.value.may_be(PossibleValue::Kind::runtime_index)) {
      auto found = make_finding("G20", *use.module, use.event->range,
                                fmt::format("`{}` counts all cards by PCI address, and is given a number of the CUDA "
                                            "runtime, which counts the visible ones",
                                            code),
                                "select the card by UUID: nvmlDeviceGetHandleByUUID()");
      found.edits = rewrite_lookup_by_uuid(*use.module, *use.event);
      found.fixability = found.edits.empty() ? Fixability::manual : Fixability::unsafe;
      context.findings.add(std::move(found));
      return;
    }
    const PossibleValue* number = use.value.single_alternative(PossibleValue::Kind::number);
    const Step* mask_write = number == nullptr ? nullptr : mask_before(execution, index, Vendor::nvidia);
    const auto mask = mask_write == nullptr ? std::nullopt : parse_mask(mask_write->value);
    const bool selects_other = mask && !mask->hides_all() && mask->entries.front() != std::to_string(number->number) &&
                               mask->entries.front() != "?";
    if (selects_other)
      context.findings.add(
          make_finding("G20", *use.module, use.event->range,
                       fmt::format("`{}` ignores masks: this is card {} of the machine, and {}={} ({}) selects another",
                                   code, number->number, mask_write->event->name, *mask_write->value.as_text(),
                                   location_text(*use.module, *mask_write->module, mask_write->event->range)),
                       "select the card by UUID: nvmlDeviceGetHandleByUUID()"));
  } else if (use.value.may_be(PossibleValue::Kind::smi_index)) {
    context.findings.add(make_finding(
        "G20", *use.module, use.event->range,
        fmt::format("`{}` is given a number as nvidia-smi counts; the runtime counts the visible cards, in "
                    "an order of its own",
                    code),
        "put the UUID into CUDA_VISIBLE_DEVICES and use device 0"));
  }
}

/// Returns the first event in a program's body that sets a constant mask unconditionally; null if there is none.
const Event* first_constant_mask(const Module& program) {
  for (const Event& event : program.body().events) {
    if (event.kind == Kind::set_variable && event.mode != Event::Mode::child_environment &&
        is_mask_variable(event.name) && event.arms.empty() && is_constant(event.value))
      return &event;
  }
  return nullptr;
}

/// Checks G18 for one device number in a settings file: the constant mask of each program whose code contains the name
/// of the file must make the device visible.
void check_settings(const Module& settings, const Event& use, const RuleContext& context) {
  const PossibleValue* alternative = use.value.single_alternative();
  const auto fixed = alternative == nullptr ? std::nullopt : fixed_index(*alternative);
  if (!fixed || fixed->index == 0) return;
  const std::string file = settings.source.path().filename().native();
  for (const Module& program : context.project.modules()) {
    if (program.kind != FileKind::python || program.source.text().find(file) == std::string_view::npos) continue;
    const Event* mask_write = first_constant_mask(program);
    const auto mask = mask_write == nullptr ? std::nullopt : parse_mask(mask_write->value);
    if (!mask || mask->hides_all() || static_cast<std::size_t>(fixed->index) < mask->entries.size()) continue;
    auto found =
        make_finding("G18", settings, use.range,
                     fmt::format("device {} does not exist under {}={} of the program that reads this file ({})",
                                 fixed->index, mask_write->name, mask_write->value.as_text().value_or("?"),
                                 location_text(settings, program, mask_write->range)),
                     "write the number within the mask into this file");
    renumber(found, *alternative, *fixed, *mask);
    context.findings.add(std::move(found));
  }
}

}  // namespace

void check_settings_files(const RuleContext& context) {
  for (const Module& module : context.project.modules()) {
    if (!is_settings_file(module)) continue;
    for (const Event& event : module.body().events) {
      if (event.kind == Kind::use_device) check_settings(module, event, context);
    }
  }
}

void check_indices(const Execution& execution, const RuleContext& context) {
  for (std::size_t i = execution.first_new_step; i < execution.steps.size(); ++i) {
    const Event::Kind kind = execution.steps[i].event->kind;
    if (kind != Kind::use_device && kind != Kind::use_smi_index) continue;
    check_counting(execution, i, context);
    if (kind != Kind::use_device) continue;
    check_chosen_index(execution, i, context);
    const Value& given = execution.steps[i].value;
    // Of a list of devices each element is checked; of a single device each of its possible values.
    const bool is_device_list = given.single_alternative(PossibleValue::Kind::sequence) != nullptr &&
                                execution.steps[i].event->name == "device_ids=";
    const Value value = is_device_list ? any_element(given) : expand_patterns(given);
    for (const PossibleValue& alternative : value.alternatives()) check_under_mask(execution, i, alternative, context);
  }
}

namespace {

/// The device numbers that a file uses.
struct IndicesUsed {
  std::set<long> indices;                ///< -1 is the default device, or a number known only at run time
  std::vector<const Event*> fixed_uses;  ///< events that use a constant number
  bool sets_mask = false;
};

IndicesUsed indices_used(const Module& module) {
  IndicesUsed used;
  for (const Function& function : module.functions) {
    for (const Event& event : function.events) {
      used.sets_mask = used.sets_mask || (event.kind == Kind::set_variable && is_mask_variable(event.name));
      if (event.kind != Kind::use_device) continue;
      bool has_fixed_index = false;
      for (const PossibleValue& alternative : event.value.alternatives()) {
        if (const auto index = fixed_index(alternative)) {
          used.indices.insert(index->index);
          has_fixed_index = true;
        } else if (alternative.kind == PossibleValue::Kind::runtime_index ||
                   alternative.kind == PossibleValue::Kind::pattern || alternative.text == "cuda") {
          used.indices.insert(-1);
        }
      }
      if (has_fixed_index) used.fixed_uses.push_back(&event);
    }
  }
  return used;
}

/// Returns the numbers of the event's devices, "5, 6, 7", if all are constants above 0; otherwise an empty text.
std::string numbers_above_zero(const Event& event) {
  std::string all;
  for (const PossibleValue& alternative : event.value.alternatives()) {
    const auto fixed = fixed_index(alternative);
    if (!fixed || fixed->index == 0) return {};
    all += fmt::format("{}{}", all.empty() ? "" : ", ", fixed->index);
  }
  return all;
}

Finding fixed_index_finding(const Module& module, const Event& event, const std::string& numbers) {
  const PossibleValue& first = event.value.alternatives().front();
  const bool is_single = event.value.single_alternative() != nullptr;
  const bool has_literal = is_single && is_literal_in_module(module, first, *fixed_index(first));
  return make_finding("G09", module, has_literal ? first.literal : event.range,
                      fmt::format("{} {} fixed here and no mask is set: {} on another machine, and an error where a "
                                  "scheduler grants {}",
                                  is_single ? "device" : "devices", is_single ? numbers + " is" : numbers + " are",
                                  is_single ? "another card" : "other cards", is_single ? "one card" : "fewer"),
                      is_single ? "use device 0 and choose the card by a mask, outside"
                                : "count from 0 and choose the cards by a mask, outside");
}

}  // namespace

void check_fixed_indices(const RuleContext& context) {
  for (const Module& module : context.project.modules()) {
    if (module.kind != FileKind::python && module.kind != FileKind::notebook && module.kind != FileKind::cpp) continue;
    const IndicesUsed used = indices_used(module);
    if (used.sets_mask) continue;
    // A file that uses several numbers, or the default device, distributes its work on purpose.
    const bool file_uses_one = used.indices.size() == 1;
    for (const Event* event : used.fixed_uses) {
      const std::string numbers = numbers_above_zero(*event);
      const bool uses_several = event->value.single_alternative() == nullptr;
      if (!numbers.empty() && (file_uses_one || uses_several))
        context.findings.add(fixed_index_finding(module, *event, numbers));
    }
  }
}

}  // namespace weir::audit
