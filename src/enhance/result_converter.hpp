#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "compute/kernels/kernels.hpp"
#include "compute/thread_team.hpp"
#include "enhance/geometry.hpp"
#include "enhance/source_window.hpp"
#include "nn/rows.hpp"
#include "nn/value_check.hpp"

namespace weir::enhance {

/// Takes whole interleaved rows, the first of which is row `first`.
using SampleRowSink = std::function<Status(int first, std::span<const std::byte> rows)>;

/// Makes of a network's planar rows the rows of the picture: cut to its extent, the picture added where the network
/// makes a difference, grey again if it was grey, alpha enlarged beside it, as 8- or 16-bit samples. Rows that a device
/// made samples of are cut, and alpha is put beside them. Checks every band:
/// values that are no numbers, or one colour throughout where the picture has many, are the error bad_values.
class ResultConverter {
 public:
  /// `info`: of the rows made. `bits` of it may differ from the source's.
  ResultConverter(const nn::Family& family, const Geometry& geometry, const media::PictureInfo& info,
                  SourceWindow& source, const compute::Kernels& kernels, compute::ThreadTeam& team, SampleRowSink sink);

  Status convert(const nn::PlanarRows& rows);
  /// Only for pictures of 8 bits in colour; what the picture is to add was added.
  Status convert(const nn::ByteRows& rows);

 private:
  struct RowSpan {
    int first = 0, last = 0;  ///< of the network's rows
  };
  struct BandCheck {  // one band of input rows
    int band = -1;
    std::array<float, 3> first_values{};
    std::array<std::uint8_t, 3> first_pixel{};  ///< of bytes: the band's first pixel
    bool has_unequal_pixels = false;
    nn::ColourRange range;
  };
  void make_row(const nn::PlanarRows& rows, int i, std::byte* to, compute::ValueSummary& summary);
  void add_source(float* planes, std::ptrdiff_t plane_stride, int y);
  void make_grey(float* planes, std::ptrdiff_t plane_stride);
  void make_alpha(int y, std::byte* to);
  /// Those of `count` rows from `first` on that lie in the picture; the source is then read as far as they need.
  Result<RowSpan> begin_rows(int first, int count);
  int band_of(int row) const;
  /// Copies row i of `rows`, with room for alpha.
  void copy_row(const nn::ByteRows& rows, int i, std::byte* to);
  /// Row i of `rows`, made, is the first of a band.
  void begin_band(const nn::PlanarRows& rows, int i, int band);
  /// Output rows first..last-1 were made.
  Status check(int first, int last, const compute::ValueSummary& summary);

  const nn::Family& family_;
  Geometry geometry_;
  media::PictureInfo info_;
  SourceWindow& source_;
  const compute::Kernels& kernels_;
  compute::ThreadTeam& team_;
  SampleRowSink sink_;
  std::vector<std::byte> samples_;
  BandCheck checked_;
  struct AlphaTap {
    int index;
    std::array<float, 4> weight;
  };
  std::vector<AlphaTap> alpha_across_;
};

}  // namespace weir::enhance
