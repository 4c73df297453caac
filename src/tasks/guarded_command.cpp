#include "tasks/guarded_command.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "base/paths.hpp"
#include "base/text.hpp"
#include "device/command_process.hpp"
#include "device/dirty_lease.hpp"
#include "device/driver_sampler.hpp"
#include "device/process_identity.hpp"
#include "device/process_tree_memory.hpp"
#include "tasks/command_needs.hpp"
#include "tasks/leak_response.hpp"
#include "tasks/reservation.hpp"

namespace weir::tasks {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kSeenLately = std::chrono::seconds{5};  // cards do not come and go more often

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// The command on one device, while it runs. It never waits for a driver longer than kPatience.
class Watch {
 public:
  Watch(const Machine& machine, std::size_t device, device::DriverSampler& sampler, GuardedEnd& end)
      : machine_{machine}, device_{machine.at(device)}, end_{end}, sampler_{sampler} {
    const auto before = used();
    end_.device_measured = before.has_value();
    end_.device_before = before.value_or(Bytes{});
    end_.device_peak = end_.device_before;
  }

  /// One look: takes what the drivers have answered since the last one, and asks again. True if the command is on the
  /// wrong device.
  bool look(const std::vector<pid_t>& pids) {
    ++end_.samples;
    end_.peak = std::max(end_.peak, device::resident_of(pids));
    if (const auto sample = sampler_.poll()) take(*sample);
    const bool prove = Clock::now() >= next_proof_;
    if (prove) next_proof_ = Clock::now() + std::chrono::seconds{1};  // fdinfo of many processes takes milliseconds
    sampler_.begin({device_.pci, prove, prove ? pids : std::vector<pid_t>{}});
    return end_.placement.outcome == device::Outcome::refuted;
  }

  /// The memory that stays once the command has ended.
  void after(int looks) {
    for (int look = 1;; ++look) {
      const auto now = used();
      end_.driver_silent = !now && end_.device_measured;
      if (!now) return;
      end_.device_after = *now;
      end_.device_peak = std::max(end_.device_peak, end_.device_after);
      if (end_.device_after <= end_.device_before || look >= looks) return;
      std::this_thread::sleep_for(std::chrono::milliseconds{200});  // drivers give memory back late
    }
  }

 private:
  static constexpr auto kPatience = std::chrono::seconds{2};

  std::optional<Bytes> used() {
    if (!device_.pci) return std::nullopt;
    const auto sample = sampler_.ask({device_.pci, false, {}}, kPatience);
    return sample ? sample->used : std::nullopt;
  }

  void take(const device::DriverSample& sample) {
    if (sample.used) end_.device_peak = std::max(end_.device_peak, *sample.used);
    if (!sample.evidence) return;
    const device::Proof proof = judge(device_, machine_.devices, *sample.evidence);
    // What was proved once stays proved until it is refuted: at its end a process has given its memory back.
    if (proof.outcome != device::Outcome::unknown || end_.placement.outcome == device::Outcome::unknown)
      end_.placement = proof;
  }

  const Machine& machine_;
  const device::Device& device_;
  GuardedEnd& end_;
  device::DriverSampler& sampler_;
  Clock::time_point next_proof_ = Clock::now() + std::chrono::milliseconds{100};  // nothing is booked at once
};

std::vector<std::string> fill_in(const GuardedCommand& command, const GuardedEnd& end) {
  Names names = command.names;
  names.emplace_back("variant", end.variant);
  names.emplace_back("device", end.device);
  std::vector<std::string> filled;
  filled.reserve(command.words.size());
  for (const std::string& word : command.words) filled.push_back(replace_names(word, names));
  return filled;
}

void judge_end(const GuardedCommand& command, const device::CommandEnd& ended, GuardedEnd& end) {
  if (end.placement.outcome == device::Outcome::refuted)
    end.error = Error{Errc::device_lost, "placement refuted: " + end.placement.text};
  else if (ended.guardian_lost)
    end.error = Error{Errc::io, "somebody killed the process that guards the command, and so the command"};
  else if (ended.stopped)
    end.error = Error{Errc::cancelled, "interrupted"};
  else if (ended.timed_out)
    end.error = Error{Errc::timed_out,
                      fmt::format("not done within {:.1f} s", std::chrono::duration<double>(*command.limit).count())};
  else if (!ended.known)
    end.error = Error{Errc::io, "the command " + describe(ended)};
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

/// On the device of `end.used` under the mask. `leased` is null without a lease.
void run_masked(const GuardedCommand& command, const Machine& machine, std::size_t chosen, const device::Mask& mask,
                const LeasedDevice* leased, MachineProbe& probe, const std::stop_token& stop, const Tell& tell,
                GuardedEnd& end) {
  device::Command started{.words = fill_in(command, end),
                          .environment = mask.changes,
                          .input = command.input,
                          .output = command.output,
                          .error = command.error,
                          .own_group = command.output >= 0};
  if (leased != nullptr) started.held = leased->lease.descriptors();
  if (command.output >= 0) started.descriptors = OtherDescriptors::closed;  // an item of a batch
  started.environment.insert(started.environment.end(), command.environment.begin(), command.environment.end());
  if (!end.variant.empty()) started.environment.emplace_back("WEIR_VARIANT", end.variant);
  end.placement.text = "it ended before anybody looked";
  Watch watch{machine, chosen, probe.sampler(), end};
  auto process = device::CommandProcess::start(started);
  if (!process) {
    end.status = start_status(process.error());
    end.error = process.error();
    return;
  }
  std::stop_source wrong_card;
  const device::StopRules rules{.limit = command.limit,
                                .stop = stop,
                                .at_once = wrong_card.get_token(),
                                .first_signal = command.first_signal,
                                .grace = command.grace};
  const device::CommandEnd ended = process->wait(rules, std::chrono::milliseconds{100}, [&] {
    if (watch.look(process->all_pids())) wrong_card.request_stop();
  });
  const bool alone = leased != nullptr && command.wish.slots == 0;
  watch.after(alone ? 5 : 1);
  if (leased != nullptr && !leased->lease.is_intact())
    tell.note("the lease that this run had joined was given back while it ran: another may have used the device too");
  end.status = ended.status;
  end.passes_status = !ended.forced && !ended.guardian_lost;
  end.took_s = ended.took.count();
  end.peak = std::max(end.peak, ended.peak);
  end.left_behind = ended.left_behind;
  if (alone) end.device_took = end.device_peak - end.device_before;
  if (end.driver_silent)
    tell.note(fmt::format("the driver of {} does not answer: what stays there is not known", end.device));
  end.leaks = alone && !end.driver_silent && end.device_after > end.device_before + command.max_leak;
  if (end.leaks) respond_to_leak(command, *leased, end, tell);
  judge_end(command, ended, end);
}

GuardedEnd refuse(GuardedEnd end, Error error) {
  end.refused = error.code != Errc::cancelled;
  end.error = std::move(error);
  return end;
}

GuardedEnd run_unleased(const GuardedCommand& command, MachineProbe& probe, const std::stop_token& stop,
                        const Tell& tell) {
  GuardedEnd end;
  const Machine machine = probe.machine(command.wish, kSeenLately, stop);
  if (machine.choice.order.empty()) return refuse(std::move(end), refusal_of(machine));
  if (const auto silent = probe.take_warning(); !silent.empty()) tell.note(silent);
  const std::size_t chosen = machine.choice.order.front();
  end.used = machine.at(chosen);
  end.device = to_text(*end.used);
  auto mask = mask_device(machine, chosen, command.wish.mask);
  if (!mask) return refuse(std::move(end), mask.error());
  for (const std::string& note : mask->notes) tell.note(note);
  run_masked(command, machine, chosen, *mask, nullptr, probe, stop, tell, end);
  return end;
}

/// On the first of the machine's accepted devices that can be leased.
GuardedEnd run_leased(const GuardedCommand& command, Machine machine, MachineProbe& probe,
                      const Environment& environment, const std::stop_token& stop, const Tell& tell) {
  GuardedEnd end;
  const auto asked = Clock::now();
  std::vector<std::string> notes;
  const device::Waiting waiting{.stop = stop, .started = [&](const std::vector<device::Obstacle>& obstacles) {
                                  tell.waiting("waiting: " + device::describe(obstacles));
                                }};
  DeviceWish wish = command.wish;
  wish.program = device::program_name(fill_in(command, end));
  auto leased =
      lease_device(machine, wish, environment, waiting, notes, [&](device::Device& device) { probe.refresh(device); });
  for (const std::string& note : notes) tell.note(note);
  end.waited_s = seconds_since(asked);
  if (!leased) return refuse(std::move(end), leased.error());
  // Whoever had the device until now has changed what is free there.
  if (!probe.refresh(machine.devices[leased->device])) {
    const std::string key = lease_key(machine.at(leased->device));
    machine = probe.machine(command.wish, {}, stop);
    const auto same = std::find_if(machine.devices.begin(), machine.devices.end(),
                                   [&](const device::Device& device) { return lease_key(device) == key; });
    if (same == machine.devices.end()) {
      Error gone = refusal_of(machine);
      if (gone.code != Errc::cancelled) gone = {Errc::device_lost, fmt::format("{} is gone: {}", key, gone.what)};
      return refuse(std::move(end), std::move(gone));
    }
    leased->device = static_cast<std::size_t>(same - machine.devices.begin());
  }
  end.used = machine.at(leased->device);
  end.device = to_text(*end.used);
  const CommandNeeds needs = needs_of(environment);
  const auto took = recalled(command, end, needs);
  const Wanted wanted{command.variants, took, command.wish.need.trust_unknown};
  const auto variant = reserve(leased->lease, machine.at(leased->device), wanted, end.crowded);
  if (!variant) return refuse(std::move(end), variant.error());
  end.variant_number = *variant;
  if (const Bytes need = command.variants[*variant].need; need > Bytes{}) end.allowed = need + kContextMargin;
  end.variant = command.variants[*variant].name;
  if (*variant > 0) tell.note(fmt::format("{}: variant '{}'", end.device, end.variant));
  run_masked(command, machine, leased->device, leased->mask, &*leased, probe, stop, tell, end);
  if (end.device_took > Bytes{} && !end.driver_silent && end.status == 0 && !end.error) {
    const auto key = CommandNeeds::key_of(fill_in(command, end), end.variant, *end.used);
    if (auto kept = needs.remember(key, end.device_took); !kept)
      tell.note("what commands take cannot be remembered for the next time: " + kept.error().what);
  }
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

GuardedEnd run_guarded(const GuardedCommand& command, MachineProbe& probe, const Environment& environment,
                       const std::stop_token& stop, const Tell& tell) {
  if (!command.leased) return run_unleased(command, probe, stop, tell);
  Machine machine = probe.machine(command.wish, kSeenLately, stop);
  if (!machine.choice.order.empty())  // else the refusal says it
    if (const auto silent = probe.take_warning(); !silent.empty()) tell.note(silent);
  bool crowded = false;
  double waited_s = 0;
  for (;;) {  // ends: each turn leaves out a device
    GuardedEnd end = run_leased(command, machine, probe, environment, stop, tell);
    waited_s += end.waited_s;
    crowded = crowded || end.crowded;
    const bool full = end.refused && end.used && end.error->code == Errc::over_budget;
    if (!full || machine.choice.order.size() < 2) {
      end.crowded = full && crowded;
      end.waited_s = waited_s;
      if (end.error && end.error->code == Errc::device_lost) probe.forget();
      return end;
    }
    tell.note(fmt::format("{}; the next device is tried", end.error->what));
    std::erase_if(machine.choice.order,
                  [&](std::size_t index) { return lease_key(machine.at(index)) == lease_key(*end.used); });
  }
}

}  // namespace weir::tasks
