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

// What the masks say, alone and together: G04, G06, G07, G10, G24, G26, G27.

namespace weir::audit {
namespace {

using Kind = Event::Kind;

bool is_set(const Step& step, std::string_view name) {
  return step.event->kind == Kind::set_variable && step.event->name == name;
}

bool any_sets(const Execution& execution, std::string_view name) {
  return std::any_of(execution.steps.begin(), execution.steps.end(),
                     [&](const Step& step) { return is_set(step, name); });
}

/// "CUDA_VISIBLE_DEVICES=1 command" of a script, or an environment of a settings file that starts a program on this machine.
bool sets_for_command(const Step& step) {
  const Event& event = *step.event;
  if (event.kind != Kind::set_variable || event.mode != Event::Mode::child || !is_mask(event.name)) return false;
  if (step.module->kind == FileKind::shell) return !event.in_container;
  // Inside a container the cards are counted anew.
  const std::string_view text = step.module->source.text();
  return step.module->kind == FileKind::json && is_constant(step.value) &&
         text.find("\"image\"") == std::string_view::npos && text.find("\"services\"") == std::string_view::npos;
}

/// Some function of the module sets variables that are not known: it may be called in a way that is not followed.
bool changes_environment(const Module* module) {
  return std::any_of(module->functions.begin(), module->functions.end(), [](const Function& function) {
    return std::any_of(function.events.begin(), function.events.end(),
                       [](const Event& event) { return event.kind == Kind::change_environment && !event.fallback; });
  });
}

bool starts_other_files(const Execution& execution) {
  const FileKind kind = execution.program->kind;
  const bool python = kind == FileKind::python || kind == FileKind::notebook;
  return !python || std::any_of(execution.steps.begin(), execution.steps.end(),
                                [](const Step& step) { return step.event->kind == Kind::start_process; });
}

/// Some file of the program, or one that runs in its environment, speaks of the order, or the program sets variables that are not known:
/// it may have one of its own.
bool names_order(const Execution& execution, std::string_view order, NamedFiles& files) {
  const auto names = [&](const Module* module) { return module->source.text().find(order) != std::string_view::npos; };
  return names(execution.program) || std::any_of(execution.modules.begin(), execution.modules.end(), names) ||
         std::any_of(execution.steps.begin(), execution.steps.end(),
                     [](const Step& step) { return step.event->kind == Kind::change_environment; }) ||
         std::any_of(execution.modules.begin(), execution.modules.end(), changes_environment) ||
         (starts_other_files(execution) && files.around_has(*execution.program, order));
}

/// What a whole run says of the variables that set an order, asked for every mask and found once.
class OrdersOf {
 public:
  OrdersOf(const Execution& execution, NamedFiles& files) : execution_{execution}, files_{files} {}
  struct Answer {
    bool named, set;
  };
  const Answer& operator()(std::string_view order) {
    const auto found = answers_.find(order);
    if (found != answers_.end()) return found->second;
    return answers_.emplace(order, Answer{names_order(execution_, order, files_), any_sets(execution_, order)})
        .first->second;
  }

 private:
  const Execution& execution_;
  NamedFiles& files_;
  std::map<std::string_view, Answer> answers_{};
};

std::string_view order_of(Vendor vendor) {
  switch (vendor) {
    case Vendor::nvidia:
      return "CUDA_DEVICE_ORDER";
    case Vendor::intel:
      return "ZE_ENABLE_PCI_ID_DEVICE_ORDER";
    case Vendor::amd:
      break;  // HIP and ROCr count by PCI address
  }
  return {};
}

/// The first card of a mask is known, whichever of its values it has.
bool has_known_entry(const Value& value) {
  const auto known = [](const Atom& atom) {
    const auto mask = parse_mask(Value{atom});
    return mask && mask->by_index() && mask->entries.front() != "?";
  };
  return !value.is_unknown() && std::all_of(value.atoms().begin(), value.atoms().end(), known);
}

/// A script takes the mask away again: programs behind that would be left with its order.
bool is_removed(const Execution& execution, const Step& step) {
  return step.module->kind == FileKind::shell && step.event->mode != Event::Mode::child &&
         std::any_of(execution.steps.begin(), execution.steps.end(), [&](const Step& other) {
           return other.event->kind == Kind::remove_variable && other.event->name == step.event->name;
         });
}

/// Where the order is to be set for this write: above it, or above an earlier one of its file that comes before it on every way and
/// needs the order, too.
const Step& place_of_order(const Execution& execution, const Step& step, std::string_view order,
                           const Judging& judging) {
  if (!sets_own_mask(step)) return step;
  const bool script = step.module->kind == FileKind::shell;
  for (const Step& other : execution.steps) {
    if (&other == &step) break;
    if (other.module != step.module || !sets_own_mask(other) || !always_before(other, step)) continue;
    // A script may export the first one only behind this one; one that is removed again gets no order.
    const bool later = script && other.event->target.begin > step.event->target.begin;
    if (later || is_removed(execution, other)) continue;
    const bool same_call = other.function->key.empty() || other.call == step.call;
    const bool whenever = same_call && (!other.event->main_only || step.event->main_only) && !other.event->in_try;
    if (whenever && order_of(find_variable(other.event->name)->vendor) == order &&
        judging.findings.has("G04", *other.module, other.event->where) &&
        !order_edits(*other.module, *other.event, order).empty())
      return other;
  }
  return step;
}

void check_mask_order(const Execution& execution, const Step& step, OrdersOf& orders, const Judging& judging) {
  const std::string_view order = order_of(find_variable(step.event->name)->vendor);
  if (order.empty() || step.event->name == "ONEAPI_DEVICE_SELECTOR") return;
  const auto [named, set] = orders(order);
  if (named) judging.findings.note_ordered(step, *execution.program);
  if (set) return;
  const auto mask = parse_mask(step.value);
  if (mask && !mask->by_index()) return;
  // One card for each of several workers: whichever comes first does not matter.
  if (step.in_loop || step.value.may_be(Atom::Kind::ordinal)) return;
  const bool script = step.module->kind != FileKind::python && step.module->kind != FileKind::notebook;
  if (script && !has_known_entry(step.value) && !step.value.may_be(Atom::Kind::smi_index)) return;
  if (step.value.may_be(Atom::Kind::environment) || step.value.may_be(Atom::Kind::none)) return;
  auto found =
      finding_of("G04", *step.module, step.event->where,
                 fmt::format("{} selects by index, and {} is set nowhere in this program: with unlike cards the "
                             "index is not that of nvidia-smi",
                             step.event->name, order),
                 fmt::format("set {} too, or select by UUID", order));
  const Step& place = place_of_order(execution, step, order, judging);
  if (is_removed(execution, step)) {
    found.advice += "; not by itself: the mask is removed again, and its order would stay";
  } else {
    found.edits = order_edits(*place.module, *place.event, order);
    if (&place != &step) judging.findings.note_served(step, place);
  }
  found.fixing = found.edits.empty() ? Fixing::manual : Fixing::safe;
  judging.findings.add(std::move(found));
}

void check_overwrite(const Step& step, const Judging& judging) {
  const Event& event = *step.event;
  const auto mask = parse_mask(step.value);
  // A mask before one command is the user's own choice; a job's is told by G28.
  const FileKind kind = step.module->kind;
  const bool shell = kind == FileKind::shell && !judging.findings.has("G28", *step.module, event.where);
  if (kind != FileKind::python && kind != FileKind::notebook && kind != FileKind::cpp && !shell) return;
  if (event.mode != Event::Mode::assign || event.guarded || !is_constant(step.value) || !mask || mask->hides_all())
    return;
  auto found =
      finding_of("G10", *step.module, event.where,
                 fmt::format("{} is overwritten with {} whatever a scheduler or the user has set", event.name,
                             *step.value.as_text()),
                 kind == FileKind::cpp ? "respect a mask that is there: 0 as the last argument of setenv()"
                 : shell ? fmt::format("respect a mask that is there: ${{{}:-{}}}", event.name, *step.value.as_text())
                         : "respect a mask that is there: setdefault()");
  if (names_policy_card(*mask, judging.policy)) found.severity = Severity::style;
  const SourceFile& source = step.module->source;
  const std::string_view code = source.text(event.where);
  const std::string_view target = source.text(event.target);
  const Range literal = step.value.single()->literal;
  if (shell && event.editable && !step.module->error && !literal.empty() && event.where.holds(literal)) {
    const auto begin = static_cast<std::uint32_t>(event.where.begin + event.name.size() + 1);
    found.edits = {{{begin, event.where.end}, fmt::format("\"${{{}:-{}}}\"", event.name, *step.value.as_text())}};
    found.fixing = Fixing::unsafe;
  }
  const std::size_t bracket = code.find(']');
  const std::size_t equals = bracket == std::string_view::npos ? bracket : code.find('=', bracket);
  if (event.editable && !step.module->error && code.starts_with(target) && equals != std::string_view::npos &&
      !target.empty() && code.substr(target.size(), 1) == "[") {
    const std::string key{code.substr(target.size() + 1, bracket - target.size() - 1)};
    std::size_t value = equals + 1;
    while (value < code.size() && code[value] == ' ') ++value;
    // All of it at once where it stands on several lines: those between become deeper, too.
    const std::string start = fmt::format("{}.setdefault({}, ", target, key);
    if (code.find('\n') != std::string_view::npos)
      found.edits = {{event.where, fmt::format("{}{})", start, code.substr(value))}};
    else
      found.edits = {{{event.where.begin, event.where.begin + static_cast<std::uint32_t>(value)}, start},
                     {{event.where.end, event.where.end}, ")"}};
    found.fixing = Fixing::unsafe;
  }
  // In a loop the name may stand for a copy of the environment from the second time on.
  if (!found.edits.empty() && event.in_loop && target != "os.environ" && target != "environ") found.edits.clear();
  // Behind another write it would keep that one's value.
  if (!found.edits.empty() && !judging.statements.is_first_write(*step.module, event)) {
    found.edits.clear();
    found.advice += "; not by itself: something above may set it, and would then win";
  }
  // Where the value itself is in question, to respect it more would settle nothing.
  if (names_other_card(*mask, event.name, judging.policy)) found.edits.clear();
  if (found.edits.empty()) found.fixing = Fixing::manual;
  judging.findings.add(std::move(found));
}

/// The policy names one card, and the mask another (G33).
void check_card(const Step& step, const Judging& judging) {
  const Event& event = *step.event;
  // Inside a container or job that is given cards they count from 0; G28 tells what does not fit.
  if (event.renumbered || judging.findings.has("G28", *step.module, event.where)) return;
  const auto is_fixed = [](const Atom& atom) {
    return atom.kind == Atom::Kind::text || atom.kind == Atom::Kind::number;
  };
  if (!std::all_of(step.value.atoms().begin(), step.value.atoms().end(), is_fixed)) return;
  for (const Atom& atom : step.value.atoms()) {
    const auto mask = parse_mask(Value{atom});
    if (!mask) continue;
    if (!names_other_card(*mask, event.name, judging.policy)) continue;
    const std::string text = Value{atom}.as_text().value_or("?");
    auto found =
        finding_of("G33", *step.module, event.where,
                   fmt::format("{} is {}, and the policy allows {} ({}) alone", event.name, text,
                               judging.policy.mask(true), judging.policy.device),
                   fmt::format("{}, or leave the choice to the policy", judging.policy.mask(!judging.policy.uuid)));
    const std::string_view literal = step.module->source.text(atom.literal);
    // Of a script the plain export or prefix: what another machine or a container is given counts otherwise.
    const bool mended = step.module->kind == FileKind::python ||
                        (step.module->kind == FileKind::shell && !event.target.empty() && !event.elsewhere);
    if (mended && step.value.single() != nullptr && mask->entries.size() == 1 && literal == text &&
        atom.kind == Atom::Kind::text && event.where.holds(atom.literal) && !step.module->error) {
      found.edits = {{atom.literal, judging.policy.mask(!judging.policy.uuid)}};
      found.fixing = Fixing::unsafe;
    }
    judging.findings.add(std::move(found));
    return;
  }
}

/// A write that no equal one is sure to come before: a program would lose its mask without it.
void note_only(const Execution& execution, std::size_t index, const Judging& judging) {
  const Step& step = execution.steps[index];
  const Step* earlier = same_variable_before(execution, index);
  const bool repeats = earlier != nullptr && is_constant(step.value) && is_constant(earlier->value) &&
                       earlier->value.as_text() == step.value.as_text();
  if (!repeats) judging.findings.note_only(step, *execution.program);
}

/// One of a pair of methods that Python calls in turn, and the other of the pair; empty if it is none.
std::string partner_of(const std::string& key) {
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

/// What one step sets is taken back: by the other method of a pair (`__enter__` and `__exit__`), or later in the same call.
bool is_for_a_while(const Execution& execution, const Step& step) {
  const auto writes = [&](const Event& event) {
    return event.kind == Kind::change_environment ||
           (event.name == step.event->name &&
            (event.kind == Kind::set_variable || event.kind == Kind::remove_variable));
  };
  const std::string partner = partner_of(step.function->key);
  const Function* const other = partner.empty() ? nullptr : step.module->find_function(partner);
  if (other != nullptr && std::any_of(other->events.begin(), other->events.end(), writes)) return true;
  return std::any_of(execution.steps.begin(), execution.steps.end(), [&](const Step& later) {
    if (later.function != step.function || later.call != step.call || step.function->key.empty()) return false;
    if (later.event->where.begin <= step.event->where.begin || later.event->name != step.event->name) return false;
    return later.event->kind == Kind::remove_variable ||
           (is_set(later, step.event->name) && later.event->mode != Event::Mode::child && !is_constant(later.value));
  });
}

/// The step happens in a process of its own (a subshell) that the other one is outside of.
bool is_in_own_process(const Step& step, const Step& other) {
  return std::any_of(step.arms.begin(), step.arms.end(), [&](const Arm& arm) {
    return arm.process && std::find(other.arms.begin(), other.arms.end(), arm) == other.arms.end();
  });
}

void check_second_write(const Execution& execution, std::size_t index, const Judging& judging) {
  const Step& step = execution.steps[index];
  const Event& event = *step.event;
  if (event.mode != Event::Mode::assign || !is_constant(step.value) || step.in_loop) return;
  if (touch_before(execution, index, find_variable(event.name)->vendor) != nullptr) return;  // G03 and G07 by order
  bool library = false;
  for (std::size_t i = index; i-- > 0;) {
    const Step& other = execution.steps[i];
    library = library || loads_gpu_library(other) || other.event->kind == Kind::touch;
    // Processes that were started between the two had the first, as was meant.
    if (other.event->kind == Kind::start_process || other.event->kind == Kind::change_environment ||
        (other.event->kind == Kind::remove_variable && other.event->name == event.name))
      return;
    if (!sets_own_mask(other) || other.event->name != event.name) continue;
    if (other.event == &event || !always_before(other, step) || other.in_loop || !is_constant(other.value)) return;
    if (is_for_a_while(execution, other) || is_for_a_while(execution, step) || is_in_own_process(step, other)) return;
    const std::string where = place_text(*step.module, *other.module, other.event->where);
    const bool equal = other.value.as_text() == step.value.as_text();
    if (!equal) {
      judging.findings.add(finding_of("G06", *step.module, event.where,
                                      fmt::format("{} is set to {} here and to {} at {}, in the same run", event.name,
                                                  mask_text(step.value), mask_text(other.value), where),
                                      "keep the one that is meant"));
    } else if (!library) {
      auto found =
          finding_of("G07", *step.module, event.where,
                     fmt::format("{} is set to the same value at {}", event.name, where), "delete one of the two");
      remove_repeated(found, step, judging);
      judging.findings.add(std::move(found));
    }
    return;
  }
}

void check_removal(const Execution& execution, std::size_t index, const Judging& judging) {
  const Step& step = execution.steps[index];
  if (!is_mask(step.event->name)) return;
  const bool restored = std::any_of(execution.steps.begin() + static_cast<std::ptrdiff_t>(index), execution.steps.end(),
                                    [&](const Step& later) { return is_set(later, step.event->name); });
  if (restored) return;
  judging.findings.add(finding_of(
      "G24", *step.module, step.event->where,
      fmt::format("{} is removed: this process and all that it starts see every card again", step.event->name),
      "leave the mask that was given"));
}

/// ZE_FLAT_DEVICE_HIERARCHY, if the program sets it to something known.
std::string hierarchy_of(const Execution& execution) {
  for (const Step& step : execution.steps) {
    if (is_set(step, "ZE_FLAT_DEVICE_HIERARCHY")) return step.value.as_text().value_or("");
  }
  return {};
}

void check_fixed_tiles(const Execution& execution, const Step& step, const Judging& judging) {
  const auto mask = parse_mask(step.value);
  if (!mask || !is_constant(step.value)) return;
  const bool tiles = std::any_of(mask->entries.begin(), mask->entries.end(),
                                 [](const std::string& entry) { return entry.find('.') != std::string::npos; });
  if (tiles && hierarchy_of(execution) == "FLAT")
    judging.findings.add(finding_of("G26", *step.module, step.event->where,
                                    fmt::format("under ZE_FLAT_DEVICE_HIERARCHY=FLAT each tile is a device of its own, "
                                                "and {} names none",
                                                *step.value.as_text()),
                                    "the tile's number without a point, or COMPOSITE"));
  else if (mask->entries.size() > 1 && step.event->mode == Event::Mode::child && step.in_loop)
    judging.findings.add(finding_of("G26", *step.module, step.event->where, all_cards_text(*step.value.as_text()),
                                    "one card for each worker: its own index"));
}

void check_tiles(const Execution& execution, const Step& step, const Judging& judging) {
  if (step.event->name != "ZE_AFFINITY_MASK") return;
  check_fixed_tiles(execution, step, judging);
  const Atom* pattern = step.value.single(Atom::Kind::pattern);
  if (pattern == nullptr || hierarchy_of(execution) == "COMPOSITE") return;  // there tiles are what is meant
  const std::size_t point = pattern->text.find('.');
  const bool tile = point != std::string::npos && point > 0 && point + 1 < pattern->text.size() &&
                    pattern->text[point + 1] == kHole && pattern->text.find_first_not_of("0123456789") == point;
  if (!tile) return;
  auto found = finding_of("G26", *step.module, step.event->where,
                          fmt::format("the index is put behind \"{}.\": that is a tile of one card, not a card",
                                      pattern->text.substr(0, point)),
                          "the card's index alone, with an explicit ZE_FLAT_DEVICE_HIERARCHY");
  const std::string_view literal = step.module->source.text(pattern->literal);
  if (literal.starts_with(pattern->text.substr(0, point + 1)) && !step.module->error) {
    const std::uint32_t begin = pattern->literal.begin;
    found.edits = {{{begin, begin + static_cast<std::uint32_t>(point) + 1}, {}}};
    found.fixing = Fixing::unsafe;
  }
  judging.findings.add(std::move(found));
}

/// The indices of the second mask all exist among what the first lets through.
bool fits_within(const Value& outer, const Value& inner) {
  const auto first = parse_mask(outer);
  const auto second = parse_mask(inner);
  if (!first || !second) return false;
  return std::all_of(second->entries.begin(), second->entries.end(), [&](const std::string& entry) {
    return entry.size() < 3 && entry != "?" && entry.find('.') == std::string::npos &&
           static_cast<std::size_t>(std::stoul(entry)) < first->entries.size();
  });
}

/// In a script the prefixes of two commands are for two programs.
bool is_one_command(const Step& a, const Step& b) {
  return a.module->kind != FileKind::shell || a.event->mode != Event::Mode::child ||
         a.event->statement == b.event->statement;
}

void check_amd_masks(const Execution& execution, std::size_t index, const Judging& judging) {
  const Step& inner = execution.steps[index];
  if (inner.event->name != "HIP_VISIBLE_DEVICES" && inner.event->name != "CUDA_VISIBLE_DEVICES") return;
  for (const Step& outer : execution.steps) {
    if (!is_set(outer, "ROCR_VISIBLE_DEVICES")) continue;
    const bool together = (outer.event->mode == Event::Mode::child) == (inner.event->mode == Event::Mode::child) &&
                          outer.function == inner.function && !exclusive(outer, inner) &&
                          is_one_command(outer, inner) &&
                          (!is_settings(*inner.module) || outer.event->target == inner.event->target);
    const auto hidden = parse_mask(inner.value);
    if (!together || fits_within(outer.value, inner.value) || (hidden && hidden->hides_all())) continue;
    auto found =
        finding_of("G27", *inner.module, inner.event->where,
                   fmt::format("{} is set beside ROCR_VISIBLE_DEVICES ({}), which acts first and renumbers",
                               inner.event->name, place_text(*inner.module, *outer.module, outer.event->where)),
                   "keep ROCR_VISIBLE_DEVICES alone");
    // The statement of a prefix is the whole command.
    const bool prefix = inner.module->kind == FileKind::shell && inner.event->mode == Event::Mode::child;
    if (!prefix && is_removable(inner)) found.edits = removal(inner.module->source, inner.event->statement);
    found.fixing = found.edits.empty() ? Fixing::manual : Fixing::unsafe;
    judging.findings.add(std::move(found));
    return;
  }
}

}  // namespace

void remove_repeated(Finding& found, const Step& step, const Judging& judging) {
  if (is_removable(step)) found.edits = removal(step.module->source, step.event->statement);
  if (!found.edits.empty() && !judging.statements.repeats_plainly(*step.module, *step.event)) {
    found.edits.clear();
    found.advice += "; not by itself: the earlier write may not be in force here";
  }
  found.fixing = found.edits.empty() ? Fixing::manual : Fixing::safe;
}

void check_masks(const Execution& execution, const Judging& judging) {
  OrdersOf orders{execution, judging.files};
  const bool amd = any_sets(execution, "ROCR_VISIBLE_DEVICES");
  for (std::size_t i = execution.own_from; i < execution.steps.size(); ++i) {
    const Step& step = execution.steps[i];
    if (step.event->kind == Kind::remove_variable) check_removal(execution, i, judging);
    if (step.event->kind != Kind::set_variable) continue;
    check_tiles(execution, step, judging);
    if (amd) check_amd_masks(execution, i, judging);
    if (is_mask(step.event->name)) check_card(step, judging);
    if (step.event->mode != Event::Mode::child) note_only(execution, i, judging);
    if (sets_for_command(step)) check_mask_order(execution, step, orders, judging);
    if (!sets_own_mask(step)) continue;
    check_mask_order(execution, step, orders, judging);
    check_overwrite(step, judging);
    check_second_write(execution, i, judging);
  }
}

}  // namespace weir::audit
