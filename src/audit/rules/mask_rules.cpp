#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "audit/fix/edits.hpp"
#include "audit/fix/order_edits.hpp"
#include "audit/mask.hpp"
#include "audit/rules/checks.hpp"

// Rules about masks, alone and in combination: G04, G06, G07, G10, G24, G26, G27, G33. A mask is the value of a
// variable such as CUDA_VISIBLE_DEVICES; a device order is the value of a variable such as CUDA_DEVICE_ORDER.

namespace weir::audit {
namespace {

using Kind = Event::Kind;

/// Returns whether the step sets the variable, in its own process or for a child process.
bool sets_variable(const Step& step, std::string_view name) {
  return step.event->kind == Kind::set_variable && step.event->name == name;
}

bool any_sets(const Execution& execution, std::string_view name) {
  return std::any_of(execution.steps.begin(), execution.steps.end(),
                     [&](const Step& step) { return sets_variable(step, name); });
}

/// Returns whether the step sets a mask for one command on this machine: before a command in a shell script ("MASK=1
/// command", a prefix), or a constant mask in an environment of a JSON file without containers.
bool sets_for_command(const Step& step) {
  const Event& event = *step.event;
  if (event.kind != Kind::set_variable || event.mode != Event::Mode::child_environment || !is_mask_variable(event.name))
    return false;
  if (step.module->kind == FileKind::shell) return !event.in_container;
  // Inside a container the cards are renumbered.
  const std::string_view text = step.module->source.text();
  return step.module->kind == FileKind::json && is_constant(step.value) &&
         text.find("\"image\"") == std::string_view::npos && text.find("\"services\"") == std::string_view::npos;
}

/// Returns whether a function of the module may set variables whose names are unknown. This includes functions whose
/// calls the audit does not follow.
bool changes_environment(const Module* module) {
  return std::any_of(module->functions.begin(), module->functions.end(), [](const Function& function) {
    return std::any_of(function.events.begin(), function.events.end(),
                       [](const Event& event) { return event.kind == Kind::change_environment && !event.is_fallback; });
  });
}

/// Returns whether the program may start other files of the project.
bool may_start_other_files(const Execution& execution) {
  const FileKind kind = execution.program->kind;
  const bool python = kind == FileKind::python || kind == FileKind::notebook;
  return !python || std::any_of(execution.steps.begin(), execution.steps.end(),
                                [](const Step& step) { return step.event->kind == Kind::start_process; });
}

/// Returns whether the program may set a device order itself. This is so in two cases: a file of the program, or a file
/// that runs with the same environment, mentions the order variable; or the program may set unknown variables.
bool mentions_order(const Execution& execution, std::string_view order, NamedFiles& files) {
  const auto is_in_text = [&](const Module* module) {
    return module->source.text().find(order) != std::string_view::npos;
  };
  return is_in_text(execution.program) ||
         std::any_of(execution.loaded_modules.begin(), execution.loaded_modules.end(), is_in_text) ||
         std::any_of(execution.steps.begin(), execution.steps.end(),
                     [](const Step& step) { return step.event->kind == Kind::change_environment; }) ||
         std::any_of(execution.loaded_modules.begin(), execution.loaded_modules.end(), changes_environment) ||
         (may_start_other_files(execution) && files.related_file_contains(*execution.program, order));
}

/// Computes whether an execution mentions and sets an order variable, once for all masks of the execution.
class OrderUsage {
 public:
  OrderUsage(const Execution& execution, NamedFiles& files) : execution_{execution}, files_{files} {}
  struct Answer {
    bool is_mentioned;  ///< mentions_order()
    bool is_set;        ///< a step sets the variable
  };
  /// Returns the answer for one order variable, such as CUDA_DEVICE_ORDER. It is computed at the first call for that
  /// variable.
  const Answer& operator()(std::string_view order) {
    const auto found = answers_.find(order);
    if (found != answers_.end()) return found->second;
    return answers_.emplace(order, Answer{mentions_order(execution_, order, files_), any_sets(execution_, order)})
        .first->second;
  }

 private:
  const Execution& execution_;
  NamedFiles& files_;
  std::map<std::string_view, Answer> answers_{};
};

/// Returns the variable that selects the device order of the vendor's driver; empty if there is none.
std::string_view order_variable(Vendor vendor) {
  switch (vendor) {
    case Vendor::nvidia:
      return "CUDA_DEVICE_ORDER";
    case Vendor::intel:
      return "ZE_ENABLE_PCI_ID_DEVICE_ORDER";
    case Vendor::amd:
      break;  // HIP and ROCr have no variable for the order
  }
  return {};
}

/// Returns whether every possible mask may have an index, and its first entry is known.
bool has_known_entry(const Value& value) {
  const auto known = [](const PossibleValue& alternative) {
    const auto mask = parse_mask(Value{alternative});
    return mask && mask->may_have_index() && mask->entries.front() != "?";
  };
  return !value.is_unknown() && std::all_of(value.alternatives().begin(), value.alternatives().end(), known);
}

/// Returns whether a shell script removes the mask again. An order added to the mask would stay in force for later
/// commands.
bool is_removed(const Execution& execution, const Step& step) {
  return step.module->kind == FileKind::shell && step.event->mode != Event::Mode::child_environment &&
         std::any_of(execution.steps.begin(), execution.steps.end(), [&](const Step& other) {
           return other.event->kind == Kind::remove_variable && other.event->name == step.event->name;
         });
}

/// Returns the mask write above which the order for the write `step` is inserted: an earlier write of the same file if
/// it always precedes `step` and needs the same order, otherwise `step`.
const Step& order_position(const Execution& execution, const Step& step, std::string_view order,
                           const RuleContext& context) {
  if (!sets_own_mask(step)) return step;
  const bool is_script = step.module->kind == FileKind::shell;
  for (const Step& other : execution.steps) {
    if (&other == &step) break;
    if (other.module != step.module || !sets_own_mask(other) || !is_always_before(other, step)) continue;
    // In a script the earlier write may be exported only after `step`. A write that is removed again gets no order.
    const bool is_exported_later = is_script && other.event->target.begin > step.event->target.begin;
    if (is_exported_later || is_removed(execution, other)) continue;
    const bool same_call = other.function->key.empty() || other.call_id == step.call_id;
    const bool always_together =
        same_call && (!other.event->in_main_part || step.event->in_main_part) && !other.event->in_try;
    if (always_together && order_variable(find_device_variable(other.event->name)->vendor) == order &&
        context.findings.has_reported("G04", *other.module, other.event->range) &&
        !order_edits(*other.module, *other.event, order).empty())
      return other;
  }
  return step;
}

/// Checks G04: an index mask needs a device order.
void check_mask_order(const Execution& execution, const Step& step, OrderUsage& orders, const RuleContext& context) {
  const std::string_view order = order_variable(find_device_variable(step.event->name)->vendor);
  if (order.empty() || step.event->name == "ONEAPI_DEVICE_SELECTOR") return;
  const auto [is_mentioned, is_set] = orders(order);
  if (is_mentioned) context.findings.note_possible_order(step, *execution.program);
  if (is_set) return;
  const auto mask = parse_mask(step.value);
  if (mask && !mask->may_have_index()) return;
  // A mask that is set in a loop or from a rank is for one of several workers. Each worker uses one card, so the order
  // does not matter.
  if (step.in_loop || step.value.may_be(PossibleValue::Kind::runtime_index)) return;
  const bool is_not_python = step.module->kind != FileKind::python && step.module->kind != FileKind::notebook;
  if (is_not_python && !has_known_entry(step.value) && !step.value.may_be(PossibleValue::Kind::smi_index)) return;
  if (step.value.may_be(PossibleValue::Kind::environment_variable) || step.value.may_be(PossibleValue::Kind::none))
    return;
  auto found = make_finding("G04", *step.module, step.event->range,
                            fmt::format("{} selects by index, and {} is set nowhere in this program: with cards of "
                                        "different models the index may not be that of nvidia-smi",
                                        step.event->name, order),
                            fmt::format("set {} too, or select by UUID", order));
  const Step& place = order_position(execution, step, order, context);
  if (is_removed(execution, step)) {
    found.advice += "; no automatic fix: the mask is removed again, and its order would stay";
  } else {
    found.edits = order_edits(*place.module, *place.event, order);
    if (&place != &step) context.findings.note_shared_order(step, place);
  }
  found.fixability = found.edits.empty() ? Fixability::manual : Fixability::safe;
  context.findings.add(std::move(found));
}

/// Checks G10: a mask that the program overwrites unconditionally.
void check_overwrite(const Step& step, const RuleContext& context) {
  const Event& event = *step.event;
  const auto mask = parse_mask(step.value);
  // Settings files and other scripts are excluded, because their masks are the user's own choice. If G28 has reported
  // the mask, deleting it is better.
  const FileKind kind = step.module->kind;
  const bool checks_shell = kind == FileKind::shell && !context.findings.has_reported("G28", *step.module, event.range);
  if (kind != FileKind::python && kind != FileKind::notebook && kind != FileKind::cpp && !checks_shell) return;
  if (event.mode != Event::Mode::assign || event.variable_read_before || !is_constant(step.value) || !mask ||
      mask->hides_all())
    return;
  auto found = make_finding(
      "G10", *step.module, event.range,
      fmt::format("{} is overwritten with {} whatever a scheduler or the user has set", event.name,
                  *step.value.as_text()),
      kind == FileKind::cpp ? "keep a mask that is already set: 0 as the last argument of setenv()"
      : checks_shell ? fmt::format("keep a mask that is already set: ${{{}:-{}}}", event.name, *step.value.as_text())
                     : "keep a mask that is already set: setdefault()");
  if (selects_policy_card(*mask, context.policy)) found.severity = Severity::style;
  const SourceFile& source = step.module->source;
  const std::string_view code = source.text(event.range);
  const std::string_view target = source.text(event.target);
  const Range literal = step.value.single_alternative()->literal;
  if (checks_shell && event.is_editable && !step.module->parse_error && !literal.empty() &&
      event.range.contains(literal)) {
    // The shell statement NAME=VALUE becomes NAME="${NAME:-VALUE}".
    const auto begin = static_cast<std::uint32_t>(event.range.begin + event.name.size() + 1);
    found.edits = {{{begin, event.range.end}, fmt::format("\"${{{}:-{}}}\"", event.name, *step.value.as_text())}};
    found.fixability = Fixability::unsafe;
  }
  // The Python statement TARGET[KEY] = VALUE becomes TARGET.setdefault(KEY, VALUE).
  const std::size_t bracket = code.find(']');
  const std::size_t equals = bracket == std::string_view::npos ? bracket : code.find('=', bracket);
  if (event.is_editable && !step.module->parse_error && code.starts_with(target) && equals != std::string_view::npos &&
      !target.empty() && code.substr(target.size(), 1) == "[") {
    const std::string key{code.substr(target.size() + 1, bracket - target.size() - 1)};
    std::size_t value_offset = equals + 1;
    while (value_offset < code.size() && code[value_offset] == ' ') ++value_offset;
    // Replaces the whole statement if it spans several lines, because the inner lines need more indentation, too.
    const std::string new_start = fmt::format("{}.setdefault({}, ", target, key);
    if (code.find('\n') != std::string_view::npos)
      found.edits = {{event.range, fmt::format("{}{})", new_start, code.substr(value_offset))}};
    else
      found.edits = {{{event.range.begin, event.range.begin + static_cast<std::uint32_t>(value_offset)}, new_start},
                     {{event.range.end, event.range.end}, ")"}};
    found.fixability = Fixability::unsafe;
  }
  // In a loop a name other than os.environ may mean a copy of the environment from the second iteration on.
  if (!found.edits.empty() && event.in_loop && target != "os.environ" && target != "environ") found.edits.clear();
  // After another write setdefault() would keep the value of that write.
  if (!found.edits.empty() && !context.statements.is_first_write(*step.module, event)) {
    found.edits.clear();
    found.advice += "; no automatic fix: code above may set it, and that value would then be kept";
  }
  // If the mask selects a card that is not the policy's (G33), setdefault() would keep the wrong value.
  if (selects_other_card(*mask, event.name, context.policy)) found.edits.clear();
  if (found.edits.empty()) found.fixability = Fixability::manual;
  context.findings.add(std::move(found));
}

/// Checks G33: the mask selects a card that is not the policy's card.
void check_card(const Step& step, const RuleContext& context) {
  const Event& event = *step.event;
  // A container or job that receives cards numbers them from 0; G28 reports masks that do not fit.
  if (event.cards_renumbered || context.findings.has_reported("G28", *step.module, event.range)) return;
  const auto is_fixed = [](const PossibleValue& alternative) {
    return alternative.kind == PossibleValue::Kind::text || alternative.kind == PossibleValue::Kind::number;
  };
  if (!std::all_of(step.value.alternatives().begin(), step.value.alternatives().end(), is_fixed)) return;
  for (const PossibleValue& alternative : step.value.alternatives()) {
    const auto mask = parse_mask(Value{alternative});
    if (!mask) continue;
    if (!selects_other_card(*mask, event.name, context.policy)) continue;
    const std::string text = Value{alternative}.as_text().value_or("?");
    auto found = make_finding("G33", *step.module, event.range,
                              fmt::format("{} is {}, but the policy allows only {} ({})", event.name, text,
                                          context.policy.mask(/*by_index=*/true), context.policy.device),
                              fmt::format("set it to {}, or leave the choice to the policy",
                                          context.policy.mask(!context.policy.mask_by_uuid)));
    const std::string_view literal = step.module->source.text(alternative.literal);
    // In scripts only a plain export or prefix is edited; other machines and containers count differently.
    const bool is_fixable = step.module->kind == FileKind::python ||
                            (step.module->kind == FileKind::shell && !event.target.empty() && !event.on_other_machine);
    if (is_fixable && step.value.single_alternative() != nullptr && mask->entries.size() == 1 && literal == text &&
        alternative.kind == PossibleValue::Kind::text && event.range.contains(alternative.literal) &&
        !step.module->parse_error) {
      found.edits = {{alternative.literal, context.policy.mask(!context.policy.mask_by_uuid)}};
      found.fixability = Fixability::unsafe;
    }
    context.findings.add(std::move(found));
    return;
  }
}

/// Unless an equal write certainly precedes the write at the step `index`, records that the program gets its mask only
/// from this write.
void note_sole_write(const Execution& execution, std::size_t index, const RuleContext& context) {
  const Step& step = execution.steps[index];
  const Step* earlier = previous_write(execution, index);
  const bool repeats = earlier != nullptr && is_constant(step.value) && is_constant(earlier->value) &&
                       earlier->value.as_text() == step.value.as_text();
  if (!repeats) context.findings.note_sole_mask(step, *execution.program);
}

/// Returns the key of the other method of a pair that Python calls one after the other, such as `__enter__` and
/// `__exit__`; empty if the function belongs to no pair.
std::string paired_method(const std::string& key) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kPairs{{{"__enter__", "__exit__"},
                                                                                 {"__aenter__", "__aexit__"},
                                                                                 {"setUp", "tearDown"},
                                                                                 {"setUpClass", "tearDownClass"},
                                                                                 {"setup_method", "teardown_method"},
                                                                                 {"setup_class", "teardown_class"}}};
  const std::size_t name = key.rfind('.') + 1;
  for (const auto& [begins, ends] : kPairs) {
    if (key.substr(name) == begins) return key.substr(0, name).append(ends);
    if (key.substr(name) == ends) return key.substr(0, name).append(begins);
  }
  return {};
}

/// Returns whether the mask is restored or removed later: by the paired method (`__enter__` and `__exit__`), or in the
/// same call.
bool is_temporary(const Execution& execution, const Step& step) {
  const auto writes = [&](const Event& event) {
    return event.kind == Kind::change_environment ||
           (event.name == step.event->name &&
            (event.kind == Kind::set_variable || event.kind == Kind::remove_variable));
  };
  const std::string partner = paired_method(step.function->key);
  const Function* const other = partner.empty() ? nullptr : step.module->find_function(partner);
  if (other != nullptr && std::any_of(other->events.begin(), other->events.end(), writes)) return true;
  return std::any_of(execution.steps.begin(), execution.steps.end(), [&](const Step& later) {
    if (later.function != step.function || later.call_id != step.call_id || step.function->key.empty()) return false;
    if (later.event->range.begin <= step.event->range.begin || later.event->name != step.event->name) return false;
    return later.event->kind == Kind::remove_variable ||
           (sets_variable(later, step.event->name) && later.event->mode != Event::Mode::child_environment &&
            !is_constant(later.value));
  });
}

/// Returns whether `step` is in a child process (a subshell) that does not contain `other`.
bool is_in_subshell(const Step& step, const Step& other) {
  return std::any_of(step.arms.begin(), step.arms.end(), [&](const Arm& arm) {
    return arm.is_child_process && std::find(other.arms.begin(), other.arms.end(), arm) == other.arms.end();
  });
}

/// Checks an earlier write of the same variable: with another value (G06) or with the same value (G07).
void check_second_write(const Execution& execution, std::size_t index, const RuleContext& context) {
  const Step& step = execution.steps[index];
  const Event& event = *step.event;
  if (event.mode != Event::Mode::assign || !is_constant(step.value) || step.in_loop) return;
  // check_selection() in order_rules.cpp reports writes after the driver's start.
  if (driver_start_before(execution, index, find_device_variable(event.name)->vendor) != nullptr) return;
  bool may_use_first_mask = false;
  for (std::size_t i = index; i-- > 0;) {
    const Step& other = execution.steps[i];
    may_use_first_mask = may_use_first_mask || loads_gpu_library(other) || other.event->kind == Kind::start_driver;
    // A process that is started between the two writes uses the first mask, so both are needed.
    if (other.event->kind == Kind::start_process || other.event->kind == Kind::change_environment ||
        (other.event->kind == Kind::remove_variable && other.event->name == event.name))
      return;
    if (!sets_own_mask(other) || other.event->name != event.name) continue;
    if (other.event == &event || !is_always_before(other, step) || other.in_loop || !is_constant(other.value)) return;
    if (is_temporary(execution, other) || is_temporary(execution, step) || is_in_subshell(step, other)) return;
    const std::string where = location_text(*step.module, *other.module, other.event->range);
    const bool is_same_value = other.value.as_text() == step.value.as_text();
    if (!is_same_value) {
      context.findings.add(make_finding("G06", *step.module, event.range,
                                        fmt::format("{} is set to {} here and to {} at {}, in the same run", event.name,
                                                    mask_text(step.value), mask_text(other.value), where),
                                        "keep the intended one"));
    } else if (!may_use_first_mask) {  // G02 reports a repeated write after an import
      auto found =
          make_finding("G07", *step.module, event.range,
                       fmt::format("{} is set to the same value at {}", event.name, where), "delete one of the two");
      remove_repeated_write(found, step, context);
      context.findings.add(std::move(found));
    }
    return;
  }
}

/// Checks G24: a mask that is removed and that no later step sets.
void check_removal(const Execution& execution, std::size_t index, const RuleContext& context) {
  const Step& step = execution.steps[index];
  if (!is_mask_variable(step.event->name)) return;
  const bool restored = std::any_of(execution.steps.begin() + static_cast<std::ptrdiff_t>(index), execution.steps.end(),
                                    [&](const Step& later) { return sets_variable(later, step.event->name); });
  if (restored) return;
  context.findings.add(make_finding(
      "G24", *step.module, step.event->range,
      fmt::format("{} is removed: this process and all that it starts see every card again", step.event->name),
      "do not remove the mask that the program received"));
}

/// Returns the value of ZE_FLAT_DEVICE_HIERARCHY, which selects whether Intel's driver shows cards or tiles (parts of a
/// card) as devices; empty if the program does not set it or the value is unknown.
std::string hierarchy_of(const Execution& execution) {
  for (const Step& step : execution.steps) {
    if (sets_variable(step, "ZE_FLAT_DEVICE_HIERARCHY")) return step.value.as_text().value_or("");
  }
  return {};
}

/// Checks G26 for a constant mask: an entry such as "0.1" is tile 1 of card 0.
void check_fixed_tiles(const Execution& execution, const Step& step, const RuleContext& context) {
  const auto mask = parse_mask(step.value);
  if (!mask || !is_constant(step.value)) return;
  const bool names_tile = std::any_of(mask->entries.begin(), mask->entries.end(),
                                      [](const std::string& entry) { return entry.find('.') != std::string::npos; });
  if (names_tile && hierarchy_of(execution) == "FLAT")
    context.findings.add(make_finding("G26", *step.module, step.event->range,
                                      fmt::format("under ZE_FLAT_DEVICE_HIERARCHY=FLAT each tile is a device, "
                                                  "and {} names none",
                                                  *step.value.as_text()),
                                      "use the tile's number alone, without a dot, or set COMPOSITE"));
  else if (mask->entries.size() > 1 && step.event->mode == Event::Mode::child_environment && step.in_loop)
    context.findings.add(make_finding("G26", *step.module, step.event->range, all_cards_text(*step.value.as_text()),
                                      "give each worker a mask with one card"));
}

/// Checks G26, rules about ZE_AFFINITY_MASK, for constant masks and for masks such as f"0.{index}".
void check_tiles(const Execution& execution, const Step& step, const RuleContext& context) {
  if (step.event->name != "ZE_AFFINITY_MASK") return;
  check_fixed_tiles(execution, step, context);
  const PossibleValue* pattern = step.value.single_alternative(PossibleValue::Kind::pattern);
  if (pattern == nullptr || hierarchy_of(execution) == "COMPOSITE") return;  // in this mode "0.1" is always a tile
  const std::size_t dot = pattern->text.find('.');
  const bool is_tile_of_card = dot != std::string::npos && dot > 0 && dot + 1 < pattern->text.size() &&
                               pattern->text[dot + 1] == kHole && pattern->text.find_first_not_of("0123456789") == dot;
  if (!is_tile_of_card) return;
  auto found = make_finding("G26", *step.module, step.event->range,
                            fmt::format("the index follows \"{}.\": that selects a tile of one card, not a card",
                                        pattern->text.substr(0, dot)),
                            "use the card's index alone, and set ZE_FLAT_DEVICE_HIERARCHY, too");
  const std::string_view literal = step.module->source.text(pattern->literal);
  if (literal.starts_with(pattern->text.substr(0, dot + 1)) && !step.module->parse_error) {
    const std::uint32_t begin = pattern->literal.begin;
    found.edits = {{{begin, begin + static_cast<std::uint32_t>(dot) + 1}, {}}};
    found.fixability = Fixability::unsafe;
  }
  context.findings.add(std::move(found));
}

/// Returns whether all entries of the mask `inner` are indices of devices that the mask `outer` leaves visible.
bool is_subset_of_mask(const Value& outer, const Value& inner) {
  const auto outer_mask = parse_mask(outer);
  const auto inner_mask = parse_mask(inner);
  if (!outer_mask || !inner_mask) return false;
  return std::all_of(inner_mask->entries.begin(), inner_mask->entries.end(), [&](const std::string& entry) {
    // An entry of one or two characters without a dot is a number.
    return entry.size() < 3 && entry != "?" && entry.find('.') == std::string::npos &&
           static_cast<std::size_t>(std::stoul(entry)) < outer_mask->entries.size();
  });
}

/// Returns whether the two writes can be for the same program. In a shell script, masks before two different commands
/// ("MASK=1 command") are for two programs.
bool is_one_command(const Step& a, const Step& b) {
  return a.module->kind != FileKind::shell || a.event->mode != Event::Mode::child_environment ||
         a.event->statement == b.event->statement;
}

/// Checks G27: ROCR_VISIBLE_DEVICES together with another mask.
void check_amd_masks(const Execution& execution, std::size_t index, const RuleContext& context) {
  const Step& inner = execution.steps[index];
  if (inner.event->name != "HIP_VISIBLE_DEVICES" && inner.event->name != "CUDA_VISIBLE_DEVICES") return;
  for (const Step& outer : execution.steps) {
    if (!sets_variable(outer, "ROCR_VISIBLE_DEVICES")) continue;
    const bool same_program = (outer.event->mode == Event::Mode::child_environment) ==
                                  (inner.event->mode == Event::Mode::child_environment) &&
                              outer.function == inner.function && !are_exclusive(outer, inner) &&
                              is_one_command(outer, inner) &&
                              (!is_settings_file(*inner.module) || outer.event->target == inner.event->target);
    const auto inner_mask = parse_mask(inner.value);
    if (!same_program || is_subset_of_mask(outer.value, inner.value) || (inner_mask && inner_mask->hides_all()))
      continue;
    auto found =
        make_finding("G27", *inner.module, inner.event->range,
                     fmt::format("{} is set beside ROCR_VISIBLE_DEVICES ({}), which acts first and renumbers",
                                 inner.event->name, location_text(*inner.module, *outer.module, outer.event->range)),
                     "keep only ROCR_VISIBLE_DEVICES");
    // The statement of a prefix is the whole command.
    const bool is_prefix = inner.module->kind == FileKind::shell && inner.event->mode == Event::Mode::child_environment;
    if (!is_prefix && is_removable(inner)) found.edits = remove_statement(inner.module->source, inner.event->statement);
    found.fixability = found.edits.empty() ? Fixability::manual : Fixability::unsafe;
    context.findings.add(std::move(found));
    return;
  }
}

}  // namespace

void remove_repeated_write(Finding& found, const Step& step, const RuleContext& context) {
  if (is_removable(step)) found.edits = remove_statement(step.module->source, step.event->statement);
  if (!found.edits.empty() && !context.statements.is_plain_repeat(*step.module, *step.event)) {
    found.edits.clear();
    found.advice += "; no automatic fix: the earlier write may not be in force here";
  }
  found.fixability = found.edits.empty() ? Fixability::manual : Fixability::safe;
}

void check_masks(const Execution& execution, const RuleContext& context) {
  OrderUsage orders{execution, context.files};
  const bool sets_rocr_mask = any_sets(execution, "ROCR_VISIBLE_DEVICES");
  for (std::size_t i = execution.first_new_step; i < execution.steps.size(); ++i) {
    const Step& step = execution.steps[i];
    if (step.event->kind == Kind::remove_variable) check_removal(execution, i, context);
    if (step.event->kind != Kind::set_variable) continue;
    check_tiles(execution, step, context);
    if (sets_rocr_mask) check_amd_masks(execution, i, context);
    if (is_mask_variable(step.event->name)) check_card(step, context);
    if (step.event->mode != Event::Mode::child_environment) note_sole_write(execution, i, context);
    if (sets_for_command(step)) check_mask_order(execution, step, orders, context);
    if (!sets_own_mask(step)) continue;
    check_mask_order(execution, step, orders, context);
    check_overwrite(step, context);
    check_second_write(execution, i, context);
  }
}

}  // namespace weir::audit
