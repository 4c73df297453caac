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

/// Receives complete rows of interleaved samples; `first` is the index, in the enlarged picture, of the first of these
/// rows.
using SampleRowSink = std::function<Status(int first, std::span<const std::byte> rows)>;

/// Converts the rows that a network computes to rows of the result:
///   - crops them to the enlarged picture;
///   - adds the source picture, enlarged, if the network computes only the difference from it;
///   - makes them grey if the picture is grey;
///   - adds the source's alpha channel, enlarged by cubic interpolation;
///   - converts them to 8- or 16-bit samples.
/// Rows that a device has already converted to samples are only cropped and get alpha.
/// Checks the result in bands of 16 rows of the source: values that are not numbers, or a single colour where the
/// source has many, are the error bad_values. Not thread-safe; it uses the threads of `team`.
class ResultConverter {
 public:
  /// `info` is the format of the rows to make; its `bits` may differ from those of the source. The arguments passed by
  /// reference, except `geometry` and `info`, must outlive this object.
  ResultConverter(const nn::Family& family, const Geometry& geometry, const media::PictureInfo& info,
                  SourceWindow& source, const compute::Kernels& kernels, compute::ThreadTeam& team, SampleRowSink sink);

  /// Returns the memory that a converter allocates to make rows of the format `info` if each call of convert() receives
  /// at most `rows_at_once` rows.
  static Bytes need(const media::PictureInfo& info, int rows_at_once);

  /// Converts rows of float32 planes and passes them to the sink. May change the values of `rows`.
  /// Errors: bad_values; those of the source and of the sink.
  Status convert(const nn::PlanarRows& rows);
  /// Does the same with 8-bit samples that a device made; the device has already added the source if the network needs
  /// it. Only for colour pictures of 8 bits.
  Status convert(const nn::ByteRows& rows);

 private:
  struct RowSpan {
    int first = 0, last = 0;  ///< rows first..last-1 of the network's output, before the crop
  };
  struct BandCheck {  // the state of the check of one band of source rows
    int band = -1;    ///< index of the band; -1: no band yet
    /// first pixel of the band, if the rows are float32 planes
    std::array<float, 3> first_values{};
    std::array<std::uint8_t, 3> first_pixel{};  ///< first pixel of the band, if the rows are samples
    bool has_unequal_pixels = false;
    nn::ColourRange range;  ///< colours of the source in the rows of the band that were converted so far
  };
  /// Converts row i (an index within `rows`) to samples at `to`. `summary` receives whether a value is not finite, or
  /// differs from the first pixel of the band.
  void make_row(const nn::PlanarRows& rows, int i, std::byte* to, compute::ValueSummary& summary);
  /// Adds the enlarged source to row y of the enlarged picture.
  void add_source(float* planes, std::ptrdiff_t plane_stride, int y);
  /// Replaces the first plane by the luma of all three.
  void make_grey(float* planes, std::ptrdiff_t plane_stride);
  /// Computes the alpha samples of row y of the enlarged picture by cubic interpolation of the source.
  void make_alpha(int y, std::byte* to);
  /// Returns the part of the `count` rows from `first` on (before the crop) that is inside the enlarged picture, and
  /// reads the source as far as the conversion of these rows needs it. Errors: those of the source.
  Result<RowSpan> begin_rows(int first, int count);
  /// Returns the index of the band that row `row` of the network's output belongs to.
  int band_of(int row) const;
  /// Copies row i (an index within `rows`) to `to`, and adds alpha if the picture has alpha.
  void copy_row(const nn::ByteRows& rows, int i, std::byte* to);
  /// Starts the check of band `band`, whose first row is row i (an index within `rows`); the row is already converted.
  void begin_band(const nn::PlanarRows& rows, int i, int band);
  /// Checks the rows first..last-1 of the enlarged picture, which are already converted. Errors: bad_values.
  Status check(int first, int last, const compute::ValueSummary& summary);

  const nn::Family& family_;
  Geometry geometry_;
  media::PictureInfo result_info_;
  SourceWindow& source_;
  const compute::Kernels& kernels_;
  compute::ThreadTeam& team_;
  SampleRowSink sink_;
  std::vector<std::byte> samples_;  // the rows of one call of convert()
  BandCheck checked_;
  struct AlphaTap {
    int index;                    // source column of the first of four taps; may be outside the picture
    std::array<float, 4> weight;  // weights of the four taps
  };
  std::vector<AlphaTap> alpha_across_;  // by column of the result; empty without alpha
};

}  // namespace weir::enhance
