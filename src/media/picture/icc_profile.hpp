#pragma once

#include <string>

#include "media/picture/metadata.hpp"

namespace weir::media {

/// Returns whether samples with this colour information are sRGB, or so close that the difference is not visible. A
/// file without colour information is sRGB in all formats.
bool is_srgb(const ColourInfo& colour);

/// Makes an ICC profile (ICC.1:2001-04) that is equivalent to `colour`: a tone curve and a matrix from RGB to XYZ, or
/// for grey samples only the tone curve. Returns an empty blob if no such profile exists: for the HDR curves PQ
/// (absolute luminance) and HLG (depends on the peak luminance of the display), for unknown code numbers of ColourInfo::cicp, and for values out of
/// range.
Blob make_icc_profile(const ColourInfo& colour, bool grey);

/// Returns a short description for messages, such as "gamma 1", or "PQ of BT.2020" (curve and primaries).
std::string describe_colour(const ColourInfo& colour);

}  // namespace weir::media
