#include "cli/guard_arguments.hpp"

#include "observe/log.hpp"

namespace weir::cli {

bool requires_device(const GuardArguments& args) {
  return !args.device.empty() || !args.allow.empty() || args.need || args.min_memory;
}

tasks::DeviceRequest make_device_request(const GuardArguments& args) {
  return {.policy = {.allow = args.allow,
                     .deny = args.deny,
                     .request = args.device,
                     .prefer = args.prefer,
                     .min_memory = args.min_memory},
          .need = {.free = args.need.value_or(Bytes{}), .trust_unknown = args.trust_unknown},
          .mask = {.cuda_names = args.cuda_index ? device::CudaNames::index : device::CudaNames::uuid,
                   .torch_allocator = args.torch_allocator},
          .slots = args.slots,
          .max_wait = args.wait,
          .job = args.job,
          .end_orphans = args.end_orphans};
}

void warn_unanswered_drivers(const tasks::Machine& machine, bool quiet) {
  const std::string warning = device::describe_hung_probes(machine.inventory);
  if (!warning.empty()) observe::Log{quiet ? observe::Verbosity::quiet : observe::Verbosity::normal}.warning(warning);
}

}  // namespace weir::cli
