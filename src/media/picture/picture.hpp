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

/// Each has a row in picture_format.cpp. Those that are written are offered in this order.
enum class Format { png, jpg, webp, avif, heif, jxl, tiff, bmp, gif };

std::string_view name_of(Format format);                          ///< "png", "jpg", ...
std::optional<Format> format_of_extension(std::string_view ext);  ///< with or without the dot, any case
bool can_write(Format format);
bool is_lossless(Format format);  ///< written by weir without loss (png, tiff)
/// All that can be written: "png, jpg and tiff", or as choices, "png|jpg|tiff", with other words between them.
std::string list_written_formats(std::string_view separator = ", ", std::string_view last_separator = " and ");
std::string list_lossy_formats();  ///< "JPEG, WebP and AVIF": those that are written with loss

/// What a reader yields: after the orientation is applied and CMYK, Lab and palettes are converted.
struct PictureInfo {
  int width = 0, height = 0;
  int colours = 3;     ///< 1 (grey) or 3 (RGB)
  bool alpha = false;  ///< one more sample per pixel, straight (not premultiplied)
  int bits = 8;        ///< per sample: 8 or 16 (native byte order)
  Format format = Format::png;

  int channels() const { return colours + (alpha ? 1 : 0); }
  std::size_t row_bytes() const { return static_cast<std::size_t>(width) * channels() * (bits / 8); }
};

/// Where a picture comes from. Standard input is read whole into memory once and given as bytes.
struct PictureSource {
  std::filesystem::path path;  ///< used if `bytes` is null; also the name in messages
  std::shared_ptr<const std::vector<std::byte>> bytes;
};

/// ICC, EXIF, XMP, resolution: carried from a reader to a writer without being looked into. Cheap to copy.
struct Metadata;
using MetadataPtr = std::shared_ptr<const Metadata>;

/// Memory and disk that reading or writing one picture takes beyond the rows handed over. Upper bounds, from a model
/// measured per format (docs/memory.md).
struct MediaNeed {
  Bytes ram;
  Bytes disk;             ///< a row file in the spill folder; zero where rows stream
  Bytes shared_ram = {};  ///< the part of `ram` that a process has once, however many readers and writers name it
};

/// What becomes of a file that is damaged. `use`: what is there is kept, the rest is filled, and PictureReader::damage()
/// tells it; only a file of which not one whole row can be had is an error. `refuse`: any damage is an error.
enum class DamagePolicy { use, refuse };

struct ReadOptions {
  std::filesystem::path spill_folder;  ///< folder for row files; empty: the system's folder for temporary files
  Bytes read_ahead = 512_KiB;  ///< how far decoding may run ahead of read(), in a thread of its own; at least one row
  DamagePolicy damaged = DamagePolicy::refuse;
  Bytes memory_limit{
      ~std::uint64_t{0}};  ///< of the process: a file whose mere opening would take more is refused unread
};

/// Reads a picture from the top down, any number of times. Not thread-safe.
class PictureReader {
 public:
  virtual ~PictureReader() = default;
  /// Reads the header only. Errors: io (cannot be opened), corrupt (not a picture, or damaged), unsupported.
  static Result<std::unique_ptr<PictureReader>> open(const PictureSource& source, const ReadOptions& options = {});

  virtual const PictureInfo& info() const = 0;
  virtual MetadataPtr metadata() const = 0;
  virtual MediaNeed need() const = 0;
  /// Fills `rows` (a whole number of rows, interleaved samples) with the next rows. Errors: corrupt, io.
  virtual Status read(std::span<std::byte> rows) = 0;
  /// The next read starts at the first row again.
  virtual Status rewind() = 0;
  /// With Damaged::use, after all rows were read: what of them is not as the file was to have it, one text each, as in
  /// "the last 20 of 72 rows are filled: the file ends early". Empty: the file is whole. Every pass yields the same rows.
  virtual std::vector<std::string> damage() { return {}; }
};

struct WriteOptions {
  Format format = Format::png;
  int quality = -1;     ///< 1..100; -1: the format's default
  PictureInfo rows;     ///< the rows that will be written: size, colours, alpha, bits
  int final_width = 0;  ///< of the file; if it differs from rows, they are resized (Lanczos, linear light)
  int final_height = 0;
  MetadataPtr metadata;  ///< may be null
  bool overwrite = false;
  Bytes queue_size = 1_MiB;  ///< rows that may wait for the encoder; write() waits for room; at least one row
};

struct WriteReport {
  Bytes size;                     ///< of the file
  std::vector<std::string> kept;  ///< "icc", "exif", "xmp", "resolution", "alpha", "16-bit"
  std::vector<std::string> lost;  ///< each with its reason: "alpha (JPEG has none; flattened onto white)"
};

/// Writes rows from the top down into a temporary file beside `path`; nothing stands under `path` before finish().
/// Destroying an unfinished writer removes the temporary file. Not thread-safe; encoding runs on threads of its own.
class PictureWriter {
 public:
  virtual ~PictureWriter() = default;
  /// Errors: exists (and not overwrite), io, unsupported. `path` "-" is standard output.
  static Result<std::unique_ptr<PictureWriter>> create(const std::filesystem::path& path, const WriteOptions& options);
  /// Nothing, for a format that cannot be written.
  static MediaNeed need(const WriteOptions& options);

  /// Whole rows, in order. Errors: io; invalid_argument if there are more than were declared.
  virtual Status write(std::span<const std::byte> rows) = 0;
  /// Waits for the encoder, fsyncs, renames. Errors: io (disk full, ...); then nothing stands under the final name.
  virtual Result<WriteReport> finish() = 0;
};

}  // namespace weir::media
