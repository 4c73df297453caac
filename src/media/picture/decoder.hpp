#pragma once

#include <memory>
#include <string>
#include <vector>

#include "media/picture/damage.hpp"
#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/row_source.hpp"

namespace weir::media {

/// Decodes the bytes of one file into rows. The rows have the order of the file; only the decoder that
/// apply_orientation() returns turns and mirrors them. Opening a decoder reads the header and the metadata, not the
/// pixels. Not thread-safe: each PictureReader owns one decoder and calls it from one thread at a time.
class Decoder : public RowSource {
 public:
  const PictureInfo& info() const { return info_; }
  int orientation() const { return orientation_; }  ///< still to be applied; 1 to 8, as in EXIF
  /// Returns the metadata of the file; never null.
  MetadataPtr metadata() const { return metadata_; }
  /// Returns the memory and disk space that decoding takes, without the rows that the caller holds.
  virtual MediaNeed need() const = 0;
  /// Returns to the start: the next read() returns the first row. Errors: those of opening the file.
  virtual Status restart() = 0;
  /// Returns the damaged ranges of rows; with DamagePolicy::refuse none. With DamagePolicy::use the result is complete
  /// only after the last row was read.
  virtual std::vector<Damage> damage() const { return {}; }
  /// Returns the data that were lost in the rows that read() has returned, in the form of WriteReport::lost.
  virtual std::vector<std::string> losses() const { return {}; }
  /// Frees resources that belong to the reading thread. PictureReader calls it on that thread after the last read().
  /// Before a further read(), restart() must be called.
  virtual void release_thread_resources() {}

 protected:
  PictureInfo info_;  // each decoder sets these three members before it is returned to a caller
  int orientation_ = 1;
  MetadataPtr metadata_;
};
using DecoderPtr = std::unique_ptr<Decoder>;

/// The largest width or height, in pixels, of a picture that can be opened. With larger pictures calculations of sizes
/// could overflow.
inline constexpr int kMaxSide = 1 << 20;

// The functions that the table of formats (picture_format.cpp) uses. Each function reads the header and the metadata of
// a file and returns its decoder. Errors: io, corrupt, unsupported, over_budget.
Result<DecoderPtr> open_png(InputFilePtr file, const ReadOptions& options);
Result<DecoderPtr> open_jpeg(InputFilePtr file, const ReadOptions& options);
Result<DecoderPtr> open_bmp(InputFilePtr file, const ReadOptions& options);
Result<DecoderPtr> open_tiff(InputFilePtr file, const ReadOptions& options);
Result<DecoderPtr> open_webp(InputFilePtr file, const ReadOptions& options);
Result<DecoderPtr> open_avif(InputFilePtr file, const ReadOptions& options);
Result<DecoderPtr> open_heif(InputFilePtr file, const ReadOptions& options);
Result<DecoderPtr> open_jxl(InputFilePtr file, const ReadOptions& options);
Result<DecoderPtr> open_gif(InputFilePtr file, const ReadOptions& options);

}  // namespace weir::media
