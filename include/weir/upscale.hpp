#pragma once

// weir as a library: enlarges pictures with a neural network inside a memory limit. C++20; weir/weir.h is the C
// interface.
//
//   auto network = weir::Upscaler::load("realesr-animevideov3-x2.param");
//   if (!network) return complain(network.problem().what);
//   auto report = network->run(shape, {.ram_bytes = 256 << 20}, source, sink);

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#if defined(__GNUC__)
#define WEIR_API __attribute__((visibility("default")))
#else
#define WEIR_API
#endif

namespace weir {

/// Why an operation failed. `code` is for programs, `what` is one line of text for people.
///   invalid_argument  an option or a shape is out of its range, or no device matches
///   over_budget       the memory limit is too small for the smallest plan, or memory cannot be allocated
///   unsupported       weir does not support the network; the device or driver lacks something; the device was lost
///   io                a file, the source or the sink failed
///   corrupt           a file is damaged
///   cancelled         a stop was requested
///   bad_values        the network computed values that are not numbers, or one colour where the picture has many
///   fault             an internal error of weir
struct Problem {
  enum class Code { invalid_argument, over_budget, unsupported, io, corrupt, cancelled, bad_values, fault };
  Code code = Code::fault;
  std::string what;
};

/// A value, or the problem that prevented it. Test it with `if (expected)`: if true, `*expected` is the value,
/// otherwise problem() is the problem. Reading the value of a problem, or the problem of a value, throws
/// std::bad_variant_access.
template <class T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : state_{std::in_place_index<0>, std::move(value)} {}  // NOLINT(google-explicit-constructor)
  Expected(Problem problem)
      : state_{std::in_place_index<1>, std::move(problem)} {}  // NOLINT(google-explicit-constructor)
  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Problem& problem() const { return std::get<1>(state_); }

 private:
  std::variant<T, Problem> state_;
};

/// The largest number of threads that a caller can request.
inline constexpr int kMaxThreads = 1024;

/// The format of a picture. Rows follow each other from the top, and the samples of a pixel are adjacent (interleaved).
/// 1 channel is grey, 2 are grey and alpha, 3 are RGB, 4 are RGB and alpha. Alpha is straight, not premultiplied.
/// Samples of 16 bits are in the byte order of the processor.
struct PictureShape {
  int width = 0,     ///< width in pixels, 1 to 1048576
      height = 0;    ///< height in pixels, 1 to 1048576
  int channels = 3;  ///< number of channels: 1, 2, 3 or 4
  int bits = 8;      ///< bits of a sample: 8 or 16

  /// Returns the size of one row in bytes.
  std::size_t row_bytes() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(channels * (bits / 8));
  }
};

/// How to enlarge a picture.
struct UpscaleOptions {
  double scale = 0;               ///< side of the result / side of the picture; 0: the scale of the network
  int width = 0,                  ///< width of the result in pixels; 0: follows from `height`, or else from `scale`
      height = 0;                 ///< height of the result in pixels; 0: follows from `width`, or else from `scale`
  std::uint64_t ram_bytes = 0;    ///< limit of the main memory of the whole process; 0: half of the free memory
  std::string spill_folder{};     ///< folder for rows that do not fit in ram_bytes; empty: nothing is written to disk
  std::uint64_t spill_bytes = 0;  ///< limit of the bytes written to spill_folder; 0: nothing is written to disk
  int threads = 0;                ///< number of threads, at most kMaxThreads; 0: as many as the process may use
  bool exact_precision = false;   ///< true: 32-bit floating point; false: the faster 16-bit arithmetic if it is exact
                                  ///< enough
  bool tta = false;               ///< test-time augmentation: averages the results of eight orientations
  /// The device, named as on the command line: "" or "cpu": the CPU; "gpu": the best GPU; otherwise a part of a
  /// device's name, its GPU-UUID, or pci:0000:01:00.0. NAME#2 is the second of several devices with that name.
  std::string device{};
  std::uint64_t vram_bytes = 0;  ///< limit of the GPU's memory; 0: the free memory of the GPU, less a margin
  /// What happens when the GPU fails. true: the run fails. false: the work is repeated with smaller tiles, then in
  /// float32, then after the GPU was opened again, and finally on the CPU; UpscaleReport::events lists these steps.
  bool strict_device = false;

  bool operator==(const UpscaleOptions&) const = default;
};

/// The plan of a run: the memory and disk space that it will need, the format of its result, and its settings.
struct UpscaleEstimate {
  /// The share of one component, such as the weights or the decoder.
  struct Part {
    std::string name;             ///< name of the component
    std::uint64_t ram_bytes = 0,  ///< main memory
        disk_bytes = 0,           ///< disk space
        vram_bytes = 0;           ///< memory of the GPU
  };
  PictureShape output;           ///< format of the result
  std::uint64_t ram_bytes = 0;   ///< peak memory of the whole process
  std::uint64_t disk_bytes = 0;  ///< disk space for rows that do not fit into memory
  std::uint64_t vram_bytes = 0;  ///< peak memory of the GPU
  std::vector<Part> parts;       ///< the components; their shares sum to ram_bytes, disk_bytes and vram_bytes
  std::string device;            ///< "cpu", or name and driver of the GPU
  std::string precision;         ///< "int16" or "float32" on the CPU, "float16" or "float32" on a GPU
  std::string instruction_set;   ///< instruction set of the CPU kernels: "avx512_vnni", "avx2", "neon" or "plain"
  int band_height = 0,           ///< rows of the network's input that are processed in one step
      strip_width = 0;           ///< columns of the network's input that are processed in one step
  int tile = 0;                  ///< side of the square parts that the GPU computes, in pixels of the source; 0: CPU
  int passes = 1;                ///< how often the run goes through the picture; above 1 if the network needs means of
                                 ///< the whole picture, if the network runs twice, and with tta
  double expected_seconds = 0;   ///< rough estimate of the time
};

/// Delivers the rows of a picture from the top down, once or several times. Implemented by the caller. The run calls it
/// from one thread at a time.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Fills `rows`, whose size is one or more complete rows, with the next rows. Returns false if they cannot be
  /// delivered; the run then ends with the error io.
  virtual bool read(std::span<std::byte> rows) = 0;
  /// Makes the next read() start at the first row again. Returns false on failure, as read() does.
  virtual bool rewind() = 0;
};

/// Receives the rows of the result from the top down. Implemented by the caller. The run may call it from a thread of
/// its own, but never from two threads at once.
class RowSink {
 public:
  virtual ~RowSink() = default;
  /// Receives one or more complete rows; the memory is valid only during the call. Returns false to end the run with
  /// the error io.
  virtual bool write(std::span<const std::byte> rows) = 0;
};

/// One channel of a picture in the caller's memory. Samples of a row are adjacent.
struct PlaneView {
  const void* samples = nullptr;    ///< the first sample of the first row
  std::ptrdiff_t stride_bytes = 0;  ///< distance from one row to the next in bytes
};
/// Memory for one channel of a result. Samples of a row are adjacent.
struct MutablePlane {
  void* samples = nullptr;          ///< the first sample of the first row
  std::ptrdiff_t stride_bytes = 0;  ///< distance from one row to the next in bytes
};

/// The report of a finished run.
struct UpscaleReport {
  /// Messages about differences from the plan, for example "rows from 512 on were repeated in float32: ..."; empty if
  /// the run went as planned.
  std::vector<std::string> events;
};

/// A network that enlarges pictures, one after the other. It keeps weights, threads and the GPU between calls as long
/// as the options stay the same. Movable, not copyable. Not thread-safe: use one object per thread. Errors are
/// returned, not thrown.
class WEIR_API Upscaler {
 public:
  /// Reads a network in ncnn's format: X.param, and X.bin next to it.
  /// Errors: io, corrupt, unsupported; the text names file and line.
  static Expected<Upscaler> load(const std::string& param_path);
  /// Reads a network from memory: the text of its .param file and the bytes of its .bin file. Both may be freed
  /// afterwards. Errors: corrupt, unsupported.
  static Expected<Upscaler> parse(std::string_view param_text, std::span<const std::byte> bin);

  Upscaler(Upscaler&&) noexcept;
  Upscaler& operator=(Upscaler&&) noexcept;
  ~Upscaler();

  /// Returns the scale of the network, for example 2; 0 after this object was moved from.
  int scale() const;
  /// Returns the family of the network: "realcugan", "animevideo", "realesrgan" or "unknown"; empty after this object
  /// was moved from.
  std::string family() const;

  /// Computes what a run will need. It reads no row. The first call for a network that is new on this machine may have
  /// to choose the precision for the CPU: it then runs the network on a test picture of at most 96x96 pixels, within
  /// ram_bytes. With exact_precision there is no such test.
  /// Errors: over_budget (the text has the numbers); invalid_argument (an option or the shape is out of its range; no
  /// device, or more than one, has that name: the text lists all devices); unsupported; bad_values (on the test
  /// picture).
  Expected<UpscaleEstimate> plan(const PictureShape& input, const UpscaleOptions& options);

  /// Receives the progress, 0 to 1. The thread that runs the picture calls it; it must return quickly.
  using Progress = std::function<void(double fraction)>;

  /// Enlarges a picture: reads all rows from `source`, as many times as the network needs, and writes all rows of the
  /// result to `sink`. plan() returns the format of the result. On the CPU the result does not depend on the memory
  /// limit or the number of threads. `source` and `sink` are used only during the call. `progress` may be empty.
  /// Errors: those of plan(); io (source or sink); bad_values; cancelled (`stop` was requested; the sink has received
  /// some of the rows).
  Expected<UpscaleReport> run(const PictureShape& input, const UpscaleOptions& options, RowSource& source,
                              RowSink& sink, const Progress& progress = {}, std::stop_token stop = {});

  /// Enlarges a picture that is stored as planes, one per channel. `output` must have the size that plan() returns.
  /// Errors: those of run() with rows; invalid_argument (the number of planes is wrong, or a plane is null).
  Expected<UpscaleReport> run(const PictureShape& input, const UpscaleOptions& options,
                              std::span<const PlaneView> planes, std::span<const MutablePlane> output,
                              const Progress& progress = {}, std::stop_token stop = {});

  struct State;

 private:
  explicit Upscaler(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Returns the version of the library, for example "0.1.0".
WEIR_API std::string_view version();

}  // namespace weir
