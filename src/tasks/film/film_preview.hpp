#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "media/film/container.hpp"
#include "tasks/film/film_plan.hpp"

namespace weir::film {

/// A preview to make: three seconds of a film, as several networks enlarge them.
struct PreviewRequest {
  std::filesystem::path film;
  std::filesystem::path output;
  bool overwrite = false;
  Container container = Container::mkv;
  double from = 0;  ///< time of the film at which the preview begins, in seconds
  /// The networks are the first choice and the variants; without variants, the first choice and up to two other kinds
  /// of networks of its scale from the same folder, those with the least work first. Of the rest, the encoder and the
  /// decoder's threads count.
  FilmRequest settings;
  /// Called with a line about the work. May be empty.
  std::function<void(const std::string& line)> progress = {};
  std::stop_token stop = {};
};

/// What a preview has.
struct PreviewReport {
  FrameNumber frames = 0;
  int width = 0, height = 0;        ///< of the whole picture
  bool is_stacked = false;          ///< the panels are below each other, otherwise side by side
  std::vector<std::string> panels;  ///< their labels, in their order
  bool has_labels = false;          ///< the labels are also in the picture
  std::vector<std::string> notes;   ///< messages of the networks
};

/// Makes a preview. Its panels are the source, enlarged by bicubic interpolation, and the result of each network, side
/// by side; of a portrait film below each other. It has no sound. The networks run one after the other; their frames
/// wait in unnamed lossless files beside the output. The file appears under its name when it is complete.
/// Errors: invalid_argument (no frame at that time; a picture that is larger than codecs take; the networks); exists;
/// over_budget; unsupported; io; disk_full; corrupt; cancelled.
Result<PreviewReport> make_preview(const PreviewRequest& request);

}  // namespace weir::film
