#pragma once

#include <memory>
#include <vector>

#include "media/picture/damage.hpp"
#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/row_source.hpp"

namespace weir::media {

/// One file format's way from bytes to rows, in the order of the file (the orientation is not yet applied). Opening
/// reads the header only. A reader owns one decoder and calls it from one thread at a time.
class Decoder : public RowSource {
 public:
  const PictureInfo& info() const { return info_; }
  int orientation() const { return orientation_; }  ///< 1 to 8, as in EXIF
  MetadataPtr metadata() const { return metadata_; }
  virtual MediaNeed need() const = 0;
  /// The next row is the first one again.
  virtual Status restart() = 0;
  /// With Damaged::use, after the last row was read: what is known to be wrong with the rows that were yielded.
  virtual std::vector<Damage> damage() const { return {}; }
  /// Called after the last read() on the thread that read: gives back what is bound to that thread.
  virtual void release_thread_resources() {}

 protected:
  PictureInfo info_;  // these three are known once it is open
  int orientation_ = 1;
  MetadataPtr metadata_;
};
using DecoderPtr = std::unique_ptr<Decoder>;

/// The largest width or height that is opened: beyond it, sums of sizes lose their room, and no file is real.
inline constexpr int kMaxSide = 1 << 20;

// What the rows of the table of formats name.
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
