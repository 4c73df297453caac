// Hostile networks: the input is the text of a .param, a zero byte, and the .bin. Whatever is accepted must also have
// extents, and runs on a small picture if that is little work. Seeds: ncnn_fuzz_corpus.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "nn/network.hpp"
#include "nn/reference.hpp"

namespace {

using weir::nn::Network;

constexpr double kMostWork = 2e6;    // multiplications
constexpr double kMostValues = 2e6;  // of all blobs together

void require(bool promise) {
  if (!promise) std::abort();
}

/// Extents for some inputs; what is small enough runs.
void use(const Network& network) {
  for (const weir::nn::Extent in : {weir::nn::Extent{1, 1}, {37, 44}, {100000, 3}}) {
    const auto extents = infer_extents(network.graph, in);
    if (!extents) continue;
    double values = 0;
    for (std::size_t i = 0; i < extents->size(); ++i) {
      const auto [height, width] = (*extents)[i];
      require(height >= 0 && width >= 0);
      values += static_cast<double>(height) * width * network.graph.blobs[i].channels;
    }
    if (values > kMostValues || network.multiplications_per_pixel * in.height * in.width > kMostWork) continue;
    const auto result = run_reference(network.graph, weir::compute::Planes{3, in.height, in.width});
    require(static_cast<bool>(result));
    require(result->height == (*extents)[network.graph.output].height);
    require(result->width == (*extents)[network.graph.output].width);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const std::size_t end = std::min(input.find('\0'), size);
  const std::size_t bin = std::min(end + 1, size);
  const auto weights = std::as_bytes(std::span{data + bin, size - bin});
  const auto network = weir::nn::parse_network(input.substr(0, end), weights, "network");
  if (network) {
    require(network->family.scale >= 1 && network->family.border >= 0 && network->family.crop >= 0);
    require(std::isfinite(network->multiplications_per_pixel));
    use(*network);
  } else {
    require(network.error().what.find('\n') == std::string::npos);
    require(network.error().what.starts_with("network"));
  }
  return 0;
}
