#include "device/lease_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.hpp"
#include "device/byte_locks.hpp"
#include "device/lease_folder.hpp"

namespace weir::device {
namespace {

namespace fs = std::filesystem;

constexpr ByteRange kWhole{0, 1};
constexpr std::uint64_t kTicketBase = std::uint64_t{1} << 40;
constexpr std::uint64_t kMostTickets = std::uint64_t{1} << 60;
constexpr std::string_view kPrefix = "gpu-";
constexpr std::string_view kEnding = ".lease";

ByteRange slot_byte(int slot) { return {static_cast<std::uint64_t>(slot), 1}; }
ByteRange ticket_byte(std::uint64_t ticket) { return {kTicketBase + ticket, 1}; }

}  // namespace

Result<LeaseFile> LeaseFile::open(const fs::path& folder, const std::string& key) {
  if (key.empty() || key.front() == '.' || key.find('/') != std::string::npos)
    return Error{Errc::invalid_argument, fmt::format("'{}' cannot name a lease", printable(key))};
  const fs::path path = folder / fmt::format("{}{}{}", kPrefix, key, kEnding);
  auto file = UnsharedFile::open(path);
  if (!file) return file.error();
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0)
    return Error{Errc::io, fmt::format("{}: {}", printable(folder.native()), errno_text(errno))};
  return LeaseFile{*std::move(file), path, key, fmt::format("{:x}.{:x}", status.st_dev, status.st_ino)};
}

bool LeaseFile::is_current() const { return still_named(file_.get(), path_); }

Result<bool> LeaseFile::enqueue(std::uint64_t ticket) {
  return try_lock(file_.get(), ticket_byte(ticket), LockKind::write);
}

Result<bool> LeaseFile::is_first(std::uint64_t ticket) const {
  if (ticket == 0) return true;
  const auto earlier = find_lock(file_.get(), {kTicketBase, ticket}, LockKind::write);
  if (!earlier) return earlier.error();
  return !earlier->has_value();
}

Status LeaseFile::leave_queue(std::uint64_t ticket) { return unlock(file_.get(), ticket_byte(ticket)); }

Result<std::optional<int>> LeaseFile::take(int slots) {
  using Taken = std::optional<int>;
  const auto whole = try_lock(file_.get(), kWhole, slots == 0 ? LockKind::write : LockKind::read);
  if (!whole) return whole.error();
  if (!*whole) return Taken{};
  if (slots == 0) return Taken{0};
  for (int slot = 1; slot <= std::min(slots, kMostSlots); ++slot) {
    const auto own = try_lock(file_.get(), slot_byte(slot), LockKind::write);
    if (!own) return own.error();
    if (*own) return Taken{slot};
  }
  if (auto back = unlock(file_.get(), kWhole); !back) return back.error();
  return Taken{};
}

Status LeaseFile::give_back() { return unlock(file_.get(), {0, kMostSlots + 1}); }

Status LeaseFile::write_record(int slot, const OwnerRecord& record) {
  const std::string page = to_page(record);
  const auto at = static_cast<off_t>(static_cast<std::size_t>(slot) * kRecordSize);
  if (::pwrite(file_.get(), page.data(), page.size(), at) == static_cast<ssize_t>(page.size())) return ok();
  return Error{Errc::io, fmt::format("{}: write the owner: {}", printable(path_.native()), errno_text(errno))};
}

std::optional<OwnerRecord> LeaseFile::read_record(int slot) const {
  std::array<char, kRecordSize> page{};
  const auto at = static_cast<off_t>(static_cast<std::size_t>(slot) * kRecordSize);
  const ssize_t got = ::pread(file_.get(), page.data(), page.size(), at);
  if (got <= 0) return std::nullopt;
  return parse_page({page.data(), static_cast<std::size_t>(got)});
}

Result<bool> LeaseFile::is_held(int slot) const {
  // A sharer's read lock on byte 0 does not stand in the way of reading: what is found is an exclusive holder.
  const auto lock = find_lock(file_.get(), slot_byte(slot), slot == 0 ? LockKind::read : LockKind::write);
  if (!lock) return lock.error();
  return lock->has_value();
}

Result<std::vector<Holder>> LeaseFile::holders() const {
  std::vector<Holder> found;
  for (int slot = 0; slot <= kMostSlots; ++slot) {
    const auto lock =
        slot == 0 ? find_lock(file_.get(), kWhole, LockKind::read)
                  : find_lock(file_.get(), {static_cast<std::uint64_t>(slot), kMostSlots + 1U - slot}, LockKind::write);
    if (!lock) return lock.error();
    if (!lock->has_value()) {
      if (slot == 0) continue;
      break;  // no lock on this slot or any later one
    }
    slot = static_cast<int>(**lock);
    found.push_back({slot, read_record(slot)});
  }
  return found;
}

Result<int> LeaseFile::waiting() const {
  constexpr int kMost = 1000;
  int count = 0;
  for (std::uint64_t from = kTicketBase; count < kMost; ++count) {
    const auto lock = find_lock(file_.get(), {from, kTicketBase + kMostTickets - from}, LockKind::write);
    if (!lock) return lock.error();
    if (!lock->has_value()) break;
    from = **lock + 1;
  }
  return count;
}

Result<std::vector<std::string>> lease_keys(const fs::path& folder) {
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
  auto file = UnsharedFile::open(folder / "tickets");
  if (!file) return file.error();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  for (;;) {
    const auto locked = try_lock(file->get(), kWhole, LockKind::write);
    if (!locked) return locked.error();
    if (*locked) return TicketCounter{*std::move(file)};
    if (std::chrono::steady_clock::now() > deadline)
      return Error{Errc::timed_out, fmt::format("{}: somebody keeps the counter of the queue locked",
                                                printable((folder / "tickets").native()))};
    std::this_thread::sleep_for(std::chrono::microseconds{200});
  }
}

Result<std::uint64_t> TicketCounter::next() {
  std::array<char, 24> text{};
  const ssize_t got = ::pread(file_.get(), text.data(), text.size(), 0);
  std::uint64_t last = 0;
  if (got > 0) std::from_chars(text.data(), text.data() + got, last);
  if (last >= kMostTickets - 2) last = 0;  // not in a lifetime, but any user may write here
  const std::string next = fmt::format("{:<20}\n", last + 1);
  if (::pwrite(file_.get(), next.data(), next.size(), 0) != static_cast<ssize_t>(next.size()))
    return Error{Errc::io, fmt::format("write the counter of the queue: {}", errno_text(errno))};
  return last + 1;
}

}  // namespace weir::device
