#include "media/picture/format_limits.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "media/picture/picture_format.hpp"

namespace weir::media {
PictureInfo fit_picture_info(const WriteOptions& options, std::vector<std::string>& lost) {
  auto stored = options.row_format;
  stored.format = options.format;
  stored.width = options.final_width > 0 ? options.final_width : options.row_format.width;
  stored.height = options.final_height > 0 ? options.final_height : options.row_format.height;
  const std::string name{name_of(options.format)};
  const auto& support = find_format(options.format).write_support;
  if (stored.alpha && support && !support->alpha) {
    stored.alpha = false;
    lost.push_back("alpha (" + name + " has none; flattened onto white)");
  }
  if (stored.bits == 16 && support && !support->sixteen_bits) {
    stored.bits = 8;
    lost.push_back("16-bit (" + name + " holds 8)");
  }
  return stored;
}

Status check_format_limits(const WriteOptions& options) {
  const auto& support = find_format(options.format).write_support;
  if (!support)
    return Error{Errc::unsupported, std::string{name_of(options.format)} + " cannot be written; use " +
                                        list_written_formats(", ", " or ")};
  if (options.row_format.width < 1 || options.row_format.height < 1)
    return Error{Errc::invalid_argument, "a picture has at least one row and one column"};
  const int width = options.final_width > 0 ? options.final_width : options.row_format.width;
  const int height = options.final_height > 0 ? options.final_height : options.row_format.height;
  if (std::max(width, height) > support->max_side_px)
    return Error{Errc::unsupported,
                 fmt::format("{}x{} is too large for {} (at most {} pixels on a side); use {}", width, height,
                             name_of(options.format), support->max_side_px,
                             list_formats_with([](const WriteSupport& each) { return each.lossless; }))};
  return ok();
}

}  // namespace weir::media
