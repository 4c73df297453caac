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
constexpr auto kCrowdPause = std::chrono::milliseconds{250};
constexpr auto kFreshEnough = std::chrono::seconds{3};  // so that the turn itself needs no look

Error failure_of(const fs::path& path) {
  return {errc_of(errno), fmt::format("{}: {}", printable(path.native()), errno_text(errno))};
}

/// Where one try at an item works: the file that takes what it says, and a folder with the names of the files to be made,
/// which programs choose formats by. What is not handed over goes away with it.
class Workplace {
 public:
  static Result<Workplace> make(const CommandRequest& request, const CommandTemplate& commands,
                                const jobs::Attempt& attempt) {
    Workplace place;
    const std::string item = text_of(attempt.item);
    place.folder_ = fs::absolute(request.folder) / ".weir" / "work" / hash_text(item);
    std::error_code problem;
    fs::remove_all(place.folder_, problem);  // of a try that was killed
    for (const fs::path& output : commands.outputs(place.folder_, item)) {
      place.made_.push_back(place.folder_ / fmt::format("{}", place.made_.size()) / output.filename());
      fs::create_directories(place.made_.back().parent_path(), problem);
      if (problem) return Error{errc_of(problem.value()), "make a folder to work in: " + problem.message()};
    }
    place.log_ = open_new(attempt.outputs.front());
    if (!place.log_) return failure_of(attempt.outputs.front());
    place.input_ = open_to_read("/dev/null");
    if (!place.input_) return failure_of("/dev/null");
    return place;
  }
  Workplace(Workplace&& other) noexcept = default;
  Workplace& operator=(Workplace&&) = delete;
  ~Workplace() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  const std::vector<fs::path>& made() const { return made_; }
  int log() const { return log_.get(); }
  int input() const { return input_.get(); }

  /// Gives what was made to the run, under its temporary names, synced. Errors: failed for a file that was not made; io.
  Status hand_over(const std::vector<fs::path>& outputs) const {
    if (!sync_file(log_.get())) return failure_of(outputs.front());
    for (std::size_t i = 0; i < made_.size(); ++i) {
      const FileDescriptor file = open_to_read(made_[i]);
      if (!file || !file_facts(made_[i]))
        return Error{Errc::failed,
                     fmt::format("the command ended well but did not write {}", printable(made_[i].native()))};
      if (!sync_file(file.get()) || std::rename(made_[i].c_str(), outputs[i + 1].c_str()) != 0)
        return failure_of(made_[i]);
    }
    return ok();
  }

 private:
  Workplace() = default;
  fs::path folder_;
  std::vector<fs::path> made_;
  FileDescriptor log_, input_;
};

std::string describe_status(int status) {
  return status > 128 ? fmt::format("was ended by signal {}", status - 128) : fmt::format("exit status {}", status);
}

/// "exit status 0", "signal 9".
std::string describe_end(const GuardedEnd& end) {
  return end.status > 128 ? fmt::format("signal {}", end.status - 128) : fmt::format("exit status {}", end.status);
}

class CommandTask final : public jobs::Task {
 public:
  CommandTask(CommandRequest request, CommandTemplate commands)
      : request_{std::move(request)}, commands_{std::move(commands)}, quarantine_{request_.quarantine} {}

  std::vector<std::string> variants() const override {
    std::vector<std::string> names;
    for (const Variant& variant : request_.guard.variants) names.push_back(variant.name.empty() ? "only" : variant.name);
    return names;
  }

  /// What a command needs is not known before it runs; that it has room is seen to under its lease.
  Result<jobs::Estimate> estimate(const jobs::Item&, std::size_t) override {
    jobs::Estimate estimate;
    estimate.pixels.backend = kCommand;
    return estimate;
  }

  jobs::Product run(const jobs::Attempt& attempt) override {
    jobs::Product product;
    product.pixels.backend = kCommand;
    auto place = Workplace::make(request_, commands_, attempt);
    if (!place) {
      product.error = place.error();
      return product;
    }
    const GuardedEnd end = run_in(*place, attempt, product.notes);
    product.variant = end.variant_number;
    jobs::Json report = to_json(end);
    report["exit_status"] = std::exchange(report["status"], {});
    report.erase("status");
    report["tries"] = attempt.number;
    judge(end, attempt, product);
    if (!product.error) {
      if (auto given = place->hand_over(attempt.outputs); !given) product.error = given.error();
    }
    if (product.error) report["error"] = jobs::to_json(*product.error);
    keep_log(end, attempt, product, report);
    product.report = jobs::dump(report);
    product.seconds = {{"command", end.took_s}, {"lease", end.waited_s}};
    product.amount = product.error ? 0 : 1;
    return product;
  }

 private:
  /// The lease of the run comes first: so many of its commands are on devices at once.
  GuardedEnd run_in(const Workplace& place, const jobs::Attempt& attempt, std::vector<std::string>& notes) {
    GuardedCommand command = request_.guard;
    command.words = commands_.words();
    command.names = commands_.names(text_of(attempt.item), place.made());
    command.variants.erase(command.variants.begin(), command.variants.begin() + static_cast<std::ptrdiff_t>(attempt.variant));
    command.input = place.input();
    command.output = command.error = place.log();
    command.first_signal = attempt.stop_signal;
    const auto environment = process_environment();
    const auto asked = std::chrono::steady_clock::now();
    const auto give_up = asked + command.wish.wait;
    std::optional<device::Lease> turn;
    if (command.leased) {
      (void)probe_.machine(command.wish, kFreshEnough,
                           attempt.stop);  // a look at the machine holds up nobody whose turn it is
      auto taken = device::acquire_lease(
          request_.folder / ".weir",
          {.keys = {"jobs"}, .slots = request_.gpu_jobs > 1 ? request_.gpu_jobs : 0, .wait = command.wish.wait},
          environment, {.stop = attempt.stop, .started = {}});
      if (!taken) {
        GuardedEnd end;
        end.refused = taken.error().code == Errc::timed_out;
        end.error = taken.error();
        return end;
      }
      turn.emplace(*std::move(taken));
    }
    // Who waits for whom is no news in a run whose commands wait for each other.
    const Tell tell{.note = [&](const std::string& line) { notes.push_back(line); }, .waiting = [](const auto&) {}};
    for (;;) {
      leave_out_quarantined(command.wish.policy);
      GuardedEnd end = run_guarded(command, probe_, environment, attempt.stop, tell);
      const bool may_wait = end.crowded && std::chrono::steady_clock::now() < give_up && !attempt.stop.stop_requested();
      if (may_wait) {
        ::usleep(std::chrono::microseconds{kCrowdPause}.count());
        continue;
      }
      if (end.untrusted && end.used) quarantine_.add(*end.used, "memory that nobody holds stays there");
      end.variant_number += attempt.variant;
      end.waited_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - asked).count() - end.took_s;
      return end;
    }
  }

  void leave_out_quarantined(device::Policy& policy) const {
    policy.left_out.clear();
    for (Quarantine::Entry& entry : quarantine_.entries())
      policy.left_out.push_back({std::move(entry.pattern), std::move(entry.why)});
  }

  /// Whether the policy allows a device that this run has not left out.
  bool has_another_device() {
    DeviceWish wish = request_.guard.wish;
    leave_out_quarantined(wish.policy);
    return !probe_.machine(wish, kFreshEnough).choice.order.empty();
  }

  /// What the end means for the run: done, to be tried again, failed for good, or never started.
  void judge(const GuardedEnd& end, const jobs::Attempt& attempt, jobs::Product& product) {
    if (!end.left_behind.empty()) product.notes.push_back(leftovers_text(end));
    if (!end.error && end.placement.outcome == device::Outcome::unknown)
      product.notes.push_back("placement unknown: " + end.placement.text);
    if (!end.error && end.status == 0) return;
    const bool stopped = end.error && end.error->code == Errc::cancelled;
    const bool no_start = end.error && (end.status == 126 || end.status == 127);
    product.error = Error{Errc::failed, end.error ? end.error->what : describe_status(end.status)};
    if (stopped) product.error->code = Errc::cancelled;
    // One that left memory behind has run, whatever became of its next try.
    const bool ran = attempt.number > 1 && !quarantine_.entries().empty();
    if (end.refused && !ran) product.error->code = Errc::over_budget;
    if (no_start) product.error->code = Errc::io;  // another time the program may be there
    if (end.untrusted && has_another_device()) {
      product.error->code = Errc::device_lost;
    } else if (end.untrusted) {
      product.error->what = fmt::format(
          "it ended with {} and leaked: {} that nobody holds stay on {}, which is left out of the rest of this run; no "
          "other device is allowed",
          describe_end(end), to_text(end.device_after - end.device_before), end.device);
    }
    product.retry = !stopped && !end.untrusted && attempt.number <= request_.retries && may_retry(end);
    product.unstable =
        (end.status > 128 && !stopped) || (end.error && end.error->code == Errc::timed_out && !end.refused);
  }

  /// What a failed command said stays beside the place where a good result would be.
  static void keep_log(const GuardedEnd& end, const jobs::Attempt& attempt, const jobs::Product& product,
                       jobs::Json& report) {
    const fs::path failed = failed_log_of(attempt.item);
    std::error_code ignored;
    if (!product.error) {
      fs::remove(failed, ignored);
      report["log"] = jobs::encode_path(attempt.item.outputs.front());
    } else if (!end.refused && std::rename(attempt.outputs.front().c_str(), failed.c_str()) == 0) {
      report["log"] = jobs::encode_path(failed);
    }
  }

  CommandRequest request_;
  CommandTemplate commands_;
  Quarantine quarantine_;
  MachineProbe probe_;
};

/// Tells commands apart. Not the words: a checkpoint may be readable for others, and a word may be a password.
std::string digest_of(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += word + '\0';
  return hash_text(all);
}

/// A word that names a file, as it is.
bool is_file(const std::string& word) { return !word.empty() && file_facts(word).has_value(); }

}  // namespace

jobs::Item command_item(const std::string& item, const CommandRequest& request, const CommandTemplate& made) {
  jobs::Item result;
  result.task = kCommand;
  result.name = item;
  if (is_file(item)) result.inputs.emplace_back(item);
  for (const std::string& word : request.words)
    if (is_file(word) && word != item) result.inputs.emplace_back(word);
  fs::path log = request.folder / place_of(item);
  log += ".log";
  result.outputs.push_back(std::move(log));
  for (fs::path& output : made.outputs(request.folder, item)) result.outputs.push_back(std::move(output));
  jobs::Json variants = jobs::Json::array();
  for (const Variant& variant : request.guard.variants) variants.push_back(jobs::encode_path(variant.name));
  result.parameters =
      jobs::dump({{"item", jobs::encode_path(item)}, {"command", digest_of(request.words)}, {"variants", variants}});
  return result;
}

std::string text_of(const jobs::Item& item) {
  const auto parameters = jobs::parse_object(item.parameters);
  return parameters ? jobs::decode_path(jobs::text_field(*parameters, "item")).native() : std::string{};
}

fs::path failed_log_of(const jobs::Item& item) {
  const fs::path& log = item.outputs.front();
  return log.parent_path() / fit_name(log.stem().native(), ".failed.log");
}

Result<std::unique_ptr<jobs::Task>> make_command_task(CommandRequest request) {
  const bool has_variants = !request.guard.variants.empty() && !request.guard.variants.front().name.empty();
  auto commands = CommandTemplate::make(request.words, has_variants);
  if (!commands) return commands.error();
  return std::unique_ptr<jobs::Task>{std::make_unique<CommandTask>(std::move(request), *std::move(commands))};
}

}  // namespace weir::tasks
