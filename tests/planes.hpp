#pragma once

// Pictures as planes of floats (one plane per channel), and generated networks that process them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compute/kernels/planes/planes_ref.hpp"
#include "networks/generate_network.hpp"
#include "nn/network.hpp"
#include "nn/rows.hpp"

namespace weir::test {

/// A picture in memory as the input of a network. Fails the test if the rows are not requested one after the other from
/// the first row.
class PlanesInput final : public nn::InputRows {
 public:
  explicit PlanesInput(const compute::Planes& planes) : planes_{planes} {}
  Status rewind() override {
    next_ = 0;
    return ok();
  }
  Status fill(const nn::PlanarRows& rows) override {
    EXPECT_EQ(rows.first, next_) << "rows are requested in order";
    next_ = rows.first + rows.count;
    for (int i = 0; i < rows.count; ++i) {
      for (int c = 0; c < rows.planes; ++c) {
        const std::span<const float> from = planes_.row(c, rows.first + i);
        std::copy_n(from.begin() + rows.left, rows.width,
                    rows.row[static_cast<std::size_t>(i)] + c * rows.plane_stride);
      }
    }
    return ok();
  }

 private:
  const compute::Planes& planes_;
  int next_ = 0;
};

/// Returns the values of generated_picture() as three planes.
inline compute::Planes generated_planes(int height, int width) {
  compute::Planes planes{3, height, width};
  planes.values = generated_picture(height, width);
  return planes;
}

/// Returns the values of the planes in the order [h, c, w]: for each row, the row of each channel.
inline std::vector<float> to_rows(const compute::Planes& planes) {
  std::vector<float> rows;
  for (int y = 0; y < planes.height; ++y) {
    for (int c = 0; c < planes.channels; ++c) {
      for (int x = 0; x < planes.width; ++x) rows.push_back(planes.at(c, y, x));
    }
  }
  return rows;
}

/// Generates a network of a family (see generate_network()) and parses it.
inline nn::Network load_generated_network(std::string_view family, int channels) {
  const GeneratedNetwork made = generate_network(family, {.channels = channels});
  auto network = nn::parse_network(made.param, made.bin, std::string{family});
  EXPECT_TRUE(network) << (network ? "" : network.error().what);
  return *std::move(network);
}

/// Returns the largest absolute difference of two values with the same index; 1e9 if a value is not a number. Fails the
/// test if the sizes differ.
inline double max_difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double difference = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    most = std::isnan(difference) ? 1e9 : std::max(most, difference);
  }
  return most;
}

}  // namespace weir::test
