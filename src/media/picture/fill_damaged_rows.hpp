#pragma once

#include "media/picture/decoder.hpp"

namespace weir::media {

/// Returns a decoder that yields all rows of the picture although its file is damaged. When `decoder` fails with the
/// error corrupt, the result repeats the last good row to the end of the picture, so that no artificial edge appears,
/// and reports these rows in damage(). If the first row fails, or if the error is not corrupt, read() returns the
/// error.
/// file  the file that `decoder` reads; its name is removed from the reasons in damage()
DecoderPtr fill_damaged_rows(DecoderPtr decoder, const InputFile& file);

}  // namespace weir::media
