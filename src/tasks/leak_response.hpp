#pragma once

#include "tasks/guarded_command.hpp"

namespace weir::tasks {

/// Handles memory that stays in use on the device after a command that had an exclusive lease. Does nothing if
/// `result.leaks` is false. Otherwise:
/// 1. Unless an outer command holds the lease (is_joined()), reports processes that still run under the same lease.
/// 2. Takes a new inventory of the devices. If the device is gone, continues with step 4.
/// 3. Calls explain_leak() for the device in the new inventory, which may end here.
/// 4. Sets `result.device_untrusted`, and reports the vendor's command to reset the device. weir never resets a device.
/// Updates `leaks`, `device_after`, `leak_resolution` and `reset_command` of `result`. Reports through
/// `callbacks.on_note`.
void respond_to_leak(const GuardedCommand& command, const LeasedDevice& leased, GuardedResult& result,
                     const CommandCallbacks& callbacks);

/// Step 3 of respond_to_leak(). `now`: the device as it is after the command. Ends if at most `command.max_leak` more
/// memory is in use than before the command. Otherwise reports the listed processes that use more memory than before
/// the command. Ends if the rest of the increase, without the memory of these processes, is at most `command.max_leak`,
/// or if processes that are not listed may hold it (Device::has_all_processes). Otherwise continues with step 4.
void explain_leak(const GuardedCommand& command, const device::Device& now, GuardedResult& result,
                  const CommandCallbacks& callbacks);

}  // namespace weir::tasks
