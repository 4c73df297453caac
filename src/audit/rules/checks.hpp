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

/// What rules found; the same place is told once a rule.
class FindingCollector {
 public:
  explicit FindingCollector(const Project& project) : project_{project} {}
  /// What is found in a link is told of the file that it leads to, once, and edited only where that one was found to need it.
  void add(Finding finding);
  std::vector<Finding> take(const Policy& policy);  ///< by file, place and rule
  /// A rule has told this place.
  bool has_reported(std::string_view rule, const Module& module, Range where) const;
  /// The mask that is set there is without effect the first time already.
  void note_ineffective(const Module& module, Range where) {
    ineffective_.emplace(&project_.reported_module(module), where.begin);
  }
  /// Some program of the project has this mask from nowhere else: no rule may take the line away.
  void note_sole_mask(const Step& step, const Module& program);
  /// A program that sets this mask may have an order of its own: no rule may add one.
  void note_possible_order(const Step& step, const Module& program) {
    possible_orders_.emplace(std::pair{&project_.reported_module(*step.module), step.event->range.begin}, &program);
  }
  /// The order that the mask of one step needs is set above another step's.
  void note_shared_order(const Step& step, const Step& earlier) {
    shared_orders_.emplace(std::pair{&project_.reported_module(*step.module), step.event->range.begin},
                           earlier.event->range.begin);
  }

 private:
  void drop_edits_of_needed_mask(Finding& finding) const;
  void drop_edits_of_possible_order(Finding& finding) const;

  using Place = std::tuple<std::string_view, const Module*, std::uint32_t>;

  const Project& project_;
  std::set<Place> reported_;
  std::set<Place> reported_links_;  ///< those of them that were found in a link alone
  std::map<std::pair<const Module*, std::uint32_t>, const Module*>
      sole_masks_,       ///< by place of the write: a program that needs it
      possible_orders_;  ///< by place of the write: a program that may have an order
  std::map<std::pair<const Module*, std::uint32_t>, std::uint32_t> shared_orders_;
  std::set<std::pair<const Module*, std::uint32_t>> ineffective_;
  std::vector<Finding> findings_;
};

struct RuleContext {
  const Project& project;
  const Policy& policy;
  FindingCollector& findings;
  PlainStatements& statements;
  NamedFiles& files;
};

// One file each; each looks at the steps from `own_from` on, in the light of all.
void check_order(const Execution& execution, const RuleContext& context);     ///< G01 G02 G03 G23
void check_masks(const Execution& execution, const RuleContext& context);     ///< G04 G06 G07 G10 G24 G26 G27 G33
void check_indices(const Execution& execution, const RuleContext& context);   ///< G08 G20
void check_programs(const Execution& execution, const RuleContext& context);  ///< G05 G11 G12 G13
void check_workers(const Execution& execution, const RuleContext& context);   ///< G03 in the workers of a pool
/// G08 at one use of a device whose number is known only at run time.
void check_chosen_index(const Execution& execution, std::size_t index, const RuleContext& context);
// Of a whole project.
void check_single_events(const RuleContext& context);   ///< G15 G16 G21 G22 G25 G29 G31 G32
void check_fixed_indices(const RuleContext& context);   ///< G09
void check_settings_files(const RuleContext& context);  ///< G18
void check_comments(const RuleContext& context);        ///< G17
void check_copies(const RuleContext& context);          ///< G14 G19 G30

/// All of them.
std::vector<Finding> apply_rules(const Project& project, const Policy& policy);

// Shared by the checks.

/// A finding with the rule's usual severity.
Finding make_finding(std::string_view rule, const Module& module, Range where, std::string what, std::string advice);
/// "line 12", or "helpers.py:12" in another file.
std::string location_text(const Module& from, const Module& module, Range where);
/// The event's code, on one line, cut to a readable length.
std::string code_text(const Module& module, Range where);
/// A mask as messages show it: an empty one as "", several as "0 or 1".
std::string mask_text(const Value& mask);
/// A constant that may be moved about: a text or a number that no name is needed for.
bool is_constant(const Value& value);
/// Set in this process, not for another one.
bool sets_own_mask(const Step& step);
bool loads_gpu_library(const Step& step);
/// The first call before a step that is sure to have started the vendor's driver; null if there is none.
const Step* driver_start_before(const Execution& execution, std::size_t index, Vendor vendor);
/// The same, of those alone that start the driver in every version.
const Step* certain_driver_start_before(const Execution& execution, std::size_t index, Vendor vendor);
/// Some versions answer the call without the driver.
bool may_avoid_driver(const Step& driver_start);
/// What is set may be meant for processes that are started afterwards.
bool may_be_for_processes(const Execution& execution, std::size_t index);
/// The write of the same variable whose value is in force where a step happens, if it is sure to be; null otherwise.
const Step* previous_write(const Execution& execution, std::size_t index);
/// Its statement may be taken away: it does nothing else, and stands in no block that would be empty without it.
bool is_removable(const Step& step);
/// Edits that take the repeated write away where that is sure to change nothing; else the finding says why not.
void remove_repeated_write(Finding& found, const Step& step, const RuleContext& context);
/// The mask lets the policy's card through and no other.
bool selects_policy_card(const Mask& mask, const Policy& policy);
/// It is sure to let another card through than the policy's, whose vendor the variable is of.
bool selects_other_card(const Mask& mask, std::string_view variable, const Policy& policy);
/// What is wrong with a mask of several cards that every worker gets.
std::string all_cards_text(std::string_view mask);
/// YAML, JSON or TOML: a variable's `target` is the environment that it belongs to.
bool is_settings_file(const Module& module);

}  // namespace weir::audit
