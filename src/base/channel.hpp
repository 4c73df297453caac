#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/atomic_file.hpp"
#include "base/result.hpp"

namespace weir {

/// The two ends of a stream between processes; neither outlives exec unless it is passed on.
struct Channel {
  FileDescriptor parent_end, child_end;
};
/// Errors: io.
Result<Channel> make_channel();

/// What is read there is nothing for the programs that this process starts.
void set_close_on_exec(int fd);

/// All of it without waiting; false if the other end does not read, and then nothing that was sent can be relied on.
/// Errors: io when it is gone.
Result<bool> try_send(int channel, std::string_view bytes);
/// Waits until the other end has room. Errors: io when it is gone.
Status send_all(int channel, std::string_view bytes);
/// What has arrived, without waiting: its length, 0 if nothing has. Empty once the other end is closed and all is read.
std::optional<std::size_t> try_receive(int channel, std::span<char> bytes);

/// Waits until one of the files has something to read or is closed, or `most` has passed, or a signal came. False in the last
/// two cases.
bool wait_readable(std::span<const int> fds, std::chrono::milliseconds timeout);

}  // namespace weir
