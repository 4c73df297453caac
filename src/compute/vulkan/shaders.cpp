#include "compute/vulkan/shaders.hpp"

#include <algorithm>

#include "shaders/all.inc"  // made by cmake/shaders.cmake: arrays X_spv and the table kShaders, sorted by name

namespace weir::compute::vulkan {

std::span<const Shader> shaders() { return kShaders; }

const Shader* find_shader(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kShaders), std::end(kShaders), [&](const Shader& shader) { return shader.name == name; });
  return found != std::end(kShaders) ? found : nullptr;
}

}  // namespace weir::compute::vulkan
