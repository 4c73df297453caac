#pragma once

#include <array>
#include <map>
#include <vector>

#include "base/round_up.hpp"
#include "compute/kernels/kernels.hpp"
#include "compute/thread_team.hpp"
#include "nn/cpu/packed_weights.hpp"
#include "nn/cpu/pass_memory.hpp"
#include "nn/cpu/vector_values.hpp"
#include "nn/taps.hpp"

namespace weir::nn {

/// Computes rows of the ops of one pass (a pass goes through the picture once from top to bottom): divides the pixels
/// of output rows among the threads of a team and calls the kernels. All arguments of the constructor must outlive this
/// object, except `memory`, which is copied.
class PassOps : public PassMemory {
 public:
  /// `scratch` has one array for each thread of the team. Runner::create() allocates them, as large as the kernels of
  /// the program need.
  PassOps(const PassMemory& memory, const compute::Kernels& kernels, compute::ThreadTeam& team,
          const PackedWeights& packed, VectorValues& vectors, std::vector<compute::AlignedArray<std::byte>>& scratch)
      : PassMemory{memory},
        kernels_{kernels},
        team_{team},
        packed_{packed},
        vectors_{vectors},
        scratch_{scratch},
        bad_flags_(static_cast<std::size_t>(team.size())) {}

  /// Computes rows `rows` of the op with index `o`, which must not be an input.
  void compute_rows(int o, RowRange rows);
  /// Returns true if a kernel has found a value that is NaN or infinite. Only int16 arithmetic checks this.
  bool has_bad_values() const;

  // The following functions are for the ops (src/nn/ops). `o` is the index of an op.
  const Op& op(int o) const { return program_.ops[static_cast<std::size_t>(o)]; }
  const PackedOp& packed(int o) const { return packed_.ops[static_cast<std::size_t>(o)]; }
  compute::ElementType element_type() const { return plan_.element_type; }
  const compute::Kernels& kernels() const { return kernels_; }
  /// Returns the values of the vector with index `blob` as a gate: the factors by which the channels of a tensor are
  /// multiplied, one per channel, followed by ones up to a multiple of 32.
  const float* gate_factors(int blob) { return vectors_.gate_factors(blob); }
  /// Returns the taps of a resize from `in` to `out` rows or columns. Computes them in the first call and stores them.
  const Taps& taps(const Op& op, int in, int out);
  /// Returns the scratch memory of the thread with index `member`.
  std::byte* scratch(int member) { return scratch_[static_cast<std::size_t>(member)].data(); }
  /// The grain of parallel_for() for ops that only copy or add pixels, in columns: small enough that all threads share
  /// a row of a small picture, and large enough that giving out the pieces takes little of the time.
  static constexpr int kColumnGrain = 64;
  /// Divides `rows` rows of `units` units (columns, tiles or positions) each among the threads and calls
  /// work(row, first unit, end unit, member) for each piece; `member` is the index of the thread. Rows and units are
  /// counted from 0; a piece is within one row. It has a multiple of `grain` units, except at the end of a row, and at
  /// most kMaxGroups * grain units. Returns when all pieces are done.
  template <class Work>
  void parallel_for(int rows, int units, int grain, Work&& work) {
    constexpr int kMaxGroups = 16;
    // The team divides one range of numbers: each row has `padded` of them, so that every row begins at a multiple of
    // the grain.
    const int padded = round_up(units, grain);
    team_.run(rows * padded, grain, kMaxGroups * grain, [&](int first, int last, int member) {
      while (first < last) {
        const int row = first / padded;
        const int end = std::min(last, (row + 1) * padded);
        work(row, first - row * padded, std::min(end - row * padded, units), member);
        first = end;
      }
    });
  }

  // Each computes rows of an op of the kind with the same name.
  void conv3x3(int o, RowRange rows);
  void patch(int o, RowRange rows);
  void direct(int o, RowRange rows);

 private:
  /// Returns a description of an op's residual (a tensor that is added to the result) for the kernels. It does not
  /// include the addresses of the residual's rows.
  compute::Residual residual_of(const Op& op);
  /// Returns the address of the residual's value that belongs to column x of row y of the op's output.
  const void* residual_address(const Op& op, int y, int x) const;
  /// Returns the layout of tensor `t` for the kernels that write it.
  compute::OutputLayout target_of(int t) const;
  bool* bad_flag(int member) { return &bad_flags_[static_cast<std::size_t>(member)].is_set; }

  // A cache line of its own for each thread, so that threads do not slow each other down when they write.
  struct alignas(64) BadValueFlag {
    bool is_set = false;
  };
  const compute::Kernels& kernels_;
  compute::ThreadTeam& team_;
  const PackedWeights& packed_;
  VectorValues& vectors_;
  std::vector<compute::AlignedArray<std::byte>>& scratch_;
  std::vector<BadValueFlag> bad_flags_;      // by thread of the team
  std::map<std::array<int, 3>, Taps> taps_;  // by output tensor, input extent, output extent
};

}  // namespace weir::nn
