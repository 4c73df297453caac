#include "media/picture/jxl_api.hpp"

#include <jxl/version.h>

namespace weir::media {

// Before version 1.0 each minor version of libjxl has a different binary interface, so exactly one version is loaded.
Result<const JxlApi*> JxlApi::get() {
  static const std::string version = fmt::format("{}.{}", JPEGXL_MAJOR_VERSION, JPEGXL_MINOR_VERSION);
  static const auto loaded = load_api<JxlApi>({"libjxl.so." + version, "libjxl " + version, "libjxl" + version});
  return to_pointer(loaded);
}

}  // namespace weir::media
