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

// A mask is a set of environment variables, such as CUDA_VISIBLE_DEVICES, that make the software stacks (CUDA, HIP,
// Level Zero, Vulkan, ...) use only one device.

/// The mask variables and the settings of PyTorch's allocator that are set in an environment, by name. A variable that
/// is set to an empty value is included, because it has an effect: CUDA_VISIBLE_DEVICES= hides all devices.
using MaskVariables = std::map<std::string, std::string, std::less<>>;
/// Returns these variables from the environment of this process.
MaskVariables read_mask_variables();

/// How NVIDIA cards are named in CUDA_VISIBLE_DEVICES: by UUID, or by index for programs that read the value as a
/// number.
enum class CudaNames { uuid, index };

/// The settings of PyTorch's caching allocator that weir sets if the environment has none. Cached blocks of more than
/// 1024 MiB are then not split for smaller requests, which limits the fragmentation of the cache. The settings change
/// no result.
/// Source: PyTorch, "CUDA semantics", section "Optimizing memory usage with PYTORCH_CUDA_ALLOC_CONF".
inline constexpr char kTorchAllocatorSettings[] = "max_split_size_mb:1024";

/// Options of a mask.
struct MaskOptions {
  CudaNames cuda_names = CudaNames::uuid;
  std::string torch_allocator = {};  ///< settings of PyTorch's allocator if the environment has none; empty: none
};

/// A mask for one device.
struct Mask {
  EnvironmentChanges changes;      ///< changes for a program's environment; an empty value removes the variable
  std::vector<std::string> notes;  ///< messages for the user: limits of a stack, variables that were set already
};

/// Returns for each device the reason why `variables` hide the device; an empty text if they do not.
std::vector<std::string> find_hidden_reasons(std::span<const Device> devices, const MaskVariables& variables);

/// Makes a mask for `devices[chosen]`. `variables`: the variables that a user, scheduler or container has already set;
/// the mask never shows a device that they hide, and keeps their settings of PyTorch's allocator. A pure function.
/// Errors: invalid_argument if `variables` hide the device.
/// Source: CUDA C++ Programming Guide, "CUDA Environment Variables"; ROCm, "GPU isolation techniques"; Level Zero core
/// programming guide, "Affinity Mask"; Mesa, docs/envvars.rst; ggml, ggml-vulkan; PyTorch,
/// c10/cuda/CUDAAllocatorConfig.h.
Result<Mask> make_mask(std::span<const Device> devices, std::size_t chosen, const MaskVariables& variables,
                       const MaskOptions& options = {});

/// Adds GGML_VK_VISIBLE_DEVICES, whose value is the index of the device in Vulkan's list under this mask (the mask's
/// MESA_VK_DEVICE_SELECT reorders the list, so it is read in a child process with the mask). If Vulkan does not list
/// the device under the mask, adds only a note. Does nothing if the device has no Vulkan index (StackIndices::vulkan).
void add_vulkan_index(Mask& mask, const Device& device);

}  // namespace weir::device
