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

/// How a file stands to what a record says of it.
enum class Match { same, changed, damaged, gone };

/// Size and mtime say it; where only the mtime differs, or `hash` is asked for, the contents do. The same size and mtime
/// with other contents is damage: nobody wrote there.
Match match(const fs::path& path, const RecordedFile& recorded, bool hash) {
  const auto facts = file_facts(path);
  if (!facts) return Match::gone;
  if (facts->size != recorded.facts.size) return Match::changed;
  if (*facts == recorded.facts && !hash) return Match::same;
  const auto now = hash_file(path);
  if (now && *now == recorded.hash) return Match::same;
  return *facts == recorded.facts ? Match::damaged : Match::changed;
}

/// The first input that is not as recorded, as a reason; empty if all are.
std::string changed_input(const Item& item, const Record& record, bool verify) {
  if (item.inputs.size() != record.inputs.size()) return "other inputs";
  for (std::size_t i = 0; i < item.inputs.size(); ++i) {
    // Another file may have the same size and mtime by chance, or because it was unpacked with it.
    const bool other_path = encode_path(identity(item.inputs[i])) != record.inputs[i].path;
    switch (match(item.inputs[i], record.inputs[i], verify || other_path)) {
      case Match::same:
        break;
      case Match::gone:
        return fmt::format("the input {} is gone", printable(item.inputs[i].native()));
      case Match::changed:
      case Match::damaged:
        return "the input has changed";
    }
  }
  return {};
}

std::string names_of(const Json& now, const Json& then) {
  std::string names;
  for (const auto& [key, value] : now.items()) {
    if (!then.contains(key) || then[key] != value) names += (names.empty() ? "" : ", ") + key;
  }
  for (const auto& [key, value] : then.items()) {
    if (!now.contains(key)) names += (names.empty() ? "" : ", ") + key;
  }
  return names;
}

Json parameters_of(const Item& item) {
  const auto parsed = parse_object(item.parameters);
  return parsed ? *parsed : Json::object();
}

/// Why the record is of another work than the one that is asked for now; empty if it is of this one.
std::string other_work(const Item& item, const Record& record, const RecordRules& rules, const IdentityNow& now) {
  if (auto input = changed_input(item, record, rules.verify); !input.empty()) return input;
  const Json parameters = parameters_of(item);
  if (parameters != record.parameters)
    return fmt::format("other parameters: {}", printable(names_of(parameters, record.parameters)));
  const Json identity = now ? now(item, record.facts) : record.identity;
  if (identity != record.identity)
    return fmt::format("made with another {}", printable(names_of(identity, record.identity)));
  if (rules.upgrade && record.variant > 0) return fmt::format("made with a smaller variant: {}", printable(record.variant_name));
  if (rules.same_pixels && record.pixels != *rules.same_pixels && !record.failure)
    return fmt::format("made with {}, the run uses {}", to_text(record.pixels), to_text(*rules.same_pixels));
  return {};
}

/// How the outputs as a whole stand to the record: the worst of them.
Match match_outputs(const Item& item, const Record& record, bool hash) {
  if (item.outputs.size() != record.outputs.size()) return Match::changed;
  Match worst = Match::same;
  for (std::size_t i = 0; i < item.outputs.size(); ++i) {
    const Match one = match(item.outputs[i], record.outputs[i], hash);
    if (one == Match::changed) return one;
    worst = std::max(worst, one);
  }
  return worst;
}

/// The first output that is not as the record has it; the first of all if only their number differs.
const fs::path& changed_output(const Item& item, const Record& record, bool hash) {
  for (std::size_t i = 0; i < std::min(item.outputs.size(), record.outputs.size()); ++i)
    if (match(item.outputs[i], record.outputs[i], hash) == Match::changed) return item.outputs[i];
  return item.outputs.front();
}

auto find_present(const Item& item) {
  std::error_code ignored;
  return std::find_if(item.outputs.begin(), item.outputs.end(),
                      [&](const fs::path& output) { return fs::exists(fs::symlink_status(output, ignored)); });
}

bool any_output(const Item& item) { return find_present(item) != item.outputs.end(); }

/// The first output that is there. There is one.
const fs::path& present_output(const Item& item) { return *find_present(item); }

bool replaces_its_input(const Item& item) {
  for (const auto& input : item.inputs) {
    const auto facts = file_facts(input);
    for (const auto& output : item.outputs) {
      if (facts && facts == file_facts(output) && identity(input) == identity(output)) return true;
    }
  }
  return false;
}

Decision keep(const fs::path& output, std::string_view why) {
  Decision decision;
  decision.action = Action::keep;
  decision.why = fmt::format("the output exists{}", why);
  decision.failure = Error{Errc::exists, fmt::format("the output {} exists{}; give --overwrite to replace it",
                                                     printable(output.native()), why)};
  return decision;
}

Decision work(std::string why, bool replace) {
  Decision decision;
  decision.why = std::move(why);
  decision.replace = replace;
  return decision;
}

Decision skip(std::string why, const Record& done, bool adopted) {
  Decision decision;
  decision.damaged = done.damaged;
  decision.action = Action::skip;
  decision.why = std::move(why);
  decision.adopted = adopted;
  return decision;
}

/// Whether what failed then for a damaged input may be done now.
bool may_use_now(const Record& failed, const RecordRules& rules) {
  return failed.failure->code == Errc::corrupt && !failed.takes_damaged && rules.use_damaged;
}

/// Of the records alone, with the files that they speak of.
Decision decide(const Item& item, const Record& done, const RecordRules& rules, const IdentityNow& now, bool adopted) {
  const Match outputs = match_outputs(item, done, rules.verify);
  if (outputs == Match::changed) return keep(changed_output(item, done, rules.verify), " and is not as weir left it");
  if (replaces_its_input(item)) return skip("done before, in place of its input", done, adopted);
  if (rules.again) return work("asked for again", true);
  if (outputs == Match::gone) return work("the output is gone", true);
  if (outputs == Match::damaged) return work("the output is damaged", true);
  if (!done.other_format.empty()) {
    Decision again = work(done.other_format, true);
    again.other_format = true;
    return again;
  }
  if (auto why = other_work(item, done, rules, now); !why.empty()) return work(std::move(why), true);
  if (!rules.use_damaged && !done.damaged.empty()) return work("made from a damaged input", true);
  return skip(adopted ? "finished by a run that was killed" : "done before", done, adopted);
}

std::optional<Record> readable(const fs::path& path) {
  auto record = read_record(path);
  return record ? *std::move(record) : std::nullopt;
}

}  // namespace

Decision settle(const Item& item, const RecordRules& rules, const IdentityNow& identity_now) {
  if (item.problem)
    return {.action = Action::failed,
            .why = {},
            .replace = false,
            .adopted = false,
            .other_format = false,
            .damaged = {},
            .failure = item.problem};
  if (!rules.keep)
    return any_output(item) && !rules.overwrite ? keep(present_output(item), "") : work("", rules.overwrite);
  const RecordPlaces places = record_places(item, rules.folder);
  const bool adopted = !rules.look_only && finish_intent(item, places);
  if (rules.overwrite) {
    Decision again = work("--overwrite", true);
    again.adopted = adopted;
    return again;
  }
  const auto done = readable(places.done);
  Decision decision = done               ? decide(item, *done, rules, identity_now, adopted)
                      : any_output(item) ? keep(present_output(item), "")
                                         : work("no result yet", false);
  if (decision.action != Action::work || rules.retry_failed || rules.again) return decision;
  const auto failed = readable(places.failed);
  if (failed && !failed->other_format.empty()) {
    decision.why = failed->other_format;
    decision.other_format = true;
    return decision;
  }
  if (!failed || !failed->failure || !other_work(item, *failed, rules, identity_now).empty()) return decision;
  if (may_use_now(*failed, rules)) return decision;
  decision.action = Action::failed;
  decision.failure = failed->failure;
  decision.why = fmt::format("failed before ({}); give --retry-failed to try again", one_line(failed->failure->what));
  return decision;
}

}  // namespace weir::jobs
