#pragma once

#include <string>

#include "media/picture/metadata.hpp"

namespace weir::media {

/// Returns whether weir takes samples with this colour information for sRGB. They must have the primaries of sRGB.
/// Their curve must be that of sRGB, a power function with an exponent of about 2.2, or that of BT.709 or a similar
/// standard (viewers display such still pictures with the sRGB curve). Primaries, or a curve, that the file does not
/// specify count as those of sRGB.
bool is_srgb(const ColourInfo& colour);

/// Makes an ICC profile (ICC.1:2001-04) that is equivalent to `colour`: a tone curve and a matrix from RGB to XYZ, or
/// for grey samples only the tone curve. Returns an empty blob if weir cannot make one: for the HDR curves PQ (absolute
/// luminance) and HLG (depends on the peak luminance of the display), for other code numbers of ColourInfo::cicp that
/// weir does not know, and for values out of range.
/// grey  whether the samples are grey
Blob make_icc_profile(const ColourInfo& colour, bool grey);

/// Returns a short description for messages, such as "gamma 1", or "PQ of BT.2020" (curve and primaries).
std::string describe_colour(const ColourInfo& colour);

}  // namespace weir::media
