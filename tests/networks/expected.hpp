#pragma once

// Reads stored results of the generated networks. ncnn (commit a4d2ea1d, with its plain float32 layers) computed them
// from the same .param and .bin and the same picture. The folder expected/ has one text file per network.

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "networks/generate_network.hpp"
#include "places.hpp"

namespace weir::test {

/// Returns the settings with which the stored result of a family was computed.
inline GenerateSettings expected_settings(std::string_view family) {
  GenerateSettings settings;
  settings.channels = family.starts_with("realcugan") ? 4 : 6;
  settings.blocks = family.starts_with("rrdb") ? 1 : 2;
  const bool stores_float32 = family == "rrdb_pnnx_x4" || family == "layers";
  settings.weights = stores_float32 ? StoredWeights::float32 : StoredWeights::float16;
  return settings;
}

/// A stored result of a network.
struct ExpectedResult {
  /// Size of the network's input, which is generated_picture() without a border.
  int input_height = 0, input_width = 0;
  int height = 0, width = 0;  ///< size of the result
  std::vector<float> values;  ///< [3, height, width], with six significant digits
};

/// Reads the stored result of a family; `values` is empty if there is no file.
inline ExpectedResult read_expected(std::string_view family) {
  std::ifstream file{std::string{places::source()} + "/tests/networks/expected/" + std::string{family} + ".txt"};
  ExpectedResult expected;
  file >> expected.input_height >> expected.input_width >> expected.height >> expected.width;
  for (float value = 0; file >> value;) expected.values.push_back(value);
  return expected;
}

}  // namespace weir::test
