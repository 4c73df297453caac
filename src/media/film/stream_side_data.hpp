#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "media/film/ffmpeg.hpp"

namespace weir::film {

// Data of a stream that the container stores beside the packets. Other versions of FFmpeg keep them at another place.

/// Returns the data of one kind; null if the stream has none.
const std::uint8_t* find_side_data(const AVStream& stream, AVPacketSideDataType type);
/// Copies `size` bytes to a stream. Errors: over_budget.
Status add_side_data(AVStream& stream, AVPacketSideDataType type, const void* data, std::size_t size);
/// Returns the kinds of data that a stream has.
std::vector<AVPacketSideDataType> side_data_types(const AVStream& stream);
/// Copies the data of one kind to another stream, if there are any. Errors: over_budget.
Status copy_side_data(const AVStream& from, AVStream& to, AVPacketSideDataType type);
/// Copies all data of a stream to another one. Errors: over_budget.
Status copy_side_data(const AVStream& from, AVStream& to);

}  // namespace weir::film
