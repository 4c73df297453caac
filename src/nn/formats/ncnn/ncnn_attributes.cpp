#include "nn/formats/ncnn/ncnn_attributes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace weir::nn {

NcnnAttributes::NcnnAttributes(const NcnnLine& line, const std::string& file)
    : line_{line}, file_{file}, is_read_(line.parameters.size()) {}

const NcnnParameter* NcnnAttributes::mark_read(int id) {
  for (std::size_t i = 0; i < line_.parameters.size(); ++i) {
    if (line_.parameters[i].id != id) continue;
    is_read_[i] = true;
    return &line_.parameters[i];
  }
  return nullptr;
}

bool NcnnAttributes::has(int id) const {
  return std::any_of(line_.parameters.begin(), line_.parameters.end(), [id](const auto& p) { return p.id == id; });
}

void NcnnAttributes::fail(Errc code, const std::string& why) {
  if (!status_) return;
  status_ = Error{code, fmt::format("{}:{}: {} {}: {}", file_, line_.number, line_.type, line_.name, why)};
}

void NcnnAttributes::fail_unsupported(const std::string& why) { fail(Errc::unsupported, why); }
void NcnnAttributes::fail_corrupt(const std::string& why) { fail(Errc::corrupt, why); }

int NcnnAttributes::read_integer(int id, int fallback, int low, int high, std::string_view what) {
  const NcnnParameter* parameter = mark_read(id);
  if (parameter == nullptr && fallback >= low && fallback <= high) return fallback;
  // A list becomes NaN, which fails the comparisons below; so does a fallback outside of the limits.
  const double value = parameter == nullptr ? fallback : parameter->values.size() == 1 ? parameter->values[0] : NAN;
  if (value >= low && value <= high && value == std::floor(value)) return static_cast<int>(value);
  const std::string given = parameter == nullptr ? "missing" : std::isnan(value) ? "a list" : fmt::format("{}", value);
  const std::string supported = low == high ? fmt::format("{}", low) : fmt::format("{} to {}", low, high);
  fail_unsupported(fmt::format("{} (parameter {}) is {}; supported: {}", what, id, given, supported));
  return low;
}

void NcnnAttributes::require(int id, int fallback, int only, std::string_view what) {
  read_integer(id, fallback, only, only, what);
}

float NcnnAttributes::read_number(int id, float fallback, std::string_view what) {
  const NcnnParameter* parameter = mark_read(id);
  if (parameter == nullptr) return fallback;
  if (parameter->values.size() == 1 && std::abs(parameter->values[0]) <= std::numeric_limits<float>::max()) {
    return static_cast<float>(parameter->values[0]);
  }
  fail_unsupported(fmt::format("{} (parameter {}) is not one number that a float can hold", what, id));
  return fallback;
}

std::vector<double> NcnnAttributes::read_list(int id, std::string_view what) {
  const NcnnParameter* parameter = mark_read(id);
  if (parameter == nullptr) return {};
  for (const double value : parameter->values) {
    if (std::abs(value) <= std::numeric_limits<float>::max()) continue;
    fail_unsupported(fmt::format("{} (parameter {}): {} does not fit a float", what, id, value));
    return {};
  }
  return parameter->values;
}

std::int64_t NcnnAttributes::read_count(int id, std::string_view what) {
  return read_integer(id, 0, 0, std::numeric_limits<int>::max(), what);
}

Activation NcnnAttributes::read_activation() {
  const NcnnParameter* parameter = mark_read(9);
  // ncnn's number of the kind; a list becomes -1, which is refused below.
  const double kind = parameter == nullptr ? 0 : parameter->values.size() == 1 ? parameter->values[0] : -1;
  const std::vector<double> values = read_list(10, "activation values");
  // Returns the activation with the first `count` values as its parameters.
  const auto make_activation = [&](Activation::Kind result, std::size_t count) -> Activation {
    if (values.size() < count) {
      fail_corrupt(fmt::format("activation {} needs {} values (parameter 10), and has {}", kind, count, values.size()));
      return {};
    }
    return {result, count > 0 ? static_cast<float>(values[0]) : 0, count > 1 ? static_cast<float>(values[1]) : 0};
  };
  if (kind == 0) return {};
  if (kind == 1) return make_activation(Activation::Kind::relu, 0);
  if (kind == 2) return make_activation(Activation::Kind::leaky_relu, 1);
  if (kind == 3 && values.size() == 2 && values[0] > values[1]) {
    fail_corrupt(fmt::format("low bound {} is above high bound {}", values[0], values[1]));
    return {};
  }
  if (kind == 3) return make_activation(Activation::Kind::clip, 2);
  if (kind == 4) return make_activation(Activation::Kind::sigmoid, 0);
  fail_unsupported(
      fmt::format("activation (parameter 9) is {}; supported: 0 none, 1 relu, 2 leaky relu, 3 clip, 4 sigmoid", kind));
  return {};
}

void NcnnAttributes::ignore(std::initializer_list<int> ids) {
  for (const int id : ids) mark_read(id);  // the values are not needed
}

Status NcnnAttributes::finish() {
  mark_read(30);  // shape hints of ncnn's optimiser, without effect
  for (std::size_t i = 0; i < is_read_.size(); ++i) {
    if (is_read_[i]) continue;
    fail_unsupported(fmt::format("parameter {} is not supported for this layer", line_.parameters[i].id));
  }
  return status_;
}

}  // namespace weir::nn
