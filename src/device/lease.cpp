#include "device/lease.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.hpp"
#include "device/change_watch.hpp"
#include "device/lease_nesting.hpp"

namespace weir::device {
namespace {

using Clock = std::chrono::steady_clock;
using Files = std::vector<LeaseFile>;

constexpr std::chrono::microseconds kLongestPause = std::chrono::milliseconds{20};
constexpr std::chrono::microseconds kNewsPause{100};  // a holder writes into the file just before it unlocks it
constexpr std::chrono::microseconds kSearchPause =
    std::chrono::milliseconds{200};  // a search of /proc takes milliseconds

/// In the order of their keys, each once. Errors: invalid_argument, io.
Result<Files> open_files(const std::filesystem::path& folder, const LeaseRequest& request) {
  std::vector<std::string> keys = request.keys;
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (request.count == 0 || keys.size() < request.count)
    return Error{Errc::invalid_argument,
                 fmt::format("{} devices are asked for, and {} may be taken", request.count, keys.size())};
  if (request.slots < 0 || request.slots > kMostSlots)
    return Error{Errc::invalid_argument,
                 fmt::format("{} sharers: 1 to {} can share a device", request.slots, kMostSlots)};
  Files files;
  for (const std::string& key : keys) {
    auto file = LeaseFile::open(folder, key);
    if (!file) return file.error();
    files.push_back(*std::move(file));
  }
  return files;
}

/// One ticket for all queues. It is gone when the files are closed.
Result<std::uint64_t> join_queues(const std::filesystem::path& folder, Files& files) {
  auto counter = TicketCounter::lock(folder);
  if (!counter) return counter.error();
  for (;;) {  // ends: each turn takes a new number, and those taken are as many as there are waiters
    const auto ticket = counter->next();
    if (!ticket) return ticket.error();
    bool joined = true;
    for (LeaseFile& file : files) {
      const auto enqueued = file.enqueue(*ticket);
      if (!enqueued) return enqueued.error();
      joined = joined && *enqueued;
    }
    if (joined) return *ticket;
    for (LeaseFile& file : files) (void)static_cast<bool>(file.leave_queue(*ticket));
  }
}

/// A place in the queues of the files. It is left by unlocking: closing would leave it to the copy of a forked child.
class QueuePlace {
 public:
  QueuePlace(Files& files, std::uint64_t ticket) : files_{files}, ticket_{ticket} {}
  QueuePlace(const QueuePlace&) = delete;
  QueuePlace& operator=(const QueuePlace&) = delete;
  ~QueuePlace() {
    for (LeaseFile& file : files_) (void)static_cast<bool>(file.leave_queue(ticket_));
  }

 private:
  Files& files_;
  std::uint64_t ticket_;
};

/// What one round has got: indices into the files and their slots.
struct Taken {
  std::size_t file;
  int slot;
};

/// All or nothing, without waiting; empty if too few can be had now. Only who is first in a queue may take its device, so
/// what is held for a moment here is wanted by nobody who came earlier. Errors: io.
Result<std::vector<Taken>> try_take(Files& files, const LeaseRequest& request, std::uint64_t ticket) {
  std::vector<Taken> taken;
  for (std::size_t i = 0; i < files.size() && taken.size() < request.count; ++i) {
    const auto first = files[i].is_first(ticket);
    if (!first) return first.error();
    if (!*first) continue;
    const auto slot = files[i].take(request.slots);
    if (!slot) return slot.error();
    if (*slot) taken.push_back({i, **slot});
  }
  if (taken.size() == request.count) return taken;
  for (const Taken& part : taken) {
    if (auto back = files[part.file].give_back(); !back) return back.error();
  }
  return std::vector<Taken>{};
}

std::vector<Obstacle> obstacles_of(const Files& files) {
  std::vector<Obstacle> found;
  for (const LeaseFile& file : files) {
    auto holders = file.holders();
    if (holders && holders->empty() && !file.was_signed()) holders = file.holders_of_removed();
    found.push_back({file.key(), holders ? *std::move(holders) : std::vector<Holder>{}});
  }
  return found;
}

std::string seconds_text(std::chrono::milliseconds time) {
  return fmt::format("{:.1f} s", std::chrono::duration<double>(time).count());
}

bool all_current(const Files& files) {
  return std::all_of(files.begin(), files.end(), [](const LeaseFile& file) { return file.is_current(); });
}

/// Who holds what was taken through a lease file that was removed meanwhile: the lock on the new file excludes none of them.
/// Leases that our parent holds (`inherited`) are none.
std::vector<Obstacle> holders_without_a_name(const Files& files, const std::vector<Taken>& taken,
                                             std::string_view inherited) {
  const auto outer = parse_lease_claims(inherited);
  const auto is_outer = [&](const Holder& holder) {
    return holder.record && std::any_of(outer.begin(), outer.end(),
                                        [&](const LeaseClaim& claim) { return claim.nonce == holder.record->nonce; });
  };
  std::vector<Obstacle> found;
  for (const Taken& part : taken) {
    const LeaseFile& file = files[part.file];
    if (file.was_signed()) continue;  // whoever signed it has looked
    auto holders = file.holders_of_removed();
    std::erase_if(holders, is_outer);
    if (!holders.empty()) found.push_back({file.key() + " (its lease file was removed)", std::move(holders)});
  }
  return found;
}

ChangeWatch watch_files(const Files& files) {
  ChangeWatch watch;
  for (const LeaseFile& file : files) watch.add(file.path());
  return watch;
}

/// Waits its turn. Empty: a lease file was replaced under us, and the caller starts again.
/// Errors: timed_out, cancelled, io.
Result<std::vector<Taken>> wait_and_take(Files& files, const LeaseRequest& request, std::uint64_t ticket,
                                         Clock::time_point deadline, const Environment& environment,
                                         const Waiting& waiting) {
  const std::string inherited = environment("WEIR_LEASE").value_or("");
  std::vector<Obstacle> unnamed;
  std::optional<ChangeWatch> news;
  auto pause = std::chrono::microseconds{500};
  for (bool told = false;; told = true) {
    auto taken = try_take(files, request, ticket);
    if (!taken) return taken.error();
    if (!all_current(files)) return std::vector<Taken>{};
    if (!taken->empty()) {
      unnamed = holders_without_a_name(files, *taken, inherited);
      if (unnamed.empty()) return taken;
      for (const Taken& part : *taken)
        if (auto back = files[part.file].give_back(); !back) return back.error();
      pause = kSearchPause;
    }
    if (waiting.stop.stop_requested() || (waiting.interrupted && waiting.interrupted()))
      return Error{Errc::cancelled, "interrupted while waiting for a device"};
    if (Clock::now() >= deadline)
      return Error{Errc::timed_out, fmt::format("no device within {}: {}", seconds_text(request.wait),
                                                describe(unnamed.empty() ? obstacles_of(files) : unnamed))};
    if (!told && waiting.started) waiting.started(unnamed.empty() ? obstacles_of(files) : unnamed);
    if (!news) news = watch_files(files);
    const auto left = std::chrono::ceil<std::chrono::microseconds>(deadline - Clock::now());
    if (news->wait(std::min(pause, left)) && unnamed.empty())
      pause = kNewsPause;
    else
      pause = std::min<std::chrono::microseconds>(pause * 2, unnamed.empty() ? kLongestPause : kSearchPause);
  }
}

}  // namespace

std::string describe(const std::vector<Obstacle>& obstacles) {
  std::string text;
  for (const Obstacle& obstacle : obstacles) {
    text += fmt::format("{}{} ", text.empty() ? "" : "; ", printable(obstacle.key));
    if (obstacle.holders.empty()) text += "is free, but others asked for it earlier";
    for (std::size_t i = 0; i < obstacle.holders.size(); ++i) {
      const auto& record = obstacle.holders[i].record;
      text += i == 0 ? "is held by " : " and by ";
      text += record ? describe_holder(*record, seconds_since_1970()) : "a process that has not signed yet";
    }
  }
  return text;
}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    release();
    parts_ = std::move(other.parts_);
    record_ = std::move(other.record_);
    predecessor_ = std::move(other.predecessor_);
    parent_ = std::move(other.parent_);
    joined_ = other.joined_;
  }
  return *this;
}

std::vector<std::string> Lease::keys() const {
  std::vector<std::string> keys;
  for (const Part& part : parts_) keys.push_back(part.file.key());
  return keys;
}

std::vector<int> Lease::descriptors() const {
  std::vector<int> all;
  if (!joined_)
    for (const Part& part : parts_) all.push_back(part.file.descriptor());
  if (parent_) {
    const auto more = parent_->descriptors();
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

LeaseClaim Lease::claim() const {
  if (parts_.empty() || joined_) return {};
  return {parts_.front().file.key(), record_.nonce, parts_.front().file.folder_id()};
}

bool Lease::is_intact() const {
  return !joined_ || std::all_of(parts_.begin(), parts_.end(), [](const Part& part) {
    return find_claimed_slot(part.file, {part.file.key(), part.nonce, part.file.folder_id()}) >= 0;
  });
}

std::string Lease::environment() const {
  std::string text;
  for (const Part& part : parts_) {
    if (!text.empty()) text += ',';
    LeaseClaim claim{part.file.key(), part.nonce, part.file.folder_id()};
    const auto record = part.file.read_record(part.slot);
    if (record && record->nonce == part.nonce) claim.holder = record->process;
    text += to_text(claim);
  }
  if (parent_) text += ',' + parent_->environment();
  return text;
}

Result<std::vector<Holder>> Lease::other_holders() const {
  if (parts_.empty()) return std::vector<Holder>{};
  return parts_.front().file.holders();
}

Status Lease::promise(Bytes bytes) {
  if (joined_) return ok();
  record_.promised = bytes.count();
  for (Part& part : parts_) {
    if (auto written = part.file.write_record(part.slot, record_); !written) return written;
  }
  return ok();
}

void Lease::release() {
  if (!joined_ && record_.process.pid == ::getpid()) {
    record_.released = seconds_since_1970();
    record_.command.clear();
    record_.job.clear();
    for (Part& part : parts_) {
      (void)static_cast<bool>(part.file.write_record(part.slot, record_));
      (void)static_cast<bool>(part.file.give_back());  // not by closing: a forked child may have a copy open
    }
  }
  parts_.clear();
  parent_.reset();
}

/// Builds leases; the two ways to one.
class LeaseTaker {
 public:
  /// A lease that the caller's environment names; empty if it names none of these devices. Errors: invalid_argument.
  static Result<std::optional<Lease>> join(Files& files, const LeaseRequest& request, const Environment& environment) {
    Lease lease;
    lease.joined_ = true;
    for (LeaseClaim& claim : parse_lease_claims(environment("WEIR_LEASE").value_or(""))) {
      const auto file = std::find_if(files.begin(), files.end(), [&](const auto& f) {
        return f.key() == claim.key && f.folder_id() == claim.folder;
      });
      if (file == files.end() || lease.parts_.size() == request.count) continue;
      const int slot = find_claimed_slot(*file, claim);
      if (slot < 0) continue;
      lease.parts_.push_back({std::move(*file), slot, std::move(claim.nonce)});
      files.erase(file);
    }
    if (lease.parts_.empty()) return std::optional<Lease>{};
    if (lease.parts_.size() == request.count) return std::optional{std::move(lease)};
    return Error{Errc::invalid_argument, fmt::format("{} devices are asked for inside a lease of {}; take all at once",
                                                     request.count, lease.parts_.size())};
  }

  /// Signs what was taken. Errors: io.
  static Result<Lease> sign(Files& files, const std::vector<Taken>& taken, const LeaseRequest& request,
                            std::uint64_t ticket) {
    Lease lease;
    lease.record_ = describe_this_process(request.job);
    if (!request.program.empty()) lease.record_.command = request.program;
    for (const Taken& part : taken)
      lease.parts_.push_back({std::move(files[part.file]), part.slot, lease.record_.nonce});
    lease.predecessor_ = lease.parts_.front().file.read_record(lease.parts_.front().slot);
    for (Lease::Part& part : lease.parts_) {
      if (auto written = part.file.write_record(part.slot, lease.record_); !written) return written.error();
      if (auto left = part.file.leave_queue(ticket); !left) return left.error();
    }
    return lease;
  }
};

Result<Lease> acquire_lease(const std::filesystem::path& folder, const LeaseRequest& request,
                            const Environment& environment, const Waiting& waiting) {
  const Clock::time_point deadline = Clock::now() + request.wait;
  for (;;) {  // again only if somebody removes lease files meanwhile; the deadline bounds it
    auto files = open_files(folder, request);
    if (!files) return files.error();
    auto joined = LeaseTaker::join(*files, request, environment);
    if (!joined) return joined.error();
    if (*joined) return **std::move(joined);
    const auto ticket = join_queues(folder, *files);
    if (!ticket) return ticket.error();
    const QueuePlace place{*files, *ticket};
    const auto taken = wait_and_take(*files, request, *ticket, deadline, environment, waiting);
    if (!taken) return taken.error();
    if (!taken->empty()) return LeaseTaker::sign(*files, *taken, request, *ticket);
    if (Clock::now() >= deadline) return Error{Errc::timed_out, "the lease files are removed again and again"};
  }
}

}  // namespace weir::device
