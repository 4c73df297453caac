#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/mapping.hpp"
#include "base/result.hpp"
#include "base/scratch_file.hpp"
#include "compute/kernels/kernels.hpp"
#include "compute/team.hpp"
#include "nn/packed.hpp"
#include "nn/plan.hpp"

namespace weir::nn {

/// Some consecutive rows of a planar picture, as they lie in a ring; a view.
struct PlanarRows {
  int first = 0, count = 0;
  int width = 0, planes = 0;
  std::ptrdiff_t plane_stride = 0;           ///< floats
  std::vector<float*> row;                   ///< column 0 of the first plane of each row
};

/// The bordered picture that a network reads, from the top down.
class InputRows {
 public:
  virtual ~InputRows() = default;
  /// The next fill() is for row 0. Called before each pass that reads the picture, and before the last one always.
  virtual Status begin() = 0;
  /// Writes rows.first .. rows.first + rows.count - 1, each `width` columns of `planes` planes.
  virtual Status fill(const PlanarRows& rows) = 0;
};

/// Takes the network's result from the top down.
using OutputRows = std::function<Status(const PlanarRows& rows)>;

struct RunControl {
  std::function<void(double multiplications)> progress;  ///< done since the last call; may be empty
  std::stop_token stop;
};

/// Runs a program on pictures of one extent by rows: every op keeps only the rows that others still need.
/// Owns the arena and the scratch; keeps them from picture to picture. Not thread-safe.
class Runner {
 public:
  /// Everything given must outlive the runner. Errors: over_budget, io (row file).
  static Result<Runner> create(const Graph& graph, const Program& program, const Plan& plan,
                               const compute::Kernels& kernels, compute::Team& team,
                               const std::filesystem::path& spill_folder);
  static Bytes scratch_bytes(const Program& program, const Graph& graph, const compute::Kernels& kernels, int threads);

  /// Errors: those of input and output; cancelled; bad_values when a value was NaN or infinite ("not a number in layer X").
  Status run(const Packed& packed, InputRows& input, const OutputRows& output, const RunControl& control);

 private:
  Runner() = default;
  friend class PassRun;

  const Graph* graph_ = nullptr;
  const Program* program_ = nullptr;
  const Plan* plan_ = nullptr;
  const compute::Kernels* kernels_ = nullptr;
  compute::Team* team_ = nullptr;
  Mapping arena_;
  compute::AlignedArray<std::byte> zero_row_;
  std::vector<compute::AlignedArray<std::byte>> scratch_;  // by member of the team
  std::optional<ScratchFile> file_;
};

}  // namespace weir::nn
