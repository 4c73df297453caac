#pragma once

#include "cli/command.hpp"
#include "tasks/film/film_plan.hpp"

namespace weir::parts {

/// Makes the preview of --preview in this process, on the first device.
cli::ExitResult run_film_preview(const cli::Invocation& invocation, film::FilmRequest request);

}  // namespace weir::parts
