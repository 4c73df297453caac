#include "tasks/command_needs.hpp"

#include <chrono>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/file_facts.hpp"
#include "base/file_locks.hpp"
#include "base/text.hpp"
#include "jobs/admission.hpp"

namespace weir::tasks {
namespace {

constexpr int kMaxLockAttempts = 100;
constexpr auto kLockRetryInterval = std::chrono::milliseconds{10};
// Characters of the arguments in a key, for people who read the file; the hash after them distinguishes commands.
constexpr std::size_t kShownCharacters = 80;

/// Locks FILE.lock; the lock is held until the descriptor is closed. Errors: io; timed_out.
Result<FileDescriptor> lock_beside(const std::filesystem::path& file) {
  std::error_code ignored;
  std::filesystem::create_directories(file.parent_path(), ignored);
  std::filesystem::path lock_path = file;
  lock_path += ".lock";
  auto opened = open_lock_file(lock_path);
  if (!opened) return opened.error();
  FileDescriptor lock = *std::move(opened);
  for (int tries = 0; tries < kMaxLockAttempts; ++tries) {
    const auto taken = try_lock(lock.get(), kWholeFile, LockKind::write);
    if (!taken) return taken.error();
    if (*taken) return lock;
    std::this_thread::sleep_for(kLockRetryInterval);
  }
  return Error{Errc::timed_out, fmt::format("{}: is held by another process", printable(lock_path.native()))};
}

}  // namespace

CommandNeeds::Key CommandNeeds::make_key(const std::vector<std::string>& arguments, const std::string& variant,
                                         const device::Device& device) {
  std::error_code ignored;
  std::string hashed_text = std::filesystem::current_path(ignored).native();
  for (const std::string& argument : arguments) hashed_text.append(1, '\0').append(argument);
  return {variant,
          fmt::format("{:.{}} {}", fmt::to_string(fmt::join(arguments, " ")), kShownCharacters, hash_text(hashed_text)),
          fmt::format("{} {}", lease_key(device), device.driver)};
}

std::optional<Bytes> CommandNeeds::stored_need(const Key& key) const {
  const Bytes need = jobs::LearnedNeeds{file_}.need(key.variant, key.command, key.device, Bytes{});
  return need > Bytes{} ? std::optional{need} : std::nullopt;
}

Status CommandNeeds::store_need(const Key& key, Bytes need) const {
  if (file_.empty()) return ok();
  const auto lock = lock_beside(file_);
  if (!lock) return lock.error();
  return jobs::LearnedNeeds{file_}.store_measured(key.variant, key.command, key.device, need);
}

}  // namespace weir::tasks
