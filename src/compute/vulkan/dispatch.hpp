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

/// A buffer at a place of a kernel, and what the kernel does with it.
struct BufferBinding {
  BindingSlot slot = BindingSlot::sources;
  std::uint32_t index = 0;  ///< of the sources
  Slice slice;
  bool read = true, write = false;
};

/// One run of a kernel. What it reads and writes must all be among `uses`.
struct Dispatch {
  KernelId kernel;
  std::vector<BufferBinding> bindings;
  std::array<std::byte, kPushBytes> push_data{};
  std::array<std::uint32_t, 3> groups{1, 1, 1};  ///< of invocations; at most 65535 on an axis
  double multiplications = 0;

  Dispatch& source(std::uint32_t index, Slice slice) { return add({BindingSlot::sources, index, slice, true, false}); }
  Dispatch& read(BindingSlot slot, Slice slice) { return add({slot, 0, slice, true, false}); }
  Dispatch& write(BindingSlot slot, Slice slice) { return add({slot, 0, slice, false, true}); }
  Dispatch& read_write(BindingSlot slot, Slice slice) { return add({slot, 0, slice, true, true}); }
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

/// A set of descriptors, taken from the pool, with the buffers of a run. Errors: those of the driver.
Result<VkDescriptorSet> bind_buffers(LogicalDevice& device, VkDescriptorPool pool, const Dispatch& dispatch);

}  // namespace weir::compute::vulkan
