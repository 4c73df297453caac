#pragma once

#include "cli/command.hpp"
#include "tasks/film/film_list.hpp"
#include "tasks/network_cache.hpp"

namespace weir::parts {

/// Prints the plan of each film. Writes nothing. `devices`: the number of devices that share the films.
cli::ExitResult plan_films(const cli::Arguments& args, const film::FilmRequest& request, const film::FilmList& list,
                           tasks::NetworkCache network_cache, std::size_t devices);

}  // namespace weir::parts
