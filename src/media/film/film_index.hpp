#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_facts.hpp"
#include "base/result.hpp"
#include "media/film/orientation.hpp"

namespace weir::film {

using FrameNumber = std::int64_t;  ///< index of a frame in presentation order, from 0

/// What the rows of a frame, compared with the frames before and after it, say of its fields.
enum class FieldContent {
  undetermined,
  progressive,
  top_first,    ///< interlaced, the top field is first
  bottom_first  ///< interlaced, the bottom field is first
};

/// One frame of a film, as decoding the film from its beginning gives it.
struct IndexedFrame {
  std::int64_t pts = 0;             ///< presentation time, in units of FilmIndex::time_base
  std::int64_t duration = 0;        ///< in the same units; 0 if the file does not say it
  std::uint64_t hash = 0;           ///< hash_frame() of its planes
  bool is_key = false;              ///< decoding can begin at this frame
  bool is_damaged = false;          ///< the decoder filled in or guessed a part of it
  bool is_interlaced = false;       ///< the flag of the decoder
  bool is_top_field_first = false;  ///< of an interlaced frame
  FieldContent content = FieldContent::undetermined;
  bool is_transparent = false;   ///< has_transparency()
  std::uint32_t data_kinds = 0;  ///< frame_data_kinds(): what it carries beside its samples
  bool operator==(const IndexedFrame&) const = default;
};

/// A fraction, such as 1/90000 s.
struct Fraction {
  int numerator = 0;
  int denominator = 1;
  bool operator==(const Fraction&) const = default;
};

/// The first and the last frame, which is excluded, of a part of the film.
struct FrameRange {
  FrameNumber first = 0;
  FrameNumber end = 0;
  FrameNumber count() const { return end - first; }
  bool operator==(const FrameRange&) const = default;
};

/// The part of a film that an index holds, if it does not hold all of it.
struct FilmCut {
  FrameNumber frames_before = 0;  ///< frames of the film before the part
  /// Presentation times of the last key frames before the part, at most three, in ascending order: decoding can begin
  /// there.
  std::vector<std::int64_t> keys_before = {};
  std::optional<std::int64_t> end = {};  ///< first time after the part, in units of FilmIndex::time_base; empty: none
  bool operator==(const FilmCut&) const = default;
};

/// What is known of a film after all of its frames were decoded once. It is the truth that segments and the result are
/// compared with. It also fixes everything on which the frames depend, so that a run that is resumed, or that uses
/// other devices, makes the same result.
struct FilmIndex {
  FileFacts file;            ///< size and time of the film when it was indexed
  int video_stream = 0;      ///< index of the stream
  int decoder_threads = 1;   ///< ReadSettings::threads; damaged frames depend on it
  int encoder_threads = 1;   ///< EncodeSettings::threads of the segments, unless the user names a number
  Fraction time_base{0, 1};  ///< unit of the times, in seconds
  int width = 0;             ///< in pixels, of every frame
  int height = 0;            ///< in pixels, of every frame
  Orientation orientation;   ///< how players turn the frames
  std::string pixel_format;  ///< FFmpeg's name, such as "yuv420p", of every frame
  /// The file gives some frames no presentation time; all frames have the packets' decoding times in ascending order.
  bool has_decoding_times = false;
  std::int64_t skipped_packets = 0;   ///< packets of the stream that could not be read or decoded
  std::string damage;                 ///< one line about what could not be read; empty: nothing
  std::optional<FilmCut> cut = {};    ///< the frames are a part of the film, and their numbers count from its first one
  std::vector<IndexedFrame> frames;   ///< in presentation order
  std::vector<FrameNumber> segments;  ///< first frame of each segment, in ascending order, beginning with 0
  bool operator==(const FilmIndex&) const = default;

  /// Returns the frames of segment `number`, which counts from 0.
  FrameRange segment(std::size_t number) const;
  /// Returns whether a frame is transparent, which no result keeps.
  bool has_transparency() const;
  /// Returns which kinds of data the frames carry: IndexedFrame::data_kinds of all of them.
  std::uint32_t data_kinds() const;
};

/// Returns the index as text: a line with a JSON object, and a line for each frame.
std::string to_text(const FilmIndex& index);
/// Reads the text of an index. Errors: corrupt if it is cut off, has other lines, or contradicts itself.
Result<FilmIndex> parse_film_index(std::string_view text);

/// Returns the line of one frame, with its newline.
std::string to_line(const IndexedFrame& frame);
/// Reads the line of one frame, without its newline. Errors: corrupt.
Result<IndexedFrame> parse_frame_line(std::string_view line);

}  // namespace weir::film
