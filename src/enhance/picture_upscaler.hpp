#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "compute/kernels/kernels.hpp"
#include "media/picture/picture.hpp"
#include "nn/network.hpp"
#include "nn/vulkan/engine.hpp"

namespace weir::nn::vulkan {
struct Gpu;
}  // namespace weir::nn::vulkan

namespace weir::enhance {

struct RunPlan;

/// The arithmetic of the network. automatic: the fastest arithmetic that is exact enough. exact: float32.
enum class Precision { automatic, exact };

/// How to enlarge pictures.
struct UpscaleSettings {
  double scale = 0;  ///< side of the result / side of the picture; 0: the scale of the network
  int width = 0;     ///< width of the result in pixels; 0: follows from `height`, or else from `scale`
  int height = 0;    ///< height of the result in pixels; 0: follows from `width`, or else from `scale`
  Bytes ram;         ///< limit of the main memory of the whole process; zero: no limit
  std::filesystem::path spill_folder;  ///< folder for rows that do not fit within `ram`
  Bytes spill_limit;                   ///< limit of the size of all files in spill_folder; zero: nothing is written
  int threads = 1;                     ///< number of threads, at least 1
  Precision precision = Precision::automatic;  ///< arithmetic on the CPU; `exact` also means float32 on a GPU
  bool tta = false;                            ///< test-time augmentation: averages the results of eight orientations
  std::shared_ptr<const nn::vulkan::Gpu> gpu;  ///< the GPU; null: the CPU
  nn::vulkan::EngineSettings device_settings;  ///< settings of the GPU, such as its memory limit
};

/// The memory of one component of a plan.
struct PlanPart {
  std::string name;       ///< name of the component: "weights", "stored rows", "decoder", "encoder", ...
  Bytes ram;              ///< main memory
  Bytes disk;             ///< disk space
  Bytes device_memory{};  ///< memory of the GPU; 0 on the CPU
};

/// Everything that is decided before the first row is read. It depends on the network, the settings, the header of the
/// picture and the free memory, not on the pixels. If the network runs twice, band_height, strip_width, strip_halo and
/// tile are those of the second run.
struct UpscalePlan {
  int input_width = 0, input_height = 0;
  int output_width = 0, output_height = 0;  ///< size of the result in pixels, after a final resize
  int network_runs = 1;                     ///< how often the network is applied in sequence: 1 or 2
  bool resized = false;                     ///< the rows are resized after the network
  std::string precision;                    ///< "int16", "float32" or "float16": the arithmetic that was chosen
  std::string instruction_set;              ///< that of the CPU kernels: "avx512_vnni", "avx2", "neon" or "plain"
  int band_height = 0;                      ///< rows computed in one step; on a GPU: rows of a tile
  int strip_width = 0;              ///< columns of a strip without its halo; the whole width if there is only one
                                    ///< strip; on a GPU: columns of a tile
  int strip_halo = 0;               ///< largest number of columns that a strip also reads on one side
  std::string device_name = "cpu";  ///< "cpu", or name and driver of the GPU
  int tile = 0;                     ///< side of the GPU's tiles in input pixels; 0 on the CPU
  int passes = 1;                   ///< passes over the picture, in all network runs and all orientations together
  std::vector<PlanPart> parts;      ///< the components of the process's memory
  Bytes ram;                        ///< main memory: sum of PlanPart::ram
  Bytes disk;                       ///< disk space: sum of PlanPart::disk
  Bytes device_memory;              ///< memory of the GPU: sum of PlanPart::device_memory
  double multiplications = 0;  ///< number of multiplications, counted as direct convolution; values that are computed
                               ///< more than once (in several passes, or next to cuts) are counted each time
  std::chrono::duration<double> expected_time{};  ///< rough estimate of the time of the run
  std::shared_ptr<const RunPlan> run_plan;        ///< the details, for PictureUpscaler::run()
};

/// The progress of a run. The thread that runs the picture calls the callback after each step, which is a few
/// milliseconds of work; the callback must return quickly. The progress begins at 0 again if PictureUpscaler::run()
/// repeats the picture on the CPU or in float32.
struct Progress {
  double fraction = 0;  ///< share of the multiplications that are done, 0..1
  double pixels = 0;    ///< `fraction` times the number of pixels of the result
};
using ProgressCallback = std::function<void(const Progress&)>;

/// The counts of the GPU's work so far, and its memory, for the metrics.
struct DeviceReport {
  std::string name;  ///< name and driver
  nn::vulkan::EngineCounts counts;
  nn::vulkan::EngineMemory memory;
};

/// One picture to enlarge: the arguments of PictureUpscaler::run(). The references must outlive the run.
struct UpscaleJob {
  const UpscalePlan& plan;
  media::PictureReader& reader;
  media::PictureWriter& writer;
  ProgressCallback progress;  ///< may be empty
  std::stop_token stop;
  /// Keeps the memory of the network's rows for the next run of the same plan, such as the next frame of a film. A run
  /// of another plan or a call of plan() frees it first.
  bool keep_memory = false;
};

/// Enlarges pictures of any size with one network, one after the other. It keeps the packed weights, the threads and
/// the GPU between pictures. Not thread-safe; it starts threads of its own.
class PictureUpscaler {
 public:
  /// Creates an upscaler. The network must not change afterwards. The settings apply to every picture. If `kernels` is
  /// null, the fastest kernels of this machine are used. Errors: unsupported; the text names the layer.
  static Result<std::unique_ptr<PictureUpscaler>> create(std::shared_ptr<const nn::Network> network,
                                                         const UpscaleSettings& settings,
                                                         const compute::Kernels* kernels = nullptr);
  virtual ~PictureUpscaler() = default;

  virtual const nn::Network& network() const = 0;
  /// Plans a picture. `decoder` is the memory of the picture's reader. The first call opens the GPU. The first call
  /// that plans for the CPU with Precision::automatic checks the precision of int16.
  /// Errors: over_budget (the text has the numbers) if the smallest plan is above settings.ram; invalid_argument if
  /// the picture is too small for the network; unsupported; bad_values if a large network computes values that are not
  /// numbers for the test picture of the precision check; with settings.device_settings.strict, those of opening the
  /// GPU.
  virtual Result<UpscalePlan> plan(const media::PictureInfo& picture, const media::MediaNeed& decoder,
                                   const media::WriteOptions& output) = 0;
  /// Returns the main memory that the last run keeps for the next one (UpscaleJob::keep_memory).
  virtual Bytes kept_memory() const = 0;
  /// Returns the report of the GPU since it was opened; nothing if no GPU was opened.
  virtual std::optional<DeviceReport> device_report() const = 0;
  /// Reads the whole picture and writes all rows of the result, in the format of rows_info(). The caller must call
  /// writer.finish() afterwards. Returns messages about differences from the plan: "rows from 512 on were repeated in
  /// float32: ...".
  /// Errors: cancelled; those of the reader and the writer; over_budget; bad_values if the network computes values that
  /// are not numbers, or one colour where the picture has many, in float32 too; with settings.device_settings.strict,
  /// those of the GPU.
  virtual Result<std::vector<std::string>> run(const UpscaleJob& job) = 0;
};

/// Returns the format of the rows that the writer receives: the result of the network before the final resize.
media::PictureInfo rows_info(const nn::Network& network, const media::PictureInfo& picture,
                             const UpscaleSettings& settings);
/// Returns how often the network is applied in sequence: 2 if it enlarges and the scale of the result is larger than
/// its own scale; otherwise 1.
int network_runs(const nn::Network& network, const media::PictureInfo& picture, const UpscaleSettings& settings);
/// The size of the final result in pixels.
struct FinalSize {
  int width = 0, height = 0;
};
/// Returns the size of the final result: after the network and a final resize. Errors: invalid_argument if it is too
/// large.
Result<FinalSize> final_size(const nn::Network& network, const media::PictureInfo& picture,
                             const UpscaleSettings& settings);

}  // namespace weir::enhance
