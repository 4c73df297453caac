#pragma once

#include <filesystem>

#include "base/result.hpp"
#include "synth/canvas.hpp"

namespace weir::synth {

/// Writes the canvas as 8-bit RGB in the format of the path's extension, or as PNG if the extension is not that of
/// a picture format; replaces an existing file. Errors: those of media::PictureWriter.
Status write_canvas(const Canvas& canvas, const std::filesystem::path& path);

/// Reads a picture in any format that weir::media supports; grey is expanded to three equal channels, alpha is dropped.
/// Errors: those of media::PictureReader.
Result<Canvas> read_canvas(const std::filesystem::path& path);

}  // namespace weir::synth
