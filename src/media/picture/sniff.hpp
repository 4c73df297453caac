#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "media/picture/picture.hpp"

namespace weir::media {

inline constexpr std::size_t kSniffBytes = 64;

/// The format that the first kSniffBytes of a file (or all of a shorter one) speak of; the name plays no part.
std::optional<Format> sniff_format(std::span<const std::byte> head);

}  // namespace weir::media
