#include "base/threads.hpp"

#include <atomic>
#include <cerrno>
#include <new>

#include <fmt/format.h>

#include "base/atomic_file.hpp"

namespace weir {
namespace {

std::atomic<int> missing_thread_count{0};  // since the last missing_threads_message()

}  // namespace

Error thread_start_error() {
  return {Errc::io, "cannot start a thread: the limit on processes (ulimit -u) is reached"};
}

/// EAGAIN means that the limit of the user or of the control group is reached: fork(2).
Error process_start_error(int error_number) {
  if (error_number == EAGAIN)
    return {Errc::io, "cannot start a process: the limit on processes (ulimit -u) is reached"};
  return {Errc::io, "cannot start a process: " + errno_text(error_number)};
}

std::vector<std::jthread> start_helpers(int count, const std::function<void()>& work) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) {
    auto helper = start_thread(work);
    if (!helper) {
      add_missing_threads(count - i);
      break;
    }
    threads.push_back(*std::move(helper));
  }
  return threads;
}

void add_missing_threads(int count) { missing_thread_count += count; }

std::string missing_threads_message() {
  const int count = missing_thread_count.exchange(0);
  if (count == 0) return {};
  return fmt::format(
      "{} of the requested threads could not be started: the limit on processes (ulimit -u) is reached; the work goes "
      "on with fewer",
      count);
}

std::optional<Error> resource_error_of(const std::exception& problem) {
  if (const auto* refused = dynamic_cast<const std::system_error*>(&problem);
      refused != nullptr && refused->code() == std::errc::resource_unavailable_try_again)
    return thread_start_error();
  if (dynamic_cast<const std::bad_alloc*>(&problem) != nullptr)
    return Error{Errc::over_budget, "the system refuses more memory (because of ulimit -v, or all of it is in use)"};
  return std::nullopt;
}

}  // namespace weir
