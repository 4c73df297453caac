#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "nn/formats/ncnn/ncnn_text.hpp"
#include "nn/graph.hpp"

namespace weir::nn {

/// The parameters of one layer line, asked for one by one with the values that are supported. The first value that is
/// not supported, or was never asked for, becomes the error of finish(); the readers go on with a harmless value, so
/// that a layer is read without a check after every number.
class NcnnAttributes {
 public:
  /// `file` and `line` must outlive this object.
  NcnnAttributes(const NcnnLine& line, const std::string& file);

  /// A whole number within [low, high]; `what` names it in messages ("stride").
  int read_integer(int id, int fallback, int low, int high, std::string_view what);
  /// The number is there for completeness: only `only` is supported.
  void require(int id, int fallback, int only, std::string_view what);
  /// Any finite number that a float can hold.
  float read_number(int id, float fallback, std::string_view what);
  /// A list (one number counts as a list of one); empty if absent.
  std::vector<double> read_list(int id, std::string_view what);
  /// The number of values that the line claims for an array; `what` names it.
  std::int64_t read_count(int id, std::string_view what);
  /// ids 9 (kind) and 10 (its values). Without id 9: none.
  Activation read_activation();
  /// These ids have no effect on the layer as it is used.
  void ignore(std::initializer_list<int> ids);

  [[nodiscard]] bool has(int id) const;
  /// Keeps the first reason.
  void fail_unsupported(const std::string& why);
  void fail_corrupt(const std::string& why);

  /// The first reason against the layer, unread parameters included.
  Status finish();

 private:
  const NcnnParameter* mark_read(int id);
  void fail(Errc code, const std::string& why);

  const NcnnLine& line_;
  const std::string& file_;
  std::vector<bool> is_read_;
  Status status_ = ok();
};

}  // namespace weir::nn
