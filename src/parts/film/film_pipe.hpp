#pragma once

#include "cli/command.hpp"
#include "tasks/film/film_plan.hpp"

namespace weir::parts {

/// Returns whether the film is read from standard input or written to standard output.
bool uses_pipe(const cli::Arguments& args);

/// Enlarges one film from or to a pipe, in this process and on the first device, in one pass: without index, segments
/// and checkpoints.
cli::ExitResult run_film_over_pipe(const cli::Invocation& invocation, film::FilmRequest request);

}  // namespace weir::parts
