// The test of one device with CUDA (try_device.hpp). libcuda.so.1 is loaded at run time, so it may be missing.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/shared_library.hpp"
#include "device/try_device.hpp"

namespace weir::device {
namespace {

/// The part of the CUDA driver interface that weir uses. Source: CUDA Driver API reference; _v2 are the names of the
/// 64-bit functions in the library.
struct Cuda {
  int (*cuInit)(unsigned);
  int (*cuDeviceGetCount)(int*);
  int (*cuDeviceGet)(int*, int);
  int (*cuDeviceGetUuid)(std::uint8_t*, int);
  int (*cuCtxCreate)(void**, unsigned, int);
  int (*cuCtxDestroy)(void*);
  int (*cuMemAlloc)(std::uint64_t*, std::size_t);
  int (*cuMemFree)(std::uint64_t);
  int (*cuMemsetD32)(std::uint64_t, unsigned, std::size_t);
  int (*cuMemcpyDtoH)(void*, std::uint64_t, std::size_t);
};

Result<Cuda> load() {
  const auto library = SharedLibrary::open("libcuda.so.1");
  if (!library) return library.error();
  Cuda cuda{};
  const bool has_all =
      library->find("cuInit", cuda.cuInit) && library->find("cuDeviceGetCount", cuda.cuDeviceGetCount) &&
      library->find("cuDeviceGet", cuda.cuDeviceGet) && library->find("cuDeviceGetUuid", cuda.cuDeviceGetUuid) &&
      library->find("cuCtxCreate_v2", cuda.cuCtxCreate) && library->find("cuCtxDestroy_v2", cuda.cuCtxDestroy) &&
      library->find("cuMemAlloc_v2", cuda.cuMemAlloc) && library->find("cuMemFree_v2", cuda.cuMemFree) &&
      library->find("cuMemsetD32_v2", cuda.cuMemsetD32) && library->find("cuMemcpyDtoH_v2", cuda.cuMemcpyDtoH);
  if (!has_all) return Error{Errc::unsupported, "CUDA: libcuda.so.1 is older than this program needs"};
  return cuda;
}

Error failure(const char* step, int code) {
  return {Errc::unsupported, fmt::format("CUDA: {} fails with error {}", step, code)};
}

std::string text_of(const std::array<std::uint8_t, 16>& uuid) {
  std::string text = "GPU-";
  // The dashes make groups of 4, 2, 2, 2 and 6 bytes.
  for (std::size_t i = 0; i < uuid.size(); ++i)
    text += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
  return text;
}

/// Fills 4 MiB in the current context, copies them back and compares.
Result<std::string> fill_and_compare(const Cuda& cuda) {
  constexpr std::size_t kWords = 1U << 20U;  // of 4 bytes
  constexpr unsigned kPattern = 0x77E12A5B;  // any value that unwritten memory is not likely to have
  std::uint64_t memory = 0;
  if (const int code = cuda.cuMemAlloc(&memory, kWords * 4); code != 0) return failure("cuMemAlloc of 4 MiB", code);
  std::vector<unsigned> back(kWords);
  int code = cuda.cuMemsetD32(memory, kPattern, kWords);
  if (code == 0) code = cuda.cuMemcpyDtoH(back.data(), memory, kWords * 4);
  cuda.cuMemFree(memory);
  if (code != 0) return failure("filling and reading back 4 MiB", code);
  if (std::any_of(back.begin(), back.end(), [](unsigned word) { return word != kPattern; }))
    return Error{Errc::device_lost, "CUDA: what was written is not what was read back"};
  return std::string{"4 MiB filled and read back"};
}

}  // namespace

Result<std::string> try_cuda(const Device& device) {
  const auto cuda = load();
  if (!cuda) return cuda.error();
  if (const int code = cuda->cuInit(0); code != 0) return failure("cuInit", code);
  int count = 0;
  if (const int code = cuda->cuDeviceGetCount(&count); code != 0) return failure("cuDeviceGetCount", code);
  if (count != 1)
    return Error{Errc::unsupported, fmt::format("CUDA: {} devices are visible under a mask of one", count)};
  int handle = 0;  // CUdevice
  std::array<std::uint8_t, 16> uuid{};
  if (const int code = cuda->cuDeviceGet(&handle, 0); code != 0) return failure("cuDeviceGet", code);
  if (const int code = cuda->cuDeviceGetUuid(uuid.data(), handle); code != 0) return failure("cuDeviceGetUuid", code);
  if (device.uuid.starts_with("GPU-") && device.uuid != text_of(uuid))
    return Error{Errc::device_lost, fmt::format("CUDA: asked for {}, got {}", device.uuid, text_of(uuid))};
  void* context = nullptr;
  if (const int code = cuda->cuCtxCreate(&context, 0, handle); code != 0) return failure("cuCtxCreate", code);
  auto done = fill_and_compare(*cuda);
  cuda->cuCtxDestroy(context);
  return done;
}

}  // namespace weir::device
