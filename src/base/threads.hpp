#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace weir {

/// Returns the error "cannot start a thread: the limit on processes (ulimit -u) is reached".
Error thread_start_error();
/// Returns the error "cannot start a process: ..." for a failed fork() or similar call. `error_number` is errno after
/// the call; if the limit on processes is the reason, the message names that limit.
Error process_start_error(int error_number);

/// Runs `work` on a new thread. Errors: thread_start_error(); `work` was then not called.
template <class Thread = std::jthread, class Work>
Result<Thread> start_thread(Work&& work) {
  try {
    return Thread{std::forward<Work>(work)};
  } catch (const std::system_error&) {
    return thread_start_error();
  }
}

/// Calls `work` once on each of `count` new threads. Starts fewer threads if the system refuses more, and counts the
/// missing ones with add_missing_threads(). The returned threads join when they are destroyed.
std::vector<std::jthread> start_helpers(int count, const std::function<void()>& work);

/// Adds `count` to the number of threads that could not be started, for missing_threads_message(). Thread-safe.
void add_missing_threads(int count);
/// Returns "N of the requested threads could not be started: the limit on processes (ulimit -u) is reached; the work
/// goes on with fewer" and resets the count; empty if no thread was missing since the last call. Thread-safe.
std::string missing_threads_message();

/// Returns the error for an exception that means that the system refused a thread or memory; empty for any other
/// exception.
std::optional<Error> resource_error_of(const std::exception& problem);
/// Calls `work` and returns its status. If `work` throws an exception that means that a thread or memory is missing,
/// returns the error of resource_error_of(); rethrows other exceptions. For the outermost function of a thread, where
/// such an exception from a library would end the process.
template <class Work>
Status catch_resource_errors(Work&& work) {
  try {
    return work();
  } catch (const std::exception& problem) {
    if (auto refusal = resource_error_of(problem)) return *std::move(refusal);
    throw;
  }
}

}  // namespace weir
