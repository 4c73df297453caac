#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "media/film/colour_graph.hpp"
#include "media/film/frame_format.hpp"
#include "media/film/orientation.hpp"

namespace weir::film {

/// A frame as a network reads it.
struct NetworkFrame {
  /// Samples [height, width, colours] of 16 bits: red, green, blue, or grey; 0 to 65535 is the range that a display shows.
  std::vector<std::uint16_t> samples;
  /// What these samples lose of the frame, in the frame's own planes, as float32 (luma 0..1, chroma -0.5..0.5): the fine
  /// detail of chroma, values brighter than white or darker than black, colours outside RGB, and rounding.
  Planes remainder;
};

/// Converts the frames of a film to pictures for a network, and the network's results to frames of the same kind. Not
/// thread-safe; two objects may be used for the two directions on two threads.
///
/// Exactness: chroma at half resolution, and values that RGB cannot express, do not survive the conversion to RGB and
/// back. The difference is kept (NetworkFrame::remainder), enlarged by bicubic interpolation, and added to the result. So a
/// network that changes nothing gives the frames of the film, sample for sample.
///
/// Turning: the network's picture and the remainder are turned, so the places of chroma samples are right after any
/// turn. The result has turned_format(), and the exactness holds where that format holds the turned samples exactly.
class FrameConverter {
 public:
  /// `result`: the format of the frames to make; it may differ from `source` in the size and in the places of chroma
  /// samples. `network_result`: the size of the network's results, which are resized to `result` by bicubic
  /// interpolation. `turn`: how the frames of the source are turned; `result` and `network_result` are sizes of turned
  /// frames. Errors: unsupported; over_budget.
  static Result<std::unique_ptr<FrameConverter>> create(const FrameFormat& source, const FrameFormat& result,
                                                        PlaneSize network_result, const Orientation& turn = {});

  const FrameFormat& source() const { return source_; }
  const FrameFormat& result() const { return result_; }
  /// Converts a frame of the film. Errors: over_budget; unsupported.
  Status to_network(const AVFrame& frame, NetworkFrame& picture);
  /// Converts a result of the network, [height, width, colours] in the size of `network_result`, to a frame.
  /// `remainder` is that of the network's input. `frame` must have the format, the size and writable planes of
  /// result(). Errors: over_budget; unsupported.
  Status to_frame(std::span<const std::uint16_t> samples, const Planes& remainder, AVFrame& frame);

 private:
  FrameConverter(const FrameFormat& source, const FrameFormat& result, PlaneSize network_result,
                 const Orientation& turn)
      : source_{source},
        result_{result},
        turn_{turn},
        turned_source_{with_turned_planes(source, turn)},
        network_result_{with_size(result, network_result.width, network_result.height)} {}
  Status prepare();
  Status prepare_enlargement();

  FrameFormat source_, result_;
  Orientation turn_;
  FrameFormat turned_source_;   // source_ with the planes turned; no pixel format may exist for it
  FrameFormat network_result_;  // result_ in the size of the network's results
  // From the film to the network: samples to float32, to RGB, and back to float32.
  Planes source_samples_, source_float_, source_rgb_, source_again_;
  ColourGraph widen_source_, source_to_rgb_, rgb_to_source_;
  // From the network to the result: RGB to float32, the enlarged remainder, and the sum as samples.
  Planes result_rgb_, result_float_, enlarged_, result_samples_;
  ColourGraph rgb_to_result_, enlarge_luma_, enlarge_chroma_, round_result_;
};

}  // namespace weir::film
