#include "tasks/task_kinds.hpp"

#include "tasks/command_kind.hpp"
#include "tasks/upscale_kind.hpp"

namespace weir::tasks {

jobs::TaskFactories task_kinds() {
  const auto make_command = [](const jobs::Json& settings, const jobs::WorkerResources&) {
    return make_command_task(parse_command_request(settings));
  };
  return {{kUpscaleKind, make_upscale_task_from_json}, {kCommandKind, make_command}};
}

}  // namespace weir::tasks
