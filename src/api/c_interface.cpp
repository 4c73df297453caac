// Implements the C interface, include/weir/weir.h, with the C++ interface, include/weir/upscale.hpp.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "base/version.hpp"
#include "weir/upscale.hpp"
#include "weir/weir.h"

struct weir_network {
  weir::Upscaler upscaler;
};

namespace {

thread_local std::string last_error;  // text of weir_last_error()

/// Stores the text of an error for weir_last_error(), and returns its status.
weir_status fail(weir_status status, const std::string& what) {
  last_error = what;
  return status;
}

weir_status fail(const weir::Problem& problem) {
  using enum weir::Problem::Code;
  switch (problem.code) {
    case invalid_argument:
      return fail(WEIR_INVALID_ARGUMENT, problem.what);
    case over_budget:
      return fail(WEIR_OVER_BUDGET, problem.what);
    case unsupported:
      return fail(WEIR_UNSUPPORTED, problem.what);
    case io:
      return fail(WEIR_IO, problem.what);
    case corrupt:
      return fail(WEIR_CORRUPT, problem.what);
    case cancelled:
      return fail(WEIR_CANCELLED, problem.what);
    case bad_values:
      return fail(WEIR_BAD_VALUES, problem.what);
    case fault:
      break;
  }
  return fail(WEIR_FAULT, problem.what);
}

/// Clears the last error, calls `work` and returns its result. Converts an exception to WEIR_FAULT, because no
/// exception may reach C code.
template <class Work>
weir_status guarded(Work work) {
  try {
    last_error.clear();
    return work();
  } catch (const std::exception& problem) {
    return fail(WEIR_FAULT, std::string{"an internal error of weir: "} + problem.what());
  }
}

weir::PictureShape to_shape(const weir_shape& shape) {
  return {.width = shape.width, .height = shape.height, .channels = shape.channels, .bits = shape.bits};
}

/// Size of weir_options in its first version, whose last member was `strict_device`.
constexpr std::size_t kMinOptionsSize = offsetof(weir_options, strict_device) + sizeof(int);

/// Copies the caller's options, which may be null, into the struct of this version. Members that the caller's version
/// lacks become zero; members that only the caller's version has must be zero.
weir_status read_options(const weir_options* given, weir_options& options) {
  options = WEIR_OPTIONS_INIT;
  if (given == nullptr) return WEIR_OK;
  const std::size_t size = given->struct_size;
  constexpr std::size_t kMaxOptionsSize = 1 << 16;  // no version will be larger, so a larger size is an error
  if (size < kMinOptionsSize || size > kMaxOptionsSize)
    return fail(WEIR_INVALID_ARGUMENT, "weir_options: struct_size is " + std::to_string(size) +
                                           "; set it to sizeof(weir_options), as WEIR_OPTIONS_INIT does");
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  for (std::size_t i = sizeof options; i < size; ++i) {
    if (bytes[i] != 0)
      return fail(WEIR_INVALID_ARGUMENT,
                  "weir_options: an option is set that weir " + std::string{weir::kVersion} + " does not know");
  }
  std::memcpy(&options, given, std::min(size, sizeof options));
  return WEIR_OK;
}

std::string text_or_empty(const char* text) { return text == nullptr ? std::string{} : std::string{text}; }

/// Converts the caller's options, which may be null, to those of the C++ interface.
weir_status to_options(const weir_options* given, weir::UpscaleOptions& options) {
  weir_options copied;
  if (const weir_status status = read_options(given, copied); status != WEIR_OK) return status;
  options.scale = copied.scale;
  options.width = copied.width;
  options.height = copied.height;
  options.ram_bytes = copied.ram_bytes;
  options.spill_folder = text_or_empty(copied.spill_folder);
  options.spill_bytes = copied.spill_bytes;
  options.threads = copied.threads;
  options.exact_precision = copied.exact_precision != 0;
  options.tta = copied.tta != 0;
  options.device = text_or_empty(copied.device);
  options.vram_bytes = copied.vram_bytes;
  options.strict_device = copied.strict_device != 0;
  return WEIR_OK;
}

/// Reads rows from the caller's memory. `stride` is the distance from one row to the next in bytes.
class MemorySource final : public weir::RowSource {
 public:
  MemorySource(const void* samples, std::size_t stride, std::size_t row_bytes)
      : samples_{static_cast<const std::byte*>(samples)}, stride_{stride}, row_bytes_{row_bytes} {}
  bool read(std::span<std::byte> rows) override {
    for (std::size_t at = 0; at < rows.size(); at += row_bytes_)
      std::memcpy(rows.data() + at, samples_ + stride_ * row_++, row_bytes_);
    return true;
  }
  bool rewind() override {
    row_ = 0;
    return true;
  }

 private:
  const std::byte* samples_;
  std::size_t stride_, row_bytes_, row_ = 0;
};

/// Writes rows to the caller's memory. `stride` is the distance from one row to the next in bytes.
class MemorySink final : public weir::RowSink {
 public:
  MemorySink(void* samples, std::size_t stride, std::size_t row_bytes)
      : samples_{static_cast<std::byte*>(samples)}, stride_{stride}, row_bytes_{row_bytes} {}
  bool write(std::span<const std::byte> rows) override {
    for (std::size_t at = 0; at < rows.size(); at += row_bytes_)
      std::memcpy(samples_ + stride_ * row_++, rows.data() + at, row_bytes_);
    return true;
  }

 private:
  std::byte* samples_;
  std::size_t stride_, row_bytes_, row_ = 0;
};

}  // namespace

const char* weir_version(void) { return weir::kVersion; }

const char* weir_last_error(void) { return last_error.c_str(); }

weir_status weir_open(const char* param_path, weir_network** network) {
  return guarded([&] {
    if (network != nullptr) *network = nullptr;
    if (param_path == nullptr || network == nullptr) return fail(WEIR_INVALID_ARGUMENT, "weir_open: a null pointer");
    auto loaded = weir::Upscaler::load(param_path);
    if (!loaded) return fail(loaded.problem());
    *network = new weir_network{std::move(*loaded)};
    return WEIR_OK;
  });
}

void weir_close(weir_network* network) { delete network; }

int weir_scale(const weir_network* network) { return network == nullptr ? 0 : network->upscaler.scale(); }

weir_status weir_plan(weir_network* network, const weir_shape* input, const weir_options* options, weir_shape* output,
                      uint64_t* ram_bytes) {
  return guarded([&] {
    if (network == nullptr || input == nullptr) return fail(WEIR_INVALID_ARGUMENT, "weir_plan: a null pointer");
    weir::UpscaleOptions requested;
    if (const weir_status status = to_options(options, requested); status != WEIR_OK) return status;
    const auto estimate = network->upscaler.plan(to_shape(*input), requested);
    if (!estimate) return fail(estimate.problem());
    const weir::PictureShape& shape = estimate->output;
    if (output != nullptr) *output = {shape.width, shape.height, shape.channels, shape.bits};
    if (ram_bytes != nullptr) *ram_bytes = estimate->ram_bytes;
    return WEIR_OK;
  });
}

weir_status weir_upscale(weir_network* network, const weir_shape* shape, const weir_options* options, const void* input,
                         size_t input_stride, void* output, size_t output_stride, weir_progress progress, void* user) {
  return guarded([&] {
    if (network == nullptr || shape == nullptr || input == nullptr || output == nullptr)
      return fail(WEIR_INVALID_ARGUMENT, "weir_upscale: a null pointer");
    weir::UpscaleOptions requested;
    if (const weir_status status = to_options(options, requested); status != WEIR_OK) return status;
    const auto estimate = network->upscaler.plan(to_shape(*shape), requested);
    if (!estimate) return fail(estimate.problem());
    const std::size_t in_row = to_shape(*shape).row_bytes();
    const std::size_t out_row = estimate->output.row_bytes();
    if (input_stride < in_row || output_stride < out_row)
      return fail(WEIR_INVALID_ARGUMENT, "weir_upscale: a stride is smaller than a row: " + std::to_string(in_row) +
                                             " bytes (input), " + std::to_string(out_row) + " bytes (output)");
    MemorySource source{input, input_stride, in_row};
    MemorySink sink{output, output_stride, out_row};
    std::stop_source stop;
    weir::Upscaler::Progress on_progress;
    if (progress != nullptr) {
      on_progress = [&](double fraction) {
        if (progress(fraction, user) != 0) stop.request_stop();
      };
    }
    const auto report = network->upscaler.run(to_shape(*shape), requested, source, sink, on_progress, stop.get_token());
    return report ? WEIR_OK : fail(report.problem());
  });
}
