// Fuzzer of hostile networks. The input is the text of a .param, a zero byte, and the .bin. The fuzzer computes the
// extents of every accepted network. If a small picture needs little work, the network runs with every instruction set,
// and the results are compared with the reference implementation. A larger picture is only planned: for the CPU in one
// strip, in several strips, and for a device. Seeds: ncnn_fuzz_corpus.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "networks/kernel_check.hpp"
#include "nn/cpu/strips.hpp"
#include "nn/network.hpp"
#include "nn/program.hpp"
#include "nn/vulkan/device_plan.hpp"

namespace {

using weir::operator""_MiB;
using weir::nn::Extent;
using weir::nn::Network;

constexpr double kMaxWork = 1e6;            // largest number of multiplications of one run
constexpr double kMaxValues = 3e5;          // largest number of values of all blobs of one run together
constexpr std::size_t kMaxPlannedOps = 64;  // planning takes little time per op, but there are many inputs to test

/// Ends the program if the condition is false; the fuzzer reports this as a crash.
void require(bool condition) {
  if (!condition) std::abort();
}

/// Runs the network with every instruction set; aborts if a result differs from the reference.
void check_run(const Network& network, Extent in) {
  const auto ran = weir::test::check_with_all_kernels(network.graph, in);
  if (ran.fault.empty()) return;
  std::fprintf(stderr, "%s\n", ran.fault.c_str());
  std::abort();
}

/// Makes the plans of a picture; aborts if one exceeds its limits.
void check_plan(const Network& network, Extent in) {
  const auto program = weir::nn::lower(network.graph);
  if (!program || program->ops.size() > kMaxPlannedOps) return;
  weir::nn::PlanLimits limits;
  limits.memory = 64_MiB;
  limits.disk = 64_MiB;
  const auto whole =
      weir::nn::plan_single_strip(network.graph, *program, in, weir::compute::ElementType::float16, limits);
  if (whole) require(whole->arena <= limits.memory && whole->disk <= limits.disk);
  limits.memory = 1_MiB;
  const auto strips = weir::nn::plan_strips(network.graph, *program, in, weir::compute::ElementType::float16, limits);
  if (strips) require(strips->arena <= limits.memory);
  weir::nn::vulkan::DeviceLimits device;
  device.device_memory = device.host_memory = device.max_buffer_range = device.max_allocation = 256_MiB;
  const auto tiles = weir::nn::vulkan::plan_tiles(network.graph, *program, in, {.half = true}, device);
  if (tiles)
    require(tiles->device_memory(device) <= device.device_memory && tiles->host_memory(device) <= device.host_memory);
}

/// Computes extents for three inputs, runs the network on those that need little work, and plans a larger picture.
void check_network(const Network& network) {
  for (const Extent in : {Extent{1, 1}, {37, 44}, {100000, 3}}) {
    const auto extents = infer_extents(network.graph, in);
    if (!extents) continue;
    double values = 0;
    for (std::size_t i = 0; i < extents->size(); ++i) {
      const auto [height, width] = (*extents)[i];
      require(height >= 0 && width >= 0);
      values += static_cast<double>(height) * width * network.graph.blobs[i].channels;
    }
    if (values > kMaxValues || network.multiplications_per_pixel * in.height * in.width > kMaxWork) continue;
    check_run(network, in);
  }
  check_plan(network, {300, 700});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const std::size_t param_end = std::min(input.find('\0'), size);
  const std::size_t bin_begin = std::min(param_end + 1, size);
  const auto bin = std::as_bytes(std::span{data + bin_begin, size - bin_begin});
  const auto network = weir::nn::parse_network(input.substr(0, param_end), bin, "network");
  if (network) {
    require(network->family.scale >= 1 && network->family.border >= 0 && network->family.crop >= 0);
    require(std::isfinite(network->multiplications_per_pixel));
    check_network(*network);
  } else {
    require(network.error().what.find('\n') == std::string::npos);
    require(network.error().what.starts_with("network"));
  }
  return 0;
}
