#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/paths.hpp"
#include "base/result.hpp"
#include "cli/arguments.hpp"

namespace weir::cli {

/// Measurements of a short run of the engine, the code that applies networks to pictures.
struct EngineProbe {
  double megapixels_per_second = 0;  ///< speed in megapixels of the result
  double seconds = 0;                ///< duration of the measured run
  int threads = 1;
  std::string network;          ///< "weir-2x"
  std::string precision;        ///< "int16", "float32", "float16"
  std::string instruction_set;  ///< "avx512_vnni", "avx2", "neon", "plain"
  std::string device;           ///< "cpu", or the GPU's name and driver
  Bytes planned_memory;         ///< planned peak memory of the process for the measured picture
};

/// Enlarges a generated picture of 128x128 pixels with the network weir-2x, and then, if that is expected to take at
/// most a second, one of 512x512 pixels; returns the measurements of the last picture. `gpu`: name of the GPU to use;
/// empty: the processors. If the GPU fails, the processors are not used instead. Works in a child process with a time
/// limit of a minute, because a driver may hang or crash. Errors: those of finding, planning and running the network;
/// timed_out; device_lost if the child crashed.
Result<EngineProbe> probe_engine(const Arguments& args, const Environment& environment, const std::string& gpu);

}  // namespace weir::cli
