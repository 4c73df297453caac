#include "enhance/picture_run.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "enhance/result_converter.hpp"
#include "enhance/row_store.hpp"
#include "enhance/source_window.hpp"
#include "enhance/stored_picture.hpp"

namespace weir::enhance {

namespace {

/// One run of a plan, for run_picture(). If the plan has two stages, the result of the first is stored, and the second
/// reads it from the store.
class PictureRun {
 public:
  PictureRun(const RunContext& context, const UpscaleJob& job, const std::shared_ptr<const RunPlan>& plan)
      : context_{context}, job_{job}, shared_plan_{plan}, plan_{*plan} {
    for (const Stage& stage : plan_.stages)
      total_ += stage.multiplications() * (context.settings.tta ? kOrientations : 1);
  }
  int written() const { return written_; }
  /// Makes the run compute but not write the rows of the result before `row`.
  void skip_rows_before(int row) { skipped_rows_ = row; }

  Status run() {
    if (plan_.stages.size() == 1) return run_stage(0, job_.reader, final_sink());
    const Stage& first = plan_.stages[0];
    auto store = RowStore::create(first.out.height, first.out.row_bytes(), store_folder(plan_.intermediate_on_disk));
    if (!store) return store.error();
    const auto store_rows = [&](int row, std::span<const std::byte> rows) -> Status {
      for (; !rows.empty(); rows = rows.subspan(first.out.row_bytes()), ++row) {
        if (auto status = store->write(row, rows.first(first.out.row_bytes())); !status) return status;
      }
      return ok();
    };
    if (auto status = run_stage(0, job_.reader, store_rows); !status) return status;
    StoredPicture intermediate{*store, first.out};
    return run_stage(1, intermediate, final_sink());
  }

 private:
  /// Returns the folder argument of RowStore::create(): empty for a store in memory.
  std::filesystem::path store_folder(bool on_disk) const {
    return on_disk ? context_.settings.spill_folder : std::filesystem::path{};
  }
  /// Returns the sink of the last stage: passes the rows to the writer, except those that an earlier run wrote.
  SampleRowSink final_sink() {
    return [this](int row, std::span<const std::byte> rows) -> Status {
      const std::size_t row_bytes = plan_.stages.back().out.row_bytes();
      const int count = static_cast<int>(rows.size() / row_bytes);
      const int skip_count = std::clamp(skipped_rows_ - row, 0, count);
      if (skip_count < count) {
        if (auto status = job_.writer.write(rows.subspan(static_cast<std::size_t>(skip_count) * row_bytes)); !status)
          return status;
      }
      written_ = row + count;
      return ok();
    };
  }
  nn::RunControl make_control() {
    nn::RunControl control;
    control.stop = job_.stop;
    control.on_progress = [this](double multiplications) {
      done_ += multiplications;
      if (!job_.progress) return;
      const media::PictureInfo& out = plan_.stages.back().out;
      const double fraction = total_ > 0 ? std::min(1.0, done_ / total_) : 0;
      job_.progress({fraction, fraction * out.width * out.height});
    };
    return control;
  }

  /// Runs the network once on the device or on the CPU, as the stage is planned; with test-time augmentation once for
  /// each orientation.
  Status run_stage(std::size_t stage_index, media::PictureReader& reader, const SampleRowSink& sink) {
    const Stage& stage = plan_.stages[stage_index];
    SourceWindow window{reader, stage.geometry, stage.read_ahead_rows()};
    ResultConverter result{context_.network.family, stage.geometry, stage.out, window,
                           context_.kernels,        context_.team,  sink};
    if (stage.device_plan) {
      const auto convert_samples = [&](const nn::ByteRows& rows) { return result.convert(rows); };
      return run_network(stage, window, result, [&](int orientation, const nn::OutputRows& output) {
        int rows_made = 0;  // not used: written_ counts the rows of the result
        return context_.device.engine().run(*stage.device_plan, orientation_of(orientation), window,
                                            {output, convert_samples}, make_control(), rows_made,
                                            context_.device.events());
      });
    }
    auto runner = context_.runners.get(shared_plan_, stage_index, context_.team);
    if (!runner) return runner.error();
    return run_network(stage, window, result, [&](int orientation, const nn::OutputRows& output) {
      return (*runner)->run(context_.weights.get(plan_.mode.arithmetic, orientation), window, output, make_control());
    });
  }

  /// Runs the network once, in the orientation with this index, and passes the result to `output`.
  using NetworkRun = std::function<Status(int orientation, const nn::OutputRows& output)>;

  /// Runs the network and converts its result. If the picture is computed in strips or in several orientations, whole
  /// rows are complete only at the end: the results are summed in a store first and converted afterwards.
  Status run_network(const Stage& stage, SourceWindow& window, ResultConverter& result, const NetworkRun& run_once) {
    const bool in_strips = stage.cpu_plan.strips.size() > 1;
    if (!context_.settings.tta && !in_strips)
      return run_once(0, [&](const nn::PlanarRows& rows) { return result.convert(rows); });
    const int orientations = context_.settings.tta ? kOrientations : 1;
    const std::size_t row_bytes = static_cast<std::size_t>(stage.out.width) * 3 * sizeof(float);
    auto sums = RowStore::create(stage.out.height, row_bytes, store_folder(stage.result_on_disk));
    if (!sums) return sums.error();
    const auto add = [&](const nn::PlanarRows& rows) { return add_rows(stage, rows, *sums); };
    for (int i = 0; i < orientations; ++i) {
      if (auto status = run_once(i, add); !status) return status;
    }
    return convert_sums(stage, *sums, 1.0F / static_cast<float>(orientations), window, result);
  }

  /// Adds the part of `rows` that is inside the enlarged picture to the values in the store. A row of the store is
  /// [3][width] floats.
  static Status add_rows(const Stage& stage, const nn::PlanarRows& rows, RowStore& sums) {
    const int crop = stage.geometry.crop;
    // The columns of `rows` that are inside the enlarged picture, counted before the crop.
    const int first_column = std::max(rows.left, crop);
    const int end_column = std::min(rows.left + rows.width, crop + stage.out.width);
    if (first_column >= end_column) return ok();
    std::vector<float> sum(static_cast<std::size_t>(end_column - first_column));
    const std::span<std::byte> bytes{reinterpret_cast<std::byte*>(sum.data()), sum.size() * sizeof(float)};
    for (int k = 0; k < rows.count; ++k) {
      const int y = rows.first + k - crop;
      if (y < 0 || y >= stage.out.height) continue;
      for (int c = 0; c < 3; ++c) {
        const std::size_t offset = (static_cast<std::size_t>(c) * static_cast<std::size_t>(stage.out.width) +
                                    static_cast<std::size_t>(first_column - crop)) *
                                   sizeof(float);  // in bytes
        if (auto status = sums.read(y, bytes, offset); !status) return status;
        const float* plane = rows.row[static_cast<std::size_t>(k)] + c * rows.plane_stride + (first_column - rows.left);
        for (std::size_t x = 0; x < sum.size(); ++x) sum[x] += plane[x];
        if (auto status = sums.write(y, bytes, offset); !status) return status;
      }
    }
    return ok();
  }

  /// Multiplies the stored sums by `factor` and converts them row by row. Goes back to the start of the picture,
  /// because the conversion reads it from the first row on.
  static Status convert_sums(const Stage& stage, RowStore& sums, float factor, SourceWindow& window,
                             ResultConverter& result) {
    const auto width = static_cast<std::size_t>(stage.out.width);
    const auto crop = static_cast<std::size_t>(stage.geometry.crop);
    std::vector<float> row(crop + 3 * width);  // ResultConverter skips the first `crop` columns
    nn::PlanarRows rows;
    rows.count = 1;
    rows.width = stage.out.width;
    rows.planes = 3;
    rows.plane_stride = static_cast<std::ptrdiff_t>(width);
    rows.row = {row.data()};
    if (auto status = window.rewind(); !status) return status;
    for (int y = 0; y < stage.out.height; ++y) {
      const std::span<float> values{row.data() + crop, 3 * width};
      if (auto status = sums.read(y, std::as_writable_bytes(values)); !status) return status;
      for (float& value : values) value *= factor;
      rows.first = stage.geometry.crop + y;
      if (auto status = result.convert(rows); !status) return status;
    }
    return ok();
  }

  const RunContext& context_;
  const UpscaleJob& job_;
  const std::shared_ptr<const RunPlan>& shared_plan_;
  const RunPlan& plan_;
  int written_ = 0;       // number of rows of the result that are complete, skipped ones included
  int skipped_rows_ = 0;  // number of rows that an earlier run wrote; they are not written again
  double done_ = 0;       // number of multiplications so far
  double total_ = 0;      // number of multiplications of the whole run
};

}  // namespace

Status run_picture(const RunContext& context, const UpscaleJob& job, const std::shared_ptr<const RunPlan>& plan,
                   int& written) {
  PictureRun run{context, job, plan};
  run.skip_rows_before(written);
  auto status = run.run();
  written = std::max(written, run.written());
  return status;
}

}  // namespace weir::enhance
