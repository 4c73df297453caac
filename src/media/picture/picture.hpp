#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir::media {

/// The picture formats that weir reads. picture_format.cpp describes each of them. Lists of writable formats for users
/// have this order.
enum class Format { png, jpg, webp, avif, heif, jxl, tiff, bmp, gif };

std::string_view name_of(Format format);                          ///< short name: "png", "jpg", ...
std::optional<Format> format_of_extension(std::string_view ext);  ///< with or without a dot, any case; empty: unknown
bool can_write(Format format);
bool is_lossless(Format format);  ///< weir writes the format, and without loss at any quality (png, tiff)
/// Lists the names of all writable formats, such as "png, jpg and tiff". `last_separator` comes before the last name.
std::string list_written_formats(std::string_view separator = ", ", std::string_view last_separator = " and ");
std::string list_lossy_formats();  ///< lists the writable formats with !is_lossless(): "JPEG, WebP, ..."

/// The size and sample format of a picture in memory. PictureReader::info() describes the rows after the orientation
/// was applied and CMYK, Lab and palette colours were converted. Rows are stored from the top down, samples of a pixel
/// together (RGBRGB...).
struct PictureInfo {
  int width = 0, height = 0;
  int colours = 3;              ///< 1 (grey) or 3 (RGB)
  bool alpha = false;           ///< each pixel has an alpha sample too, straight (not premultiplied)
  int bits = 8;                 ///< per sample: 8 or 16 (native byte order)
  Format format = Format::png;  ///< format of the file

  int channels() const { return colours + (alpha ? 1 : 0); }
  std::size_t row_bytes() const { return static_cast<std::size_t>(width) * channels() * (bits / 8); }
};

/// The source of a picture: a file or bytes in memory. (For standard input the caller reads all bytes first.)
struct PictureSource {
  std::filesystem::path path;                           ///< file to read if `bytes` is null; also the name in messages
  std::shared_ptr<const std::vector<std::byte>> bytes;  ///< content of the file; null: read `path`
};

/// The metadata of a picture: ICC profile, EXIF, XMP, resolution, texts and others (metadata.hpp). Callers pass it from
/// a reader to a writer without looking into it.
struct Metadata;
using MetadataPtr = std::shared_ptr<const Metadata>;

/// Memory and disk space that reading or writing one picture takes, without the rows that the caller holds. The values
/// are upper bounds; their formulas are fitted to measurements of each format (docs/memory.md).
struct MediaNeed {
  Bytes ram;
  Bytes disk;             ///< size of a temporary file with rows; zero if no such file is needed
  Bytes shared_ram = {};  ///< part of `ram` that a process needs only once for all readers and writers
};

/// How a reader treats a damaged file.
/// use     it yields the readable rows, fills the other rows, and reports all damaged rows in PictureReader::damage();
///         damage is an error only in two cases: it is in the header, or no row was decoded yet that could fill the gap
/// refuse  any damage is an error
enum class DamagePolicy { use, refuse };

struct ReadOptions {
  std::filesystem::path spill_folder;  ///< folder for temporary files with rows; empty: the system's folder
  /// largest size of the rows that a separate thread decodes ahead of read(); at least one row is used
  Bytes read_ahead = 512_KiB;
  DamagePolicy damaged = DamagePolicy::refuse;
  Bytes memory_limit{~std::uint64_t{0}};  ///< open() refuses a file whose opening alone takes more; default: no limit
};

/// Reads the rows of a picture from the top down, any number of times. Not thread-safe; decoding runs on a separate
/// thread.
class PictureReader {
 public:
  virtual ~PictureReader() = default;
  /// Opens a picture and reads its header and metadata, not its pixels. Errors: io (cannot be opened), corrupt (not a
  /// picture, or damaged), unsupported, over_budget (not enough memory, see options.memory_limit).
  static Result<std::unique_ptr<PictureReader>> open(const PictureSource& source, const ReadOptions& options = {});

  virtual const PictureInfo& info() const = 0;
  virtual MetadataPtr metadata() const = 0;  ///< never null
  /// Returns the memory and disk space that reading takes.
  virtual MediaNeed need() const = 0;
  /// Reads the next rows into `rows`, which has space for a whole number of rows.
  /// Errors: corrupt; io, also after the last row; disk_full (temporary file); unsupported; over_budget; cancelled,
  /// after damage() stopped the reading.
  virtual Status read(std::span<std::byte> rows) = 0;
  /// Returns to the start: the next read() returns the first row. Errors: those of open().
  virtual Status rewind() = 0;
  /// Returns one text for each damaged range of rows, such as "the last 20 of 72 rows are filled: the file ends early".
  /// The result is empty if the file is intact, and complete only after all rows were read with DamagePolicy::use.
  /// Stops reading; rewind() allows it again, and yields the same rows.
  virtual std::vector<std::string> damage() { return {}; }
  /// Returns the data that were lost when the rows were decoded, in the form of WriteReport::lost. A caller adds them
  /// to that list, because a writer does not know them. Complete only after all rows were read. Stops reading, as
  /// damage() does.
  virtual std::vector<std::string> losses() { return {}; }
};

struct WriteOptions {
  Format format = Format::png;
  int quality = -1;        ///< 1..100; -1: the format's default (webp, jxl: lossless); png and tiff ignore it
  PictureInfo row_format;  ///< format of the rows that will be written: size, colours, alpha, bits
  int final_width = 0;     ///< width of the written picture; 0: that of the rows. The writer resizes them if necessary.
  int final_height = 0;    ///< height of the written picture; 0: that of the rows
  MetadataPtr metadata;    ///< may be null
  bool overwrite = false;  ///< replace an existing file; if not set, such a file is an error
  /// size of the queue of rows for the encoder; at least one row is used; write() waits while the queue is full
  Bytes queue_size = 1_MiB;
};

/// What a writer wrote.
struct WriteReport {
  Bytes size;                     ///< size of the file
  std::vector<std::string> kept;  ///< data that is in the file, such as "icc", "exif", "alpha", "16-bit"
  std::vector<std::string> lost;  ///< lost data with the reason, such as "alpha (jpg has none; flattened onto white)"
};

/// Writes rows from the top down into a temporary file in the folder of the final file; finish() gives the file its
/// final name. Destroying an unfinished writer removes the temporary file. Not thread-safe; encoding runs on a separate
/// thread.
class PictureWriter {
 public:
  virtual ~PictureWriter() = default;
  /// Creates a writer and its temporary file. The path "-" means standard output, which needs no temporary file.
  /// Errors: exists, if there is such a file and options.overwrite is not set; io, also if no thread starts; disk_full;
  /// unsupported (the format cannot be written, or not in this size); invalid_argument (no rows or columns).
  static Result<std::unique_ptr<PictureWriter>> create(const std::filesystem::path& path, const WriteOptions& options);
  /// Returns the memory and disk space that writing takes; zero for a format that cannot be written.
  static MediaNeed need(const WriteOptions& options);

  /// Writes the next rows; `rows` contains a whole number of rows.
  /// Errors: invalid_argument, if there are more rows than options.row_format declares; those of the encoder: io,
  /// disk_full, unsupported, over_budget.
  virtual Status write(std::span<const std::byte> rows) = 0;
  /// Waits for the encoder, syncs the file to disk and gives it its final name. Call it once. Errors: invalid_argument,
  /// if rows are missing; exists; those of write(). After an error a file that already had the final name is unchanged;
  /// only if the last step, the sync of the folder, failed, it is already replaced.
  virtual Result<WriteReport> finish() = 0;
};

}  // namespace weir::media
