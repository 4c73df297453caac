#pragma once

#include "tasks/guarded_command.hpp"

namespace weir::tasks {

/// Handles memory that stays in use on the device after a command that had an exclusive lease. Does nothing if
/// `result.leaks` is false. Otherwise:
/// 1. Unless an outer command holds the lease (is_joined()), reports processes that still run under the same lease.
/// 2. Takes a new inventory of the devices. If the device is gone, continues with step 4.
/// 3. Stops here if at most `command.max_leak` more memory is in use than before the command, or if the driver does not
///    list all processes on the device. Otherwise reports processes that use more memory than before the command, and
///    stops if the rest of the increase, without the memory of these processes, is at most `command.max_leak`.
/// 4. Sets `result.device_untrusted`, and reports the vendor's command to reset the device. weir never resets a device.
/// Updates `leaks`, `device_after`, `leak_resolution` and `reset_command` of `result`. Reports through
/// `callbacks.on_note`.
void respond_to_leak(const GuardedCommand& command, const LeasedDevice& leased, GuardedResult& result,
                     const CommandCallbacks& callbacks);

}  // namespace weir::tasks
