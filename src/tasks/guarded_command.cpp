#include "tasks/guarded_command.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "base/paths.hpp"
#include "base/text.hpp"
#include "device/command_process.hpp"
#include "device/device_meters.hpp"
#include "device/dirty_lease.hpp"
#include "device/process_tree_memory.hpp"
#include "tasks/command_needs.hpp"
#include "tasks/leak_ladder.hpp"

namespace weir::tasks {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// The command on one device, while it runs.
class Watch {
 public:
  Watch(const Machine& machine, std::size_t device, GuardedEnd& end)
      : machine_{machine}, device_{machine.at(device)}, end_{end} {
    const auto before = used();
    end_.device_measured = before.has_value();
    end_.device_before = before.value_or(Bytes{});
    end_.device_peak = end_.device_before;
  }

  /// One look; true if the command is on the wrong device.
  bool look(const std::vector<pid_t>& pids) {
    ++end_.samples;
    end_.peak = std::max(end_.peak, device::resident_of(pids));
    if (const auto now = used()) end_.device_peak = std::max(end_.device_peak, *now);
    if (Clock::now() < next_proof_) return end_.placement.outcome == device::Outcome::refuted;
    next_proof_ = Clock::now() + std::chrono::seconds{1};  // fdinfo of many processes takes milliseconds
    const device::Proof proof = judge(device_, machine_.devices, device::gather_evidence(machine_.devices, pids));
    // What was proved once stays proved until it is refuted: at its end a process has given its memory back.
    if (proof.outcome != device::Outcome::unknown || end_.placement.outcome == device::Outcome::unknown)
      end_.placement = proof;
    return proof.outcome == device::Outcome::refuted;
  }

  void after(int looks) {
    for (int look = 1;; ++look) {
      end_.device_after = used().value_or(Bytes{});
      end_.device_peak = std::max(end_.device_peak, end_.device_after);
      if (end_.device_after <= end_.device_before || look >= looks) return;
      std::this_thread::sleep_for(std::chrono::milliseconds{200});  // drivers give memory back late
    }
  }

 private:
  std::optional<Bytes> used() const { return device_.pci ? device::used_on(*device_.pci) : std::nullopt; }

  const Machine& machine_;
  const device::Device& device_;
  GuardedEnd& end_;
  Clock::time_point next_proof_ = Clock::now() + std::chrono::milliseconds{100};  // nothing is booked at once
};

std::vector<std::string> fill_in(const GuardedCommand& command, const GuardedEnd& end) {
  Names names = command.names;
  names.emplace_back("rung", end.rung);
  names.emplace_back("device", end.device);
  std::vector<std::string> filled;
  filled.reserve(command.words.size());
  for (const std::string& word : command.words) filled.push_back(replace_names(word, names));
  return filled;
}

void judge_end(const GuardedCommand& command, const device::CommandEnd& ended, GuardedEnd& end) {
  if (end.placement.outcome == device::Outcome::refuted)
    end.error = Error{Errc::device_lost, "placement refuted: " + end.placement.text};
  else if (ended.stopped)
    end.error = Error{Errc::cancelled, "interrupted"};
  else if (ended.timed_out)
    end.error = Error{Errc::timed_out,
                      fmt::format("not done within {:.1f} s", std::chrono::duration<double>(*command.limit).count())};
  else if (command.strict_device && end.placement.outcome == device::Outcome::unknown)
    end.error = Error{Errc::device_lost, "placement unknown: " + end.placement.text};
  else if (end.leaks)
    end.error = Error{Errc::device_lost, fmt::format("{} on the device outlive the command",
                                                     to_text(end.device_after - end.device_before))};
}

CommandNeeds needs_of(const Environment& environment) {
  const auto state = user_state_folder(environment);
  return CommandNeeds{state.empty() ? state : state / "command-needs.json"};
}

/// What the command took on this device the last time, if that is its need.
std::optional<Bytes> recalled(const GuardedCommand& command, const GuardedEnd& end, const CommandNeeds& needs) {
  if (!command.recall) return std::nullopt;
  return needs.last(CommandNeeds::key_of(fill_in(command, end), {}, *end.used));
}

/// The rung by the memory that is free once the device is ours. Errors: over_budget; io.
Result<std::size_t> admit(const GuardedCommand& command, const Machine& machine, LeasedDevice& leased,
                          const std::optional<Bytes>& took, bool& crowded) {
  const auto holders = leased.lease.other_holders();
  if (!holders) return holders.error();
  const Room room = measure_room(machine.at(leased.device), *holders, leased.lease.nonce());
  const auto rung =
      took ? choose_by_experience(*took, room) : choose_rung(command.ladder, room, command.wish.need.trust_unknown);
  crowded = !rung && room.known && !holders->empty();
  if (!rung)
    return Error{rung.error().code, fmt::format("{} {}", to_text(machine.at(leased.device)), rung.error().what)};
  const Bytes need = took.value_or(command.ladder[*rung].need);
  if (auto promised = leased.lease.promise(need); !promised) return promised.error();
  return *rung;
}

/// On the device of `end.used` under the mask. `leased` is null without a lease.
void run_masked(const GuardedCommand& command, const Machine& machine, std::size_t chosen, const device::Mask& mask,
                const LeasedDevice* leased, const std::stop_token& stop, const Tell& tell, GuardedEnd& end) {
  device::Command started{.words = fill_in(command, end),
                          .environment = mask.changes,
                          .input = command.input,
                          .output = command.output,
                          .error = command.error,
                          .own_group = command.output >= 0};
  started.environment.insert(started.environment.end(), command.environment.begin(), command.environment.end());
  if (!end.rung.empty()) started.environment.emplace_back("WEIR_RUNG", end.rung);
  end.placement.text = "it ended before anybody looked";
  Watch watch{machine, chosen, end};
  auto process = device::CommandProcess::start(started);
  if (!process) {
    end.status = device::start_status(process.error());
    end.error = process.error();
    return;
  }
  std::stop_source give_up;
  const std::stop_callback forward{stop, [&] { give_up.request_stop(); }};
  const device::CommandEnd ended =
      process->wait(command.limit, give_up.get_token(), std::chrono::milliseconds{100}, [&] {
        if (watch.look(process->all_pids())) give_up.request_stop();
      });
  const bool alone = leased != nullptr && command.wish.slots == 0;
  watch.after(alone ? 5 : 1);
  end.status = ended.status;
  end.took_s = ended.took.count();
  end.peak = std::max(end.peak, ended.peak);
  end.left_behind = ended.left_behind;
  if (alone) end.device_took = end.device_peak - end.device_before;
  end.leaks = alone && end.device_after > end.device_before + command.max_leak;
  if (end.leaks) climb_leak_ladder(command, *leased, end, tell);
  judge_end(command, ended, end);
}

GuardedEnd refuse(GuardedEnd end, Error error) {
  end.refused = error.code != Errc::cancelled;
  end.error = std::move(error);
  return end;
}

GuardedEnd run_unleased(const GuardedCommand& command, const std::stop_token& stop, const Tell& tell) {
  GuardedEnd end;
  const Machine machine = look_at_machine(command.wish);
  if (machine.choice.order.empty())
    return refuse(std::move(end), {Errc::unsupported, refusal(machine.devices, machine.choice)});
  const std::size_t chosen = machine.choice.order.front();
  end.used = machine.at(chosen);
  end.device = to_text(*end.used);
  auto mask = mask_device(machine, chosen, command.wish.mask);
  if (!mask) return refuse(std::move(end), mask.error());
  for (const std::string& note : mask->notes) tell.note(note);
  run_masked(command, machine, chosen, *mask, nullptr, stop, tell, end);
  return end;
}

}  // namespace

std::string replace_names(const std::string& word, const Names& values) {
  std::string out;
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t close = word[at] == '{' ? word.find('}', at) : std::string::npos;
    const std::string_view name =
        close == std::string::npos ? std::string_view{} : std::string_view{word}.substr(at + 1, close - at - 1);
    const auto value = std::find_if(values.begin(), values.end(), [&](const auto& one) { return one.first == name; });
    const bool known = close != std::string::npos && value != values.end();
    out += known ? value->second : std::string{word[at]};
    at = known ? close + 1 : at + 1;
  }
  return out;
}

bool may_retry(const GuardedEnd& end) {
  if (!end.error) return end.status != 0 && end.status != 126 && end.status != 127;
  return end.error->code == Errc::timed_out || end.error->code == Errc::over_budget;
}

GuardedEnd run_guarded(const GuardedCommand& command, const Environment& environment, const std::stop_token& stop,
                       const Tell& tell) {
  if (!command.leased) return run_unleased(command, stop, tell);
  GuardedEnd end;
  const auto asked = Clock::now();
  const Machine before = look_at_machine(command.wish);
  std::vector<std::string> notes;
  const device::Waiting waiting{.stop = stop, .started = [&](const std::vector<device::Obstacle>& obstacles) {
                                  tell.waiting("waiting: " + device::describe(obstacles));
                                }};
  auto leased = lease_device(before, command.wish, environment, waiting, notes);
  for (const std::string& note : notes) tell.note(note);
  end.waited_s = seconds_since(asked);
  if (!leased) return refuse(std::move(end), leased.error());
  // Whoever had the device until now has changed what is free.
  const bool stale = end.waited_s > 1 || leased->freed;
  const Machine machine = stale ? look_at_machine(command.wish) : before;
  if (machine.devices.size() <= leased->device)
    return refuse(std::move(end), {Errc::device_lost, "the device is gone"});
  end.used = machine.at(leased->device);
  end.device = to_text(*end.used);
  const CommandNeeds needs = needs_of(environment);
  const auto took = recalled(command, end, needs);
  const auto rung = admit(command, machine, *leased, took, end.crowded);
  if (!rung) return refuse(std::move(end), rung.error());
  end.rung_number = *rung;
  if (const Bytes need = command.ladder[*rung].need; need > Bytes{}) end.allowed = need + kContextMargin;
  end.rung = command.ladder[*rung].name;
  if (*rung > 0) tell.note(fmt::format("{}: rung '{}' of the ladder", end.device, end.rung));
  run_masked(command, machine, leased->device, leased->mask, &*leased, stop, tell, end);
  if (end.device_took > Bytes{} && end.status == 0 && !end.error) {
    const auto key = CommandNeeds::key_of(fill_in(command, end), end.rung, *end.used);
    if (auto kept = needs.remember(key, end.device_took); !kept)
      tell.note("what commands take cannot be remembered for the next time: " + kept.error().what);
  }
  return end;
}

}  // namespace weir::tasks
