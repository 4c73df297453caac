#pragma once

#include "media/picture/decoder.hpp"

namespace weir::media {

/// The decoder's picture in full height: where it cannot go on because the file is damaged, its last good row is repeated
/// to the end, so that no edge arises that the picture does not have. `file`: its name in the decoder's messages.
/// Without one whole row the decoder's error stands.
DecoderPtr fill_damaged_rows(DecoderPtr decoder, const InputFile& file);

}  // namespace weir::media
