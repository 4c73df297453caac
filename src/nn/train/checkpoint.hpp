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

/// The saved state of a training, from which the training can continue. `arrays` has, for each parameter in the order
/// of the set: its values, the state arrays of the optimiser (Optimiser::state()), and its moving average if the
/// training has one.
/// The file is little-endian and contains: "weirtrn1"; `position` (64 bits); `steps` (64 bits); the number of arrays
/// (32 bits); for each array the length of its name in bytes (32 bits), the name, the number of values (64 bits) and
/// the values as float32; the 64-bit XXH3 hash of all bytes before the hash.
struct Checkpoint {
  struct Array {
    std::string name;
    std::vector<float> values;
  };
  std::uint64_t position = 0;  ///< a number that the caller defines, for example the index of the next batch of data
  std::uint64_t steps = 0;     ///< number of steps of the optimiser so far
  std::vector<Array> arrays;
};

/// References to the parts of a running training that a checkpoint saves.
struct TrainingState {
  ParameterSet& parameters;
  Optimiser& optimiser;
  WeightEma* ema = nullptr;  ///< null: the training has no moving average
};

/// Waits for the device and returns a copy of the state, with this `position`. Errors: those of the device.
Result<Checkpoint> take_checkpoint(const TrainingState& training, std::uint64_t position);
/// Copies the checkpoint into a training whose arrays have the same names, sizes and order. Errors: corrupt if the
/// arrays differ; then the training has not changed. Those of the device; then the training may be partly restored.
Status restore_checkpoint(const Checkpoint& checkpoint, const TrainingState& training);

/// Reads a checkpoint from the bytes of a file; `name` is the file's name for messages. Each length in the file is
/// compared with the number of remaining bytes before memory is allocated for it. Errors: corrupt; unsupported for
/// another version of the file format.
Result<Checkpoint> parse_checkpoint(std::span<const std::byte> bytes, const std::string& name);
/// Returns the bytes of a checkpoint file.
std::vector<std::byte> to_bytes(const Checkpoint& checkpoint);

/// Writes a checkpoint file, which appears complete or not at all. It replaces an older file of this name. Errors: io,
/// disk_full.
Status save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path);
/// Reads a checkpoint file. Errors: io; those of parse_checkpoint().
Result<Checkpoint> load_checkpoint(const std::filesystem::path& path);

}  // namespace weir::nn::train
