#pragma once

#include <filesystem>

#include "base/result.hpp"
#include "synth/canvas.hpp"

namespace weir::synth {

/// As 8-bit RGB in the format of the path's ending (else PNG), over what is there. Errors: those of media::PictureWriter.
Status write_canvas(const Canvas& canvas, const std::filesystem::path& path);

/// Any picture that media reads; grey becomes three equal planes, alpha is left out.
/// Errors: those of media::PictureReader.
Result<Canvas> read_canvas(const std::filesystem::path& path);

}  // namespace weir::synth
