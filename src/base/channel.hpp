#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/atomic_file.hpp"
#include "base/result.hpp"

namespace weir {

/// The two connected ends of a byte stream in both directions (socket pair) between two processes. Both are closed on
/// exec, so a child gets one only if ChildOptions::inherited_descriptors lists it. In the functions below, `channel` is
/// the file descriptor of one end.
struct Channel {
  FileDescriptor parent_end, child_end;
};
/// Creates a connected pair. Errors: io.
Result<Channel> make_channel();

/// Marks a descriptor as close-on-exec, so that programs started by this process do not inherit it.
void set_close_on_exec(int fd);

/// Sends `bytes` without waiting. Returns true if all of them were sent. Returns false if only a part fitted into the
/// buffer; the stream is then no longer usable. Errors: io when no byte could be sent, because the other end is closed
/// or the buffer is full.
Result<bool> try_send(int channel, std::string_view bytes);
/// Sends all of `bytes`, waiting until the other end has read enough. Errors: io when the other end is closed.
Status send_all(int channel, std::string_view bytes);
/// Reads at most `bytes.size()` of the bytes that have arrived, without waiting. Returns the number of bytes read; 0 if
/// none have arrived. Returns an empty optional once the other end is closed and everything is read, or after an error.
std::optional<std::size_t> try_receive(int channel, std::span<char> bytes);

/// Waits until one of the file descriptors is readable or its other end is closed, and returns true. Returns false if
/// `timeout` passed or a signal arrived first.
bool wait_readable(std::span<const int> fds, std::chrono::milliseconds timeout);

}  // namespace weir
