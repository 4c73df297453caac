#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compute/vulkan/hazards.hpp"
#include "compute/vulkan/queues.hpp"

namespace weir::compute::vulkan {

/// The number of a submission of a stream, from 1; smaller ones end before larger ones.
using Ticket = std::uint64_t;

/// Finds what a command of one stream must wait for of the other, from the inputs and outputs that the commands of both
/// declare: read after write, write after read, write after write. Within a stream Hazards does it. A value; makes no call.
class Crossings {
 public:
  /// The submission of the other lane that must have ended before a command with these uses begins; 0: none.
  Ticket before(Lane lane, std::span<const Access> uses) const;
  /// From now on everything of this lane begins after that submission of the other has ended.
  void waited(Lane lane, Ticket ticket);
  /// A command was recorded into that submission of this lane.
  void record(Lane lane, Ticket ticket, std::span<const Access> uses);
  /// The host has seen that this lane's submission has ended: nobody waits for it any more.
  void ended(Lane lane, Ticket ticket);
  std::size_t remembered() const { return of_[0].open.size() + of_[1].open.size(); }

 private:
  struct Open {
    Access access;
    Ticket ticket;
  };
  struct Of {
    std::vector<Open> open;  // in the order of their tickets
    Ticket waited = 0;       // for the other lane
  };
  Of& of(Lane lane) { return of_[static_cast<std::size_t>(lane)]; }
  const Of& of(Lane lane) const { return of_[static_cast<std::size_t>(lane)]; }
  std::array<Of, 2> of_;
};

}  // namespace weir::compute::vulkan
