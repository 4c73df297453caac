#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/paths.hpp"
#include "base/result.hpp"
#include "cli/arguments.hpp"

namespace weir::cli {

/// What a short run of the engine took.
struct EngineProbe {
  double megapixels_per_second = 0;  ///< of the result
  double seconds = 0;                ///< of the run that was timed
  int threads = 1;
  std::string network;          ///< "weir-2x"
  std::string precision;        ///< "int16", "float32", "float16"
  std::string instruction_set;  ///< "avx512_vnni", "avx2", "neon", "plain"
  std::string device;           ///< "cpu", or the GPU's name and driver
  Bytes planned_memory;         ///< planned peak of the process for the timed picture
};

/// Enlarges a drawn picture of at most 512x512 with weir-2x, on the processors (`gpu` empty) or on the GPU that the name
/// means, without falling back to the processors. It runs in a child process that has a minute: a driver may hang or end
/// its process. Errors: those of finding, planning and running the network; timed_out; device_lost with the signal or
/// status that ended the child.
Result<EngineProbe> probe_engine(const Arguments& args, const Environment& environment, const std::string& gpu);

}  // namespace weir::cli
