#pragma once

#include "media/picture/decoder.hpp"

namespace weir::media {

/// Returns a decoder that yields all rows of the picture although its file is damaged. When `decoder` fails with the
/// error corrupt, the returned decoder repeats the last good row to the end of the picture, so that no artificial edge
/// appears, and reports these rows in damage(). Its read() returns the error of `decoder` in two cases: the first row
/// fails, or the error is not corrupt.
/// file  the file that `decoder` reads; its name is removed from the reasons in damage()
DecoderPtr fill_damaged_rows(DecoderPtr decoder, const InputFile& file);

}  // namespace weir::media
