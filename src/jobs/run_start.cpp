#include <algorithm>

#include "base/channel.hpp"
#include "jobs/coordinator_run.hpp"

namespace weir::jobs {

Coordinator::Run::Run(const RunSettings& settings, const std::vector<Item>& items, IdentityNow identity_now,
                      RunObserver& observer, observe::EventLog& events, observe::Metrics& metrics)
    : settings_{settings},
      items_{items},
      rules_{settings.rules},
      identity_now_{std::move(identity_now)},
      list_{items, settings.needs_file},
      seats_{settings.devices},
      halts_{settings.stop_grace},
      reporter_{settings, observer, events, metrics, items.size(), Clock::now()},
      workers_{settings, seats_, reporter_} {}

Result<Totals> Coordinator::Run::run() {
  if (auto ready = begin(); !ready) return ready.error();
  decide_all();
  if (list_.remaining() > 0 && !halts_.stopping()) start_workers();
  loop();
  finish();
  return reporter_.totals();
}

Status Coordinator::Run::begin() {
  if (rules_.keep) {
    auto folder = RunFolder::hold(settings_.outputs);
    if (!folder) return folder.error();
    folder_.emplace(*std::move(folder));
    reporter_.use_folder(*folder_);
  }
  const auto share = share_of(settings_.ram, std::min(seats_.size(), items_.size()), items_.size());
  if (!share) return share.error();
  share_ = *share;
  auto signals = SignalQueue::open();
  if (!signals) return signals.error();
  signals_.emplace(*std::move(signals));
  reporter_.run_start(share_);
  return ok();
}

/// The run keeps to what the first finished item was made with, if there is one.
void Coordinator::Run::adopt_pixels() {
  for (const Item& item : items_) {
    const auto done = read_record(record_places(item, rules_.folder).done);
    if (!done || !*done || !(*done)->other_format.empty()) continue;
    rules_.same_pixels = (*done)->pixels;
    return;
  }
}

void Coordinator::Run::decide_all() {
  if (settings_.same_pixels && rules_.keep) adopt_pixels();
  for (ItemNumber number = 0; number < items_.size(); ++number) {
    if (const int signal = signals_->take(); signal != 0) return stop("interrupted", false, signal);
    const Decision decision = settle(items_[number], rules_, identity_now_);
    reporter_.decision(items_[number], decision);
    list_.set_decision(number, decision);
    if (decision.action == Action::work)
      queue_.add_unmeasured(number);
    else
      end_item(end_without_work(number, decision));
  }
}

bool Coordinator::Run::finished() const { return halts_.stopping() ? !seats_.any_worker() : list_.remaining() == 0; }

void Coordinator::Run::loop() {
  while (!finished()) {
    wait();
    take_signals();
    for (Seat& seat : seats_) read_worker(seat);
    check_pause_file();
    for (Seat& seat : seats_) check_worker(seat);
    check_disk();
    check_stop();
    dispatch();
    reporter_.progress(view(), Clock::now());
  }
}

void Coordinator::Run::wait() {
  std::vector<int> files = workers_.channels();
  files.push_back(signals_->fd());
  (void)wait_readable(files, std::chrono::milliseconds{halts_.stopping() ? 10 : 100});
}

void Coordinator::Run::finish() {
  for (Seat& seat : seats_) {
    if (seat.worker != 0 && !seat.ending) workers_.end(seat, "the run is over");
  }
  const auto deadline = Clock::now() + std::chrono::seconds{5};
  while (Clock::now() < deadline && seats_.any_worker()) {
    wait();
    for (Seat& seat : seats_) check_worker(seat);
  }
  for (Seat& seat : seats_) {
    workers_.remove(seat);
    (void)seat.leave();
  }
  reporter_.run_end(view(), Clock::now());
}

}  // namespace weir::jobs
