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
  FileDescriptor ours, theirs;
};
/// Errors: io.
Result<Channel> make_channel();

/// What is read there is nothing for the programs that this process starts.
void keep_from_children(int file);

/// All of it without waiting; false if the other end does not read, and then nothing that was sent can be relied on.
/// Errors: io when it is gone.
Result<bool> send_now(int channel, std::string_view bytes);
/// Waits until the other end has room. Errors: io when it is gone.
Status send_all(int channel, std::string_view bytes);
/// What has arrived, without waiting: its length, 0 if nothing has. Empty once the other end is closed and all is read.
std::optional<std::size_t> receive_now(int channel, std::span<char> bytes);

/// Waits until one of the files has something to read or is closed, or `most` has passed, or a signal came. False in the last
/// two cases.
bool wait_readable(std::span<const int> files, std::chrono::milliseconds most);

}  // namespace weir
