// Derives the properties of a network that a run needs (Family) from its graph. Nothing else is known about a network:
// the files have no fields for them, and names can be changed.

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "nn/network.hpp"
#include "nn/network_names.hpp"

namespace weir::nn {

namespace {

constexpr int kLargestAlign = 64;  // largest supported Family::align, in pixels
/// Side in pixels of the smallest input whose result size is examined; it is so large that no network crops it to
/// nothing.
constexpr int kSmallestProbe = 1024;
/// Border for networks whose result lacks no pixels, because their layers pad with zeros: pixels on every side, as in
/// Real-ESRGAN's programs.
constexpr int kZeroPaddedBorder = 10;

/// Returns by how many pixels the output for an input of n x n is smaller than n * scale, along one axis (below 0 if it
/// is larger); nothing if the graph does not support this size, or if the output is not square.
std::optional<std::int64_t> missing_pixels(const Graph& graph, int scale, int n) {
  const auto extents = infer_extents(graph, {n, n});
  if (!extents) return std::nullopt;
  const Extent out = (*extents)[graph.output];
  if (out.height != out.width) return std::nullopt;
  return std::int64_t{n} * scale - out.width;
}

/// The input sizes n for which the result lacks the fewest pixels: all n with n % align == remainder. With most other
/// sizes, layers that reduce the size also drop rows and columns that do not fill a whole stride.
struct PreferredSizes {
  int align = 1;
  int remainder = 0;
  std::int64_t shrink = 0;  ///< missing_pixels() of these sizes
};

/// Examines all input sizes of one range; returns nothing if no step and remainder describe the sizes that lack the
/// fewest pixels.
std::optional<PreferredSizes> find_preferred_sizes(const Graph& graph, int scale) {
  std::vector<std::optional<std::int64_t>> shrinks;
  for (int n = kSmallestProbe; n < kSmallestProbe + 2 * kLargestAlign; ++n)
    shrinks.push_back(missing_pixels(graph, scale, n));
  std::optional<std::int64_t> least;
  for (const auto& shrink : shrinks) {
    if (shrink && (!least || *shrink < *least)) least = shrink;
  }
  if (!least) return std::nullopt;
  for (int align = 1; align <= kLargestAlign; ++align) {
    // Returns true if all sizes with this remainder lack the fewest pixels.
    const auto is_best = [&](int remainder) {
      for (std::size_t i = 0; i < shrinks.size(); ++i) {
        if ((kSmallestProbe + static_cast<int>(i)) % align == remainder && shrinks[i] != least) return false;
      }
      return true;
    };
    for (int remainder = 0; remainder < align; ++remainder) {
      if (is_best(remainder)) return PreferredSizes{align, remainder, *least};
    }
  }
  return std::nullopt;
}

/// Sets border, crop and align of the family, so that a picture of n pixels along an axis (n is a multiple of align)
/// gives n * scale pixels after the border is added, the network has run, and `crop` pixels are cut off on every side.
Status choose_border(const PreferredSizes& sizes, Family& family) {
  const std::int64_t scale = family.scale;
  // The border must give at least the pixels that the result lacks: 2 * border * scale >= shrink, rounded up.
  const std::int64_t smallest = sizes.shrink > 0 ? (sizes.shrink + 2 * scale - 1) / (2 * scale) : kZeroPaddedBorder;
  for (std::int64_t border = smallest; border < smallest + sizes.align; ++border) {
    // Pixels of the output that are outside the enlarged picture; both sides must have the same number of them.
    const std::int64_t excess = 2 * border * scale - sizes.shrink;
    if ((2 * border) % sizes.align != sizes.remainder || excess < 0 || excess % 2 != 0) continue;
    family.border = static_cast<int>(border);
    family.crop = static_cast<int>(excess / 2);
    family.align = sizes.align;
    return ok();
  }
  return Error{Errc::unsupported,
               fmt::format("the result lacks {} pixels, for sizes in steps of {}: no equal border on all sides fits",
                           sizes.shrink, sizes.align)};
}

/// Properties of a graph from which the family's name and needs_enlarged_picture are derived.
class Structure {
 public:
  explicit Structure(const Graph& graph) : graph_{graph}, producer_(graph.blobs.size()) {
    for (std::size_t i = 0; i < graph.layers.size(); ++i) {
      for (const int blob : graph.layers[i].outputs) producer_[blob] = i;
    }
  }

  /// Returns the number of layers of this kind.
  template <class Kind>
  [[nodiscard]] int count() const {
    return static_cast<int>(std::count_if(graph_.layers.begin(), graph_.layers.end(), [](const Layer& layer) {
      return std::holds_alternative<Kind>(layer.operation);
    }));
  }

  /// Returns true if a layer adds pixels outside its input's edges.
  [[nodiscard]] bool adds_pixels() const {
    return std::any_of(graph_.layers.begin(), graph_.layers.end(),
                       [](const Layer& layer) { return adds_padding(layer.operation); });
  }

  /// Returns true if the result is the pixel shuffle of a convolution (possibly cropped), and only convolutions read
  /// the picture. Then no layer passes the picture around the convolutions to the result. Such networks are trained to
  /// produce only the difference from the enlarged picture.
  [[nodiscard]] bool ends_in_bare_shuffle() const {
    bool shuffled = false;
    const Layer* layer = &graph_.layers[producer_[graph_.output]];
    while (std::holds_alternative<PixelShuffle>(layer->operation) || std::holds_alternative<Crop>(layer->operation)) {
      shuffled = shuffled || std::holds_alternative<PixelShuffle>(layer->operation);
      layer = &graph_.layers[producer_[layer->inputs[0]]];
    }
    return shuffled && std::holds_alternative<Convolution>(layer->operation) && picture_goes_only_into_convolutions();
  }

 private:
  /// Returns true if only convolutions read the picture or copies of it (outputs of Split layers).
  [[nodiscard]] bool picture_goes_only_into_convolutions() const {
    std::vector<bool> is_picture(graph_.blobs.size());
    is_picture[graph_.input] = true;
    for (const Layer& layer : graph_.layers) {
      if (std::none_of(layer.inputs.begin(), layer.inputs.end(), [&](int blob) { return is_picture[blob]; })) continue;
      if (std::holds_alternative<Convolution>(layer.operation)) continue;
      if (!std::holds_alternative<Split>(layer.operation)) return false;
      for (const int blob : layer.outputs) is_picture[blob] = true;
    }
    return true;
  }

  const Graph& graph_;
  std::vector<std::size_t> producer_;  // by blob index: index of the layer that makes the blob
};

/// Returns Family::name. The rules fit the published networks of each family.
std::string family_name(const Structure& structure, const PreferredSizes& sizes) {
  if (!structure.adds_pixels() && sizes.shrink > 0 && structure.count<Deconvolution>() > 0) return "realcugan";
  if (!structure.adds_pixels()) return "unknown";
  if (structure.count<PRelu>() > 0 && structure.count<PixelShuffle>() == 1) return "animevideo";
  if (structure.count<Concat>() > 0 && structure.count<Interp>() > 0) return "realesrgan";
  return "unknown";
}

/// Returns the enlargement of the picture. Errors: unsupported if it is not a whole number from 1 to kLargestScale.
Result<int> find_whole_scale(const Graph& graph) {
  const auto scales = blob_scales(graph);
  if (!scales) return scales.error();
  const double scale = (*scales)[graph.output];
  const double whole = std::round(scale);
  if (whole >= 1 && whole <= kLargestScale && std::abs(scale - whole) < 1e-6) return static_cast<int>(whole);
  return Error{Errc::unsupported, fmt::format("the picture is enlarged {} times; supported: whole numbers from 1 to {}",
                                              scale, kLargestScale)};
}

}  // namespace

Result<Family> recognise_family(const Graph& graph) {
  if (const int channels = graph.blobs[graph.output].channels; channels != 3) {
    const std::string which = channels == 1 ? "is grey (1 channel)" : fmt::format("has {} channels", channels);
    return Error{Errc::unsupported, fmt::format("the result {}; supported: colour pictures (3 channels)", which)};
  }
  const auto scale = find_whole_scale(graph);
  if (!scale) return scale.error();
  const auto sizes = find_preferred_sizes(graph, *scale);
  if (!sizes || sizes->shrink < 0) {
    return Error{Errc::unsupported,
                 fmt::format("the results for pictures of {} to {} pixels are not regularly {} times as large",
                             kSmallestProbe, kSmallestProbe + 2 * kLargestAlign, *scale)};
  }
  Family family;
  family.scale = *scale;
  if (auto status = choose_border(*sizes, family); !status) return status.error();
  const Structure structure{graph};
  family.name = family_name(structure, *sizes);
  family.needs_enlarged_picture = !structure.adds_pixels() && structure.ends_in_bare_shuffle();
  family.mean_count = structure.count<GlobalAverage>();
  return family;
}

}  // namespace weir::nn
