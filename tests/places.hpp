#pragma once

namespace weir::places {

// Paths that tests need. They are functions that places.cpp defines, so that places.cpp is the only source file whose
// content depends on the folder of the project. So a compiler cache can reuse all other objects for another copy of the
// project.

const char* source();             ///< the project's source folder
const char* program();            ///< the built program `weir`; empty if this build has none
const char* fake_nvml();          ///< the folder of the fake NVML library (tests/fake_nvml); empty if it is not built
const char* jumping_clock();      ///< the library of tests/jumping_clock; empty if it is not built
const char* part_with_workers();  ///< the program of tests/part_with_workers; empty if it is not built
const char* film_cases();         ///< the folder of the films that tests/film/draw_cases draws

}  // namespace weir::places
