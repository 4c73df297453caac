#include "jobs/execute.hpp"

#include <ctime>
#include <exception>
#include <system_error>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/paths.hpp"
#include "base/text.hpp"
#include "base/threads.hpp"
#include "base/version.hpp"

namespace weir::jobs {
namespace {

namespace fs = std::filesystem;

/// Creates the folders of the outputs and the folder `records` (empty: none).
Status make_folders(const Item& item, const fs::path& records) {
  std::error_code problem;
  const auto make = [&](const fs::path& folder) -> Status {
    if (!folder.empty()) fs::create_directories(folder, problem);
    if (!problem) return ok();
    return Error{errc_from_errno(problem.value()),
                 fmt::format("cannot create the folder {}: {}", printable(folder.native()), problem.message())};
  };
  for (const fs::path& output : item.outputs) {
    if (fs::is_directory(output, problem))
      return Error{Errc::io, fmt::format("the output {} is a folder", printable(output.native()))};
    if (problem == std::errc::filename_too_long)
      return Error{Errc::io, fmt::format("{}: {}", printable(output.native()), problem.message())};
    problem.clear();  // usually: the output does not exist yet
    if (auto made = make(output.parent_path()); !made) return made;
  }
  return make(records);
}

/// Replaces temporary paths in an error message by the output paths, which the user knows.
void replace_temporary_paths(const Item& item, std::string& what) {
  for (const fs::path& output : item.outputs) {
    const std::string temporary = printable(temporary_path(item, output).native());
    for (std::size_t at = what.find(temporary); at != std::string::npos; at = what.find(temporary, at))
      what.replace(at, temporary.size(), printable(output.native()));
  }
}

/// Runs the task; an exception becomes an error in the result.
AttemptResult run_safely(Task& task, const Attempt& attempt) {
  AttemptResult result;
  try {
    return task.run(attempt);
  } catch (const std::exception& problem) {
    result.error = resource_error_of(problem);
    if (result.error) return result;
    result.error = Error{Errc::unsupported, fmt::format("an internal error of weir: {}", problem.what())};
    result.internal_error = true;
  }
  return result;
}

/// Makes the record of an attempt, without inputs, outputs and failure.
Record record_of(const Item& item, const ExecutionOptions& options, const Task& task, const AttemptResult& result) {
  Record record;
  record.task = item.task;
  if (auto parameters = parse_object(item.parameters)) record.parameters = *std::move(parameters);
  record.identity = result.identity;
  record.facts = result.facts;
  record.damage = result.damage;
  record.allows_damaged_input = result.allows_damaged_input;
  record.variant = result.variant.value_or(options.variant);
  record.variant_name = task.variants().at(record.variant);
  record.compute_config = result.compute_config;
  record.device = options.device;
  record.seed = seed_of(item);
  record.stage_seconds = result.stage_seconds;
  record.finished_at = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  record.weir_version = kVersion;
  return record;
}

/// One call of execute(). The methods store errors in the result.
class Execution {
 public:
  Execution(Task& task, const Item& item, const ExecutionOptions& options)
      : task_{task}, item_{item}, options_{options}, record_paths_{record_paths(item, options.records_folder)} {}

  /// Hashes the inputs, runs the task on temporary files, and publishes these, or records the failure.
  void run(ExecutionResult& result, const std::function<void(const Progress&)>& progress, std::stop_token stop) {
    if (item_.problem) return set_error(result, *item_.problem);
    Progress last;
    const auto report = [&](const Progress& current) {
      last = current;
      if (progress) progress(current);
    };
    const auto report_life = [&] { report(last); };
    auto inputs = describe_inputs(report_life);
    if (!inputs) return set_error(result, inputs.error());
    if (auto made = make_folders(item_, options_.records_folder); !made) return set_error(result, made.error());
    remove_temporaries(item_);
    const auto temporaries = temporary_paths(item_);
    result.attempt = run_safely(task_, {item_, options_.variant, temporaries, seed_of(item_), options_.attempt_number,
                                        report, std::move(stop), options_.stop_signal});
    const bool persistent = result.attempt.error && !result.attempt.internal_error && !result.attempt.retry &&
                            kind_of(result.attempt.error->code) == FailureKind::persistent;
    Record record = record_of(item_, options_, task_, result.attempt);
    record.inputs = *std::move(inputs);
    if (!result.attempt.error) return publish_outputs(result, std::move(record), report_life);
    remove_temporaries(item_);
    replace_temporary_paths(item_, result.attempt.error->what);
    record.failure = result.attempt.error;
    // An error in writing the record is ignored; the result contains the failure itself.
    if (persistent && options_.write_records) (void)write_failure(record, record_paths_);
  }

 private:
  /// Returns the descriptions of the inputs for the record; empty if no record is written. `report_life` is called while
  /// a large file is read, which may take longer than a worker may be silent.
  Result<std::vector<RecordedFile>> describe_inputs(const std::function<void()>& report_life) const {
    std::vector<RecordedFile> files;
    if (!options_.write_records) return files;
    for (const fs::path& input : item_.inputs) {
      const auto facts = file_facts(input);
      if (!facts) return Error{Errc::io, "no such file"};
      auto hash = hash_file(input, report_life);
      if (!hash) return hash.error();
      files.push_back({encode_path(file_identity(input)), {}, *facts, *std::move(hash)});
    }
    return files;
  }

  void set_error(ExecutionResult& result, Error error) const {
    replace_temporary_paths(item_, error.what);
    result.attempt.error = std::move(error);
  }

  void publish_outputs(ExecutionResult& result, Record record, const std::function<void()>& report_life) const {
    const auto published = options_.write_records
                               ? publish(item_, std::move(record), record_paths_, options_.replace, report_life)
                               : publish_without_records(item_, options_.replace);
    if (!published) return set_error(result, published.error());
    result.sync_s = published->sync_s;
  }

  Task& task_;
  const Item& item_;
  const ExecutionOptions& options_;
  RecordPaths record_paths_;
};

}  // namespace

ExecutionResult execute(Task& task, const Item& item, const ExecutionOptions& options,
                        std::function<void(const Progress&)> progress, std::stop_token stop) {
  ExecutionResult result;
  const auto start = std::chrono::steady_clock::now();
  Execution{task, item, options}.run(result, progress, std::move(stop));
  result.total_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace weir::jobs
