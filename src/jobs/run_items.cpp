#include <limits>

#include <fmt/format.h>

#include "base/text.hpp"
#include "jobs/coordinator_run.hpp"
#include "jobs/worker_messages.hpp"

namespace weir::jobs {

void Coordinator::Run::on_message(Seat& seat, const Json& message) {
  const std::string type = text_field(message, "type");
  if (seat.job) seat.job->last_sign = Clock::now();
  if (type == "hello") return on_hello(seat, message);
  if (type == "waiting") return on_waiting(seat, text_field(message, "why"));
  if (type == "leased") return on_leased(seat);
  if (type == "unfit") return lose(seat, error_of(object_field(message, "error")).what);
  const bool of_job = seat.job && (type == "beat" || count_field(message, "number") == seat.job->number);
  if (!of_job) return workers_.kill(seat, "it spoke of an item that it does not have");
  if (type == "estimated") return on_estimated(seat, message);
  if (type == "finished") return on_finished(seat, message);
  if (type != "beat") return workers_.kill(seat, "it said what no worker says");
  seat.job->fraction = number_field(message, "fraction");
  seat.job->amount = number_field(message, "amount");
  seats_.set_rss(seat, bytes_field(message, "rss"));
}

/// Somebody else has the device. The worker ends its wait by itself, and says who that is if it was in vain.
void Coordinator::Run::on_waiting(Seat& seat, const std::string& why) {
  seat.started = Clock::now() + settings_.lease_wait;
  reporter_.log(observe::Level::warning, "lease_wait", {{"device", seat.device->name}, {"why", why}});
  reporter_.notify(Loudness::warning, fmt::format("{}: waiting: {}", printable(seat.device->name), one_line(why)));
}

void Coordinator::Run::on_leased(Seat& seat) {
  seat.started = Clock::now();
  reporter_.log(observe::Level::info, "lease", {{"device", seat.device->name}, {"lease", seat.device->lease}});
}

/// The worker has compared its device with the one that it was to have; the coordinator does so too.
void Coordinator::Run::on_hello(Seat& seat, const Json& message) {
  const std::string proven = text_field(message, "device");
  if (seat.identity.empty()) seat.identity = proven;
  if (proven != seat.identity) {
    lose(seat, fmt::format("the worker runs on {}, not on {}", printable(proven), seat.identity));
    return workers_.kill(seat, "it runs on another device");
  }
  const auto now = Clock::now();
  seat.set_ready(now);
  list_.name_variants(texts_of(message, "variants"));
  reporter_.log(observe::Level::info, "worker_ready",
                {{"device", seat.device->name},
                 {"worker", seat.worker},
                 {"identity", seat.identity},
                 {"seconds", std::chrono::duration<double>(now - seat.started).count()}});
}

/// An item that cannot be measured is run all the same: that finds, records and reports what is wrong with it.
void Coordinator::Run::on_estimated(Seat& seat, const Json& message) {
  const ItemNumber number = seat.job->number;
  seat.job.reset();
  if (message.contains("error")) {
    const Error error = error_of(message["error"]);
    if (error.code == Errc::over_budget && lower(number, "it does not fit")) return queue_.measure_again(number);
    list_.set_estimate(number, {});
  } else {
    list_.set_estimate(number, estimate_of(object_field(message, "estimate")));
    if (!has_same_pixels(seat, list_[number].estimate.pixels)) return queue_.measure_again(number);
  }
  queue_.add(number);
}

/// The first item decides for the run, where all are to have the same; a device that makes others is not used.
bool Coordinator::Run::has_same_pixels(Seat& seat, const Pixels& pixels) {
  if (!settings_.same_pixels) return true;
  if (!rules_.same_pixels) rules_.same_pixels = pixels;
  if (*rules_.same_pixels == pixels) return true;
  lose(seat,
       fmt::format("its results are of {}, those of this run of {}", to_text(pixels), to_text(*rules_.same_pixels)));
  workers_.end(seat, "other pixels");
  return false;
}

void Coordinator::Run::on_finished(Seat& seat, const Json& message) {
  const Job job = *std::exchange(seat.job, std::nullopt);
  const auto now = Clock::now();
  // A task that sees only at its device what fits goes down by itself.
  if (const auto variant = count_field(message, "variant"); variant > list_[job.number].variant)
    (void)lower(job.number, "there was no room for more", variant);
  const double seconds = std::chrono::duration<double>(now - job.since).count();
  ItemEnd end = read_end(list_.end_of(job.number), message);
  end.device = seat.device->name;
  reporter_.item_tried(seat, items_[job.number], message, seconds);
  seats_.set_rss(seat, bytes_field(message, "rss"));
  seat.finish(seconds, bytes_field(message, "pool"), bytes_field(message, "device_memory"), now);
  reporter_.memory(seat);
  if (!end.error) {
    on_done(seat, job, seconds, std::move(end));
  } else {
    if (bool_field(message, "unstable")) note_instability(job.number);
    if (bool_field(message, "retry") && !halts_.stopping())
      retry(end, name_of(end.error->code), std::numeric_limits<int>::max());
    else
      on_error(seat, std::move(end));
  }
  replace_if_grown(seat);
}

void Coordinator::Run::on_done(Seat& seat, const Job& job, double seconds, ItemEnd end) {
  end.status = ItemStatus::done;
  seat.count_done(job.cost, seconds, end.amount);
  end_item(end);
  if (!seats_.fallback().succeeded()) return;
  reporter_.log(observe::Level::info, "parallel");
  reporter_.notify(Loudness::note, "ten good items: the run goes on in parallel");
}

void Coordinator::Run::on_error(Seat& seat, ItemEnd end) {
  const Errc code = end.error->code;
  if (code == Errc::cancelled && halts_.stopping()) {
    end.status = ItemStatus::interrupted;
    return end_item(end);
  }
  switch (code == Errc::cancelled ? FailureKind::transient : kind_of(code)) {
    case FailureKind::disk_full:
      return wait_for_disk(end.number);
    case FailureKind::transient:
      if (code == Errc::over_budget) return on_memory_error(seat, std::move(end));
      if (code == Errc::device_lost) {
        note_instability(end.number);
        workers_.end(seat, "its device was lost");
      }
      return retry(end, name_of(code));
    case FailureKind::persistent:
    case FailureKind::surrounding:
      return end_item(end);
  }
}

/// An item without a plan was refused by it, on every variant. One that ran out of memory all the same needs more than planned.
void Coordinator::Run::on_memory_error(const Seat& seat, ItemEnd end) {
  if (list_[end.number].estimate.ram == Bytes{}) {
    end.refused = true;
    return end_item(end);
  }
  list_.learn_need(end.number, seat.device->name);
  if (lower(end.number, end.error->what)) return queue_.measure_again(end.number);
  retry(end, name_of(end.error->code));
}

void Coordinator::Run::on_death(ItemNumber number, const std::string& why) {
  ItemEnd end = list_.end_of(number);
  if (const auto finished = was_finished(number)) {
    end.damaged = finished->damaged;
    end.status = ItemStatus::done;
    return end_item(end);
  }
  note_instability(number);
  end.error = Error{Errc::device_lost, fmt::format("its worker {}", why)};
  retry(end, "worker_died");
}

void Coordinator::Run::note_instability(ItemNumber number) {
  if (halts_.stopping()) return;  // an item that was interrupted has not failed
  if (!seats_.fallback().died(number, Clock::now())) return;
  reporter_.log(observe::Level::warning, "sequential");
  reporter_.notify(Loudness::warning, "three items failed so within ten minutes: the run goes on with one worker");
}

/// False if there is no such variant.
bool Coordinator::Run::lower(ItemNumber number, std::string_view why, std::optional<std::size_t> to) {
  if (!(to ? list_.lower_to(number, *to) : list_.lower(number))) return false;
  reporter_.variant_change(items_[number], list_.variant_of(number), why);
  return true;
}

void Coordinator::Run::retry(const ItemEnd& end, std::string_view reason, int most) {
  const int attempts = list_[end.number].attempts;
  if (attempts >= most) {
    ItemEnd last = end;
    last.error->what = fmt::format("{} (tried {} times; set aside)", end.error->what, attempts);
    return end_item(last);
  }
  const auto pause = backoff(attempts + 1);
  reporter_.retry(items_[end.number], end, reason, attempts, pause);
  queue_.add_delayed(end.number, Clock::now() + pause);
}

void Coordinator::Run::end_item(const ItemEnd& end) {
  if (list_.end(end.number, end.status)) reporter_.item_end(items_[end.number], end);
}

/// A worker may die after the work was done: within publishing it, which settle() ends, or between that and its word, when
/// the checkpoint is there already. It would be done twice, and the second time find its own result in the way.
std::optional<Decision> Coordinator::Run::was_finished(ItemNumber number) {
  if (!rules_.keep) return std::nullopt;
  Decision decision = settle(items_[number], rules_, identity_now_);
  if (!decision.adopted && decision.action != Action::skip) return std::nullopt;
  return decision;
}

}  // namespace weir::jobs
