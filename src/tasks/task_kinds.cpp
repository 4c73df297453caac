#include "tasks/task_kinds.hpp"

#include "tasks/command_kind.hpp"
#include "tasks/upscale_kind.hpp"

namespace weir::tasks {

jobs::TaskKinds task_kinds() {
  const auto make_command = [](const jobs::Json& settings, const jobs::Means&) {
    return make_command_task(command_request_of(settings));
  };
  return {{kUpscale, upscale_task_of}, {kCommand, make_command}};
}

}  // namespace weir::tasks
