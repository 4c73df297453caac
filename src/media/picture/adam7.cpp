#include "media/picture/adam7.hpp"

#include <array>
#include <cstring>
#include <memory>

namespace weir::media {
namespace {

/// One of the seven passes. All values are in pixels of the picture.
struct Pass {
  int x, y, step_x, step_y;  ///< position of the first pixel; distances between pixels of this pass
  int width, height;         ///< size of the rectangle that a pixel represents until later passes refine it
};
constexpr std::array<Pass, 7> kPasses{{{0, 0, 8, 8, 8, 8},
                                       {4, 0, 8, 8, 4, 8},
                                       {0, 4, 4, 8, 4, 4},
                                       {2, 0, 4, 4, 2, 4},
                                       {0, 2, 2, 4, 2, 2},
                                       {1, 0, 2, 2, 1, 2},
                                       {0, 1, 1, 2, 1, 1}}};

/// Returns the index of the pass that stores the pixel (x, y).
int find_pass(int x, int y) {
  for (int i = 0; i < 7; ++i) {
    const Pass& pass = kPasses[static_cast<std::size_t>(i)];
    if (x >= pass.x && y >= pass.y && (x - pass.x) % pass.step_x == 0 && (y - pass.y) % pass.step_y == 0) return i;
  }
  return 6;
}

bool is_decoded(const Adam7Progress& progress, int x, int y) {
  const int pass = find_pass(x, y);
  return pass < progress.pass || (pass == progress.pass && y < progress.next_row);
}

struct Position {
  int x, y;
};

/// Returns the position of the decoded pixel that replaces the missing pixel (x, y).
Position find_substitute(const Adam7Progress& progress, int x, int y) {
  for (int i = progress.pass; i >= 0; --i) {
    const Pass& pass = kPasses[static_cast<std::size_t>(i)];
    const Position at{x - x % pass.width, y - y % pass.height};
    if (is_decoded(progress, at.x, at.y)) return at;
  }
  // The first pass is incomplete and the pixel is below its last decoded row. The pixels of this pass are 8 columns and
  // 8 rows apart.
  return {x - x % 8, progress.next_row > 0 ? progress.next_row - 8 : 0};
}

}  // namespace

Status fill_missing_adam7_pixels(ScratchFile& rows, const PictureInfo& info, const Adam7Progress& progress) {
  const auto pixel_bytes = static_cast<std::size_t>(info.channels() * info.bits / 8);
  const auto filled_row = std::make_unique_for_overwrite<std::byte[]>(info.row_bytes());
  const auto other_row = std::make_unique_for_overwrite<std::byte[]>(info.row_bytes());
  const auto read = [&](int y, std::byte* into) {
    return rows.read_at(static_cast<std::uint64_t>(y) * info.row_bytes(), {into, info.row_bytes()});
  };
  for (int y = progress.complete_rows(); y < info.height; ++y) {
    if (auto got = read(y, filled_row.get()); !got) return got;
    int loaded_row = -1;  // picture row in other_row; -1: none
    for (int x = 0; x < info.width; ++x) {
      if (is_decoded(progress, x, y)) continue;
      const Position from = find_substitute(progress, x, y);
      if (from.y != y && from.y != loaded_row) {
        if (auto got = read(from.y, other_row.get()); !got) return got;
        loaded_row = from.y;
      }
      const auto* source = from.y == y ? filled_row.get() : other_row.get();
      std::memcpy(filled_row.get() + static_cast<std::size_t>(x) * pixel_bytes,
                  source + static_cast<std::size_t>(from.x) * pixel_bytes, pixel_bytes);
    }
    if (auto put =
            rows.write_at(static_cast<std::uint64_t>(y) * info.row_bytes(), {filled_row.get(), info.row_bytes()});
        !put)
      return put;
  }
  return ok();
}

}  // namespace weir::media
