#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weir::compute::vulkan {

/// The code of one variant of one file src/compute/kernels/<operation>/X.comp, as the build compiled it.
struct Shader {
  std::string_view name;  ///< "conv_fh": the file, and what its variant reads and writes (f: float32, h: float16)
  std::span<const std::uint32_t> code;
};

/// Null if there is none of that name.
const Shader* find_shader(std::string_view name);
/// All of them, by name.
std::span<const Shader> shaders();

}  // namespace weir::compute::vulkan
