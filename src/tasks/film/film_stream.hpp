#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/film/container.hpp"
#include "media/film/joiner.hpp"
#include "media/film/stream_plan.hpp"
#include "media/film/video_codec.hpp"
#include "tasks/film/film_frames.hpp"
#include "tasks/film/frame_stages.hpp"
#include "tasks/picture_task.hpp"

namespace weir::film {

/// A file, or a descriptor that is open, such as 0 for standard input, with its name for messages.
struct OpenDescriptor {
  int fd = 0;
  std::string name;
};
using FileOrDescriptor = std::variant<std::filesystem::path, OpenDescriptor>;

/// A film to enlarge while it is read.
struct StreamRequest {
  FileOrDescriptor input;   ///< a descriptor: y4m, NUT, MKV or MPEG-TS
  FileOrDescriptor output;  ///< a file appears under its name when it is complete
  bool overwrite = false;   ///< an output file may be replaced
  Container container = Container::nut;
  EncodeSettings encode = {};  ///< VideoCodec::raw is for nut and y4m alone, and y4m takes no other
  int decoder_threads = 1;
  enhance::UpscaleSettings upscale;                          ///< those of the upscalers
  tasks::UpscalerSource upscalers;                           ///< returns the upscaler for the film's scale
  std::function<void(FrameNumber frames)> progress = {};     ///< called with the number of frames so far; may be empty
  std::function<void(const FilmFrames& film)> planned = {};  ///< called once, before the first frame; may be empty
  std::stop_token stop = {};
};

/// The result of run_film_stream().
struct StreamReport : FrameReport {
  FilmFrames film;                ///< formats and the plan
  StreamPlan plan;                ///< where each stream is, or why it is lost
  TimeShift shift;                ///< of all times, for containers that cannot store those below 0
  Bytes size;                     ///< of the result
  std::string damage;             ///< one line about what could not be read; empty: nothing
  std::vector<std::string> lost;  ///< one line for each thing that the result does not keep
};

/// Reads a film, enlarges its frames and writes the result in one pass; decoder, network and encoder work at the same
/// time. Nothing is read or written twice, so input and output may be pipes. The memory does not grow with the film, apart
/// from what FFmpeg keeps of each frame for the index of a container (about 100 bytes; nothing for y4m).
///
/// Times are those of the film. Packets of the other streams keep their order and times; y4m keeps neither times nor other
/// streams. A film that ends too early gives all frames before that, and StreamReport::damage.
///
/// The process must ignore SIGPIPE, so that an output without reader is the error io (prepare_standard_streams()).
/// Errors: corrupt (the input is empty or no film); unsupported; io; disk_full; exists; over_budget; invalid_argument;
/// cancelled; those of PictureUpscaler. No output file appears then.
Result<StreamReport> run_film_stream(const StreamRequest& request);

}  // namespace weir::film
