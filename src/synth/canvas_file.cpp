#include "synth/canvas_file.hpp"

#include <cstring>
#include <span>
#include <vector>

#include "media/picture/picture.hpp"

namespace weir::synth {

Status write_canvas(const Canvas& canvas, const std::filesystem::path& path) {
  media::WriteOptions options;
  options.row_format.width = options.final_width = canvas.width;
  options.row_format.height = options.final_height = canvas.height;
  options.overwrite = true;
  options.format = media::format_of_extension(path.extension().native()).value_or(media::Format::png);
  auto writer = media::PictureWriter::create(path, options);
  if (!writer) return writer.error();
  const std::vector<std::uint8_t> samples = to_bytes(canvas);
  if (auto written = (*writer)->write(std::as_bytes(std::span{samples})); !written) return written;
  auto finished = (*writer)->finish();
  return finished ? ok() : Status{finished.error()};
}

Result<Canvas> read_canvas(const std::filesystem::path& path) {
  auto reader = media::PictureReader::open({.path = path, .bytes = nullptr});
  if (!reader) return reader.error();
  const media::PictureInfo info = (*reader)->info();
  Canvas canvas{info.width, info.height};
  std::vector<std::byte> row(info.row_bytes());
  const auto channels = static_cast<std::size_t>(info.channels());
  for (int y = 0; y < info.height; ++y) {
    if (auto read = (*reader)->read(row); !read) return read.error();
    for (int x = 0; x < info.width; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {  // a grey picture has one value for all three
        const std::size_t i = static_cast<std::size_t>(x) * channels + (info.colours == 3 ? c : 0);
        std::uint16_t value_16 = 0;
        if (info.bits == 16) std::memcpy(&value_16, row.data() + 2 * i, 2);
        canvas.at(x, y)[c] =
            info.bits == 16 ? static_cast<float>(value_16) / 65535.0F : static_cast<float>(row[i]) / 255.0F;
      }
    }
  }
  return canvas;
}

}  // namespace weir::synth
