#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace weir {

/// A queue between threads. take() waits for a value. The number of values is not limited: the owner of the values
/// limits it, for example with a second queue of free ones. Thread-safe.
template <class Value>
class BlockingQueue {
 public:
  /// Appends a value. After close() it is destroyed.
  void add(Value value) {
    {
      const std::lock_guard lock{mutex_};
      if (closed_) return;
      values_.push_back(std::move(value));
    }
    changed_.notify_one();
  }
  /// Removes and returns the first value; waits for one. Empty once the queue is closed and has no value left.
  std::optional<Value> take() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return closed_ || !values_.empty(); });
    if (values_.empty()) return std::nullopt;
    std::optional<Value> value{std::move(values_.front())};
    values_.pop_front();
    return value;
  }
  /// Says that no further value comes. Those in the queue can still be taken.
  void close() {
    {
      const std::lock_guard lock{mutex_};
      closed_ = true;
    }
    changed_.notify_all();
  }
  /// Closes the queue and destroys the values in it: the readers end at once.
  void cancel() {
    std::deque<Value> dropped;
    {
      const std::lock_guard lock{mutex_};
      closed_ = true;
      dropped.swap(values_);
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Value> values_;
  bool closed_ = false;
};

}  // namespace weir
