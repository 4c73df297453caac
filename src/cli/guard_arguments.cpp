#include "cli/guard_arguments.hpp"

#include "observe/log.hpp"

namespace weir::cli {

bool demands_device(const GuardArguments& args) {
  return !args.device.empty() || !args.allow.empty() || args.need || args.min_memory;
}

tasks::DeviceWish wish_of(const GuardArguments& args) {
  return {.policy = {.allow = args.allow,
                     .deny = args.deny,
                     .request = args.device,
                     .prefer = args.prefer,
                     .min_memory = args.min_memory},
          .need = {.free = args.need.value_or(Bytes{}), .trust_unknown = args.trust_unknown},
          .mask = {.cuda_names = args.cuda_index ? device::CudaNames::index : device::CudaNames::uuid,
                   .torch_allocator = args.torch_allocator},
          .slots = args.slots,
          .wait = args.wait,
          .job = args.job,
          .end_orphans = args.end_orphans};
}

void warn_of_silence(const tasks::Machine& machine, bool quiet) {
  const std::string silent = device::unanswered(machine.inventory);
  if (!silent.empty()) observe::Log{quiet ? observe::Verbosity::quiet : observe::Verbosity::normal}.warning(silent);
}

}  // namespace weir::cli
