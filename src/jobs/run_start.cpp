// Coordinator::Run: preparation, main loop and end of a run.

#include <algorithm>

#include "base/channel.hpp"
#include "jobs/coordinator_run.hpp"

namespace weir::jobs {
namespace {

constexpr auto kWorkerEndTimeout = std::chrono::seconds{5};  // for workers to end after the last item
// Longest wait of the main loop for a message or a signal. It is shorter during a stop, whose steps have exact times.
constexpr auto kLoopInterval = std::chrono::milliseconds{100};
constexpr auto kStopLoopInterval = std::chrono::milliseconds{10};

}  // namespace

Coordinator::Run::Run(const RunSettings& settings, const std::vector<Item>& items, IdentitySource identity_source,
                      RunObserver& observer, observe::EventLog& events, observe::Metrics& metrics)
    : settings_{settings},
      items_{items},
      rules_{settings.rules},
      identity_source_{std::move(identity_source)},
      worklist_{items, settings.learned_needs_file},
      slots_{settings.devices},
      stop_controller_{settings.stop_grace},
      reporter_{settings, observer, events, metrics, items.size(), Clock::now()},
      workers_{settings, slots_, reporter_} {}

Result<Totals> Coordinator::Run::run() {
  if (auto ready = prepare(); !ready) return ready.error();
  decide_items();
  if (worklist_.remaining() > 0 && !stop_controller_.is_stopping()) start_workers();
  loop();
  finish();
  return reporter_.totals();
}

Status Coordinator::Run::prepare() {
  if (rules_.write_records) {
    auto folder = RunFolder::acquire(settings_.outputs);
    if (!folder) return folder.error();
    folder_.emplace(*std::move(folder));
    reporter_.set_folder(*folder_);
  }
  // An item with prerequisites may occupy all workers.
  const std::size_t workers = settings_.prerequisites ? slots_.size() : std::min(slots_.size(), items_.size());
  const std::size_t added = settings_.prerequisites ? kMaxPlannedPrerequisites : 0;
  const auto share = ram_per_worker(settings_.ram_limit, workers, items_.size() + added);
  if (!share) return share.error();
  ram_per_worker_ = *share;
  auto signals = SignalQueue::open();
  if (!signals) return signals.error();
  signals_.emplace(*std::move(signals));
  reporter_.report_run_start(ram_per_worker_);
  return ok();
}

/// Makes the compute configuration of the first finished item, if there is one, the required one of the run.
void Coordinator::Run::adopt_compute_config() {
  for (const Item& item : items_) {
    const auto done = read_record(record_paths(item, rules_.folder).done);
    if (!done || !*done || !(*done)->other_format_message.empty()) continue;
    rules_.required_config = (*done)->compute_config;
    return;
  }
}

void Coordinator::Run::decide_items() {
  if (settings_.same_pixels && rules_.write_records) adopt_compute_config();
  for (ItemNumber number = 0; number < items_.size(); ++number) {
    handle_signals();
    if (stop_controller_.is_stopping()) return;
    decide(number);
  }
}

void Coordinator::Run::decide(ItemNumber number) {
  const Item& item = worklist_.item(number);
  const Decision decision = decide_item(item, rules_, identity_source_);
  reporter_.report_decision(item, decision, part_of(number));
  worklist_.set_decision(number, decision);
  if (decision.action == Action::work)
    begin_next_stage(number);
  else
    end_item(result_without_work(number, decision));
}

/// The recursion over decide() and end_item() is as deep as items depend on each other: a few levels.
void Coordinator::Run::begin_next_stage(ItemNumber number) {
  if (!settings_.prerequisites) return queue_.add_unestimated(number);
  auto prerequisites = settings_.prerequisites.items_of_stage(worklist_.item(number), stages_.next_stage(number));
  if (!prerequisites) return fail_without_work(number, prerequisites.error());
  if (prerequisites->empty()) {
    if (stages_.goes_first(number)) worklist_.set_goes_first(number);
    return queue_.add_unestimated(number);
  }
  const auto first = static_cast<ItemNumber>(worklist_.size());
  const std::size_t count = prerequisites->size();
  for (Item& item : *prerequisites) worklist_.add(std::move(item));
  stages_.wait(number, first, count);
  for (std::size_t i = 0; i < count; ++i) decide(first + static_cast<ItemNumber>(i));
}

void Coordinator::Run::fail_without_work(ItemNumber number, const Error& why) {
  ItemResult result = worklist_.make_result(number);
  result.error = why;
  end_item(result);
}

std::optional<PartOf> Coordinator::Run::part_of(ItemNumber number) const {
  const Stages::Part* const part = stages_.part(number);
  if (part == nullptr) return std::nullopt;
  return PartOf{.item = encode_path(worklist_.item(part->item).outputs.front()),
                .stage = part->stage,
                .position = number - part->first,
                .count = part->count};
}

bool Coordinator::Run::is_finished() const {
  return stop_controller_.is_stopping() ? !slots_.has_worker() : worklist_.remaining() == 0;
}

void Coordinator::Run::loop() {
  while (!is_finished()) {
    wait_for_events();
    handle_signals();
    for (WorkerSlot& slot : slots_) read_worker(slot);
    check_pause_file();
    for (WorkerSlot& slot : slots_) check_worker(slot);
    check_disk();
    check_stop();
    dispatch();
    reporter_.report_progress(view(), Clock::now());
  }
}

void Coordinator::Run::wait_for_events() {
  std::vector<int> files = workers_.channel_fds();
  files.push_back(signals_->fd());
  (void)wait_readable(files, stop_controller_.is_stopping() ? kStopLoopInterval : kLoopInterval);
}

void Coordinator::Run::finish() {
  for (WorkerSlot& slot : slots_) {
    if (slot.worker != 0 && !slot.ending) workers_.request_end(slot, "the run is over");
  }
  const auto deadline = Clock::now() + kWorkerEndTimeout;
  while (Clock::now() < deadline && slots_.has_worker()) {
    wait_for_events();
    for (WorkerSlot& slot : slots_) check_worker(slot);
  }
  for (WorkerSlot& slot : slots_) {  // kills workers that have not ended in time
    workers_.remove_process(slot);
    (void)slot.remove_worker();
  }
  reporter_.report_run_end(view(), Clock::now());
}

}  // namespace weir::jobs
