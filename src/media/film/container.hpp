#pragma once

#include <optional>
#include <string_view>

#include "media/film/ffmpeg.hpp"

namespace weir::film {

/// The file formats of a result. y4m (YUV4MPEG2) stores raw frames alone, without times.
enum class Container { mkv, webm, mp4, mov, nut, y4m };

/// What the containers differ in.
struct ContainerRow {
  Container container;
  const char* name;                           ///< for users; also the ending of file names
  const char* muxer;                          ///< FFmpeg's name
  AVCodecID text_subtitles;                   ///< to which other text subtitles are converted; NONE: none
  bool has_attachments;                       ///< holds fonts and other files, and covers as files
  bool has_cover_streams;                     ///< holds covers as streams of one picture
  bool has_display_matrix;                    ///< can tell players to turn the pictures
  bool has_edit_lists;                        ///< a stream can begin before 0 with sound that is not played (priming)
  bool adds_padding_when_read;                ///< players subtract the initial padding of Opus from the stored times
  bool has_fixed_time_unit = false;           ///< all times are in ms
  bool has_decoding_times_from_zero = false;  ///< decoding times below 0 damage the file
};

/// Returns the row of a container.
const ContainerRow& row_of(Container container);
/// Returns the name that users write: "mkv", "webm", "mp4", "mov", "nut", "y4m".
std::string_view name_of(Container container);
/// Returns the container with that name; empty for any other text.
std::optional<Container> container_named(std::string_view name);

/// Returns whether the container can hold streams of this codec, by what FFmpeg's tables say.
bool can_hold(Container container, AVCodecID codec);

/// How a muxer takes a stream.
enum class Acceptance { yes, experimental, no };
/// Asks the muxer of a container whether it takes a stream: it may refuse what its tables allow, such as a number of
/// channels. `experimental`: FFmpeg writes it only on request, because few programs read it.
Acceptance acceptance_of(Container container, const AVCodecParameters& parameters);

}  // namespace weir::film
