#include <poll.h>

#include <algorithm>

#include "jobs/coordinator_run.hpp"
#include "jobs/item_events.hpp"
#include "jobs/publish.hpp"
#include "jobs/run_metrics.hpp"

namespace weir::jobs {

Coordinator::Run::Run(const RunSettings& settings, const std::vector<Item>& items, IdentityNow identity_now,
                      RunObserver& observer, observe::EventLog& events, observe::Metrics& metrics)
    : settings_{settings},
      items_{items},
      rules_{settings.rules},
      identity_now_{std::move(identity_now)},
      observer_{observer},
      events_{events},
      metrics_{metrics},
      states_(items.size()),
      needs_{settings.needs_file} {
  for (const WorkerDevice& device : settings.devices) {
    seats_.emplace_back(device);
    seats_.back().totals.name = device.name;
  }
  totals_.items = items.size();
  remaining_ = items.size();
}

Result<Totals> Coordinator::Run::run() {
  if (auto ready = begin(); !ready) return ready.error();
  settle_all();
  if (remaining_ > 0 && !stopping_) start_workers();
  loop();
  finish();
  return totals_;
}

Status Coordinator::Run::begin() {
  if (rules_.keep) {
    auto folder = RunFolder::hold(settings_.outputs);
    if (!folder) return folder.error();
    folder_.emplace(*std::move(folder));
    (void)events_.add_file(folder_->events());  // a run that cannot log still runs
  }
  const auto share = share_of(settings_.ram, std::min(seats_.size(), items_.size()), items_.size());
  if (!share) return share.error();
  share_ = *share;
  auto signals = RunSignals::open();
  if (!signals) return signals.error();
  signals_.emplace(*std::move(signals));
  tell_run_start(items_.size(), settings_.ram, share_, events_);
  return ok();
}

/// The run keeps to what the first finished item was made with, if there is one.
void Coordinator::Run::adopt_pixels() {
  for (const Item& item : items_) {
    const auto done = read_record(record_places(item, rules_.folder).done);
    if (!done || !*done) continue;
    rules_.same_pixels = (*done)->pixels;
    return;
  }
}

void Coordinator::Run::settle_all() {
  if (settings_.same_pixels && rules_.keep) adopt_pixels();
  for (ItemNumber number = 0; number < items_.size(); ++number) {
    if (const int signal = signals_->take(); signal != 0) return stop("interrupted", false, signal);
    settle_one(number);
  }
}

void Coordinator::Run::settle_one(ItemNumber number) {
  const Item& item = items_[number];
  ItemState& state = states_[number];
  const Decision decision = settle(item, rules_, identity_now_);
  observer_.decided(item, decision);
  tell_decision(item, decision, events_);
  state.why = decision.why;
  state.replace = decision.replace;
  state.redone = decision.replace && decision.action == Action::work;
  if (decision.action == Action::work) return unmeasured_.push_back(number);
  end_item(end_without_work(number, decision));
}

bool Coordinator::Run::finished() const {
  const bool workers_gone =
      std::none_of(seats_.begin(), seats_.end(), [](const Seat& seat) { return seat.process.has_value(); });
  if (stopping_) return workers_gone;
  return remaining_ == 0;
}

void Coordinator::Run::loop() {
  while (!finished()) {
    wait_for_news();
    take_signals();
    for (Seat& seat : seats_) read_worker(seat);
    check_pause_file();
    for (Seat& seat : seats_) check_worker(seat);
    check_disk();
    check_stop();
    dispatch();
    tell_progress();
  }
}

void Coordinator::Run::wait_for_news() {
  std::vector<pollfd> waits{{signals_->fd(), POLLIN, 0}};
  for (const Seat& seat : seats_) {
    if (seat.process) waits.push_back({seat.process->channel(), POLLIN, 0});
  }
  poll(waits.data(), waits.size(), stopping_ ? 10 : 100);
}

void Coordinator::Run::finish() {
  for (Seat& seat : seats_) {
    if (seat.process && !seat.ending) end_worker(seat, "the run is over");
  }
  const auto deadline = Clock::now() + std::chrono::seconds{5};
  while (Clock::now() < deadline &&
         std::any_of(seats_.begin(), seats_.end(), [](const Seat& seat) { return seat.process.has_value(); })) {
    wait_for_news();
    for (Seat& seat : seats_) check_worker(seat);
  }
  for (Seat& seat : seats_) {
    seat.process.reset();
    totals_.devices.push_back(seat.totals);
  }
  totals_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  tell_run_end(totals_, events_);
  write_state(progress_now(), true);
  if (!settings_.metrics_file.empty()) (void)metrics_.write(settings_.metrics_file);
}

}  // namespace weir::jobs
