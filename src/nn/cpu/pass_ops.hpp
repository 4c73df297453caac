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

/// The ops of a program on the rows of one pass: each shares the pixels of some output rows among a team's members and
/// fills in the kernels' jobs. Everything given must outlive it.
class PassOps : public PassMemory {
 public:
  /// `scratch`: one array for each member of the team, as large as Runner::scratch_bytes says.
  PassOps(const PassMemory& memory, const compute::Kernels& kernels, compute::ThreadTeam& team,
          const PackedWeights& packed, VectorValues& vectors, std::vector<compute::AlignedArray<std::byte>>& scratch)
      : PassMemory{memory},
        kernels_{kernels},
        team_{team},
        packed_{packed},
        vectors_{vectors},
        scratch_{scratch},
        bad_flags_(static_cast<std::size_t>(team.size())) {}

  /// Makes rows `rows` of op number `o`, which is not an input.
  void compute_rows(int o, RowRange rows);
  /// A kernel met a value that is not a number or infinite.
  bool has_bad_values() const;

  // For the ops.
  const Op& op(int o) const { return program_.ops[static_cast<std::size_t>(o)]; }
  const PackedOp& packed(int o) const { return packed_.ops[static_cast<std::size_t>(o)]; }
  compute::ElementType element_type() const { return plan_.element_type; }
  const compute::Kernels& kernels() const { return kernels_; }
  /// One factor for each channel; see Vectors::gate.
  const float* gate_factors(int blob) { return vectors_.gate_factors(blob); }
  const Taps& taps(const Op& op, int in, int out);
  std::byte* scratch(int member) { return scratch_[static_cast<std::size_t>(member)].data(); }
  /// Calls work(row of units, first, last, member) for pieces of `rows` rows of `units` units each.
  template <class Work>
  void parallel_for(int rows, int units, int grain, Work&& work) {
    constexpr int kMaxGroups = 16;
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

  void conv3x3(int o, RowRange rows);
  void patch(int o, RowRange rows);
  void direct(int o, RowRange rows);

 private:
  compute::Residual residual_of(const Op& op);
  const void* residual_address(const Op& op, int y, int x) const;
  compute::OutputLayout target_of(int t) const;
  bool* bad_flag(int member) { return &bad_flags_[static_cast<std::size_t>(member)].is_set; }

  struct alignas(64) BadValueFlag {
    bool is_set = false;
  };
  const compute::Kernels& kernels_;
  compute::ThreadTeam& team_;
  const PackedWeights& packed_;
  VectorValues& vectors_;
  std::vector<compute::AlignedArray<std::byte>>& scratch_;
  std::vector<BadValueFlag> bad_flags_;      // by member of the team
  std::map<std::array<int, 3>, Taps> taps_;  // by tensor, extent read, extent made
};

}  // namespace weir::nn
