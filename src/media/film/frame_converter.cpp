#include "media/film/frame_converter.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

namespace weir::film {
namespace {

constexpr zimg_pixel_type_e to_zimg(SampleType type) {
  return type == SampleType::uint8 ? ZIMG_PIXEL_BYTE : type == SampleType::uint16 ? ZIMG_PIXEL_WORD : ZIMG_PIXEL_FLOAT;
}

zimg_chroma_location_e to_zimg(AVChromaLocation location) {
  switch (location) {
    case AVCHROMA_LOC_CENTER:
      return ZIMG_CHROMA_CENTER;
    case AVCHROMA_LOC_TOPLEFT:
      return ZIMG_CHROMA_TOP_LEFT;
    case AVCHROMA_LOC_TOP:
      return ZIMG_CHROMA_TOP;
    case AVCHROMA_LOC_BOTTOMLEFT:
      return ZIMG_CHROMA_BOTTOM_LEFT;
    case AVCHROMA_LOC_BOTTOM:
      return ZIMG_CHROMA_BOTTOM;
    default:
      return ZIMG_CHROMA_LEFT;
  }
}

/// Describes planes of one format for zimg, in the padded size (zimg refuses odd sizes with half chroma). `depth` is
/// ignored for float32.
zimg_image_format describe(const FrameFormat& format, SampleType type, int depth) {
  zimg_image_format described;
  zimg_image_format_default(&described, ZIMG_API_VERSION);
  described.width = static_cast<unsigned>(format.padded_luma_size().width);
  described.height = static_cast<unsigned>(format.padded_luma_size().height);
  described.pixel_type = to_zimg(type);
  described.depth = static_cast<unsigned>(depth);
  described.pixel_range = format.colour.range == AVCOL_RANGE_JPEG ? ZIMG_RANGE_FULL : ZIMG_RANGE_LIMITED;
  if (format.colours == 1) {
    described.color_family = ZIMG_COLOR_GREY;
  } else if (format.is_rgb) {
    described.color_family = ZIMG_COLOR_RGB;
    described.matrix_coefficients = ZIMG_MATRIX_RGB;
  } else {
    described.color_family = ZIMG_COLOR_YUV;
    described.matrix_coefficients = static_cast<zimg_matrix_coefficients_e>(format.colour.matrix);
    described.subsample_w = static_cast<unsigned>(format.chroma_shift_x);
    described.subsample_h = static_cast<unsigned>(format.chroma_shift_y);
    described.chroma_location = to_zimg(format.colour.chroma_location);
  }
  return described;
}

/// Describes 16-bit RGB (or grey) of full range in the size of `format`: what the network reads and makes.
zimg_image_format describe_network_picture(const FrameFormat& format) {
  FrameFormat rgb = with_size(format, format.padded_luma_size().width, format.padded_luma_size().height);
  rgb.chroma_shift_x = rgb.chroma_shift_y = 0;
  rgb.is_rgb = format.colours == 3;
  rgb.colour.range = AVCOL_RANGE_JPEG;
  return describe(rgb, SampleType::uint16, 16);
}

/// Describes one plane of float32 of its own, as a grey picture.
zimg_image_format describe_single_plane(const Plane& plane) {
  zimg_image_format described;
  zimg_image_format_default(&described, ZIMG_API_VERSION);
  described.width = static_cast<unsigned>(plane.width);
  described.height = static_cast<unsigned>(plane.height);
  described.pixel_type = ZIMG_PIXEL_FLOAT;
  described.color_family = ZIMG_COLOR_GREY;
  described.pixel_range = ZIMG_RANGE_FULL;
  return described;
}

/// A range of coordinates along one axis of a plane, in samples: sample k covers k to k + 1.
struct Span {
  double begin = 0, length = 0;
};

/// Where the samples of a plane lie along one axis: sample k is at pixel `distance` k + `first`, pixels being counted from
/// the middle of the first one.
struct SamplePlaces {
  double distance = 1, first = 0;
};

/// Returns the part of a source plane that a plane of the result shows, along one axis, where the result has
/// `enlargement` pixels per pixel of the source: pixel x of the source is pixel enlargement (x + 1/2) - 1/2 of the result.
Span shown_part(int result_samples, double enlargement, SamplePlaces source, SamplePlaces result) {
  const double step = result.distance / (enlargement * source.distance);  // source samples per sample of the result
  // The place, in source samples, of the result's sample 0.
  const double first = (((result.first + 0.5) / enlargement) - 0.5 - source.first) / source.distance;
  return {first + 0.5 - (0.5 * step), result_samples * step};
}

/// Describes a source plane of which the result's plane shows a part.
zimg_image_format describe_shown_part(const Plane& plane, const Span& columns, const Span& rows) {
  zimg_image_format described = describe_single_plane(plane);
  described.active_region.left = columns.begin;
  described.active_region.width = columns.length;
  described.active_region.top = rows.begin;
  described.active_region.height = rows.length;
  return described;
}

Result<Planes> create_planes(const FrameFormat& format, SampleType type) {
  return Planes::create(type, format.colours, format.padded_luma_size(), format.chroma_size());
}

/// FFmpeg stores RGB as green, blue, red; zimg expects red, green, blue. Returns the index of FFmpeg's plane.
int plane_in_frame(const FrameFormat& format, int i) {
  constexpr int kPlaneOfColour[3] = {2, 0, 1};
  return format.is_rgb && format.colours == 3 ? kPlaneOfColour[i] : i;
}

PlaneSize plane_size(const FrameFormat& format, int i) { return i == 0 ? format.luma_size() : format.chroma_size(); }

/// Repeats the last of `size` columns and rows up to the end of the plane.
template <class Sample>
void pad(const Plane& plane, PlaneSize size) {
  for (int y = 0; y < size.height; ++y) {
    Sample* row = plane.row<Sample>(y);
    std::fill(row + size.width, row + plane.width, row[size.width - 1]);
  }
  for (int y = size.height; y < plane.height; ++y)
    std::copy_n(plane.row<Sample>(size.height - 1), plane.width, plane.row<Sample>(y));
}

/// Copies the planes of a frame, whose rows may be aligned in any way, to planes that zimg can read.
void copy_from_frame(const AVFrame& frame, const FrameFormat& format, const Planes& to) {
  for (int i = 0; i < to.count(); ++i) {
    const int in_frame = plane_in_frame(format, i);
    const PlaneSize size = plane_size(format, i);
    const std::size_t row_bytes = static_cast<std::size_t>(size.width) * bytes_per_sample(to.type());
    for (int y = 0; y < size.height; ++y) {
      std::memcpy(to[i].row<std::byte>(y),
                  frame.data[in_frame] + (static_cast<std::ptrdiff_t>(y) * frame.linesize[in_frame]), row_bytes);
    }
    if (to.type() == SampleType::uint8)
      pad<std::uint8_t>(to[i], size);
    else
      pad<std::uint16_t>(to[i], size);
  }
}

void copy_to_frame(const Planes& from, const FrameFormat& format, AVFrame& frame) {
  for (int i = 0; i < from.count(); ++i) {
    const int in_frame = plane_in_frame(format, i);
    const PlaneSize size = plane_size(format, i);
    const std::size_t row_bytes = static_cast<std::size_t>(size.width) * bytes_per_sample(from.type());
    for (int y = 0; y < size.height; ++y) {
      std::memcpy(frame.data[in_frame] + (static_cast<std::ptrdiff_t>(y) * frame.linesize[in_frame]),
                  from[i].row<std::byte>(y), row_bytes);
    }
  }
}

/// Copies planes of 16 bits, without their padding, to samples whose colours of a pixel lie together. They are turned.
void interleave(const Planes& from, PlaneSize size, const Orientation& turn, std::uint16_t* to) {
  const int colours = from.count();
  const TurnedPlaces places = turned_places(size, turn, turned_size(size, turn).width);
  for (int i = 0; i < colours; ++i) {
    for (int y = 0; y < size.height; ++y) {
      const auto* row = from[i].row<std::uint16_t>(y);
      std::uint16_t* out = to + ((places.first + (y * places.down)) * colours) + i;
      for (int x = 0; x < size.width; ++x) out[x * places.across * colours] = row[x];
    }
  }
}

/// Copies samples whose colours of a pixel lie together to planes of 16 bits, and pads the planes.
void separate(const std::uint16_t* from, PlaneSize size, const Planes& to) {
  const int colours = to.count();
  for (int i = 0; i < colours; ++i) {
    for (int y = 0; y < size.height; ++y) {
      const std::uint16_t* in = from + (static_cast<std::ptrdiff_t>(y) * size.width * colours) + i;
      auto* row = to[i].row<std::uint16_t>(y);
      for (int x = 0; x < size.width; ++x) row[x] = in[x * colours];
    }
    pad<std::uint16_t>(to[i], size);
  }
}

/// Sets to = a - b, turned, for one plane of this size without its padding, and pads `to`.
void subtract(const Plane& a, const Plane& b, PlaneSize size, const Orientation& turn, const Plane& to) {
  const auto stride = to.stride / static_cast<std::ptrdiff_t>(sizeof(float));
  const TurnedPlaces places = turned_places(size, turn, stride);
  for (int y = 0; y < size.height; ++y) {
    const float* first = a.row<float>(y);
    const float* second = b.row<float>(y);
    float* out = to.row<float>(0) + places.first + (y * places.down);
    for (int x = 0; x < size.width; ++x) out[x * places.across] = first[x] - second[x];
  }
  pad<float>(to, turned_size(size, turn));
}

/// Adds `from` to `to`.
void add(const Plane& from, const Plane& to) {
  for (int y = 0; y < to.height; ++y) {
    const float* in = from.row<float>(y);
    float* out = to.row<float>(y);
    for (int x = 0; x < to.width; ++x) out[x] += in[x];
  }
}

}  // namespace

Result<std::unique_ptr<FrameConverter>> FrameConverter::create(const FrameFormat& source, const FrameFormat& result,
                                                               PlaneSize network_result, const Orientation& turn) {
  std::unique_ptr<FrameConverter> converter{new FrameConverter{source, result, network_result, turn}};
  if (auto prepared = converter->prepare(); !prepared) return prepared.error();
  return converter;
}

Status FrameConverter::prepare() {
  const auto allocate = [](Planes& planes, Result<Planes> created) -> Status {
    if (!created) return created.error();
    planes = *std::move(created);
    return ok();
  };
  const auto build = [](ColourGraph& graph, const zimg_image_format& from, const zimg_image_format& to) -> Status {
    auto created = ColourGraph::create(from, to);
    if (!created) return created.error();
    graph = *std::move(created);
    return ok();
  };
  const auto network_planes = [](const FrameFormat& format) {
    return Planes::create(SampleType::uint16, format.colours, format.padded_luma_size(), format.padded_luma_size());
  };
  const SampleType type = source_.sample_type();
  const auto source_samples = describe(source_, type, source_.depth);
  const auto source_float = describe(source_, SampleType::float32, 32);
  const auto result_float = describe(result_, SampleType::float32, 32);

  for (auto& [planes, format, sample_type] :
       {std::tuple{&source_samples_, &source_, type}, std::tuple{&source_float_, &source_, SampleType::float32},
        std::tuple{&source_again_, &source_, SampleType::float32},
        std::tuple{&result_float_, &result_, SampleType::float32}, std::tuple{&result_samples_, &result_, type},
        std::tuple{&enlarged_, &result_, SampleType::float32}}) {
    if (auto done = allocate(*planes, create_planes(*format, sample_type)); !done) return done;
  }
  if (auto done = allocate(source_rgb_, network_planes(source_)); !done) return done;
  if (auto done = allocate(result_rgb_, network_planes(network_result_)); !done) return done;

  const auto source_rgb = describe_network_picture(source_);
  if (auto done = build(widen_source_, source_samples, source_float); !done) return done;
  if (auto done = build(source_to_rgb_, source_float, source_rgb); !done) return done;
  if (auto done = build(rgb_to_source_, source_rgb, source_float); !done) return done;
  if (auto done = build(rgb_to_result_, describe_network_picture(network_result_), result_float); !done) return done;
  if (auto done = build(round_result_, result_float, describe(result_, type, result_.depth)); !done) return done;
  return prepare_enlargement();
}

Status FrameConverter::prepare_enlargement() {
  const double across = static_cast<double>(result_.width) / turned_source_.width;
  const double down = static_cast<double>(result_.height) / turned_source_.height;
  const ChromaOrigin source_origin = turned_chroma_origin(source_, turn_), result_origin = chroma_origin(result_);
  const auto places = [](int plane, int shift, double first) {
    return plane == 0 ? SamplePlaces{} : SamplePlaces{static_cast<double>(1 << shift), first};
  };
  auto remainder = create_planes(turned_source_, SampleType::float32);
  if (!remainder) return remainder.error();
  for (int i = 0; i < std::min(source_.colours, 2); ++i) {
    const Plane& result = result_float_[i];
    const Span columns = shown_part(result.width, across, places(i, turned_source_.chroma_shift_x, source_origin.x),
                                    places(i, result_.chroma_shift_x, result_origin.x));
    const Span rows = shown_part(result.height, down, places(i, turned_source_.chroma_shift_y, source_origin.y),
                                 places(i, result_.chroma_shift_y, result_origin.y));
    auto graph =
        ColourGraph::create(describe_shown_part((*remainder)[i], columns, rows), describe_single_plane(result));
    if (!graph) return graph.error();
    (i == 0 ? enlarge_luma_ : enlarge_chroma_) = *std::move(graph);
  }
  return ok();
}

Status FrameConverter::to_network(const AVFrame& frame, NetworkFrame& picture) {
  copy_from_frame(frame, source_, source_samples_);
  if (auto done = widen_source_.run(source_samples_, source_float_); !done) return done;
  if (auto done = source_to_rgb_.run(source_float_, source_rgb_); !done) return done;
  // The result of the network is padded in the same way, so that the remainder fits it.
  for (int i = 0; i < source_rgb_.count(); ++i) pad<std::uint16_t>(source_rgb_[i], source_.luma_size());
  if (auto done = rgb_to_source_.run(source_rgb_, source_again_); !done) return done;
  if (picture.remainder.count() == 0) {
    auto planes = create_planes(turned_source_, SampleType::float32);
    if (!planes) return planes.error();
    picture.remainder = *std::move(planes);
  }
  for (int i = 0; i < source_.colours; ++i)
    subtract(source_float_[i], source_again_[i], plane_size(source_, i), turn_, picture.remainder[i]);
  picture.samples.resize(static_cast<std::size_t>(source_.width) * source_.height * source_.colours);
  interleave(source_rgb_, source_.luma_size(), turn_, picture.samples.data());
  return ok();
}

Status FrameConverter::to_frame(std::span<const std::uint16_t> samples, const Planes& remainder, AVFrame& frame) {
  separate(samples.data(), network_result_.luma_size(), result_rgb_);
  if (auto done = rgb_to_result_.run(result_rgb_, result_float_); !done) return done;
  for (int i = 0; i < result_.colours; ++i) {
    ColourGraph& enlarge = i == 0 ? enlarge_luma_ : enlarge_chroma_;
    if (auto done = enlarge.run(Planes::view(remainder[i]), Planes::view(enlarged_[i])); !done) return done;
    add(enlarged_[i], result_float_[i]);
  }
  if (auto done = round_result_.run(result_float_, result_samples_); !done) return done;
  copy_to_frame(result_samples_, result_, frame);
  return ok();
}

}  // namespace weir::film
