#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weir::compute::vulkan {

/// A kernel as SPIR-V code, which the build compiles from a file src/compute/kernels/<operation>/X.comp.
struct Shader {
  /// "conv_fh": the name X, an underscore and the types that the kernel reads and writes (f: float32, h: float16). The
  /// first line of the file lists its variants; a file without such a line has one shader, with the name X.
  std::string_view name;
  std::span<const std::uint32_t> code;
};

/// Returns the shader of this name, or null if there is none.
const Shader* find_shader(std::string_view name);
/// Returns all shaders, sorted by name.
std::span<const Shader> shaders();

}  // namespace weir::compute::vulkan
