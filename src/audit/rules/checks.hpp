#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "audit/finding.hpp"
#include "audit/fix/plain_statements.hpp"
#include "audit/mask.hpp"
#include "audit/policy.hpp"
#include "audit/project/execution.hpp"
#include "audit/project/project.hpp"
#include "audit/rules/named_files.hpp"

namespace weir::audit {

// Declares the checks, which apply the rules "G01" to "G33" (rule_table.cpp) to the events of a project. An execution
// is one run of a program as the audit predicts it: a list of steps, each of which is one event (execution.hpp). A mask
// is the value of a variable such as CUDA_VISIBLE_DEVICES; a device order is the value of a variable such as
// CUDA_DEVICE_ORDER, which determines the numbers of the cards. A policy is a project's choice of a card (policy.hpp).

/// Collects findings. Of several findings of one rule that begin at one position it keeps the first. The note_...()
/// functions record facts about mask writes in any execution; take() uses them to drop findings or edits.
class FindingCollector {
 public:
  explicit FindingCollector(const Project& project) : project_{project} {}
  /// Adds a finding. A finding in a symbolic link is reported for the link's target. It has edits only if the same
  /// finding also comes up when the target is read under its own name.
  void add(Finding finding);
  /// Returns the findings ordered by file, position and rule. Drops findings that another finding or a note
  /// contradicts. Drops edits that could remove a mask that a program needs or replace a program's own device order,
  /// edits that depend on a decision of a person, and edits that the file does not allow (can_apply()).
  std::vector<Finding> take(const Policy& policy);
  /// Returns whether a finding of the rule was added that begins where the range begins.
  bool has_reported(std::string_view rule, const Module& module, Range where) const;
  /// Records that the mask write at this range is too late in one of the executions. So take() drops findings of G01
  /// about it, because G03 reports the same write together with the call that has started the driver.
  void note_ineffective(const Module& module, Range where) {
    ineffective_.emplace(&project_.reported_module(module), where.begin);
  }
  /// Records that the program gets its mask only from this step, so take() drops edits that delete its statement.
  void note_sole_mask(const Step& step, const Module& program);
  /// Records that the program executes this mask write and may set a device order itself, so take() drops edits that
  /// add an order.
  void note_possible_order(const Step& step, const Module& program) {
    possible_orders_.emplace(std::pair{&project_.reported_module(*step.module), step.event->range.begin}, &program);
  }
  /// Records that the edits for the mask writes `step` and `earlier` insert the device order at the same place, above
  /// `earlier`. So if the edit for `earlier` is dropped because of note_possible_order(), take() drops the edit for
  /// `step` as well.
  void note_shared_order(const Step& step, const Step& earlier) {
    shared_orders_.emplace(std::pair{&project_.reported_module(*step.module), step.event->range.begin},
                           earlier.event->range.begin);
  }

 private:
  void drop_edits_of_needed_mask(Finding& finding) const;
  void drop_edits_of_possible_order(Finding& finding) const;

  /// Id of the rule, module, and byte offset of the finding.
  using Place = std::tuple<std::string_view, const Module*, std::uint32_t>;

  const Project& project_;
  std::set<Place> reported_;        ///< places of all findings in findings_
  std::set<Place> reported_links_;  ///< places in reported_ that were found in symbolic links only
  // The key in these maps and this set is a mask write: its module and byte offset.
  std::map<std::pair<const Module*, std::uint32_t>, const Module*> sole_masks_,  ///< a program that needs the write
      possible_orders_;  ///< a program that may set its own device order
  std::map<std::pair<const Module*, std::uint32_t>, std::uint32_t> shared_orders_;  ///< offset of the earlier write
  std::set<std::pair<const Module*, std::uint32_t>> ineffective_;
  std::vector<Finding> findings_;
};

/// The data that all rules share during one audit.
struct RuleContext {
  const Project& project;
  const Policy& policy;
  FindingCollector& findings;
  PlainStatements& statements;  ///< decides whether a write of a variable can be moved or deleted safely
  NamedFiles& files;            ///< finds files that run with the same environment because one names the other
};

// Each of these functions checks the steps of one execution from `first_new_step` on. Earlier steps were checked in
// another execution and are only the context.
/// Checks whether variables are set before a GPU library or driver reads them: G01 G02 G03 G07 G23.
void check_write_timing(const Execution& execution, const RuleContext& context);
void check_masks(const Execution& execution, const RuleContext& context);     ///< G04 G06 G07 G10 G24 G26 G27 G33
void check_indices(const Execution& execution, const RuleContext& context);   ///< G08 G20
void check_programs(const Execution& execution, const RuleContext& context);  ///< G05 G11 G12 G13
void check_workers(const Execution& execution, const RuleContext& context);   ///< G03 in the workers of a pool
/// Checks G08 for one step that uses a device whose number is known only at run time. `index`: index of the step.
void check_chosen_index(const Execution& execution, std::size_t index, const RuleContext& context);
// Each of these functions checks a whole project.
void check_single_events(const RuleContext& context);   ///< G15 G16 G21 G22 G25 G26 G28 G29 G31 G32
void check_fixed_indices(const RuleContext& context);   ///< G09
void check_settings_files(const RuleContext& context);  ///< G18
void check_comments(const RuleContext& context);        ///< G17
/// Checks G19 (the same GPU set-up is copied into several files), G30 (a path of one machine beside such a set-up) and
/// G14 (a device check that is never called).
void check_copied_and_unused_code(const RuleContext& context);

/// Applies all rules to a project and returns the findings of FindingCollector::take().
std::vector<Finding> apply_rules(const Project& project, const Policy& policy);

// Functions that several checks use. `index` is the index of a step of the execution.

/// Makes a finding with the rule's usual severity and without edits.
Finding make_finding(std::string_view rule, const Module& module, Range where, std::string message, std::string advice);
/// Returns "line 12", or "helpers.py:12" if `module` is not the module `from` that the message is about.
std::string location_text(const Module& from, const Module& module, Range where);
/// Returns the code in a range on one line, cut to 90 bytes.
std::string code_text(const Module& module, Range where);
/// Returns a mask for messages: two quotes for an empty mask, "0 or 1" for two possible masks, "?" for unknown parts.
/// Empty if the whole mask is unknown.
std::string mask_text(const Value& mask);
/// Returns whether the value is a single known text or number.
bool is_constant(const Value& value);
/// Returns whether the step sets a mask in the environment of its own process.
bool sets_own_mask(const Step& step);
/// Returns whether the step imports a known GPU library.
bool loads_gpu_library(const Step& step);
/// Returns the first step that certainly runs before the step `index` and starts a driver of this vendor or of an
/// unknown one; null if there is none. Calls that start the driver only in some versions of their library count, too
/// (may_avoid_driver()).
const Step* driver_start_before(const Execution& execution, std::size_t index, Vendor vendor);
/// Like driver_start_before(), but counts only steps that start the driver in every version of their library.
const Step* certain_driver_start_before(const Execution& execution, std::size_t index, Vendor vendor);
/// Returns whether some versions of the library execute the call of this step without starting the driver.
bool may_avoid_driver(const Step& driver_start);
/// Returns whether the step `index` may set its variable for processes that the execution starts later.
bool may_be_for_processes(const Execution& execution, std::size_t index);
/// The step `index` writes a variable. Returns the last earlier write of this variable if its value is certainly in
/// force at the step; otherwise null.
const Step* previous_write(const Execution& execution, std::size_t index);
/// Returns whether the statement of the step, a write, can be deleted: it only sets the variable, it is in no function,
/// class or branch of its module, and the file parses.
bool is_removable(const Step& step);
/// Sets the edits of a finding about a repeated write, `step`: they delete the write if it can be deleted and this
/// certainly changes nothing for any program. Otherwise the finding gets no edits. If the write can be deleted, but the
/// effect is uncertain, the advice contains this reason.
void remove_repeated_write(Finding& found, const Step& step, const RuleContext& context);
/// Returns whether the mask certainly makes the policy's card visible and no other card; false without a policy.
bool selects_policy_card(const Mask& mask, const Policy& policy);
/// Returns whether the mask certainly makes a card visible that is not the policy's card. `variable` is the variable
/// that contains the mask. Returns false without a policy, for ONEAPI_DEVICE_SELECTOR, and for a variable whose driver
/// does not use cards of the policy's vendor.
bool selects_other_card(const Mask& mask, std::string_view variable, const Policy& policy);
/// Returns a message: every worker gets this mask of several cards, so all workers use the first of them.
std::string all_cards_text(std::string_view mask);
/// Returns whether the module is YAML, JSON or TOML.
bool is_settings_file(const Module& module);

}  // namespace weir::audit
