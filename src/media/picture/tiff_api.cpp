#include "media/picture/tiff_api.hpp"

namespace weir::media {

Result<const TiffApi*> TiffApi::get() {
  static const auto loaded = load_api<TiffApi>({"libtiff.so.6", "libtiff 4.5 or later", "libtiff6"});
  return to_pointer(loaded);
}

}  // namespace weir::media
