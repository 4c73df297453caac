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

/// "cannot start a thread: the limit on processes (ulimit -u) is reached".
Error thread_start_error();
/// Of fork() and the like: "cannot start a process: ..."; it names the limit where that is the reason.
Error process_start_error(int error_number);

/// Runs `work` on a thread of its own. Errors: thread_refused(), and `work` was not called.
template <class Thread = std::jthread, class Work>
Result<Thread> start_thread(Work&& work) {
  try {
    return Thread{std::forward<Work>(work)};
  } catch (const std::system_error&) {
    return thread_start_error();
  }
}

/// Runs `work` on up to `count` further threads, on fewer where the system refuses them. Joined when destroyed.
std::vector<std::jthread> start_helpers(int count, const std::function<void()>& work);

/// Counts threads that are done without, for missing_threads().
void add_missing_threads(int count);
/// "N of the threads that were wanted could not be started: the limit on processes (ulimit -u) is reached; the work goes
/// on with fewer", once; empty if there is nothing to say since the last call. Thread-safe.
std::string missing_threads_message();

/// The error behind an exception that is no fault of weir's: a thread or memory that the system refused.
std::optional<Error> resource_error_of(const std::exception& problem);
/// What `work` returns, or the refusal that it threw: for the outermost function of a thread, from which libraries below
/// would end the process.
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
