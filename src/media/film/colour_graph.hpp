#pragma once

#include <zimg.h>

#include <memory>

#include "base/result.hpp"
#include "media/film/planes.hpp"

namespace weir::film {

/// A prepared conversion of pictures by zimg: of the colour encoding, the sample type, the size. Not thread-safe.
class ColourGraph {
 public:
  ColourGraph() = default;
  /// Prepares the conversion. Nothing is dithered, so equal pictures give equal results. Chroma is resampled with
  /// bicubic interpolation. Errors: unsupported, with zimg's message; over_budget.
  static Result<ColourGraph> create(const zimg_image_format& from, const zimg_image_format& to);
  /// Converts one picture; the planes have the sizes and types of the formats. Errors: over_budget, unsupported.
  Status run(const Planes& from, const Planes& to);

 private:
  struct GraphFreer {
    void operator()(zimg_filter_graph* graph) const { zimg_filter_graph_free(graph); }
  };
  struct MemoryFreer {
    void operator()(void* memory) const;
  };
  std::unique_ptr<zimg_filter_graph, GraphFreer> graph_;
  std::unique_ptr<void, MemoryFreer> scratch_;
};

}  // namespace weir::film
