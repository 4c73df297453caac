// Coordinator::Run: handling of the messages from workers, and of the results of items.

#include <limits>

#include <fmt/format.h>

#include "base/text.hpp"
#include "jobs/coordinator_run.hpp"
#include "jobs/worker_messages.hpp"

namespace weir::jobs {

void Coordinator::Run::on_message(WorkerSlot& slot, const Json& message) {
  const std::string type = text_field(message, "type");
  if (slot.job) slot.job->last_heartbeat = Clock::now();
  if (type == "hello") return on_hello(slot, message);
  if (type == "waiting") return on_waiting(slot, text_field(message, "why"));
  if (type == "leased") return on_leased(slot);
  if (type == "does_not_fit") return drop_device(slot, error_from_json(object_field(message, "error")).what);
  // A heartbeat contains no item number.
  const bool is_about_job = slot.job && (type == "heartbeat" || count_field(message, "number") == slot.job->item);
  if (!is_about_job) return workers_.kill(slot, "it sent a message about an item that it does not have");
  if (type == "estimated") return on_estimated(slot, message);
  if (type == "finished") return on_finished(slot, message);
  if (type != "heartbeat") return workers_.kill(slot, "it sent an unknown message");
  slot.set_progress(number_field(message, "fraction"), number_field(message, "amount"), Clock::now());
  slots_.set_rss(slot, bytes_field(message, "rss"));
}

/// Another process holds the device. The worker limits its wait itself, and reports the holder if the wait fails. Moves
/// the start time of the slot into the future, so that the start timeout does not apply to the wait.
void Coordinator::Run::on_waiting(WorkerSlot& slot, const std::string& why) {
  slot.started = Clock::now() + settings_.max_lease_wait;
  reporter_.log(observe::Level::warning, "lease_wait", {{"device", slot.device->name}, {"why", why}});
  reporter_.notify(Severity::warning, fmt::format("{}: waiting: {}", printable(slot.device->name), one_line(why)));
}

void Coordinator::Run::on_leased(WorkerSlot& slot) {
  slot.started = Clock::now();
  reporter_.log(observe::Level::info, "lease", {{"device", slot.device->name}, {"lease", slot.device->lease_key}});
}

/// The worker has compared its device with the expected one already; the coordinator checks it again.
void Coordinator::Run::on_hello(WorkerSlot& slot, const Json& message) {
  const std::string identity = text_field(message, "device");
  if (slot.identity.empty()) slot.identity = identity;
  if (identity != slot.identity) {
    drop_device(slot, fmt::format("the worker runs on {}, not on {}", printable(identity), slot.identity));
    return workers_.kill(slot, "it runs on another device");
  }
  const auto now = Clock::now();
  slot.set_ready(now);
  worklist_.set_variant_names(text_list_field(message, "variants"));
  reporter_.log(observe::Level::info, "worker_ready",
                {{"device", slot.device->name},
                 {"worker", slot.worker},
                 {"identity", slot.identity},
                 {"seconds", std::chrono::duration<double>(now - slot.started).count()}});
}

/// An item that cannot be estimated is processed all the same: the attempt then finds, records and reports its error.
void Coordinator::Run::on_estimated(WorkerSlot& slot, const Json& message) {
  const ItemNumber number = slot.job->item;
  slot.job.reset();
  if (message.contains("error")) {
    const Error error = error_from_json(message["error"]);
    if (error.code == Errc::over_budget && use_smaller_variant(number, "it does not fit"))
      return queue_.estimate_again(number);
    worklist_.set_estimate(number, {});
  } else {
    worklist_.set_estimate(number, estimate_from_json(object_field(message, "estimate")));
    if (!enforce_config(slot, worklist_[number].estimate.compute_config)) return queue_.estimate_again(number);
    if (worklist_[number].estimate.compute_config != ComputeConfig{}) slot.has_shown_config = true;
  }
  queue_.add(number);
}

/// Implements RunSettings::same_pixels: the first estimate sets the configuration of the run unless a record has set it
/// (adopt_compute_config()). A device with another configuration is dropped, and false is returned.
bool Coordinator::Run::enforce_config(WorkerSlot& slot, const ComputeConfig& config) {
  if (!settings_.same_pixels || config == ComputeConfig{}) return true;
  if (!rules_.required_config) rules_.required_config = config;
  if (*rules_.required_config == config) return true;
  drop_device(slot, fmt::format("its results are of {}, those of this run of {}", to_text(config),
                                to_text(*rules_.required_config)));
  workers_.request_end(slot, "other pixels");
  return false;
}

void Coordinator::Run::on_finished(WorkerSlot& slot, const Json& message) {
  const auto now = Clock::now();
  if (!message.contains("error")) slot.set_progress(1, number_field(message, "amount"), now);
  slots_.set_rss(slot, bytes_field(message, "rss"));
  const WorkerJob job = *std::exchange(slot.job, std::nullopt);
  // A task that can determine only on its device which variant fits may have used a smaller one. An index that no
  // variant has is ignored.
  if (const auto variant = count_field(message, "variant"); variant > worklist_[job.item].variant)
    (void)use_smaller_variant(job.item, "a larger variant did not fit on its device", variant);
  const double seconds = std::chrono::duration<double>(now - job.start).count();
  ItemResult result = read_item_result(worklist_.make_result(job.item), message);
  result.device = slot.device->name;
  result.peak_rss = job.peak_rss;
  reporter_.report_attempt(slot, worklist_.item(job.item), message, seconds);
  slot.count_stages(result.stage_seconds);
  slot.finish_attempt(seconds, bytes_field(message, "pool"), bytes_field(message, "device_memory"), now);
  reporter_.report_memory(slot);
  if (!result.error) {
    on_item_done(slot, job, seconds, std::move(result));
  } else {
    if (bool_field(message, "unstable")) record_instability(job.item);
    if (bool_field(message, "retry") && !stop_controller_.is_stopping())
      retry(result, name_of(result.error->code), std::numeric_limits<int>::max());  // the task limits the attempts
    else
      on_item_error(slot, std::move(result));
  }
  replace_worker_if_needed(slot);
}

void Coordinator::Run::on_item_done(WorkerSlot& slot, const WorkerJob& job, double seconds, ItemResult result) {
  result.status = ItemStatus::done;
  slot.count_success(job.kind, job.cost, seconds, result.amount);
  end_item(result);
  if (!slots_.sequential_fallback().record_success()) return;
  reporter_.log(observe::Level::info, "parallel");
  reporter_.notify(Severity::note, "ten good items: the run goes on in parallel");
}

/// Handles the failure of an item by the kind of its error: the item waits for disk space, is tried again, or ends.
void Coordinator::Run::on_item_error(WorkerSlot& slot, ItemResult result) {
  const Errc code = result.error->code;
  if (code == Errc::cancelled && stop_controller_.is_stopping()) {
    result.status = ItemStatus::interrupted;
    return end_item(result);
  }
  // An attempt that was cancelled although the run is not being stopped is tried again.
  switch (code == Errc::cancelled ? FailureKind::transient : kind_of(code)) {
    case FailureKind::disk_full:
      return requeue_for_disk(result.number);
    case FailureKind::transient:
      if (code == Errc::over_budget) return on_memory_error(slot, std::move(result));
      if (code == Errc::device_lost) {
        record_instability(result.number);
        workers_.request_end(slot, "its device was lost");
      }
      return retry(result, name_of(code));
    case FailureKind::persistent:
    case FailureKind::environment:
      return end_item(result);
  }
}

/// If every variant's estimate failed (the stored estimate is then empty), or the task kind makes no plan, the item is
/// refused. Otherwise the item needs more memory than planned.
void Coordinator::Run::on_memory_error(const WorkerSlot& slot, ItemResult result) {
  if (worklist_[result.number].estimate.ram == Bytes{}) {
    result.refused = true;
    return end_item(result);
  }
  worklist_.record_memory_shortage(result.number, slot.device->name);
  if (use_smaller_variant(result.number, result.error->what)) return queue_.estimate_again(result.number);
  retry(result, name_of(result.error->code));
}

/// `how`: how the worker ended, "killed by signal 9".
void Coordinator::Run::on_worker_death(ItemNumber number, const std::string& how) {
  ItemResult result = worklist_.make_result(number);
  if (const auto finished = find_finished_result(number)) {
    result.damage = finished->damage;
    result.status = ItemStatus::done;
    return end_item(result);
  }
  record_instability(number);
  result.error = Error{Errc::device_lost, fmt::format("its worker {}", how)};
  retry(result, "worker_died");
}

/// Records a failure that parallel work may have caused. The third within ten minutes makes the run sequential.
void Coordinator::Run::record_instability(ItemNumber number) {
  if (stop_controller_.is_stopping()) return;  // an interrupted item does not count as a failure
  if (!slots_.sequential_fallback().record_failure(number, Clock::now())) return;
  reporter_.log(observe::Level::warning, "sequential");
  reporter_.notify(Severity::warning,
                   "three items failed within ten minutes, perhaps because of parallel work: the run goes on with one "
                   "worker");
}

/// Changes the item to the variant with the index `variant`; if `variant` is empty, to the next smaller one. Returns
/// false if that variant does not exist or is not smaller.
bool Coordinator::Run::use_smaller_variant(ItemNumber number, std::string_view why,
                                           std::optional<std::size_t> variant) {
  if (!(variant ? worklist_.use_variant(number, *variant) : worklist_.use_smaller_variant(number))) return false;
  reporter_.report_variant_change(worklist_.item(number), worklist_.variant_name(number), why);
  return true;
}

/// Tries the item again after a delay. If it had `max_attempts` attempts already, ends it with this result.
void Coordinator::Run::retry(const ItemResult& result, std::string_view reason, int max_attempts) {
  const int attempts = worklist_[result.number].attempts;
  if (attempts >= max_attempts) {
    ItemResult final_result = result;
    final_result.error->what = fmt::format("{} (tried {} times; set aside)", result.error->what, attempts);
    return end_item(final_result);
  }
  const auto delay = retry_delay(attempts + 1);
  reporter_.report_retry(worklist_.item(result.number), result, reason, attempts, delay);
  queue_.add_delayed(result.number, Clock::now() + delay);
}

void Coordinator::Run::end_item(const ItemResult& result) {
  if (!worklist_.mark_ended(result.number, result.status)) return;
  const Item& item = worklist_.item(result.number);
  ItemResult reported = result;
  reported.is_prerequisite = stages_.is_prerequisite(result.number);
  reported.attempts = worklist_[result.number].attempts;
  reporter_.report_item_result(item, reported, part_of(result.number));
  if (result.status == ItemStatus::done || result.status == ItemStatus::skipped) release_prerequisites(item);
  if (stop_controller_.is_stopping() || result.status == ItemStatus::interrupted) return;
  const bool failed = result.status == ItemStatus::failed;
  const Error error = result.error.value_or(Error{Errc::failed, result.why});
  const auto stage_end = stages_.end(result.number, display_name(item), failed ? std::optional{error} : std::nullopt);
  if (!stage_end) return;
  if (stage_end->failure) return fail_without_work(stage_end->item, *stage_end->failure);
  begin_next_stage(stage_end->item);
}

void Coordinator::Run::release_prerequisites(const Item& item) {
  if (!settings_.prerequisites.release) return;
  if (auto released = settings_.prerequisites.release(item, rules_.folder); !released)
    reporter_.notify(Severity::warning, fmt::format("{}: {}", display_name(item), one_line(released.error().what)));
}

/// Returns the decision about an item whose worker died, if its result is complete: the worker may die while it
/// publishes (decide_item() then completes this), or between publishing and its message (the record exists already).
/// Without this check the item would be processed twice, and the second attempt would fail because its output exists.
std::optional<Decision> Coordinator::Run::find_finished_result(ItemNumber number) {
  if (!rules_.write_records) return std::nullopt;
  Decision decision = decide_item(worklist_.item(number), rules_, identity_source_);
  if (!decision.adopted && decision.action != Action::skip) return std::nullopt;
  return decision;
}

}  // namespace weir::jobs
