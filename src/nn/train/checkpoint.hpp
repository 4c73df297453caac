#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "nn/train/optimiser.hpp"

namespace weir::nn::train {

/// Everything that training goes on from. As a file, little-endian: "weirtrn1"; 64 bits each of position and steps; 32 bits:
/// number of arrays; of each array 32 bits: bytes of its name, the name, 64 bits: number of values, the values as float32;
/// at the end 64 bits of XXH3 over all before.
struct Checkpoint {
  struct Array {
    std::string name;
    std::vector<float> values;
  };
  std::uint64_t position = 0;  ///< how much of the data was used: the caller's count
  std::uint64_t steps = 0;     ///< of the optimiser
  std::vector<Array> arrays;
};

/// What there is to save of a training under way; `average` may be null.
struct TrainingState {
  ParameterSet& parameters;
  Optimiser& optimiser;
  WeightEma* ema = nullptr;
};

/// Waits for the device. Errors: those of the device.
Result<Checkpoint> take_checkpoint(const TrainingState& training, std::uint64_t position);
/// Nothing is changed unless every array is there, in order, with its name and size. Errors: corrupt; those of the device.
Status restore_checkpoint(const Checkpoint& checkpoint, const TrainingState& training);

/// Errors: corrupt; unsupported for a file that another version of weir wrote. Allocates no more than the bytes that there are.
Result<Checkpoint> parse_checkpoint(std::span<const std::byte> bytes, const std::string& name);
std::vector<std::byte> to_bytes(const Checkpoint& checkpoint);

/// Appears whole or not at all, in the place of an older one. Errors: io, disk_full.
Status save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path);
/// Errors: io, corrupt, unsupported.
Result<Checkpoint> load_checkpoint(const std::filesystem::path& path);

}  // namespace weir::nn::train
