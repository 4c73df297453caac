#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.hpp"

namespace weir::film {

/// The alignment of rows in bytes: what zimg needs with AVX-512.
inline constexpr std::size_t kAlignment = 64;

/// Samples of one plane of a frame: `height` rows of `width` samples. Rows begin `stride` bytes apart; the first sample and
/// the stride are aligned to 64 bytes, as zimg needs it.
struct Plane {
  int width = 0;
  int height = 0;
  std::ptrdiff_t stride = 0;  ///< in bytes
  std::byte* data = nullptr;

  template <class Sample>
  Sample* row(int y) const {
    return reinterpret_cast<Sample*>(data + (y * stride));
  }
};

/// The kinds of samples that planes have here.
enum class SampleType { uint8, uint16, float32 };
inline int bytes_per_sample(SampleType type) {
  return type == SampleType::uint8 ? 1 : type == SampleType::uint16 ? 2 : 4;
}

/// Width and height of a plane, in samples.
struct PlaneSize {
  int width = 0, height = 0;
};

/// Three planes of one sample type (only the first of a grey picture), with their memory.
class Planes {
 public:
  Planes() = default;
  /// Allocates planes for a picture whose second and third planes have size `chroma`; `count` is 1 or 3. Errors:
  /// over_budget.
  static Result<Planes> create(SampleType type, int count, PlaneSize luma, PlaneSize chroma);

  /// Returns one plane of float32 as a picture of one plane. It owns no memory.
  static Planes view(const Plane& plane);

  const Plane& operator[](int i) const { return planes_[static_cast<std::size_t>(i)]; }
  int count() const { return count_; }
  SampleType type() const { return type_; }

 private:
  struct Freer {
    void operator()(std::byte* memory) const;
  };
  std::array<Plane, 3> planes_;
  std::unique_ptr<std::byte, Freer> memory_;
  int count_ = 0;
  SampleType type_ = SampleType::uint8;
};

}  // namespace weir::film
