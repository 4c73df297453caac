#include <limits>

#include <fmt/format.h>

#include "base/text.hpp"
#include "jobs/coordinator_run.hpp"
#include "jobs/item_events.hpp"
#include "jobs/run_metrics.hpp"

namespace weir::jobs {

void Coordinator::Run::on_message(Seat& seat, const Json& message) {
  const std::string type = text_field(message, "type");
  if (seat.job) seat.job->last_sign = Clock::now();
  if (type == "hello") return on_hello(seat, message);
  if (type == "waiting") return on_waiting(seat, text_field(message, "why"));
  if (type == "leased") return on_leased(seat);
  if (type == "unfit") return lose(seat, error_of(object_field(message, "error")).what);
  const bool of_job = seat.job && (type == "beat" || count_field(message, "number") == seat.job->number);
  if (!of_job) return kill_worker(seat, "it spoke of an item that it does not have");
  if (type == "estimated") return on_estimated(seat, message);
  if (type == "finished") return on_finished(seat, message);
  if (type != "beat") return kill_worker(seat, "it said what no worker says");
  seat.job->fraction = number_field(message, "fraction");
  seat.job->amount = number_field(message, "amount");
  note_memory(seat, message);
}

/// A worker that has grown makes what was known of the free memory too much.
void Coordinator::Run::note_memory(Seat& seat, const Json& message) {
  const Bytes rss = bytes_field(message, "rss");
  if (rss > seat.rss + 1_MiB) free_memory_.clear();
  seat.rss = rss;
}

/// Somebody else has the device. The worker ends its wait by itself, and says who that is if it was in vain.
void Coordinator::Run::on_waiting(Seat& seat, const std::string& why) {
  seat.started = Clock::now() + settings_.lease_wait;
  tell(observe::Level::warning, "lease_wait", {{"device", seat.device->name}, {"why", why}});
  say(Loudness::warning, fmt::format("{}: waiting: {}", printable(seat.device->name), one_line(why)));
}

void Coordinator::Run::on_leased(Seat& seat) {
  seat.started = Clock::now();
  tell(observe::Level::info, "lease", {{"device", seat.device->name}, {"lease", seat.device->lease}});
}

/// The worker has compared its device with the one that it was to have; the coordinator does so too.
void Coordinator::Run::on_hello(Seat& seat, const Json& message) {
  const std::string proven = text_field(message, "device");
  if (seat.identity.empty()) seat.identity = proven;
  if (proven != seat.identity) {
    lose(seat, fmt::format("the worker runs on {}, not on {}", printable(proven), seat.identity));
    return kill_worker(seat, "it runs on another device");
  }
  seat.ready = true;
  seat.failed_starts = 0;
  seat.idle_since = Clock::now();
  if (rungs_.empty()) {
    for (const Json& rung : message.value("rungs", Json::array())) {
      if (rung.is_string()) rungs_.push_back(rung.get<std::string>());
    }
  }
  tell(observe::Level::info, "worker_ready",
       {{"device", seat.device->name},
        {"worker", seat.process->pid()},
        {"identity", seat.identity},
        {"seconds", std::chrono::duration<double>(Clock::now() - seat.started).count()}});
}

/// An item that cannot be measured is run all the same: that tells, records and reports what is wrong with it.
void Coordinator::Run::on_estimated(Seat& seat, const Json& message) {
  const ItemNumber number = seat.job->number;
  seat.job.reset();
  ItemState& state = states_[number];
  if (message.contains("error")) {
    const Error error = error_of(message["error"]);
    if (error.code == Errc::over_budget && next_rung(number, "it does not fit")) return unmeasured_.push_front(number);
    state.estimate = {};
  } else {
    const Json estimate = object_field(message, "estimate");
    state.estimate = {.cost = number_field(estimate, "cost"),
                      .seconds = number_field(estimate, "seconds"),
                      .ram = bytes_field(estimate, "ram"),
                      .device = bytes_field(estimate, "device"),
                      .output = bytes_field(estimate, "output"),
                      .size = text_field(estimate, "size"),
                      .pixels = pixels_of(object_field(estimate, "pixels"))};
    if (settings_.same_pixels && !rules_.same_pixels) rules_.same_pixels = state.estimate.pixels;
    if (settings_.same_pixels && *rules_.same_pixels != state.estimate.pixels) {
      unmeasured_.push_front(number);
      lose(seat, fmt::format("its results are of {}, those of this run of {}", to_text(state.estimate.pixels),
                             to_text(*rules_.same_pixels)));
      return end_worker(seat, "other pixels");
    }
  }
  enqueue(number);
}

void Coordinator::Run::on_finished(Seat& seat, const Json& message) {
  const auto job = *std::exchange(seat.job, std::nullopt);
  // A task that sees only at its device what fits goes down by itself.
  const std::uint64_t rung = count_field(message, "rung");
  if (rung > states_[job.number].rung && rung < rungs_.size()) {
    states_[job.number].rung = static_cast<std::uint16_t>(rung - 1);
    (void)next_rung(job.number, "there was no room for more");
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - job.since).count();
  ItemEnd end = end_of(job.number);
  end.report = text_field(message, "report");
  observer_.tried(items_[job.number], end.report);
  for (const Json& note : message.value("notes", Json::array())) {
    if (note.is_string()) end.notes.push_back(note.get<std::string>());
  }
  end.damaged = text_field(message, "damaged");
  end.amount = number_field(message, "amount");
  end.seconds = number_field(message, "total_s");
  end.sync_s = number_field(message, "sync_s");
  end.device = seat.device->name;
  const Json stages = object_field(message, "seconds");
  for (const auto& [stage, spent] : stages.items()) {
    if (spent.is_number()) metrics_.add(metric::kStages, spent.get<double>(), {{"stage", stage}});
  }
  const Json pool = object_field(message, "pool_use");
  for (const auto& [figure, value] : pool.items()) {
    if (value.is_number()) tell_pool(*seat.device, figure, value.get<double>());
  }
  metrics_.add(metric::kStages, end.sync_s, {{"stage", "sync"}});
  metrics_.add(metric::kBusy, seconds, {{"device", seat.device->name}});
  seat.totals.busy_s += seconds;
  seat.idle_since = Clock::now();
  note_memory(seat, message);
  seat.host.add(seat.rss);
  seat.pool.add(bytes_field(message, "pool"));
  seat.memory.add(bytes_field(message, "device_memory"));
  ++seat.items_of_worker;
  tell_memory(seat);
  if (message.contains("error")) {
    end.error = error_of(message["error"]);
    end.fault = bool_field(message, "fault");
    if (bool_field(message, "unstable")) note_instability(job.number);
    if (bool_field(message, "retry") && !stopping_)
      retry(job.number, *end.error, name_of(end.error->code), end, std::numeric_limits<int>::max());
    else
      on_error(seat, job.number, std::move(end));
  } else {
    end.status = ItemStatus::done;
    seat.busy_s += seconds;
    seat.cost_done += states_[job.number].estimate.cost;
    ++seat.totals.items;
    seat.totals.amount += end.amount;
    end_item(std::move(end));
    if (fallback_.succeeded()) {
      tell(observe::Level::info, "parallel");
      say(Loudness::note, "ten good items: the run goes on in parallel");
    }
  }
  replace_if_grown(seat);
}

void Coordinator::Run::on_error(Seat& seat, ItemNumber number, ItemEnd end) {
  const Error error = *end.error;
  if (error.code == Errc::cancelled && stopping_) {
    end.status = ItemStatus::interrupted;
    return end_item(std::move(end));
  }
  switch (error.code == Errc::cancelled ? FailureKind::transient : kind_of(error.code)) {
    case FailureKind::disk_full:
      full_ = true;
      return wait_for_disk(number);
    case FailureKind::transient:
      if (error.code == Errc::over_budget && states_[number].estimate.ram == Bytes{}) {
        end.refused = true;  // by its plan, on every rung
        return end_item(std::move(end));
      }
      if (error.code == Errc::over_budget) {
        const ItemState& state = states_[number];
        (void)needs_.learn(rungs_.at(state.rung), state.estimate.size, seat.device->name, state.estimate.ram);
        if (next_rung(number, error.what)) return unmeasured_.push_front(number);
      }
      if (error.code == Errc::device_lost) {
        note_instability(number);
        end_worker(seat, "its device was lost");
      }
      return retry(number, error, name_of(error.code), end, kMostAttempts);
    case FailureKind::persistent:
    case FailureKind::surrounding:
      return end_item(std::move(end));
  }
}

/// A worker may die after the work was done: within publishing it, which settle() ends, or between that and its word, when
/// the checkpoint is there already. It would be done twice, and the second time find its own result in the way.
std::optional<Decision> Coordinator::Run::was_finished(ItemNumber number) {
  if (!rules_.keep) return std::nullopt;
  Decision decision = settle(items_[number], rules_, identity_now_);
  if (!decision.adopted && decision.action != Action::skip) return std::nullopt;
  return decision;
}

void Coordinator::Run::on_death(ItemNumber number, const std::string& why) {
  if (const auto finished = was_finished(number)) {
    ItemEnd end = end_of(number);
    end.damaged = finished->damaged;
    end.status = ItemStatus::done;
    return end_item(std::move(end));
  }
  note_instability(number);
  retry(number, {Errc::device_lost, fmt::format("its worker {}", why)}, "worker_died", end_of(number), kMostAttempts);
}

void Coordinator::Run::note_instability(ItemNumber number) {
  if (stopping_) return;  // an item that was interrupted has not failed
  if (!fallback_.died(number, Clock::now())) return;
  tell(observe::Level::warning, "sequential");
  say(Loudness::warning, "three items failed so within ten minutes: the run goes on with one worker");
}

/// False if there is none.
bool Coordinator::Run::next_rung(ItemNumber number, std::string_view why) {
  ItemState& state = states_[number];
  if (state.rung + std::size_t{1} >= rungs_.size()) return false;
  ++state.rung;
  tell(observe::Level::warning, "rung_change",
       {{"item", encode_path(items_[number].outputs.front())}, {"rung", rungs_[state.rung]}, {"why", why}});
  say(Loudness::warning, fmt::format("{}: {}; going down to {}", shown_name(items_[number]), one_line(why),
                                     printable(rungs_[state.rung])));
  metrics_.add(metric::kRungs, 1, {{"rung", rungs_[state.rung]}});
  return true;
}

void Coordinator::Run::retry(ItemNumber number, Error error, std::string_view reason, const ItemEnd& end, int most) {
  ItemState& state = states_[number];
  if (state.attempts >= most) {
    ItemEnd last = end;
    error.what = fmt::format("{} (tried {} times; set aside)", error.what, state.attempts);
    last.error = std::move(error);
    return end_item(std::move(last));
  }
  const auto pause = backoff(state.attempts + 1);
  tell(observe::Level::warning, "item_retry",
       {{"item", encode_path(items_[number].outputs.front())},
        {"why", error.what},
        {"attempt", state.attempts},
        {"pause_s", std::chrono::duration<double>(pause).count()}});
  for (const std::string& note : end.notes)
    say(Loudness::warning, fmt::format("{}: {}", shown_name(items_[number]), printable(note)));
  say(Loudness::warning, fmt::format("{}: {}; it is tried again", shown_name(items_[number]), one_line(error.what)));
  metrics_.add(metric::kRetries, 1, {{"reason", std::string{reason}}});
  delayed_.emplace_back(Clock::now() + pause, number);
}

void Coordinator::Run::end_item(ItemEnd end) {
  ItemState& state = states_[end.number];
  if (std::exchange(state.ended, true)) return;
  if (end.status != ItemStatus::interrupted) --remaining_;
  totals_.count(items_[end.number], end);
  observer_.ended(items_[end.number], end);
  tell_item_end(items_[end.number], end, settings_.unit, events_, metrics_);
  state.estimate.size = {};
}

ItemEnd Coordinator::Run::end_of(ItemNumber number) const {
  const ItemState& state = states_[number];
  ItemEnd end;
  end.number = number;
  end.redone = state.redone;
  end.why = state.redone ? state.why : std::string{};
  if (state.rung > 0) end.rung = rungs_.at(state.rung);
  return end;
}

}  // namespace weir::jobs
