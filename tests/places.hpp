#pragma once

namespace weir::places {

// Where the tests find what they need. Functions of one source, so that no other source depends on the folder that it is built
// in: a compiler cache then serves every clone.

const char* source();             ///< the project's folder
const char* program();            ///< the built `weir`; empty in a build that has none
const char* fake_nvml();          ///< the folder of the false management library; empty where it is not built
const char* jumping_clock();      ///< the library of a wall clock that jumps; empty where it is not built
const char* part_with_workers();  ///< a program as a part's is (tests/part_with_workers); empty where it is not built

}  // namespace weir::places
