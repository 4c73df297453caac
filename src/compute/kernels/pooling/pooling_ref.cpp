#include "compute/kernels/pooling/pooling_ref.hpp"

#include <numeric>

namespace weir::compute {

Planes global_average_ref(const Planes& in) {
  Planes out{in.channels, 1, 1};
  for (int c = 0; c < in.channels; ++c) {
    const auto plane = in.plane(c);
    const double sum = std::accumulate(plane.begin(), plane.end(), 0.0);
    out.values[static_cast<std::size_t>(c)] = static_cast<float>(sum / static_cast<double>(plane.size()));
  }
  return out;
}

}  // namespace weir::compute
