// `weir worker`: the worker process that a coordinator starts.

#include "base/this_process.hpp"
#include "cli/command.hpp"
#include "jobs/worker.hpp"
#include "tasks/upscale_kind.hpp"

namespace weir::cli {

ExitResult run_worker(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (args.channel_fd < 0 || args.worker_device.empty())
    return {ExitStatus::wrong_usage,
            "'weir worker' is started by weir itself; see 'weir help upscale' and 'weir help run'"};
  set_process_name("weir-worker");
  return {static_cast<ExitStatus>(
              jobs::run_worker(args.channel_fd, args.worker_device, invocation.task_factories(), tasks::bind_device)),
          {}};
}

}  // namespace weir::cli
