#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "media/film/container.hpp"
#include "tasks/film/film_plan.hpp"
#include "tasks/input_files.hpp"
#include "tasks/network_cache.hpp"

namespace weir::film {

/// Where the results of a run are written.
struct FilmListOptions {
  tasks::OutputPlace place;
  std::optional<Container> container = {};  ///< of all results; empty: by the name of the output, in a folder MKV
};

/// The films of a run.
struct FilmList {
  std::vector<FilmItem> items;
  tasks::SkippedEntries skipped;
  std::vector<tasks::RenamedOutput> renamed;
};

/// Makes the list of films for the inputs that the user gave, as tasks::find_inputs() describes it. Opens each film, and
/// gives a film that cannot be read, or whose streams the container of the result cannot hold, its problem. Chooses the
/// length of its segments by the work of the network. Errors: those of find_inputs(); invalid_argument: standard input, or
/// an output whose name is not that of a container.
Result<FilmList> list_films(const std::vector<std::string>& inputs, const FilmListOptions& options,
                            const FilmRequest& request, const tasks::NetworkCache& network_cache);

/// Returns the rules for segments of frames that take `multiplications` each: 240 frames, fewer where that is much work,
/// so that a run that is stopped loses little, and at least 48. They do not depend on the speed of a machine.
SegmentRules segment_rules(double multiplications);

}  // namespace weir::film
