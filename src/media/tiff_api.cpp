#include "media/tiff_api.hpp"

#include <dlfcn.h>

#include <string>

namespace weir::media {
namespace {

constexpr const char* kLibrary = "libtiff.so.6";  // the ABI of libtiff 4.5 and later

struct Loaded {
  TiffApi api;
  std::string problem;
};

Loaded load() {
  Loaded made;
  void* library = ::dlopen(kLibrary, RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) {
    made.problem = std::string{"needs libtiff, which is not here ("} + ::dlerror() + "); install libtiff6";
    return made;
  }
#define WEIR_TIFF_LOAD(name)                                                          \
  made.api.name = reinterpret_cast<decltype(made.api.name)>(::dlsym(library, #name)); \
  if (made.api.name == nullptr) made.problem = "needs libtiff 4.5 or later: " #name " is missing from it";
  WEIR_TIFF_FUNCTIONS(WEIR_TIFF_LOAD)
#undef WEIR_TIFF_LOAD
  return made;
}

}  // namespace

Result<const TiffApi*> TiffApi::get() {
  static const Loaded loaded = load();
  if (!loaded.problem.empty()) return Error{Errc::unsupported, loaded.problem};
  return &loaded.api;
}

}  // namespace weir::media
