#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir::nn {

/// One "id=value" of a layer line: a number, or a list of numbers.
struct NcnnParameter {
  int id = 0;
  bool is_list = false;
  std::vector<double> values;
};

/// One layer line of a .param file, as written: words and numbers, nothing looked up yet.
struct NcnnLine {
  int number = 0;  ///< of the line in the file, from 1
  std::string type;
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<NcnnParameter> parameters;  ///< ids are unique
};

/// The largest .param that is read. The largest network in use (23 residual-in-residual blocks) takes 0.1 MB.
inline constexpr std::size_t kMaxParamBytes = 4u << 20;
/// The most layers in a network: twenty times the largest in use.
inline constexpr std::size_t kMaxLayers = 20000;

/// A word of a file as messages show it: at most 40 bytes, and no control characters.
std::string printable(std::string_view word);

/// Reads the text form of an ncnn network: the magic number 7767517, the counts of layers and blobs, one line for each
/// layer: type, name, counts of inputs and outputs, their names, "id=number", "id=a,b,c" or "-233xx=count,a,b,c".
/// Checks the form and both counts; all numbers are finite. Allocates in proportion to the text, whatever it claims.
/// Errors: corrupt, "NAME:LINE: ..."; unsupported for text above the limits.
/// Source: ncnn's wiki, "param and model file structure"; observed files.
Result<std::vector<NcnnLine>> read_ncnn_text(std::string_view text, const std::string& name);

}  // namespace weir::nn
