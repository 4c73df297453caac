// The program weir-film, the part of weir that runs `weir film` (docs/parts.md).

#include "cli/main_program.hpp"
#include "parts/film/film_command.hpp"
#include "tasks/film/film_kind.hpp"

namespace {

weir::jobs::TaskFactories task_factories() { return {{weir::film::kFilmKind, weir::film::make_film_task_from_json}}; }

}  // namespace

int main(int argc, char** argv) {
  constexpr weir::cli::PartCommand kFilmCommand{"film", weir::parts::run_film, task_factories};
  return weir::cli::main_program(argc, argv, &kFilmCommand);
}
