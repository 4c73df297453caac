#include "enhance/geometry.hpp"

#include <cmath>

#include <fmt/format.h>

#include "base/round_up.hpp"
#include "enhance/picture_upscaler.hpp"

namespace weir::enhance {

Geometry geometry_of(const nn::Family& family, int width, int height) {
  Geometry geometry;
  geometry.width = width;
  geometry.height = height;
  geometry.border = family.border;
  geometry.scale = family.scale;
  geometry.crop = family.crop;
  geometry.input_width = round_up(width, family.align) + 2 * family.border;
  geometry.input_height = round_up(height, family.align) + 2 * family.border;
  return geometry;
}

int reflect(int i, int n) {
  if (n == 1) return 0;
  const int period = 2 * (n - 1);  // the mirrored row repeats after this many positions
  i %= period;
  if (i < 0) i += period;
  return i < n ? i : period - i;
}

namespace {

/// Returns the scale that the settings request. If they request a width and a height, returns the larger of the scales
/// of the two axes.
double requested_scale(const nn::Network& network, const media::PictureInfo& picture, const UpscaleSettings& settings) {
  const double across = static_cast<double>(settings.width) / picture.width;
  const double down = static_cast<double>(settings.height) / picture.height;
  if (settings.width > 0 || settings.height > 0) return std::max(across, down);
  return settings.scale > 0 ? settings.scale : network.family.scale;
}

}  // namespace

int network_runs(const nn::Network& network, const media::PictureInfo& picture, const UpscaleSettings& settings) {
  // A result that is larger only because its sides are rounded to whole pixels does not need a second run. Rounding
  // adds up to half a pixel to a side, and so up to `rounding` to the scale.
  const double rounding = 0.5 / std::max(picture.width, picture.height);
  const int scale = network.family.scale;
  const bool needs_second_run = scale > 1 && requested_scale(network, picture, settings) > scale + rounding;
  return needs_second_run ? 2 : 1;
}

media::PictureInfo rows_info(const nn::Network& network, const media::PictureInfo& picture,
                             const UpscaleSettings& settings) {
  media::PictureInfo info = picture;
  for (int run = 0; run < network_runs(network, picture, settings); ++run) {
    info.width *= network.family.scale;
    info.height *= network.family.scale;
  }
  return info;
}

Result<FinalSize> final_size(const nn::Network& network, const media::PictureInfo& picture,
                             const UpscaleSettings& settings) {
  constexpr double kMaxSide = 1 << 22;  // pixels; four times the largest side of a picture file (media::kMaxSide)
  double width = settings.width;
  double height = settings.height;
  if (settings.width == 0 && settings.height == 0) {
    const double scale = requested_scale(network, picture, settings);
    width = std::round(picture.width * scale);
    height = std::round(picture.height * scale);
  } else if (settings.height == 0) {
    height = std::round(static_cast<double>(picture.height) * settings.width / picture.width);
  } else if (settings.width == 0) {
    width = std::round(static_cast<double>(picture.width) * settings.height / picture.height);
  }
  width = std::max(width, 1.0);
  height = std::max(height, 1.0);
  if (width > kMaxSide || height > kMaxSide) {
    return Error{
        Errc::invalid_argument,
        fmt::format("a result of {:.0f}x{:.0f} was requested; at most {:.0f} pixels a side", width, height, kMaxSide)};
  }
  return FinalSize{static_cast<int>(width), static_cast<int>(height)};
}

}  // namespace weir::enhance
