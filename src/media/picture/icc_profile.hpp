#pragma once

#include <string>

#include "media/picture/metadata.hpp"

namespace weir::media {

/// Whether the samples are sRGB, or so near that nobody tells them apart: what every format means when it says nothing.
bool is_srgb(const ColourInfo& colour);

/// A matrix profile (ICC.1:2001-04) that says what `colour` says; grey samples get a profile of their curve alone. Empty if
/// it has no such form: PQ and HLG, whose brightness is no fraction of white, and numbers that are not known.
Blob make_icc_profile(const ColourInfo& colour, bool grey);

/// For messages: "gamma 1", "PQ of BT.2020".
std::string describe_colour(const ColourInfo& colour);

}  // namespace weir::media
