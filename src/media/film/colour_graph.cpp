#include "media/film/colour_graph.hpp"

#include <array>
#include <cstdlib>
#include <string>

#include "base/round_up.hpp"
#include "base/text.hpp"

namespace weir::film {
namespace {

Error last_zimg_error() {
  std::array<char, 256> text{};
  const zimg_error_code_e code = zimg_get_last_error(text.data(), text.size());
  zimg_clear_last_error();
  return Error{code == ZIMG_ERROR_OUT_OF_MEMORY ? Errc::over_budget : Errc::unsupported,
               "conversion of colours: " + one_line(text.data())};
}

}  // namespace

void ColourGraph::MemoryFreer::operator()(void* memory) const { std::free(memory); }

Result<ColourGraph> ColourGraph::create(const zimg_image_format& from, const zimg_image_format& to) {
  zimg_graph_builder_params parameters;
  zimg_graph_builder_params_default(&parameters, ZIMG_API_VERSION);
  parameters.resample_filter = ZIMG_RESIZE_BICUBIC;
  parameters.resample_filter_uv = ZIMG_RESIZE_BICUBIC;
  parameters.dither_type = ZIMG_DITHER_NONE;
  ColourGraph graph;
  graph.graph_.reset(zimg_filter_graph_build(&from, &to, &parameters));
  if (!graph.graph_) return last_zimg_error();
  std::size_t bytes = 0;
  if (zimg_filter_graph_get_tmp_size(graph.graph_.get(), &bytes) != ZIMG_ERROR_SUCCESS) return last_zimg_error();
  graph.scratch_.reset(std::aligned_alloc(kAlignment, round_up(bytes + 1, kAlignment)));
  if (!graph.scratch_) return Error{Errc::over_budget, "no memory for the conversion of colours"};
  return graph;
}

Status ColourGraph::run(const Planes& from, const Planes& to) {
  zimg_image_buffer_const source = {ZIMG_API_VERSION, {}};
  zimg_image_buffer result = {ZIMG_API_VERSION, {}};
  for (int i = 0; i < from.count(); ++i) source.plane[i] = {from[i].data, from[i].stride, ZIMG_BUFFER_MAX};
  for (int i = 0; i < to.count(); ++i) result.plane[i] = {to[i].data, to[i].stride, ZIMG_BUFFER_MAX};
  if (zimg_filter_graph_process(graph_.get(), &source, &result, scratch_.get(), nullptr, nullptr, nullptr, nullptr) !=
      ZIMG_ERROR_SUCCESS)
    return last_zimg_error();
  return ok();
}

}  // namespace weir::film
