#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "base/result.hpp"
#include "compute/vulkan/buffer_pool.hpp"
#include "compute/vulkan/logical_device.hpp"

namespace weir::compute::vulkan {

/// A buffer bound to a slot of a kernel, and how the kernel accesses it.
struct BufferBinding {
  BindingSlot slot = BindingSlot::sources;
  std::uint32_t index = 0;  ///< for BindingSlot::sources: index in the array of sources; 0 for other slots
  Slice slice;
  bool read = true, write = false;  ///< whether the kernel reads the slice, and whether it writes it
};

/// One execution of a kernel (a compute shader). All memory that the kernel reads or writes must be listed in
/// `bindings`, which must not be empty. The indices of the sources are 0, 1, 2, ... without a gap. No other slot is
/// bound more than once.
struct Dispatch {
  KernelId kernel;
  std::vector<BufferBinding> bindings;
  std::array<std::byte, kPushBytes> push_data{};
  std::array<std::uint32_t, 3> groups{1, 1, 1};  ///< number of workgroups per axis; at most 65535 each
  double multiplications = 0;                    ///< estimated number of this execution; limits a submission (Stream)

  // Each of these functions adds one binding and returns *this.
  Dispatch& source(std::uint32_t index, Slice slice) {
    return add({BindingSlot::sources, index, slice, /*read=*/true, /*write=*/false});
  }
  Dispatch& read(BindingSlot slot, Slice slice) { return add({slot, 0, slice, /*read=*/true, /*write=*/false}); }
  Dispatch& write(BindingSlot slot, Slice slice) { return add({slot, 0, slice, /*read=*/false, /*write=*/true}); }
  Dispatch& read_write(BindingSlot slot, Slice slice) { return add({slot, 0, slice, /*read=*/true, /*write=*/true}); }
  /// Sets the push constants (small parameters of one execution) and returns *this.
  template <class T>
  Dispatch& push_constants(const T& values) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= kPushBytes);
    std::memcpy(push_data.data(), &values, sizeof values);
    return *this;
  }

 private:
  Dispatch& add(const BufferBinding& binding) {
    bindings.push_back(binding);
    return *this;
  }
};

/// Allocates a descriptor set (Vulkan's object that binds buffers to a kernel) from `pool` and fills it with the
/// buffers of the dispatch. Vulkan requires a buffer for every slot and source, so unused ones get the first buffer of
/// the dispatch.
/// Errors: those of error_from_result().
Result<VkDescriptorSet> bind_buffers(LogicalDevice& device, VkDescriptorPool pool, const Dispatch& dispatch);

}  // namespace weir::compute::vulkan
