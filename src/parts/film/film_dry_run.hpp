#pragma once

#include <string>

#include "cli/command.hpp"
#include "tasks/film/film_list.hpp"
#include "tasks/network_cache.hpp"

namespace weir::parts {

/// Prints the plan of each film. Writes nothing. `devices`: the number of devices that share the films.
cli::ExitResult plan_films(const cli::Arguments& args, const film::FilmRequest& request, const film::FilmList& list,
                           tasks::NetworkCache network_cache, std::size_t devices);

/// Returns "the films need --ram 640M": the smallest limit with which all films that can be read fit; empty if none can
/// be planned. Decodes a frame of each film.
std::string enough_memory_text(film::FilmRequest request, const film::FilmList& list, tasks::NetworkCache network_cache,
                               std::size_t devices);

}  // namespace weir::parts
