#pragma once

// weir as a library: enlarge pictures with a neural network inside a memory line. C++20; weir/weir.h is the C interface.
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

/// Why something was not done. The codes are for programs, `what` is one line for people. bad_values: the network gave
/// values that are no numbers, or one colour throughout where the picture has many.
struct Problem {
  enum class Code { invalid_argument, over_budget, unsupported, io, corrupt, cancelled, bad_values, fault };
  Code code = Code::fault;
  std::string what;
};

/// A value, or the problem that took its place.
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

/// The most threads that can be asked for.
inline constexpr int kMaxThreads = 1024;

/// Rows have interleaved samples: grey, grey and alpha, RGB, or RGB and alpha (straight, not premultiplied); of 8 bits,
/// or of 16 bits in the processor's byte order.
struct PictureShape {
  int width = 0, height = 0;  ///< 1 to 1048576
  int channels = 3;           ///< 1, 2, 3 or 4
  int bits = 8;               ///< 8 or 16

  std::size_t row_bytes() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(channels * (bits / 8));
  }
};

struct UpscaleOptions {
  double scale = 0;               ///< wanted scale, above 0; 0: the network's own
  int width = 0, height = 0;      ///< wanted size instead; a height of 0 follows the width
  std::uint64_t ram_bytes = 0;    ///< the most that the process may hold at once; 0: half of the free memory
  std::string spill_folder{};     ///< for what does not fit below the line; empty: nothing is spilled
  std::uint64_t spill_bytes = 0;  ///< the most that may be spilled there
  int threads = 0;                ///< at most kMostThreads; 0: the processors that the process may use
  bool exact_precision = false;   ///< 32-bit floating point instead of the fast kernels
  bool tta = false;               ///< average the eight orientations
  /// What to run on, in the words of the command line: "" or "cpu"; "gpu" for the best GPU; a part of its name, GPU-UUID or
  /// pci:0000:01:00.0; NAME#2 is the second of several.
  std::string device{};
  std::uint64_t vram_bytes = 0;  ///< the most of the GPU's memory to take; 0: what it has free, less a margin
  /// A fault of the GPU fails the run; else it is repeated with smaller tiles, in float32, with the GPU opened anew, and at
  /// last on the CPU, and the report's events say so.
  bool strict_device = false;

  bool operator==(const UpscaleOptions&) const = default;
};

/// What a run will take, known before it starts.
struct UpscaleEstimate {
  struct Part {
    std::string name;
    std::uint64_t ram_bytes = 0, disk_bytes = 0, vram_bytes = 0;
  };
  PictureShape output;
  std::uint64_t ram_bytes = 0;  ///< of the whole process, at its peak
  std::uint64_t disk_bytes = 0;
  std::uint64_t vram_bytes = 0;  ///< of the GPU
  std::vector<Part> parts;
  std::string device;           ///< "cpu", or the GPU's name and driver
  std::string precision;        ///< "int16", "float32", or "float16" on a GPU
  std::string instruction_set;  ///< "avx512_vnni", "avx2", "neon", "plain"
  int band_height = 0, strip_width = 0;
  int tile = 0;    ///< side of a GPU's tiles in pixels; 0 on the CPU
  int passes = 1;  ///< how often the rows are read
  double expected_seconds = 0;
};

/// Gives the rows of a picture from the top down, again and again.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Fills whole rows, one or more, with the next ones. False: the rows cannot be had, and the run ends with `io`.
  virtual bool read(std::span<std::byte> rows) = 0;
  /// The next read starts at the first row again.
  virtual bool rewind() = 0;
};

/// Takes the rows of the result from the top down. May be called from a thread of the engine, but never from two at once.
class RowSink {
 public:
  virtual ~RowSink() = default;
  /// Whole rows, one or more. False ends the run with `io`.
  virtual bool write(std::span<const std::byte> rows) = 0;
};

/// One channel of a picture in memory: samples one after the other, rows `stride_bytes` apart.
struct PlaneView {
  const void* samples = nullptr;
  std::ptrdiff_t stride_bytes = 0;
};
struct MutablePlane {
  void* samples = nullptr;
  std::ptrdiff_t stride_bytes = 0;
};

struct UpscaleReport {
  std::vector<std::string> events;  ///< what was done otherwise than planned: "band at row 512 repeated in float32"
};

/// A network, ready to enlarge pictures, one after the other; weights and threads are kept while the options stay the
/// same. Moves, does not copy. Not thread-safe: one per thread.
class WEIR_API Upscaler {
 public:
  /// Reads X.param and the X.bin beside it. Problems: io, corrupt, unsupported, with file and line.
  static Expected<Upscaler> load(const std::string& param_path);
  /// The same from memory, which may go away afterwards.
  static Expected<Upscaler> parse(std::string_view param_text, std::span<const std::byte> bin);

  Upscaler(Upscaler&&) noexcept;
  Upscaler& operator=(Upscaler&&) noexcept;
  ~Upscaler();

  int scale() const;           ///< the network's own
  std::string family() const;  ///< "realcugan", "animevideo", "realesrgan", "unknown"

  /// Computes without touching a row; the first call for a network that the machine has not seen runs it on a drawn picture
  /// of at most 96x96, inside ram_bytes, to choose the precision. Problems: over_budget with the numbers, invalid_argument
  /// (options or shape out of their range; a device that no name or several have: the text lists them), unsupported.
  Expected<UpscaleEstimate> plan(const PictureShape& input, const UpscaleOptions& options);

  /// Called with 0..1 as the work proceeds; must return quickly.
  using Progress = std::function<void(double fraction)>;

  /// Reads all rows, as often as the network needs, and writes all rows of the result, whose shape the plan tells. The
  /// result does not depend on memory, threads or bands.
  /// Problems: those of plan; io (source or sink), cancelled (stop requested; the sink has had some of the rows).
  Expected<UpscaleReport> run(const PictureShape& input, const UpscaleOptions& options, RowSource& source,
                              RowSink& sink, const Progress& progress = {}, std::stop_token stop = {});

  /// The same on planes, one per channel; `output` must have the extent that the plan tells.
  Expected<UpscaleReport> run(const PictureShape& input, const UpscaleOptions& options,
                              std::span<const PlaneView> planes, std::span<const MutablePlane> output,
                              const Progress& progress = {}, std::stop_token stop = {});

  struct State;

 private:
  explicit Upscaler(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// "0.1.0"
WEIR_API std::string_view version();

}  // namespace weir
