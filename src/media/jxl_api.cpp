#include "media/jxl_api.hpp"

#include <dlfcn.h>
#include <jxl/version.h>

#include <string>

namespace weir::media {
namespace {

struct Loaded {
  JxlApi api;
  std::string problem;
};

// Before 1.0 every minor version of libjxl has an ABI of its own.
Loaded load() {
  Loaded made;
  const std::string name =
      "libjxl.so." + std::to_string(JPEGXL_MAJOR_VERSION) + "." + std::to_string(JPEGXL_MINOR_VERSION);
  void* library = ::dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) {
    made.problem = "needs " + name + ", which is not here; install libjxl";
    return made;
  }
#define WEIR_JXL_LOAD(name)                                                           \
  made.api.name = reinterpret_cast<decltype(made.api.name)>(::dlsym(library, #name)); \
  if (made.api.name == nullptr) made.problem = "needs a whole libjxl: " #name " is missing from it";
  WEIR_JXL_FUNCTIONS(WEIR_JXL_LOAD)
#undef WEIR_JXL_LOAD
  return made;
}

}  // namespace

Result<const JxlApi*> JxlApi::get() {
  static const Loaded loaded = load();
  if (!loaded.problem.empty()) return Error{Errc::unsupported, loaded.problem};
  return &loaded.api;
}

}  // namespace weir::media
