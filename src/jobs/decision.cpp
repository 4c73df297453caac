#include "jobs/decision.hpp"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "base/paths.hpp"
#include "base/text.hpp"
#include "jobs/publish.hpp"

namespace weir::jobs {
namespace {

namespace fs = std::filesystem;

/// The state of a file compared with its description in a record. compare_outputs() takes the largest state of several
/// files, so a worse state must come later; it handles `changed` separately.
enum class FileState {
  same,
  changed,  ///< a program has changed the file
  damaged,  ///< the contents differ, but not size and mtime. No program did this, since writing changes the mtime.
  gone
};

/// Compares the file with its record: first the size, then the mtime, and, if the mtime differs or `verify` is true,
/// the hash of the contents. A file with equal contents is `same`, even if its mtime differs.
FileState compare_file(const fs::path& path, const RecordedFile& recorded, bool verify) {
  const auto facts = file_facts(path);
  if (!facts) return FileState::gone;
  if (facts->size != recorded.facts.size) return FileState::changed;
  if (*facts == recorded.facts && !verify) return FileState::same;
  const auto current_hash = hash_file(path);
  if (current_hash && *current_hash == recorded.hash) return FileState::same;
  return *facts == recorded.facts ? FileState::damaged : FileState::changed;
}

/// Returns a text for the user that describes how an input differs from the record; empty if no input differs.
std::string input_change_reason(const Item& item, const Record& record, bool verify) {
  if (item.inputs.size() != record.inputs.size()) return "other inputs";
  for (std::size_t i = 0; i < item.inputs.size(); ++i) {
    // If the record describes another file, equal sizes and mtimes prove nothing (two files of one archive may have
    // both), so the contents are compared.
    const bool is_other_file = encode_path(file_identity(item.inputs[i])) != record.inputs[i].path;
    switch (compare_file(item.inputs[i], record.inputs[i], verify || is_other_file)) {
      case FileState::same:
        break;
      case FileState::gone:
        return fmt::format("the input {} is gone", printable(item.inputs[i].native()));
      case FileState::changed:
      case FileState::damaged:
        return "the input has changed";
    }
  }
  return {};
}

/// Returns the keys of two objects whose values differ, separated by commas.
std::string changed_keys(const Json& current, const Json& recorded) {
  std::string names;
  for (const auto& [key, value] : current.items()) {
    if (!recorded.contains(key) || recorded[key] != value) names += (names.empty() ? "" : ", ") + key;
  }
  for (const auto& [key, value] : recorded.items()) {
    if (!current.contains(key)) names += (names.empty() ? "" : ", ") + key;
  }
  return names;
}

Json parameters_of(const Item& item) {
  const auto parsed = parse_object(item.parameters);
  return parsed ? *parsed : Json::object();
}

/// Returns why the record does not describe the work that is requested now; empty if it does.
std::string work_change_reason(const Item& item, const Record& record, const RecordRules& rules,
                               const IdentitySource& identity_source) {
  if (auto reason = input_change_reason(item, record, rules.verify); !reason.empty()) return reason;
  const Json parameters = parameters_of(item);
  if (parameters != record.parameters)
    return fmt::format("other parameters: {}", printable(changed_keys(parameters, record.parameters)));
  const Json identity = identity_source ? identity_source(item, record.facts) : record.identity;
  if (identity != record.identity)
    return fmt::format("made with another {}", printable(changed_keys(identity, record.identity)));
  if (rules.upgrade && record.variant > 0)
    return fmt::format("made with a smaller variant: {}", printable(record.variant_name));
  const bool has_config = record.compute_config != ComputeConfig{};
  if (rules.required_config && has_config && record.compute_config != *rules.required_config && !record.failure)
    return fmt::format("made with {}, the run uses {}", to_text(record.compute_config),
                       to_text(*rules.required_config));
  return {};
}

/// Returns `changed` if an output is changed or the record has another number of outputs; else the state of the worst
/// output, in the order same, damaged, gone.
FileState compare_outputs(const Item& item, const Record& record, bool verify) {
  if (item.outputs.size() != record.outputs.size()) return FileState::changed;
  FileState worst = FileState::same;
  for (std::size_t i = 0; i < item.outputs.size(); ++i) {
    const FileState state = compare_file(item.outputs[i], record.outputs[i], verify);
    if (state == FileState::changed) return state;
    worst = std::max(worst, state);
  }
  return worst;
}

/// Returns the first output that is changed; if no output is changed (only the number of outputs differs), the item's
/// first output.
const fs::path& changed_output(const Item& item, const Record& record, bool verify) {
  for (std::size_t i = 0; i < std::min(item.outputs.size(), record.outputs.size()); ++i)
    if (compare_file(item.outputs[i], record.outputs[i], verify) == FileState::changed) return item.outputs[i];
  return item.outputs.front();
}

/// Returns an iterator to the first output that exists; to the end of item.outputs if no output exists.
auto find_present(const Item& item) {
  std::error_code ignored;
  return std::find_if(item.outputs.begin(), item.outputs.end(),
                      [&](const fs::path& output) { return fs::exists(fs::symlink_status(output, ignored)); });
}

bool has_output(const Item& item) { return find_present(item) != item.outputs.end(); }

/// Returns the first output that exists. At least one output must exist.
const fs::path& present_output(const Item& item) { return *find_present(item); }

/// Returns true if an output of the item is one of its inputs. Such an item must not be processed again, since its input
/// would then be its own result.
bool replaces_its_input(const Item& item) {
  for (const auto& input : item.inputs) {
    const auto facts = file_facts(input);
    for (const auto& output : item.outputs) {
      if (facts && facts == file_facts(output) && file_identity(input) == file_identity(output)) return true;
    }
  }
  return false;
}

/// Decides to keep `output`. `detail`: continues the message "the output exists"; may be empty.
Decision keep_decision(const fs::path& output, std::string_view detail) {
  Decision decision;
  decision.action = Action::keep_existing;
  decision.why = fmt::format("the output exists{}", detail);
  decision.failure = Error{Errc::exists, fmt::format("the output {} exists{}; give --overwrite to replace it",
                                                     printable(output.native()), detail)};
  return decision;
}

/// Decides to process the item. `replace`: Decision::replace.
Decision work_decision(std::string why, bool replace) {
  Decision decision;
  decision.why = std::move(why);
  decision.replace = replace;
  return decision;
}

/// Decides to skip the item. `done`: the record of its finished result; `adopted`: Decision::adopted.
Decision skip_decision(std::string why, const Record& done, bool adopted) {
  Decision decision;
  decision.damage = done.damage;
  decision.action = Action::skip;
  decision.why = std::move(why);
  decision.adopted = adopted;
  return decision;
}

/// Returns true if the item failed because of a damaged input whose intact part may be used now.
bool can_use_damaged_input(const Record& failed, const RecordRules& rules) {
  return failed.failure->code == Errc::corrupt && !failed.allows_damaged_input && rules.use_damaged;
}

/// Decides from `done`, the record of a finished item, and from the files that it describes.
Decision decide_from_record(const Item& item, const Record& done, const RecordRules& rules,
                            const IdentitySource& identity_source, bool adopted) {
  const FileState output_state = compare_outputs(item, done, rules.verify);
  if (output_state == FileState::changed)
    return keep_decision(changed_output(item, done, rules.verify), " and is not as weir left it");
  if (replaces_its_input(item)) return skip_decision("done before; the output replaced its input", done, adopted);
  if (rules.redo) return work_decision("asked for again", /*replace=*/true);
  if (output_state == FileState::gone) return work_decision("the output is gone", /*replace=*/true);
  if (output_state == FileState::damaged) return work_decision("the output is damaged", /*replace=*/true);
  if (!done.other_format_message.empty()) {
    Decision again = work_decision(done.other_format_message, /*replace=*/true);
    again.record_has_other_format = true;
    return again;
  }
  if (auto why = work_change_reason(item, done, rules, identity_source); !why.empty())
    return work_decision(std::move(why), /*replace=*/true);
  if (!rules.use_damaged && !done.damage.empty()) return work_decision("made from a damaged input", /*replace=*/true);
  return skip_decision(adopted ? "finished by a run that was killed" : "done before", done, adopted);
}

/// Reads a record; returns an empty value if the file does not exist or cannot be read.
std::optional<Record> read_valid_record(const fs::path& path) {
  auto record = read_record(path);
  return record ? *std::move(record) : std::nullopt;
}

}  // namespace

Decision decide_item(const Item& item, const RecordRules& rules, const IdentitySource& identity_source) {
  if (item.problem)
    return {.action = Action::fail,
            .why = {},
            .replace = false,
            .adopted = false,
            .record_has_other_format = false,
            .damage = {},
            .failure = item.problem};
  if (!rules.write_records)
    return has_output(item) && !rules.overwrite ? keep_decision(present_output(item), "")
                                                : work_decision("", rules.overwrite);
  const RecordPaths paths = record_paths(item, rules.folder);
  const bool adopted = !rules.read_only && finish_intent(item, paths);
  if (rules.overwrite) {
    Decision again = work_decision("--overwrite", /*replace=*/true);
    again.adopted = adopted;
    return again;
  }
  const auto done = read_valid_record(paths.done);
  Decision decision = done               ? decide_from_record(item, *done, rules, identity_source, adopted)
                      : has_output(item) ? keep_decision(present_output(item), "")
                                         : work_decision("no result yet", /*replace=*/false);
  if (decision.action == Action::keep_existing && item.is_intermediate)
    decision = work_decision(std::move(decision.why), /*replace=*/true);
  if (decision.action != Action::work || rules.retry_failed || rules.redo) return decision;
  // If the item failed before and nothing has changed since, it fails again without being processed.
  const auto failed = read_valid_record(paths.failed);
  if (failed && !failed->other_format_message.empty()) {
    decision.why = failed->other_format_message;
    decision.record_has_other_format = true;
    return decision;
  }
  if (!failed || !failed->failure || !work_change_reason(item, *failed, rules, identity_source).empty())
    return decision;
  if (can_use_damaged_input(*failed, rules)) return decision;
  decision.action = Action::fail;
  decision.failure = failed->failure;
  decision.why = fmt::format("failed before ({}); give --retry-failed to try again", one_line(failed->failure->what));
  return decision;
}

}  // namespace weir::jobs
