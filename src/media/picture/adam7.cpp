#include "media/picture/adam7.hpp"

#include <array>
#include <cstring>
#include <memory>

namespace weir::media {
namespace {

struct Pass {
  int x, y, step_x, step_y;  ///< its first pixel, and how far the next ones are
  int width, height;         ///< of the part of the picture that one of its pixels stands for until more is known
};
constexpr std::array<Pass, 7> kPasses{{{0, 0, 8, 8, 8, 8},
                                       {4, 0, 8, 8, 4, 8},
                                       {0, 4, 4, 8, 4, 4},
                                       {2, 0, 4, 4, 2, 4},
                                       {0, 2, 2, 4, 2, 2},
                                       {1, 0, 2, 2, 1, 2},
                                       {0, 1, 1, 2, 1, 1}}};

int pass_of(int x, int y) {
  for (int i = 0; i < 7; ++i) {
    const Pass& pass = kPasses[static_cast<std::size_t>(i)];
    if (x >= pass.x && y >= pass.y && (x - pass.x) % pass.step_x == 0 && (y - pass.y) % pass.step_y == 0) return i;
  }
  return 6;
}

bool is_there(const Adam7Place& reached, int x, int y) {
  const int pass = pass_of(x, y);
  return pass < reached.pass || (pass == reached.pass && y < reached.row);
}

struct Pixel {
  int x, y;
};

/// The pixel that stands for a missing one: the finest that is there.
Pixel stand_in(const Adam7Place& reached, int x, int y) {
  for (int i = reached.pass; i >= 0; --i) {
    const Pass& pass = kPasses[static_cast<std::size_t>(i)];
    const Pixel at{x - x % pass.width, y - y % pass.height};
    if (is_there(reached, at.x, at.y)) return at;
  }
  return {x - x % 8, reached.row > 0 ? reached.row - 8 : 0};  // below the end of the first pass: its last row
}

}  // namespace

Status fill_adam7(ScratchFile& rows, const PictureInfo& info, const Adam7Place& reached) {
  const auto pixel = static_cast<std::size_t>(info.channels() * info.bits / 8);
  const auto made = std::make_unique_for_overwrite<std::byte[]>(info.row_bytes());
  const auto other = std::make_unique_for_overwrite<std::byte[]>(info.row_bytes());
  const auto read = [&](int y, std::byte* into) {
    return rows.read_at(static_cast<std::uint64_t>(y) * info.row_bytes(), {into, info.row_bytes()});
  };
  for (int y = reached.whole_rows(); y < info.height; ++y) {
    if (auto got = read(y, made.get()); !got) return got;
    int loaded = -1;
    for (int x = 0; x < info.width; ++x) {
      if (is_there(reached, x, y)) continue;
      const Pixel from = stand_in(reached, x, y);
      if (from.y != y && from.y != loaded) {
        if (auto got = read(from.y, other.get()); !got) return got;
        loaded = from.y;
      }
      const auto* source = from.y == y ? made.get() : other.get();
      std::memcpy(made.get() + static_cast<std::size_t>(x) * pixel, source + static_cast<std::size_t>(from.x) * pixel,
                  pixel);
    }
    if (auto put = rows.write_at(static_cast<std::uint64_t>(y) * info.row_bytes(), {made.get(), info.row_bytes()});
        !put)
      return put;
  }
  return ok();
}

}  // namespace weir::media
