#pragma once

// Results of the generated networks that another program (ncnn, commit a4d2ea1d, its plain float32 layers) computed from
// the same .param and .bin and the same picture; one text file per network in expected/.

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "networks/generate_network.hpp"
#include "places.hpp"

namespace weir::test {

/// The settings with which a stored result was made.
inline GenerateSettings expected_settings(std::string_view family) {
  GenerateSettings settings;
  settings.channels = family.starts_with("realcugan") ? 4 : 6;
  settings.blocks = family.starts_with("rrdb") ? 1 : 2;
  const bool stores_float32 = family == "rrdb_pnnx_x4" || family == "layers";
  settings.weights = stores_float32 ? StoredWeights::float32 : StoredWeights::float16;
  return settings;
}

struct ExpectedResult {
  int input_height = 0, input_width = 0;  ///< of generated_picture, which goes into the network without a border
  int height = 0, width = 0;
  std::vector<float> values;  ///< [3, height, width], six digits
};

/// Empty values if the file is not there.
inline ExpectedResult read_expected(std::string_view family) {
  std::ifstream file{std::string{places::source()} + "/tests/networks/expected/" + std::string{family} + ".txt"};
  ExpectedResult expected;
  file >> expected.input_height >> expected.input_width >> expected.height >> expected.width;
  for (float value = 0; file >> value;) expected.values.push_back(value);
  return expected;
}

}  // namespace weir::test
