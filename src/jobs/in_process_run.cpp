#include "jobs/in_process_run.hpp"

#include <utility>

namespace weir::jobs {

InProcessRun::InProcessRun(const std::vector<Item>& items, Task& task, const RecordRules& rules,
                           IdentitySource identity_source, RunObserver& observer, std::string device)
    : items_{items},
      task_{task},
      rules_{rules},
      identity_source_{std::move(identity_source)},
      observer_{observer},
      device_{std::move(device)} {}

Totals InProcessRun::run(std::stop_token stop) {
  totals_.items = items_.size();
  for (ItemNumber number = 0; number < items_.size() && !totals_.interrupted; ++number) {
    const Item& item = items_[number];
    const Decision decision = decide_item(item, rules_, identity_source_);
    observer_.on_decision(item, decision);
    const ItemResult result = run_item(item, number, decision, stop);
    totals_.add(item, result);
    observer_.on_item_result(item, result);
  }
  totals_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  return std::move(totals_);
}

ItemResult InProcessRun::run_item(const Item& item, ItemNumber number, const Decision& decision, std::stop_token stop) {
  ItemResult result = result_without_work(number, decision);
  if (decision.action != Action::work) return result;
  report_progress(number, {});
  ExecutionOptions options{.variant = 0,
                           .replace = decision.replace,
                           .write_records = rules_.write_records,
                           .records_folder = rules_.folder,
                           .device = device_};
  ExecutionResult execution;
  const std::vector<std::string> variants = task_.variants();
  for (; options.variant < variants.size(); ++options.variant) {  // until a variant fits the memory
    execution = execute(
        task_, item, options, [&](const Progress& progress) { report_progress(number, progress); }, stop);
    if (execution.is_done() || execution.attempt.error->code != Errc::over_budget) break;
  }
  if (options.variant > 0 && options.variant < variants.size()) result.variant = variants[options.variant];
  AttemptResult& attempt = execution.attempt;
  result.refused = attempt.error && attempt.error->code == Errc::over_budget;
  result.status = !attempt.error                           ? ItemStatus::done
                  : attempt.error->code == Errc::cancelled ? ItemStatus::interrupted
                                                           : ItemStatus::failed;
  result.redone = decision.replace && !attempt.error;
  if (!result.redone) result.why.clear();
  result.error = std::move(attempt.error);
  result.internal_error = attempt.internal_error;
  result.report = std::move(attempt.report);
  result.damage = std::move(attempt.damage);
  result.notes = std::move(attempt.notes);
  result.amount = attempt.amount;
  result.seconds = execution.total_s;
  result.sync_s = execution.sync_s;
  result.stage_seconds = std::move(attempt.stage_seconds);
  result.attempts = 1;
  result.device = device_;
  return result;
}

void InProcessRun::report_progress(ItemNumber number, const Progress& progress) const {
  RunProgress run_progress;
  run_progress.finished_items = number;
  run_progress.total_items = items_.size();
  run_progress.amount = totals_.amount + progress.amount;
  run_progress.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  // in items, all counted alike; skipped items took no time
  const double worked = static_cast<double>(totals_.done + totals_.failed) + progress.fraction;
  const double left = static_cast<double>(items_.size() - number) - progress.fraction;
  if (progress.fraction > 0) run_progress.remaining_s = run_progress.seconds * left / worked;
  RunProgress::Device device{.name = device_, .item = display_name(items_[number]), .fraction = progress.fraction};
  device.amount = progress.amount;
  if (run_progress.seconds > 0) device.speed = run_progress.amount / run_progress.seconds;
  run_progress.devices.push_back(std::move(device));
  observer_.on_progress(run_progress);
}

}  // namespace weir::jobs
