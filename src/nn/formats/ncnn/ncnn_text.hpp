#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir::nn {

/// One parameter of a layer line, "id=value": a number, or a list of numbers.
struct NcnnParameter {
  int id = 0;
  bool is_list = false;
  std::vector<double> values;
};

/// One layer line of a .param file as written: names and numbers, not yet interpreted.
struct NcnnLine {
  int number = 0;  ///< line number in the file, from 1
  std::string type;
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<NcnnParameter> parameters;  ///< in the order of the line; each id occurs once
};

/// The largest supported size of a .param file. The file of the largest network in use (Real-ESRGAN
/// with 23 residual-in-residual blocks) has 0.1 MB.
inline constexpr std::size_t kMaxParamBytes = 4u << 20;
/// The largest supported number of layers: twenty times that of the largest network in use.
inline constexpr std::size_t kMaxLayers = 20000;

/// Returns a word of a file for messages: its first 40 bytes, and "..." if it is longer; each control character and
/// each byte above ASCII is replaced by "?".
std::string printable(std::string_view word);

/// Reads the text form of an ncnn network: the magic number 7767517; the numbers of layers and of blobs; then one line
/// for each layer: type, name, number of inputs, number of outputs, names of the inputs, names of the outputs, and
/// parameters as "id=number", "id=a,b,c" or "-233xx=count,a,b,c" (a list of id xx).
/// Checks the syntax, that the numbers of layers and blobs are correct, and that all parameters are finite. Allocates
/// memory in proportion to the text's length, whatever numbers it contains. `name` is the file's name for messages.
/// Errors: corrupt, "NAME:LINE: ..."; unsupported for text above the limits.
/// Source: ncnn's wiki, "param and model file structure"; observed files.
Result<std::vector<NcnnLine>> read_ncnn_text(std::string_view text, const std::string& name);

}  // namespace weir::nn
