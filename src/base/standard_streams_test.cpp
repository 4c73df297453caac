#include "base/standard_streams.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <future>
#include <thread>

#include "base/atomic_file.hpp"

namespace weir {
namespace {

/// A pipe that is the standard input of this process while the object lives.
class PipedInput {
 public:
  PipedInput() : saved_{::dup(STDIN_FILENO)} {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe(ends), 0);
    write_end = FileDescriptor{ends[1]};
    ::dup2(ends[0], STDIN_FILENO);
    ::close(ends[0]);
  }
  PipedInput(const PipedInput&) = delete;
  PipedInput& operator=(const PipedInput&) = delete;
  ~PipedInput() {
    ::dup2(saved_, STDIN_FILENO);
    ::close(saved_);
  }

  FileDescriptor write_end;

 private:
  int saved_;
};

TEST(StandardInput, AStopEndsAReadThatASignalHasInterrupted) {
  PipedInput input;
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;  // read(2) is then started again, poll(2) never is
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  std::stop_source stop;
  std::packaged_task<Result<std::vector<std::byte>>()> task{
      [&] { return read_standard_input(1_MiB, stop.get_token()); }};
  auto result = task.get_future();
  std::thread reader{std::move(task)};
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
    ::pthread_kill(reader.native_handle(), SIGUSR1);
  }
  stop.request_stop();
  EXPECT_EQ(result.wait_for(std::chrono::seconds{5}), std::future_status::ready);
  input.write_end = FileDescriptor{};  // ends a read that hangs
  reader.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  const auto read = result.get();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::cancelled);
}

}  // namespace
}  // namespace weir
