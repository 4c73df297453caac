#include "device/lease_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_locks.hpp"
#include "base/text.hpp"
#include "device/lease_folder.hpp"

namespace weir::device {
namespace {

namespace fs = std::filesystem;

// The bytes that are locked; the comment of LeaseFile lists their meanings.
constexpr ByteRange kWhole{0, 1};                              // byte 0: for the use of the whole device or counter
constexpr std::uint64_t kCountBase = 128;                      // plus n: the byte for n allowed holders
constexpr std::uint64_t kTicketBase = std::uint64_t{1} << 40;  // plus n: the byte for ticket n
constexpr std::uint64_t kMaxTickets = std::uint64_t{1} << 60;  // kTicketBase + kMaxTickets is a valid file offset
constexpr std::string_view kPrefix = "gpu-";
constexpr std::string_view kEnding = ".lease";

fs::path path_of(const fs::path& folder, const std::string& key) {
  return folder / fmt::format("{}{}{}", kPrefix, key, kEnding);
}

ByteRange slot_byte(int slot) { return {static_cast<std::uint64_t>(slot), 1}; }
ByteRange ticket_byte(std::uint64_t ticket) { return {kTicketBase + ticket, 1}; }

std::optional<OwnerRecord> record_in(int file, int slot) {
  std::array<char, kRecordBytes> page{};
  const auto at = static_cast<off_t>(static_cast<std::size_t>(slot) * kRecordBytes);
  const ssize_t got = ::pread(file, page.data(), page.size(), at);
  if (got <= 0) return std::nullopt;
  return parse_page({page.data(), static_cast<std::size_t>(got)});
}

/// Returns true if another open file than this one holds the slot.
Result<bool> is_slot_held(int file, int slot) {
  // A read lock on byte 0 does not conflict with the read lock of a sharing holder, so a conflict is an exclusive
  // holder.
  const auto lock = find_conflicting_lock(file, slot_byte(slot), slot == 0 ? LockKind::read : LockKind::write);
  if (!lock) return lock.error();
  return lock->has_value();
}

/// Returns the holders of the lease file with the descriptor `file`, except those that use this open file itself.
Result<std::vector<Holder>> holders_in(int file) {
  std::vector<Holder> found;
  for (int slot = 0; slot <= kMaxSlots; ++slot) {
    const auto held = is_slot_held(file, slot);
    if (!held) return held.error();
    if (*held) found.push_back({slot, record_in(file, slot)});
  }
  return found;
}

/// Returns the descriptors of all processes, as /proc/PID/fd/N, that refer to `target`.
std::vector<fs::path> links_to(const std::string& target) {
  std::vector<fs::path> found;
  std::error_code problem;
  for (fs::directory_iterator process{"/proc", problem}, end; !problem && process != end; process.increment(problem)) {
    if (process->path().filename().native().find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code hidden;  // set for a process of another user, or one that has ended
    for (fs::directory_iterator at{process->path() / "fd", hidden}, last; !hidden && at != last; at.increment(hidden)) {
      std::error_code closed;
      if (fs::read_symlink(at->path(), closed) == target) found.push_back(at->path());
    }
  }
  return found;
}

}  // namespace

Result<std::optional<LeaseFile>> LeaseFile::open_as(const fs::path& folder, const std::string& key, LockFileUse use) {
  if (key.empty() || key.front() == '.' || key.find('/') != std::string::npos)
    return Error{Errc::invalid_argument, fmt::format("'{}' cannot name a lease", printable(key))};
  const fs::path path = path_of(folder, key);
  std::error_code ignored;
  if (use == LockFileUse::read && !fs::exists(path, ignored)) return std::optional<LeaseFile>{};
  auto file = ForkSafeFile::open(path, use);
  if (!file) return file.error();
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0)
    return Error{Errc::io, fmt::format("{}: {}", printable(folder.native()), errno_text(errno))};
  return std::optional{LeaseFile{*std::move(file), path, key, fmt::format("{:x}.{:x}", status.st_dev, status.st_ino)}};
}

Result<LeaseFile> LeaseFile::open(const fs::path& folder, const std::string& key) {
  auto file = open_as(folder, key, LockFileUse::lock);
  if (!file) return file.error();
  return **std::move(file);
}

Result<std::optional<LeaseFile>> LeaseFile::open_read_only(const fs::path& folder, const std::string& key) {
  return open_as(folder, key, LockFileUse::read);
}

bool LeaseFile::is_current() const { return is_path_of_file(file_.get(), path_); }

Result<bool> LeaseFile::enqueue(std::uint64_t ticket) {
  return try_lock(file_.get(), ticket_byte(ticket), LockKind::write);
}

Result<bool> LeaseFile::is_first(std::uint64_t ticket) const {
  if (ticket == 0) return true;
  // The range has `ticket` bytes: those of the tickets 0 to ticket - 1.
  const auto earlier = find_conflicting_lock(file_.get(), {kTicketBase, ticket}, LockKind::write);
  if (!earlier) return earlier.error();
  return !earlier->has_value();
}

Status LeaseFile::leave_queue(std::uint64_t ticket) { return unlock(file_.get(), ticket_byte(ticket)); }

Result<std::optional<int>> LeaseFile::try_acquire(int slots) {
  using AcquiredSlot = std::optional<int>;
  const auto whole = try_lock(file_.get(), kWhole, slots == 0 ? LockKind::write : LockKind::read);
  if (!whole) return whole.error();
  if (!*whole) return AcquiredSlot{};
  if (slots == 0) return AcquiredSlot{0};
  const auto agreed = agree_on_slots(slots);
  if (!agreed) return agreed.error();
  for (int slot = 1; *agreed && slot <= slots; ++slot) {
    const auto own = try_lock(file_.get(), slot_byte(slot), LockKind::write);
    if (!own) return own.error();
    if (*own) return AcquiredSlot{slot};
  }
  if (auto back = release(); !back) return back.error();
  return AcquiredSlot{};
}

Result<bool> LeaseFile::agree_on_slots(int slots) {
  const std::uint64_t own_count_byte = kCountBase + static_cast<std::uint64_t>(slots);
  const ByteRange smaller_counts{kCountBase, own_count_byte - kCountBase};
  const ByteRange larger_counts{own_count_byte + 1, kCountBase + kMaxSlots - own_count_byte};
  for (const ByteRange other : {smaller_counts, larger_counts}) {
    if (other.count == 0) continue;  // an empty range: to fcntl(2), 0 means all bytes from `first` on
    const auto lock = find_conflicting_lock(file_.get(), other, LockKind::write);
    if (!lock) return lock.error();
    if (lock->has_value()) return false;
  }
  return try_lock(file_.get(), {own_count_byte, 1}, LockKind::read);
}

/// Unlocks the bytes of the device, its slots and its counts; the bytes of tickets stay locked.
Status LeaseFile::release() { return unlock(file_.get(), {0, kCountBase + kMaxSlots + 1}); }

Status LeaseFile::write_record(int slot, const OwnerRecord& record) {
  const std::string page = to_page(record);
  const auto at = static_cast<off_t>(static_cast<std::size_t>(slot) * kRecordBytes);
  if (::pwrite(file_.get(), page.data(), page.size(), at) == static_cast<ssize_t>(page.size())) return ok();
  return Error{Errc::io, fmt::format("{}: write the owner: {}", printable(path_.native()), errno_text(errno))};
}

std::optional<OwnerRecord> LeaseFile::read_record(int slot) const { return record_in(file_.get(), slot); }

std::optional<OwnerRecord> LeaseFile::read_last_record() const {
  struct stat status {};
  const auto pages = ::fstat(file_.get(), &status) == 0 ? static_cast<std::size_t>(status.st_size) / kRecordBytes : 0;
  std::optional<OwnerRecord> last;
  for (int slot = 0; slot <= kMaxSlots && static_cast<std::size_t>(slot) < pages; ++slot) {
    auto record = read_record(slot);
    if (record && (!last || record->acquired_at >= last->acquired_at)) last = std::move(record);
  }
  return last;
}

Result<bool> LeaseFile::is_held(int slot) const { return is_slot_held(file_.get(), slot); }

Result<std::vector<Holder>> LeaseFile::holders() const { return holders_in(file_.get()); }

bool LeaseFile::has_record() const {
  struct stat status {};
  return ::fstat(file_.get(), &status) == 0 && status.st_size > 0;
}

std::vector<Holder> LeaseFile::holders_of_removed_files(const fs::path& folder, const std::string& key) {
  std::error_code problem;
  const fs::path name = path_of(fs::canonical(folder, problem), key);
  std::vector<Holder> found;
  for (const fs::path& link : links_to(name.native() + " (deleted)")) {
    const FileDescriptor file{::open(link.c_str(), O_RDWR | O_CLOEXEC)};
    const auto holders = file ? holders_in(file.get()) : Result<std::vector<Holder>>{std::vector<Holder>{}};
    if (!holders) continue;
    for (const Holder& holder : *holders) {
      const bool known = std::any_of(found.begin(), found.end(), [&](const Holder& other) {
        return other.record && holder.record && other.record->nonce == holder.record->nonce;
      });
      if (!known) found.push_back(holder);
    }
  }
  return found;
}

Result<std::vector<Holder>> holders_of(const std::optional<LeaseFile>& file, const fs::path& folder,
                                       const std::string& key) {
  auto holders = file ? file->holders() : Result<std::vector<Holder>>{std::vector<Holder>{}};
  if (!holders || !holders->empty() || (file && file->has_record())) return holders;
  return LeaseFile::holders_of_removed_files(folder, key);
}

Result<int> LeaseFile::count_waiting() const {
  constexpr int kMaxCount = 1000;
  int count = 0;
  // A lock that is found need not be the first of its range, so both parts beside it are searched too.
  std::vector<ByteRange> unsearched{{kTicketBase, kMaxTickets}};
  while (!unsearched.empty() && count < kMaxCount) {
    const ByteRange range = unsearched.back();
    unsearched.pop_back();
    if (range.count == 0) continue;
    const auto lock = find_conflicting_lock(file_.get(), range, LockKind::write);
    if (!lock) return lock.error();
    if (!lock->has_value()) continue;
    ++count;
    const std::uint64_t before = **lock - range.first;
    unsearched.push_back({range.first, before});
    unsearched.push_back({**lock + 1, range.count - before - 1});
  }
  return count;
}

Result<std::vector<std::string>> list_lease_keys(const fs::path& folder) {
  std::vector<std::string> keys;
  std::error_code problem;
  for (fs::directory_iterator at{folder, problem}, end; !problem && at != end; at.increment(problem)) {
    const std::string name = at->path().filename().native();
    if (name.size() > kPrefix.size() + kEnding.size() && name.starts_with(kPrefix) && name.ends_with(kEnding))
      keys.push_back(name.substr(kPrefix.size(), name.size() - kPrefix.size() - kEnding.size()));
  }
  if (problem) return Error{Errc::io, fmt::format("{}: {}", printable(folder.native()), problem.message())};
  std::sort(keys.begin(), keys.end());
  return keys;
}

Result<TicketCounter> TicketCounter::lock(const fs::path& folder) {
  const std::string name = printable((folder / "tickets").native());
  auto file = ForkSafeFile::open(folder / "tickets");
  if (!file) return file.error();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  for (;;) {
    const auto locked = try_lock(file->get(), kWhole, LockKind::write);
    if (!locked) return locked.error();
    if (*locked) return TicketCounter{*std::move(file), name};
    if (std::chrono::steady_clock::now() > deadline)
      return Error{Errc::timed_out, fmt::format("{}: another process keeps the ticket counter locked", name)};
    std::this_thread::sleep_for(std::chrono::microseconds{200});
  }
}

Result<std::uint64_t> TicketCounter::next_ticket() {
  std::array<char, 24> text{};
  const ssize_t got = ::pread(file_.get(), text.data(), text.size(), 0);
  std::uint64_t last = 0;
  if (got > 0) std::from_chars(text.data(), text.data() + got, last);
  // The next ticket must be below kMaxTickets. Counting does not get there, but any user may write to the file.
  if (last >= kMaxTickets - 2) last = 0;
  // Always 21 characters, so that the text replaces the old one completely. (2^64 has 20 digits.)
  const std::string next = fmt::format("{:<20}\n", last + 1);
  if (::pwrite(file_.get(), next.data(), next.size(), 0) != static_cast<ssize_t>(next.size()))
    return Error{Errc::io, fmt::format("{}: write the counter of the queue: {}", name_, errno_text(errno))};
  return last + 1;
}

}  // namespace weir::device
