#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "device/child_probe.hpp"
#include "device/device.hpp"

namespace weir::device {

/// The variables that masks are made of, as they are set; an empty value is a value: CUDA_VISIBLE_DEVICES= hides all.
using MaskVariables = std::map<std::string, std::string, std::less<>>;
MaskVariables read_mask_variables();

/// How NVIDIA's cards are named in CUDA_VISIBLE_DEVICES: by UUID, or by index for libraries that turn it into a number.
enum class CudaNames { uuid, index };

/// What the allocator of PyTorch is told where nobody has told it anything: blocks above so many MiB are not cut up, which
/// keeps a cache of many sizes from falling to pieces. It changes no result.
/// Source  PyTorch, "CUDA semantics", section "Optimizing memory usage with PYTORCH_CUDA_ALLOC_CONF".
inline constexpr char kTorchAllocatorSettings[] = "max_split_size_mb:1024";

/// How a mask is written.
struct MaskOptions {
  CudaNames cuda_names = CudaNames::uuid;
  std::string torch_allocator = {};  ///< for PyTorch's allocator, where the environment has no word for it; empty: none
};

/// The environment that makes every stack use one device.
struct Mask {
  EnvironmentChanges changes;      ///< to be made for the child; an empty value removes the variable
  std::vector<std::string> notes;  ///< what was kept, what a stack cannot express
};

/// Why a mask that is set hides each device; an empty text where it does not.
std::vector<std::string> find_hidden_reasons(std::span<const Device> devices, const MaskVariables& variables);

/// A mask for `devices[chosen]` that goes within the mask that is set already: a scheduler's or a container's choice is
/// narrowed and never left. Settings of PyTorch's allocator that are set already, under any of their names, stay alone.
/// A pure function.
/// Errors: invalid_argument if the mask that is set hides the device.
/// Source  CUDA C++ Programming Guide, "CUDA Environment Variables"; ROCm, "GPU isolation techniques"; Level Zero core
/// programming guide, "Affinity Mask"; Mesa, docs/envvars.rst; ggml, ggml-vulkan; PyTorch, c10/cuda/CUDAAllocatorConfig.h.
Result<Mask> make_mask(std::span<const Device> devices, std::size_t chosen, const MaskVariables& variables,
                       const MaskOptions& options = {});

/// Adds GGML_VK_VISIBLE_DEVICES: the place of the device in Vulkan's list, looked up under the mask itself, since
/// MESA_VK_DEVICE_SELECT reorders that list. Nothing is added, and a note says so, where Vulkan does not show the device.
void add_vulkan_index(Mask& mask, const Device& device);

}  // namespace weir::device
