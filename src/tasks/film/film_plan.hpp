#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "jobs/item.hpp"
#include "jobs/stages.hpp"
#include "media/film/container.hpp"
#include "media/film/index_pass.hpp"
#include "media/film/interlacing.hpp"
#include "media/film/video_codec.hpp"
#include "tasks/upscale_kind.hpp"

namespace weir::film {

// The kinds of items of a film run, in the order of their stages. They are parts of the names of records.
inline constexpr char kIndexKind[] = "film_index";
inline constexpr char kSegmentKind[] = "film_segment";
inline constexpr char kFilmKind[] = "film";

/// Settings of a run that enlarges films. The coordinator of the run sends them to its worker processes as JSON.
struct FilmRequest {
  tasks::UpscaleRequest upscale;  ///< the networks and how they run; the fields of pictures in files are not used
  EncodeSettings encode;
  Deinterlace deinterlace = Deinterlace::automatic;
  int decoder_threads = 1;
  /// Only this part of each film is enlarged: IndexSettings::from and to, in seconds, and limit. Empty: its beginning,
  /// its end, all frames.
  std::optional<double> from = {}, to = {};
  std::optional<FrameNumber> limit = {};
  std::string audio = "copy";  ///< or the name of an encoder for all sound: open_audio_encoder()
  /// Threads of the encoder that the user asked for; empty: the number in the index of each film, which is that of the
  /// run that made the index.
  std::optional<int> encoder_threads = {};
  int suggested_encoder_threads = 1;  ///< for new indexes
};

/// Converts the request to JSON for the workers.
jobs::Json to_json(const FilmRequest& request);
/// Reads the request from its JSON. Errors: those of tasks::parse_upscale_request(); corrupt.
Result<FilmRequest> parse_film_request(const jobs::Json& json);

/// One film to enlarge.
struct FilmItem {
  std::filesystem::path film;
  std::filesystem::path output;
  SegmentRules segments = {};
  std::optional<Error> problem = {};  ///< known before the work, such as a missing file
};

/// Returns the file name of a segment in the folder jobs::work_folder_of(), which holds index and segments until the
/// film is joined.
std::string segment_name(std::size_t number);
/// Returns the container that the file name asks for by its extension; empty if there is none of that name.
std::optional<Container> container_of(const std::filesystem::path& output);

/// Returns how the pixels of a film are turned: by its `orientation`, where the container of the output cannot tell
/// players to do it.
Orientation pixel_turn(Orientation orientation, const std::filesystem::path& output);

/// Makes the item of a film. Its prerequisites are those of film_prerequisites().
jobs::Item make_film_item(const FilmItem& film, const FilmRequest& request);

/// Returns what a film waits for: in stage 0 its index, in stage 1 the segments that the index names. In stage 1 the
/// film fails with the error of decide_deinterlacing(). They are released with remove_work_folder().
jobs::Prerequisites film_prerequisites(const FilmRequest& request);

/// Removes index and segments of a film with this output, their records and what is left of unfinished ones, and then
/// the work folder if it is empty: it keeps all other files. `records`: RecordRules::folder. Errors: io.
Status remove_work_folder(const std::filesystem::path& output, const std::filesystem::path& records);

/// Compares an index or a segment in a work folder with its record. If its content is another one, removes both, so that it
/// is made again. `kind`: kIndexKind or kSegmentKind; `heartbeat`: called during the reading, may be empty. Errors: io, with
/// what to do.
Status check_intermediate(const std::filesystem::path& path, const char* kind, const std::function<void()>& heartbeat);

/// Reads the index of a film from its file. Errors: io; corrupt.
Result<FilmIndex> read_film_index(const std::filesystem::path& path);

/// Returns the settings of index_film() in the parameters of an index's item: decoder threads and segments. Errors:
/// corrupt.
Result<IndexSettings> parse_index_item(const jobs::Item& item);

/// What the parameters of a segment's item say.
struct SegmentItem {
  std::filesystem::path film;
  std::size_t number = 0;  ///< of the segment in the index
  Orientation turn = {};   ///< pixel_turn()
};
Result<SegmentItem> parse_segment_item(const jobs::Item& item);

}  // namespace weir::film
