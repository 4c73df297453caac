#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "nn/formats/ncnn/ncnn_text.hpp"
#include "nn/graph.hpp"

namespace weir::nn {

/// Reads the parameters of one layer line ("id=value") one by one and checks that their values are supported. The first
/// error is stored and returned by finish(). After an error the functions return a value within the given limits, so
/// that the caller needs no check after every parameter. `id` is always the id of a parameter; `what` is its name in
/// messages ("stride").
class NcnnAttributes {
 public:
  /// `line` and `file` must outlive this object.
  NcnnAttributes(const NcnnLine& line, const std::string& file);

  /// Reads a whole number within [low, high]; returns `fallback` if it is absent. If `fallback` is outside [low, high],
  /// the parameter must be present.
  int read_integer(int id, int fallback, int low, int high, std::string_view what);
  /// Checks that a whole number has the value `only`, which is the only supported one. `fallback` is its value if it is
  /// absent.
  void require(int id, int fallback, int only, std::string_view what);
  /// Reads any finite number that fits a float; returns `fallback` if it is absent.
  float read_number(int id, float fallback, std::string_view what);
  /// Reads a list of numbers that fit a float. A single number counts as a list of one number; the result is empty if
  /// the parameter is absent.
  std::vector<double> read_list(int id, std::string_view what);
  /// Reads the number of values that the line declares for an array in the .bin; returns 0 if it is absent.
  std::int64_t read_count(int id, std::string_view what);
  /// Reads an activation: parameters 9 (kind) and 10 (slope or bounds). Returns the kind `none` without parameter 9.
  Activation read_activation();
  /// Accepts any values of the parameters with these ids, which have no effect on the layer as weir uses it.
  void ignore(std::initializer_list<int> ids);

  /// Returns true if the line has parameter `id`.
  [[nodiscard]] bool has(int id) const;
  // Each of these two functions stores an error if there is none yet.
  void fail_unsupported(const std::string& why);
  void fail_corrupt(const std::string& why);

  /// Returns the first error of the layer. A parameter that was not read is an error too. Errors: unsupported, corrupt.
  Status finish();

 private:
  /// Marks a parameter as read, so that finish() accepts it, and returns it; null if it is absent.
  const NcnnParameter* mark_read(int id);
  void fail(Errc code, const std::string& why);

  const NcnnLine& line_;
  const std::string& file_;
  std::vector<bool> is_read_;  // by index into line_.parameters
  Status status_ = ok();       // the first error
};

}  // namespace weir::nn
