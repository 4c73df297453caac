#include "nn/formats/ncnn/ncnn_graph.hpp"

#include <cassert>
#include <unordered_map>

#include <fmt/format.h>

#include "nn/formats/ncnn/ncnn_support.hpp"

namespace weir::nn {

namespace {

/// Builds a graph from layer lines. add() is called for each line in order, then finish(). Errors: corrupt,
/// unsupported.
class GraphBuilder {
 public:
  explicit GraphBuilder(const std::string& file) : file_{file} {}

  /// Adds the layer of a line, with a new blob for each of its outputs.
  Status add(const NcnnLine& line) {
    Layer layer{line.name, line.number, {}, {}, {}};
    std::vector<BlobShape> shapes;
    for (const std::string& blob : line.inputs) {
      const auto found = blob_indices_.find(blob);
      if (found == blob_indices_.end())
        return corrupt(line, fmt::format("blob '{}' is used before a layer makes it", printable(blob)));
      layer.inputs.push_back(found->second);
      shapes.push_back(result_.graph.blobs[found->second]);
      is_read_[found->second] = true;
    }
    auto read = read_ncnn_layer(line, shapes, file_);
    if (!read) return read.error();
    for (const std::string& blob : line.outputs) {
      if (!blob_indices_.emplace(blob, static_cast<int>(is_read_.size())).second) {
        return corrupt(line, fmt::format("blob '{}' is made twice", printable(blob)));
      }
      layer.outputs.push_back(static_cast<int>(is_read_.size()));
      result_.graph.blob_names.push_back(blob);
      result_.graph.blobs.push_back(read->output_shape);
      is_read_.push_back(false);
    }
    if (std::holds_alternative<Input>(read->operation)) {
      if (result_.graph.input >= 0) return unsupported(line, "a second input picture; supported: one");
      result_.graph.input = layer.outputs[0];
    }
    for (NcnnArray& array : read->arrays) {
      array.layer = static_cast<int>(result_.graph.layers.size());
      result_.arrays.push_back(array);
    }
    layer.operation = std::move(read->operation);
    result_.graph.layers.push_back(std::move(layer));
    return ok();
  }

  /// Finds the output, which is the only blob that no layer reads, and returns the network.
  Result<NcnnDescription> finish() && {
    Graph& graph = result_.graph;
    if (graph.input < 0) return Error{Errc::unsupported, fmt::format("{}: no layer of type Input", file_)};
    for (std::size_t blob = 0; blob < is_read_.size(); ++blob) {
      if (is_read_[blob]) continue;
      if (graph.output >= 0) {
        return Error{Errc::unsupported,
                     fmt::format("{}: nothing uses blobs '{}' and '{}'; supported: one result", file_,
                                 printable(graph.blob_names[graph.output]), printable(graph.blob_names[blob]))};
      }
      graph.output = static_cast<int>(blob);
    }
    assert(graph.output >= 0);  // a layer reads only blobs made before it, so no layer has read the last layer's output
    if (graph.blobs[graph.output].is_vector) {
      return Error{Errc::unsupported, fmt::format("{}: the result '{}' is a vector; supported: a picture", file_,
                                                  printable(graph.blob_names[graph.output]))};
    }
    return std::move(result_);
  }

 private:
  Error error(Errc code, const NcnnLine& line, const std::string& why) const {
    return {code, fmt::format("{}:{}: {} {}: {}", file_, line.number, line.type, line.name, why)};
  }
  Error corrupt(const NcnnLine& line, const std::string& why) const { return error(Errc::corrupt, line, why); }
  Error unsupported(const NcnnLine& line, const std::string& why) const { return error(Errc::unsupported, line, why); }

  const std::string& file_;
  NcnnDescription result_;
  std::unordered_map<std::string, int> blob_indices_;  // blob index by name
  std::vector<bool> is_read_;                          // by blob index: a layer reads the blob
};

}  // namespace

Result<NcnnDescription> build_ncnn_graph(std::span<const NcnnLine> lines, const std::string& file) {
  if (auto supported = check_ncnn_support(lines, file); !supported) return supported.error();
  GraphBuilder builder{file};
  for (const NcnnLine& line : lines) {
    if (auto status = builder.add(line); !status) return status.error();
  }
  return std::move(builder).finish();
}

std::int64_t count_parameters(std::span<const NcnnArray> arrays) {
  std::int64_t sum = 0;
  for (const NcnnArray& array : arrays) sum += array.count;
  return sum;
}

}  // namespace weir::nn
