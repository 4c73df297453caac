#include "media/film/planes.hpp"

#include <cstdlib>

#include <fmt/format.h>

#include "base/round_up.hpp"

namespace weir::film {

void Planes::Freer::operator()(std::byte* memory) const { std::free(memory); }

Result<Planes> Planes::create(SampleType type, int count, PlaneSize luma, PlaneSize chroma) {
  Planes planes;
  planes.type_ = type;
  planes.count_ = count;
  std::size_t bytes = 0;
  for (int i = 0; i < count; ++i) {
    const PlaneSize size = i == 0 ? luma : chroma;
    const std::size_t row = static_cast<std::size_t>(size.width) * static_cast<std::size_t>(bytes_per_sample(type));
    Plane& plane = planes.planes_[static_cast<std::size_t>(i)];
    plane = {size.width, size.height, static_cast<std::ptrdiff_t>(round_up(row, kAlignment)), nullptr};
    bytes += static_cast<std::size_t>(plane.stride) * static_cast<std::size_t>(size.height);
  }
  planes.memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, round_up(bytes, kAlignment))));
  if (!planes.memory_) return Error{Errc::over_budget, fmt::format("no memory for a frame of {} bytes", bytes)};
  std::byte* next = planes.memory_.get();
  for (int i = 0; i < count; ++i) {
    Plane& plane = planes.planes_[static_cast<std::size_t>(i)];
    plane.data = next;
    next += plane.stride * plane.height;
  }
  return planes;
}

Planes Planes::view(const Plane& plane) {
  Planes planes;
  planes.type_ = SampleType::float32;
  planes.count_ = 1;
  planes.planes_[0] = plane;
  return planes;
}

}  // namespace weir::film
