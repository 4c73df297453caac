#include "base/this_process.hpp"
#include "cli/command.hpp"
#include "jobs/worker.hpp"
#include "tasks/upscale_kind.hpp"

namespace weir::cli {

Ending run_worker(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (args.channel < 0 || args.device.empty())
    return {Exit::wrong_usage, "'weir worker' is started by weir itself; see 'weir help upscale' and 'weir help run'"};
  name_process("weir-worker");
  return {static_cast<Exit>(jobs::run_worker(args.channel, args.device, invocation.kinds(), tasks::prove_device)), {}};
}

}  // namespace weir::cli
