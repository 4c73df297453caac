#include "nn/formats/ncnn/ncnn_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace weir::nn {

namespace {

constexpr std::string_view kMagic = "7767517";
constexpr std::ptrdiff_t kFixedWords = 4;  // a layer line begins with type, name, number of inputs, number of outputs
constexpr int kFirstListId = -23300;  // -23300 - n stands for id n, with a list of numbers that begins with its length
constexpr int kMaxIds = 64;           // ids are 0 to 63
constexpr std::size_t kLongestName = 255;  // bytes

/// Returns the number that the whole word is; nothing if it is none.
template <class Number>
std::optional<Number> parse_number(std::string_view word) {
  Number value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// Splits a text into lines, and the lines into words. The words are views of the text.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_{text} {}

  /// Returns the words of the next line that is not blank; empty at the end of the text.
  std::vector<std::string_view> next() {
    while (!rest_.empty()) {
      const std::size_t end = std::min(rest_.find('\n'), rest_.size());
      const std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++number_;
      if (auto words = split(line); !words.empty()) return words;
    }
    return {};
  }
  /// Returns the number, from 1, of the line that next() returned last.
  [[nodiscard]] int number() const { return number_; }

 private:
  static std::vector<std::string_view> split(std::string_view line) {
    std::vector<std::string_view> words;
    std::size_t at = 0;
    while (at < line.size()) {
      if (is_space(line[at])) {
        ++at;
        continue;
      }
      const std::size_t begin = at;
      while (at < line.size() && !is_space(line[at])) ++at;
      words.push_back(line.substr(begin, at - begin));
    }
    return words;
  }

  std::string_view rest_;
  int number_ = 0;
};

/// Reads the text of one .param, from the first line to the last. Errors: those of read_ncnn_text().
class TextReader {
 public:
  TextReader(std::string_view text, const std::string& name) : lines_{text}, name_{name} {}

  Result<std::vector<NcnnLine>> read() {
    if (auto status = read_magic(); !status) return status.error();
    if (auto status = read_counts(); !status) return status.error();
    std::vector<NcnnLine> layers;
    std::size_t blobs = 0;
    for (auto words = lines_.next(); !words.empty(); words = lines_.next()) {
      if (layers.size() == layer_count_) return corrupt(fmt::format("more than the {} layers of line 2", layer_count_));
      auto layer = read_layer(words);
      if (!layer) return layer.error();
      blobs += layer->outputs.size();
      layers.push_back(*std::move(layer));
    }
    if (layers.size() != layer_count_) {
      return corrupt(fmt::format("{} layers, but line 2 declares {}", layers.size(), layer_count_));
    }
    if (blobs != blob_count_) return corrupt(fmt::format("{} blobs, but line 2 declares {}", blobs, blob_count_));
    return layers;
  }

 private:
  Error corrupt(const std::string& why) const {
    return {Errc::corrupt, fmt::format("{}:{}: {}", name_, lines_.number(), why)};
  }

  Status read_magic() {
    const auto words = lines_.next();
    if (words.size() == 1 && words[0] == kMagic) return ok();
    return Error{Errc::corrupt,
                 fmt::format("{}:1: not a text network of ncnn: the first line is not {}", name_, kMagic)};
  }

  Status read_counts() {
    const auto words = lines_.next();
    const auto layers = words.size() == 2 ? parse_number<std::int64_t>(words[0]) : std::nullopt;
    const auto blobs = words.size() == 2 ? parse_number<std::int64_t>(words[1]) : std::nullopt;
    if (!layers || !blobs || *layers < 1 || *blobs < 1) return corrupt("expected the number of layers and of blobs");
    if (*layers > static_cast<std::int64_t>(kMaxLayers)) {
      return Error{Errc::unsupported, fmt::format("{}:{}: {} layers; up to {} are supported", name_, lines_.number(),
                                                  *layers, kMaxLayers)};
    }
    layer_count_ = static_cast<std::size_t>(*layers);
    blob_count_ = static_cast<std::size_t>(*blobs);
    return ok();
  }

  /// Reads a layer line: the fixed words, the names of the inputs and outputs, and the parameters.
  Result<NcnnLine> read_layer(const std::vector<std::string_view>& words) const {
    if (words.size() < std::size_t{kFixedWords})
      return corrupt("expected: type, name, number of inputs, number of outputs, ...");
    const auto inputs = parse_number<std::size_t>(words[2]);
    const auto outputs = parse_number<std::size_t>(words[3]);
    const std::size_t remaining_words = words.size() - std::size_t{kFixedWords};
    if (!inputs || !outputs || *inputs > remaining_words || *outputs > remaining_words - *inputs) {
      return corrupt(
          fmt::format("{} inputs and {} outputs do not fit the line", printable(words[2]), printable(words[3])));
    }
    const auto first_input = words.begin() + kFixedWords;
    const auto first_output = first_input + static_cast<std::ptrdiff_t>(*inputs);
    const auto first_parameter = first_output + static_cast<std::ptrdiff_t>(*outputs);
    const auto is_too_long = [](std::string_view word) { return word.size() > kLongestName; };
    if (std::any_of(words.begin(), first_parameter, is_too_long)) {
      return corrupt(fmt::format("a name of more than {} bytes", kLongestName));
    }
    NcnnLine line;
    line.number = lines_.number();
    line.type = printable(words[0]);
    line.name = printable(words[1]);
    line.inputs.assign(first_input, first_output);
    line.outputs.assign(first_output, first_parameter);
    for (auto word = first_parameter; word != words.end(); ++word) {
      auto parameter = read_parameter(*word);
      if (!parameter) return parameter.error();
      const auto same = [&](const NcnnParameter& other) { return other.id == parameter->id; };
      if (std::any_of(line.parameters.begin(), line.parameters.end(), same)) {
        return corrupt(fmt::format("{} {}: parameter {} is given twice", line.type, line.name, parameter->id));
      }
      line.parameters.push_back(*std::move(parameter));
    }
    return line;
  }

  /// Reads "id=number", "id=a,b,c" or "-233xx=count,a,b,c".
  Result<NcnnParameter> read_parameter(std::string_view word) const {
    const std::size_t equals = word.find('=');
    const auto id = equals == word.npos ? std::nullopt : parse_number<int>(word.substr(0, equals));
    if (!id) return corrupt(fmt::format("expected id=value, found '{}'", printable(word)));
    NcnnParameter parameter;
    const bool begins_with_length = *id <= kFirstListId;
    parameter.id = begins_with_length ? kFirstListId - *id : *id;
    if (parameter.id < 0 || parameter.id >= kMaxIds) {
      return corrupt(fmt::format("'{}': an id is 0 to {}", printable(word), kMaxIds - 1));
    }
    std::string_view rest = word.substr(equals + 1);
    while (true) {
      const std::size_t comma = rest.find(',');
      const auto value = parse_number<double>(rest.substr(0, comma));
      if (!value || !std::isfinite(*value))
        return corrupt(fmt::format("'{}': expected finite numbers", printable(word)));
      parameter.values.push_back(*value);
      if (comma == rest.npos) break;
      rest.remove_prefix(comma + 1);
    }
    parameter.is_list = begins_with_length || parameter.values.size() > 1;
    if (begins_with_length) {
      if (parameter.values[0] != static_cast<double>(parameter.values.size() - 1)) {
        return corrupt(fmt::format("'{}': the list has {} values", printable(word), parameter.values.size() - 1));
      }
      parameter.values.erase(parameter.values.begin());
    }
    return parameter;
  }

  Lines lines_;
  const std::string& name_;
  std::size_t layer_count_ = 0;
  std::size_t blob_count_ = 0;
};

}  // namespace

std::string printable(std::string_view word) {
  constexpr std::size_t kLongest = 40;
  std::string out{word.substr(0, kLongest)};
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 32 || c >= 127; }, '?');
  return word.size() > kLongest ? out + "..." : out;
}

Result<std::vector<NcnnLine>> read_ncnn_text(std::string_view text, const std::string& name) {
  if (text.size() > kMaxParamBytes) {
    return Error{Errc::unsupported, fmt::format("{}: {} bytes; a text network of up to {} bytes is supported", name,
                                                text.size(), kMaxParamBytes)};
  }
  return TextReader{text, name}.read();
}

}  // namespace weir::nn
