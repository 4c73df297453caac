#pragma once

#include "tasks/guarded_command.hpp"

namespace weir::tasks {

/// What is done, step by step, about memory that stays on a device which the command had alone: what it started and what
/// escaped its mark is ended; then the memory is read again; then whoever else came is named. What nobody holds is the
/// driver's: the device is not to be trusted, and the vendor's command is told. No device is ever reset.
/// Looks only where `end` leaks; changes its figures to what is left.
void respond_to_leak(const GuardedCommand& command, const LeasedDevice& leased, GuardedResult& result,
                     const CommandCallbacks& callbacks);

}  // namespace weir::tasks
