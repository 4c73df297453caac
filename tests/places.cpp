#include "places.hpp"

namespace weir::places {

const char* source() { return WEIR_SOURCE_DIR; }
const char* program() { return WEIR_PROGRAM; }
const char* fake_nvml() { return WEIR_FAKE_NVML_FOLDER; }
const char* part_with_workers() { return WEIR_PART_WITH_WORKERS; }
const char* film_cases() { return WEIR_FILM_CASES; }
const char* jumping_clock() { return WEIR_JUMPING_CLOCK; }

}  // namespace weir::places
