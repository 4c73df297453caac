#include "tasks/command_kind.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/file_facts.hpp"
#include "base/open_file.hpp"
#include "base/text.hpp"
#include "device/lease.hpp"
#include "jobs/record.hpp"
#include "tasks/guarded_report.hpp"
#include "tasks/quarantine.hpp"

namespace weir::tasks {
namespace {

namespace fs = std::filesystem;
// Time between two attempts to start a command on a shared device whose other holders may free memory.
constexpr auto kRetryInterval = std::chrono::milliseconds{250};
// The largest age of a cached inventory of the devices that is used instead of a new one.
constexpr auto kMaxInventoryAge = std::chrono::seconds{3};

/// Makes the error of errno for this path.
Error errno_error(const fs::path& path) {
  return {errc_from_errno(errno), fmt::format("{}: {}", printable(path.native()), errno_text(errno))};
}

/// The files of one attempt: the log that receives the command's output, and a working folder in which the command
/// writes its files. A file has its final name there, because programs choose formats by extension. move_to_outputs()
/// moves the files to their final paths. The destructor removes the folder with all other files.
class AttemptFiles {
 public:
  static Result<AttemptFiles> make(const CommandRequest& request, const CommandTemplate& command_template,
                                   const jobs::Attempt& attempt) {
    AttemptFiles files;
    const std::string item = item_text(attempt.item);
    files.folder_ = fs::absolute(request.folder) / ".weir" / "work" / hash_text(item);
    std::error_code problem;
    fs::remove_all(files.folder_, problem);  // an attempt that was killed may have left it
    for (const fs::path& output : command_template.output_paths(files.folder_, item)) {
      // Each file is in a subfolder of its own, named by its index, since {out} and {out}.EXTENSION may have the same name.
      files.work_paths_.push_back(files.folder_ / fmt::format("{}", files.work_paths_.size()) / output.filename());
      fs::create_directories(files.work_paths_.back().parent_path(), problem);
      if (problem)
        return Error{errc_from_errno(problem.value()), "cannot make the working folder: " + problem.message()};
    }
    files.log_ = open_new(attempt.outputs.front());
    if (!files.log_) return errno_error(attempt.outputs.front());
    files.input_ = open_to_read("/dev/null");
    if (!files.input_) return errno_error("/dev/null");
    return files;
  }
  AttemptFiles(AttemptFiles&& other) noexcept = default;
  AttemptFiles& operator=(AttemptFiles&&) = delete;
  ~AttemptFiles() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  /// Returns the paths of the files that the command writes.
  const std::vector<fs::path>& work_paths() const { return work_paths_; }
  int log() const { return log_.get(); }      ///< file descriptor of the log
  int input() const { return input_.get(); }  ///< file descriptor of the command's input

  /// Syncs the log and the files that the command made, and renames these files to the attempt's output paths.
  /// `outputs`: the paths of the log and then of these files. Errors: failed for a file that was not made; io.
  Status move_to_outputs(const std::vector<fs::path>& outputs) const {
    if (!sync_file(log_.get())) return errno_error(outputs.front());
    for (std::size_t i = 0; i < work_paths_.size(); ++i) {
      const FileDescriptor file = open_to_read(work_paths_[i]);
      if (!file || !file_facts(work_paths_[i]))
        return Error{Errc::failed,
                     fmt::format("the command ended well but did not write {}", printable(work_paths_[i].native()))};
      if (!sync_file(file.get()) || std::rename(work_paths_[i].c_str(), outputs[i + 1].c_str()) != 0)
        return errno_error(work_paths_[i]);
    }
    return ok();
  }

 private:
  AttemptFiles() = default;
  fs::path folder_;
  std::vector<fs::path> work_paths_;
  FileDescriptor log_, input_;
};

/// Returns "was ended by signal 9" or "exit status 1": the error of an item. `status`: GuardedResult::status, which is
/// 128 + N after signal N.
std::string describe_status(int status) {
  return status > 128 ? fmt::format("was ended by signal {}", status - 128) : fmt::format("exit status {}", status);
}

/// Returns "exit status 0" or "signal 9", for a sentence about the end of the command.
std::string describe_end(const GuardedResult& command_result) {
  return command_result.status > 128 ? fmt::format("signal {}", command_result.status - 128)
                                     : fmt::format("exit status {}", command_result.status);
}

/// Runs one command per item with run_guarded_command().
class CommandTask final : public jobs::Task {
 public:
  CommandTask(CommandRequest request, CommandTemplate command_template)
      : request_{std::move(request)}, template_{std::move(command_template)}, quarantine_{request_.quarantine_fd} {}

  std::vector<std::string> variants() const override {
    std::vector<std::string> names;
    for (const Variant& variant : request_.guard.variants)
      names.push_back(variant.name.empty() ? "only" : variant.name);
    return names;
  }

  /// Returns an estimate without memory: run_guarded_command() checks the command's memory when the lease is held.
  Result<jobs::Estimate> estimate(const jobs::Item&, std::size_t) override {
    jobs::Estimate estimate;
    estimate.compute_config.backend = kCommandKind;
    return estimate;
  }

  jobs::AttemptResult run(const jobs::Attempt& attempt) override {
    jobs::AttemptResult result;
    result.compute_config.backend = kCommandKind;
    auto files = AttemptFiles::make(request_, template_, attempt);
    if (!files) {
      result.error = files.error();
      return result;
    }
    const GuardedResult command_result = run_command(*files, attempt, result.notes);
    result.variant = command_result.variant_index;
    jobs::Json report = to_json(command_result);
    // In the report of an item, "status" is the status of the item, so that of the command is renamed.
    report["exit_status"] = std::exchange(report["status"], {});
    report.erase("status");
    report["attempts"] = attempt.attempt_number;
    set_error_and_retry(command_result, attempt, result);
    if (!result.error) {
      if (auto moved = files->move_to_outputs(attempt.outputs); !moved) result.error = moved.error();
    }
    if (result.error) report["error"] = jobs::to_json(*result.error);
    keep_log(command_result, attempt, result, report);
    result.report = jobs::dump(report);
    result.stage_seconds = {{"command", command_result.duration_s}, {"lease", command_result.waited_s}};
    result.amount = result.error ? 0 : 1;
    return result;
  }

 private:
  /// Runs the command of the attempt. With `lease_before_start`, first takes a slot of the lease "jobs" in the run's
  /// folder .weir, which limits how many commands of this run use devices at the same time (CommandRequest::gpu_jobs).
  GuardedResult run_command(const AttemptFiles& files, const jobs::Attempt& attempt, std::vector<std::string>& notes) {
    GuardedCommand command = request_.guard;
    command.arguments = template_.arguments();
    command.placeholders = template_.placeholder_values(item_text(attempt.item), files.work_paths());
    command.variants.erase(command.variants.begin(),
                           command.variants.begin() + static_cast<std::ptrdiff_t>(attempt.variant));
    command.input_fd = files.input();
    command.output_fd = command.error_fd = files.log();
    command.first_signal = attempt.stop_signal;
    const auto environment = process_environment();
    const auto start = std::chrono::steady_clock::now();
    const auto deadline = start + command.device_request.max_wait;
    std::optional<device::Lease> run_lease;
    if (command.lease_before_start) {
      // Takes the inventory before the wait, so that it takes no time while this command holds a slot of the lease
      // "jobs". The probe caches the inventory, so the result is not needed here.
      (void)probe_.inspect(command.device_request, kMaxInventoryAge, attempt.stop);
      auto taken = device::acquire_lease(
          request_.folder / ".weir",
          {.keys = {"jobs"},
           .slots = request_.gpu_jobs > 1 ? request_.gpu_jobs : 0,  // 0: exclusive, so one command
           .max_wait = command.device_request.max_wait},
          environment, {.stop = attempt.stop, .on_wait = {}});
      if (!taken) {
        GuardedResult command_result;
        command_result.refused = taken.error().code == Errc::timed_out;
        command_result.error = taken.error();
        return command_result;
      }
      run_lease.emplace(*std::move(taken));
    }
    // Waiting is not reported, since in a run the commands normally wait for each other.
    const CommandCallbacks callbacks{.on_note = [&](const std::string& line) { notes.push_back(line); },
                                     .on_waiting = [](const auto&) {}};
    for (;;) {
      exclude_quarantined(command.device_request.policy);
      GuardedResult command_result = run_guarded_command(command, probe_, environment, attempt.stop, callbacks);
      const bool may_wait =
          command_result.may_fit_later && std::chrono::steady_clock::now() < deadline && !attempt.stop.stop_requested();
      if (may_wait) {
        ::usleep(std::chrono::microseconds{kRetryInterval}.count());
        continue;
      }
      if (command_result.device_untrusted && command_result.initial_device)
        quarantine_.add(*command_result.initial_device, "memory that no process holds stays there");
      command_result.variant_index += attempt.variant;
      command_result.waited_s =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() - command_result.duration_s;
      return command_result;
    }
  }

  /// Replaces the exclusions of the policy (the user's rules for devices) by the devices in the quarantine (the list of
  /// devices that this run no longer uses).
  void exclude_quarantined(device::Policy& policy) const {
    policy.exclusions.clear();
    for (Quarantine::Entry& entry : quarantine_.entries())
      policy.exclusions.push_back({std::move(entry.pattern), std::move(entry.why)});
  }

  /// Returns true if the policy accepts a device that is not in the quarantine (the list of devices that this run no
  /// longer uses).
  bool has_another_device() {
    DeviceRequest request = request_.guard.device_request;
    exclude_quarantined(request.policy);
    return !probe_.inspect(request, kMaxInventoryAge).choice.ranked.empty();
  }

  /// Sets the error of the attempt from the command's result, with the code that makes the run handle it correctly
  /// (jobs::kind_of), and whether the item is tried again.
  void set_error_and_retry(const GuardedResult& command_result, const jobs::Attempt& attempt,
                           jobs::AttemptResult& result) {
    if (!command_result.leftover_processes.empty()) result.notes.push_back(leftovers_text(command_result));
    if (!command_result.error && command_result.placement.status == device::PlacementStatus::unknown)
      result.notes.push_back("placement unknown: " + command_result.placement.text);
    if (!command_result.error && command_result.status == 0) return;
    const bool stopped = command_result.error && command_result.error->code == Errc::cancelled;
    const bool start_failed = command_result.error && (command_result.status == 126 || command_result.status == 127);
    result.error =
        Error{Errc::failed, command_result.error ? command_result.error->what : describe_status(command_result.status)};
    if (stopped) result.error->code = Errc::cancelled;
    // The code over_budget marks the item as refused: it never started. But an earlier attempt of this item may have
    // run and left memory on a device.
    const bool ran_before = attempt.attempt_number > 1 && !quarantine_.entries().empty();
    if (command_result.refused && !ran_before) result.error->code = Errc::over_budget;
    if (start_failed) result.error->code = Errc::io;  // not recorded, since the program may exist in a later run
    if (command_result.device_untrusted && has_another_device()) {
      result.error->code = Errc::device_lost;
    } else if (command_result.device_untrusted) {
      result.error->what = fmt::format(
          "it ended with {} and leaked: {} that no process holds stay on {}, which is left out of the rest of this "
          "run; no other device is allowed",
          describe_end(command_result), to_text(command_result.device_after - command_result.device_before),
          command_result.device);
    }
    result.retry = !stopped && !command_result.device_untrusted && attempt.attempt_number <= request_.retries &&
                   may_retry(command_result);
    result.unstable =
        (command_result.status > 128 && !stopped) ||
        (command_result.error && command_result.error->code == Errc::timed_out && !command_result.refused);
  }

  /// Renames the log of a failed command to failed_log_path(). After a success, removes a file that an earlier failure
  /// left there. Adds the path of the log to the report.
  static void keep_log(const GuardedResult& command_result, const jobs::Attempt& attempt,
                       const jobs::AttemptResult& result, jobs::Json& report) {
    const fs::path failed = failed_log_path(attempt.item);
    std::error_code ignored;
    if (!result.error) {
      fs::remove(failed, ignored);
      report["log"] = jobs::encode_path(attempt.item.outputs.front());
    } else if (!command_result.refused && std::rename(attempt.outputs.front().c_str(), failed.c_str()) == 0) {
      report["log"] = jobs::encode_path(failed);
    }
  }

  CommandRequest request_;
  CommandTemplate template_;
  Quarantine quarantine_;
  MachineProbe probe_;
};

/// Returns a digest of the arguments. The record contains it instead of the arguments, since other users may read the
/// record, and an argument may be a password.
std::string digest_of(const std::vector<std::string>& arguments) {
  std::string joined;
  for (const std::string& argument : arguments) joined += argument + '\0';
  return hash_text(joined);
}

/// Returns true if the argument, as written, is the path of a file.
bool is_file(const std::string& argument) { return !argument.empty() && file_facts(argument).has_value(); }

}  // namespace

jobs::Item make_command_item(const std::string& item, const CommandRequest& request,
                             const CommandTemplate& command_template) {
  jobs::Item result;
  result.task = kCommandKind;
  result.name = item;
  if (is_file(item)) result.inputs.emplace_back(item);
  for (const std::string& argument : request.arguments)
    if (is_file(argument) && argument != item) result.inputs.emplace_back(argument);
  fs::path log = request.folder / relative_output_path(item);
  log += ".log";
  result.outputs.push_back(std::move(log));
  for (fs::path& output : command_template.output_paths(request.folder, item))
    result.outputs.push_back(std::move(output));
  jobs::Json variants = jobs::Json::array();
  for (const Variant& variant : request.guard.variants) variants.push_back(jobs::encode_path(variant.name));
  result.parameters = jobs::dump(
      {{"item", jobs::encode_path(item)}, {"command", digest_of(request.arguments)}, {"variants", variants}});
  return result;
}

std::string item_text(const jobs::Item& item) {
  const auto parameters = jobs::parse_object(item.parameters);
  return parameters ? jobs::decode_path(jobs::text_field(*parameters, "item")).native() : std::string{};
}

fs::path failed_log_path(const jobs::Item& item) {
  const fs::path& log = item.outputs.front();
  return log.parent_path() / fit_file_name(log.stem().native(), ".failed.log");
}

Result<std::unique_ptr<jobs::Task>> make_command_task(CommandRequest request) {
  const bool has_variants = !request.guard.variants.empty() && !request.guard.variants.front().name.empty();
  auto command_template = CommandTemplate::make(request.arguments, has_variants);
  if (!command_template) return command_template.error();
  return std::unique_ptr<jobs::Task>{std::make_unique<CommandTask>(std::move(request), *std::move(command_template))};
}

}  // namespace weir::tasks
