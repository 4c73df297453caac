#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/atomic_file.hpp"
#include "base/result.hpp"
#include "media/film/film_index.hpp"

namespace weir::film {

/// Reads the text of a file of PartialIndex: all frames of its whole steps. Empty if its header cannot be read.
std::optional<FilmIndex> parse_partial_index(std::string_view text);

/// The file with the frames of an index that is being made: the header of a FilmIndex without frames, then in steps the
/// lines of further frames and a line "= N" with FilmIndex::skipped_packets at that frame. A step that a crash cut off is
/// ignored. Not thread-safe.
class PartialIndex {
 public:
  /// `path`: the file; empty: nothing is stored.
  explicit PartialIndex(std::filesystem::path path) : path_{std::move(path)} {}

  /// Returns the index that an earlier process stored, if it is of the same film and with the same settings as
  /// `expected`; append() then continues it. Empty if there is no such index.
  std::optional<FilmIndex> read(const FilmIndex& expected);
  /// Begins a new file. Errors: io, disk_full.
  Status begin(const FilmIndex& index);
  /// Appends the frames that were added to `index` since the last call, and syncs the file. Errors: io, disk_full.
  Status append(const FilmIndex& index);
  /// Removes the file. Errors: io.
  Status remove();

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  std::size_t stored_ = 0;  // number of frames in the file
};

}  // namespace weir::film
