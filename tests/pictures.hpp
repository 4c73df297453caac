#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "media/picture/picture.hpp"

namespace weir::test {

/// A decoded picture, with the samples of all rows.
struct Picture {
  media::PictureInfo info;
  std::vector<std::byte> samples{};
};

/// Returns a sample value that depends on its position and channel, so that tests detect misplaced samples.
inline std::byte sample_at(int x, int y, int channel) {
  return static_cast<std::byte>((x * 7 + y * 13 + channel * 85) & 0xFF);
}

/// Writes a picture of sample_at() values, and creates the folders above it. The extension of `path` selects the
/// format, PNG if it is unknown. `channels`: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. Returns false if the picture
/// could not be written.
inline bool write_picture(const std::filesystem::path& path, int width, int height, int channels = 3) {
  std::filesystem::create_directories(path.parent_path());
  media::WriteOptions options;
  options.format = media::format_of_extension(path.extension().native()).value_or(media::Format::png);
  options.row_format = {.width = width, .height = height, .colours = channels < 3 ? 1 : 3, .alpha = channels % 2 == 0};
  options.final_width = width;
  options.final_height = height;
  options.overwrite = true;
  auto writer = media::PictureWriter::create(path, options);
  if (!writer) return false;
  std::vector<std::byte> row(options.row_format.row_bytes());
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) row[static_cast<std::size_t>(x * channels + c)] = sample_at(x, y, c);
    }
    if (!(*writer)->write(row)) return false;
  }
  return static_cast<bool>((*writer)->finish());
}

/// Reads a picture. Returns Picture{} if the picture cannot be read.
inline Picture read_picture(const media::PictureSource& source) {
  auto reader = media::PictureReader::open(source);
  if (!reader) return {};
  Picture picture{(*reader)->info(), std::vector<std::byte>((*reader)->info().row_bytes() * (*reader)->info().height)};
  if (!(*reader)->read(picture.samples)) return {};
  return picture;
}
inline Picture read_picture(const std::filesystem::path& path) {
  return read_picture({.path = path, .bytes = nullptr});
}
/// Reads a picture from `text`, the bytes of a picture file. Returns Picture{} if the picture cannot be read.
inline Picture read_picture_bytes(const std::string& text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return read_picture(
      {.path = "memory", .bytes = std::make_shared<const std::vector<std::byte>>(first, first + text.size())});
}

}  // namespace weir::test
