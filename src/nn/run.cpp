#include "nn/run.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <iterator>
#include <map>
#include <span>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace weir::nn {

namespace {

using compute::Arithmetic;
using compute::Storage;

std::size_t element_bytes(Storage storage) { return storage == Storage::half ? 2 : 4; }

/// Values of the vector blobs (means and what is computed from them), known up to some statistic.
class Vectors {
 public:
  Vectors(const Graph& graph, const Program& program) : graph_{graph}, program_{program}, values_(graph.blobs.size()) {}

  void set(int blob, std::vector<float> value) {
    values_[static_cast<std::size_t>(blob)] = std::move(value);
    for (const VectorOp& op : program_.vector_ops) {
      const auto& in = values_[static_cast<std::size_t>(op.input)];
      auto& out = values_[static_cast<std::size_t>(op.output)];
      if (!in.empty() && out.empty()) out = apply(graph_.layers[static_cast<std::size_t>(op.layer)].operation, in);
    }
  }
  /// Padded with ones to a whole block of channels; stays where it is until the next set().
  const float* gate(int blob) {
    auto& value = values_[static_cast<std::size_t>(blob)];
    auto& padded = padded_[blob];
    padded = value;
    padded.resize(static_cast<std::size_t>(compute::padded_channels(static_cast<int>(value.size()))), 1.0F);
    return padded.data();
  }

 private:
  static float act(const Activation& a, float x) {
    switch (a.kind) {
      case Activation::Kind::none: return x;
      case Activation::Kind::relu: return x < 0 ? 0 : x;
      case Activation::Kind::leaky_relu: return x < 0 ? x * a.a : x;
      case Activation::Kind::clip: return std::clamp(x, a.a, a.b);
      case Activation::Kind::sigmoid: return 1.0F / (1.0F + std::exp(-x));
    }
    return x;
  }
  static std::vector<float> apply(const Operation& operation, const std::vector<float>& in) {
    std::vector<float> out;
    if (const auto* product = std::get_if<InnerProduct>(&operation)) {
      for (int o = 0; o < product->out_channels; ++o) {
        float sum = product->bias[static_cast<std::size_t>(o)];
        for (std::size_t i = 0; i < in.size(); ++i) sum += product->weight[static_cast<std::size_t>(o) * in.size() + i] * in[i];
        out.push_back(act(product->activation, sum));
      }
      return out;
    }
    out = in;
    if (const auto* pointwise = std::get_if<Pointwise>(&operation)) {
      for (float& x : out) x = act(pointwise->activation, x);
    }
    return out;
  }

  const Graph& graph_;
  const Program& program_;
  std::vector<std::vector<float>> values_;
  std::map<int, std::vector<float>> padded_;
};

/// Taps of a resize along one axis: Keys' cubic with A = -0.75, half-pixel centres.
/// Source: Keys, "Cubic Convolution Interpolation for Digital Image Processing", IEEE TASSP 29 (1981).
struct Taps {
  int count = 4;
  std::vector<int> index;     // first tap
  std::vector<float> weight;  // [out][count]
};
Taps taps_of(const Interp& interp, int out) {
  Taps taps;
  if (interp.kind == Interp::Kind::nearest) taps.count = 1;
  if (interp.kind == Interp::Kind::bilinear) taps.count = 2;
  const double scale = static_cast<double>(interp.scale);
  for (int x = 0; x < out; ++x) {
    if (interp.kind == Interp::Kind::nearest) {
      taps.index.push_back(static_cast<int>(std::floor(x / scale)));
      taps.weight.push_back(1.0F);
      continue;
    }
    const double centre = (x + 0.5) / scale - 0.5;
    const double floor = std::floor(centre);
    const double t = centre - floor;
    if (interp.kind == Interp::Kind::bilinear) {
      taps.index.push_back(static_cast<int>(floor));
      taps.weight.push_back(static_cast<float>(1 - t));
      taps.weight.push_back(static_cast<float>(t));
      continue;
    }
    constexpr double a = -0.75;
    const auto outer = [](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
    const auto inner = [](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
    taps.index.push_back(static_cast<int>(floor) - 1);
    for (const double w : {outer(t + 1), inner(t), inner(1 - t), outer(2 - t)}) taps.weight.push_back(static_cast<float>(w));
  }
  return taps;
}

}  // namespace

Bytes Runner::scratch_bytes(const Program& program, const Graph& graph, const compute::Kernels& kernels, int threads) {
  std::size_t most = 0;
  for (const Op& op : program.ops) {
    const Layer& layer = graph.layers[static_cast<std::size_t>(op.layer)];
    if (op.kind == OpKind::conv3x3) {
      const auto& conv = std::get<Convolution>(layer.operation);
      most = std::max(most, kernels.conv3x3_scratch(compute::padded_channels(conv.in_channels)));
    } else if (op.kind == OpKind::patch) {
      int in = 0;
      if (const auto* conv = std::get_if<Convolution>(&layer.operation)) in = conv->in_channels;
      if (const auto* conv = std::get_if<Deconvolution>(&layer.operation)) in = conv->in_channels;
      most = std::max(most, kernels.patch_scratch(compute::padded_channels(in) * op.kernel * op.kernel));
    }
  }
  return Bytes{most} * static_cast<std::uint64_t>(threads);
}

Result<Runner> Runner::create(const Graph& graph, const Program& program, const Plan& plan,
                              const compute::Kernels& kernels, compute::Team& team,
                              const std::filesystem::path& spill_folder) {
  Runner runner;
  runner.graph_ = &graph;
  runner.program_ = &program;
  runner.plan_ = &plan;
  runner.kernels_ = &kernels;
  runner.team_ = &team;
  auto arena = Mapping::create(plan.arena);
  if (!arena) return arena.error();
  runner.arena_ = *std::move(arena);
  std::size_t longest = 0;
  std::size_t widest = 0;
  for (std::size_t t = 0; t < plan.layout.size(); ++t) {
    longest = std::max(longest, plan.layout[t].row_bytes);
    widest = std::max(widest, static_cast<std::size_t>(plan.extent[t].width));
  }
  runner.zero_row_ = compute::AlignedArray<std::byte>{longest};
  const Bytes scratch = scratch_bytes(program, graph, kernels, 1);
  const std::size_t each = std::max<std::size_t>(scratch.count(), widest * sizeof(float) + 64);
  for (int member = 0; member < team.size(); ++member) runner.scratch_.emplace_back(each);
  if (plan.disk != Bytes{}) {
    auto file = ScratchFile::create(spill_folder);
    if (!file) return file.error();
    runner.file_.emplace(*std::move(file));
  }
  return runner;
}

/// One pass: the schedule's steps, carried out.
class PassRun {
 public:
  PassRun(Runner& runner, const Packed& packed, const Pass& pass, Vectors& vectors, InputRows& input,
          const OutputRows& output, const RunControl& control)
      : runner_{runner},
        graph_{*runner.graph_},
        program_{*runner.program_},
        plan_{*runner.plan_},
        kernels_{*runner.kernels_},
        team_{*runner.team_},
        packed_{packed},
        pass_{pass},
        vectors_{vectors},
        input_{input},
        output_{output},
        control_{control},
        stored_(program_.tensors.size(), false),
        bad_(static_cast<std::size_t>(team_.size())) {
    for (const int t : pass.stored) stored_[static_cast<std::size_t>(t)] = true;
  }

  Status run() {
    if (pass_.statistic < 0 || reads_input()) {
      if (auto status = input_.begin(); !status) return status;
    }
    clear_margins();
    if (pass_.statistic >= 0) begin_statistic();
    Schedule schedule{program_, plan_.extent, pass_.role, plan_.band};
    schedule.run(pass_.targets, [&](int o, Rows rows) { return step(o, rows); });
    if (!status_) return status_;
    if (pass_.statistic >= 0) finish_statistic();
    return ok();
  }

 private:
  const Tensor& tensor(int t) const { return program_.tensors[static_cast<std::size_t>(t)]; }
  const RowLayout& layout(int t) const { return plan_.layout[static_cast<std::size_t>(t)]; }
  const Extent& extent(int t) const { return plan_.extent[static_cast<std::size_t>(t)]; }
  std::size_t element(int t) const { return tensor(t).planar ? 4 : element_bytes(plan_.storage); }

  bool reads_input() const {
    for (std::size_t o = 0; o < program_.ops.size(); ++o) {
      if (program_.ops[o].kind == OpKind::input && pass_.role[o] == Role::run) return true;
    }
    return false;
  }

  std::byte* row_start(int t, int y) const {
    const auto i = static_cast<std::size_t>(t);
    return runner_.arena_.data() + pass_.offset[i] + static_cast<std::size_t>(y % pass_.rows[i]) * layout(t).row_bytes;
  }
  /// Column `x` of row y of a feature tensor; of rows outside the picture, zeros.
  const std::byte* at(int t, int y, int x) const {
    const RowLayout& l = layout(t);
    const std::byte* row = y < 0 || y >= extent(t).height ? runner_.zero_row_.data() : row_start(t, y);
    const std::size_t pixel = tensor(t).planar ? sizeof(float) : static_cast<std::size_t>(l.stride) * element(t);
    return row + l.first_byte + static_cast<std::ptrdiff_t>(x) * static_cast<std::ptrdiff_t>(pixel);
  }
  std::byte* out_at(int t, int y) const { return row_start(t, y) + layout(t).first_byte; }

  /// What padded convolutions read beside the picture is zero, and so are the channels that fill up a block.
  void clear_margins() {
    for (std::size_t o = 0; o < program_.ops.size(); ++o) {
      if (pass_.role[o] == Role::absent) continue;
      const int t = program_.ops[o].output;
      const RowLayout& l = layout(t);
      const int rows = pass_.rows[static_cast<std::size_t>(t)];
      const bool whole = !tensor(t).planar && tensor(t).channels != l.stride;
      const std::size_t width = static_cast<std::size_t>(extent(t).width);
      for (int r = 0; r < rows; ++r) {
        std::byte* row = row_start(t, r);
        if (whole) {
          std::memset(row, 0, l.row_bytes);
          continue;
        }
        const std::size_t planes = tensor(t).planar ? static_cast<std::size_t>(tensor(t).channels) : 1;
        const std::size_t plane = l.row_bytes / planes;
        const std::size_t pixel = tensor(t).planar ? sizeof(float) : static_cast<std::size_t>(l.stride) * element(t);
        for (std::size_t p = 0; p < planes; ++p) {
          std::memset(row + p * plane, 0, l.first_byte);
          std::memset(row + p * plane + l.first_byte + width * pixel, 0, plane - l.first_byte - width * pixel);
        }
      }
    }
  }

  bool step(int o, Rows rows) {
    if (control_.stop.stop_requested()) {
      status_ = Error{Errc::cancelled, "stopped"};
      return false;
    }
    const Op& op = program_.ops[static_cast<std::size_t>(o)];
    const int t = op.output;
    if (pass_.role[static_cast<std::size_t>(o)] == Role::load) {
      status_ = transfer(t, rows, false);
      return static_cast<bool>(status_);
    }
    switch (op.kind) {
      case OpKind::input: status_ = input_.fill(planar_rows(t, rows)); break;
      case OpKind::conv3x3: conv3x3(o, rows); break;
      case OpKind::patch: patch(o, rows); break;
      case OpKind::direct: direct(o, rows); break;
      case OpKind::combine: combine(op, rows); break;
      case OpKind::shuffle: shuffle(o, rows); break;
      case OpKind::resize: resize(op, rows); break;
      case OpKind::concat: concat(op, rows); break;
    }
    if (!status_) return false;
    for (const Bad& bad : bad_) {
      if (!bad.seen) continue;
      status_ = Error{Errc::bad_values, fmt::format("layer {} met a value that is not a number near row {}",
                                                 graph_.layers[static_cast<std::size_t>(op.layer)].name, rows.first)};
      return false;
    }
    if (stored_[static_cast<std::size_t>(t)] && plan_.keep[static_cast<std::size_t>(t)] == Keep::disk) {
      status_ = transfer(t, rows, true);
    } else if (pass_.statistic < 0 && t == program_.output) {
      status_ = output_(planar_rows(t, rows));
    }
    if (pass_.statistic >= 0 && t == program_.statistics[static_cast<std::size_t>(pass_.statistic)].source.tensor) {
      add_to_statistic(t, rows);
    }
    if (control_.progress) {
      control_.progress(op.multiplications * (rows.last - rows.first) * extent(t).width);
    }
    return static_cast<bool>(status_);
  }

  PlanarRows planar_rows(int t, Rows rows) const {
    PlanarRows view;
    view.first = rows.first;
    view.count = rows.last - rows.first;
    view.width = extent(t).width;
    view.planes = tensor(t).channels;
    view.plane_stride = layout(t).plane_stride;
    for (int y = rows.first; y < rows.last; ++y) view.row.push_back(reinterpret_cast<float*>(out_at(t, y)));
    return view;
  }

  Status transfer(int t, Rows rows, bool to_disk) {
    const std::size_t bytes = layout(t).row_bytes;
    for (int y = rows.first; y < rows.last; ++y) {
      const std::uint64_t offset = plan_.disk_offset[static_cast<std::size_t>(t)] + static_cast<std::uint64_t>(y) * bytes;
      const std::span<std::byte> row{row_start(t, y), bytes};
      auto status = to_disk ? runner_.file_->write_at(offset, row) : runner_.file_->read_at(offset, row);
      if (!status) return status;
    }
    return ok();
  }

  /// Calls work(row of units, first, last, member) for pieces of `rows` rows of `units` units each.
  template <class Work>
  void share(int rows, int units, int grain, Work&& work) {
    constexpr int kMostGroups = 16;
    const int padded = (units + grain - 1) / grain * grain;
    team_.run(rows * padded, grain, kMostGroups * grain, [&](int first, int last, int member) {
      while (first < last) {
        const int row = first / padded;
        const int end = std::min(last, (row + 1) * padded);
        work(row, first - row * padded, std::min(end - row * padded, units), member);
        first = end;
      }
    });
  }

  compute::Residual residual_of(const Op& op) {
    compute::Residual r;
    if (!op.epilogue.has_residual) return r;
    r.present = true;
    r.stride = layout(op.epilogue.residual.tensor).stride;
    r.alpha = op.epilogue.alpha;
    r.beta = op.epilogue.beta;
    if (op.epilogue.residual.gate >= 0) r.gate = vectors_.gate(op.epilogue.residual.gate);
    return r;
  }
  const void* residual_row(const Op& op, int y, int x) const {
    const View& v = op.epilogue.residual;
    return at(v.tensor, y + v.top, x + v.left);
  }
  compute::Target target_of(int t) const {
    compute::Target target;
    target.planar = tensor(t).planar;
    target.stride = layout(t).stride;
    target.plane_stride = layout(t).plane_stride;
    return target;
  }
  std::byte* scratch(int member) { return runner_.scratch_[static_cast<std::size_t>(member)].data(); }
  bool* bad(int member) { return &bad_[static_cast<std::size_t>(member)].seen; }

  void conv3x3(int o, Rows rows) {
    const Op& op = program_.ops[static_cast<std::size_t>(o)];
    const PackedOp& packed = packed_.ops[static_cast<std::size_t>(o)];
    const int t = op.output;
    const int width = extent(t).width;
    const compute::Residual residual = residual_of(op);
    const int tile_rows = (rows.last - rows.first + 3) / 4;
    const std::size_t pixel = static_cast<std::size_t>(layout(t).stride) * element(t);
    share(tile_rows, (width + 3) / 4, kernels_.group, [&](int tile_row, int first, int last, int member) {
      const int y0 = rows.first + 4 * tile_row;
      compute::SourceBlock<6> blocks[64];
      std::size_t count = 0;
      for (const View& v : op.inputs) {
        const int channels = compute::padded_channels(tensor(v.tensor).channels);
        for (int c = 0; c < channels && count < 64; c += 32, ++count) {
          blocks[count].stride = layout(v.tensor).stride;
          for (int k = 0; k < 6; ++k) {
            blocks[count].rows[static_cast<std::size_t>(k)] =
                at(v.tensor, y0 - op.pad + k + v.top, 4 * first - op.pad + v.left) + static_cast<std::size_t>(c) * element(v.tensor);
          }
        }
      }
      compute::Conv3x3Job job;
      job.matrix = &packed.matrix;
      job.epilogue = &packed.epilogue;
      job.storage = plan_.storage;
      job.blocks = blocks;
      job.tiles = last - first;
      job.columns = std::min(width - 4 * first, 4 * job.tiles);
      job.rows = std::min(4, rows.last - y0);
      job.target = target_of(t);
      job.residual = residual;
      for (int r = 0; r < job.rows; ++r) {
        const auto i = static_cast<std::size_t>(r);
        job.out[i] = tensor(t).planar ? out_at(t, y0 + r) + static_cast<std::size_t>(4 * first) * sizeof(float)
                                      : out_at(t, y0 + r) + static_cast<std::size_t>(4 * first) * pixel;
        if (residual.present) job.residual_rows[i] = residual_row(op, y0 + r, 4 * first);
      }
      job.scratch = scratch(member);
      job.bad = bad(member);
      kernels_.conv3x3(job);
    });
  }

  void patch(int o, Rows rows) {
    const Op& op = program_.ops[static_cast<std::size_t>(o)];
    const PackedOp& packed = packed_.ops[static_cast<std::size_t>(o)];
    const int t = op.output;
    const View& v = op.inputs[0];
    const int width = extent(t).width;
    const int first_base = (rows.first + op.lead) / op.factor;
    const int last_base = (rows.last - 1 + op.lead) / op.factor;
    const compute::Residual residual = residual_of(op);
    const float* gate = v.gate >= 0 ? vectors_.gate(v.gate) : nullptr;
    share(last_base - first_base + 1, (width - 1 + op.lead) / op.factor + 1, kernels_.group,
          [&](int base_row, int first, int last, int member) {
            const int base = first_base + base_row;
            compute::PatchJob job;
            job.matrix = &packed.matrix;
            job.epilogue = &packed.epilogue;
            job.storage = plan_.storage;
            job.channels = compute::padded_channels(tensor(v.tensor).channels);
            job.kernel = op.kernel;
            job.stride = op.stride;
            job.factor = op.factor;
            job.out_channels = tensor(t).planar ? tensor(t).channels : (tensor(t).channels + 15) / 16 * 16;
            job.stride_in = layout(v.tensor).stride;
            job.gate = gate;
            job.bases = last - first;
            job.first_column = first * op.factor - op.lead;
            job.columns = width;
            job.target = target_of(t);
            job.residual = residual;
            for (int k = 0; k < op.kernel; ++k) {
              job.rows[static_cast<std::size_t>(k)] =
                  at(v.tensor, base * op.stride + op.first_tap + k + v.top, first * op.stride + op.first_tap + v.left);
            }
            for (int dy = 0; dy < op.factor; ++dy) {
              const int y = base * op.factor - op.lead + dy;
              if (y < rows.first || y >= rows.last) continue;
              job.out[static_cast<std::size_t>(dy)] = out_at(t, y);
              if (residual.present) job.residual_rows[static_cast<std::size_t>(dy)] = residual_row(op, y, 0);
            }
            job.scratch = scratch(member);
            job.bad = bad(member);
            kernels_.patch(job);
          });
  }

  void direct(int o, Rows rows) {
    const Op& op = program_.ops[static_cast<std::size_t>(o)];
    const PackedOp& packed = packed_.ops[static_cast<std::size_t>(o)];
    const int t = op.output;
    const View& v = op.inputs[0];
    share(rows.last - rows.first, extent(t).width, 6 * 8, [&](int row, int first, int last, int) {
      const int y = rows.first + row;
      compute::DirectJob job;
      job.weights = packed.direct.data();
      job.epilogue = &packed.epilogue;
      job.storage = plan_.storage;
      job.in = tensor(v.tensor).channels;
      job.kernel = op.kernel;
      job.out = tensor(t).channels;
      job.out_padded = compute::padded_channels(job.out);
      for (int k = 0; k < op.kernel; ++k) {
        job.rows[static_cast<std::size_t>(k)] =
            reinterpret_cast<const float*>(at(v.tensor, y - op.pad + k + v.top, first - op.pad + v.left));
      }
      job.plane_stride = layout(v.tensor).plane_stride;
      job.columns = last - first;
      job.target = target_of(t);
      const std::size_t pixel = tensor(t).planar ? sizeof(float) : static_cast<std::size_t>(layout(t).stride) * element(t);
      job.output = out_at(t, y) + static_cast<std::size_t>(first) * pixel;
      kernels_.direct(job);
    });
  }

  void combine(const Op& op, Rows rows) {
    const int t = op.output;
    const bool planar = tensor(t).planar;
    const int planes = planar ? tensor(t).channels : 1;
    const int per_pixel = planar ? 1 : layout(t).stride;
    compute::CombineJob model;
    model.element = planar ? Storage::single : plan_.storage;
    model.inputs = static_cast<int>(op.inputs.size());
    model.channels = per_pixel;
    model.constant = op.constant;
    model.slope = 1;
    using Kind = Activation::Kind;
    if (op.activation.kind == Kind::relu) model.slope = 0;
    if (op.activation.kind == Kind::leaky_relu) model.slope = op.activation.a;
    if (op.activation.kind == Kind::clip) {
      model.clip = true;
      model.low = op.activation.a;
      model.high = op.activation.b;
    }
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      model.coefficient[i] = op.coefficient[i];
      if (op.inputs[i].gate >= 0) model.gate[i] = vectors_.gate(op.inputs[i].gate);
    }
    share((rows.last - rows.first) * planes, extent(t).width, 64, [&](int row, int first, int last, int) {
      const int y = rows.first + row / planes;
      const int plane = row % planes;
      compute::CombineJob job = model;
      for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        const View& v = op.inputs[i];
        job.in[i] = at(v.tensor, y + v.top, first + v.left) +
                    static_cast<std::size_t>(plane) * static_cast<std::size_t>(layout(v.tensor).plane_stride) * sizeof(float);
        if (planar && v.gate >= 0) {
          job.coefficient[i] *= model.gate[i][plane];
          job.gate[i] = nullptr;
        }
      }
      job.out = out_at(t, y) + static_cast<std::size_t>(plane) * static_cast<std::size_t>(layout(t).plane_stride) * sizeof(float) +
                static_cast<std::size_t>(first) * static_cast<std::size_t>(per_pixel) * element(t);
      job.count = (last - first) * per_pixel;
      kernels_.combine(job);
    });
  }

  void shuffle(int o, Rows rows) {
    const Op& op = program_.ops[static_cast<std::size_t>(o)];
    const int t = op.output;
    const View& v = op.inputs[0];
    const int first_row = rows.first / op.factor;
    share((rows.last - rows.first) / op.factor, extent(v.tensor).width - v.left, 64, [&](int row, int first, int last, int) {
      const int y = first_row + row;
      compute::ShuffleJob job;
      job.storage = plan_.storage;
      job.in = at(v.tensor, y + v.top, v.left);
      job.stride = layout(v.tensor).stride;
      job.factor = op.factor;
      job.planes = tensor(t).channels;
      job.order = packed_.ops[static_cast<std::size_t>(o)].order.data();
      if (op.inputs.size() > 1) {
        const View& base = op.inputs[1];
        job.base = reinterpret_cast<const float*>(at(base.tensor, y + base.top, base.left));
        job.base_plane_stride = layout(base.tensor).plane_stride;
      }
      for (int dy = 0; dy < op.factor; ++dy) {
        job.out[static_cast<std::size_t>(dy)] = reinterpret_cast<float*>(out_at(t, y * op.factor + dy));
      }
      job.plane_stride = layout(t).plane_stride;
      job.first = first;
      job.last = std::min(last, extent(t).width / op.factor);
      kernels_.shuffle(job);
    });
  }

  void resize(const Op& op, Rows rows) {
    const int t = op.output;
    const View& v = op.inputs[0];
    if (!tensor(t).planar) return enlarge_features(op, rows);
    const Taps& across = taps(op, extent(t).width);
    const Taps& down = taps(op, extent(t).height);
    const int height = extent(v.tensor).height;
    share(rows.last - rows.first, extent(t).width, 64, [&](int row, int first, int last, int member) {
      const int y = rows.first + row;
      compute::ResizeJob job;
      job.taps = across.count;
      for (int k = 0; k < job.taps; ++k) {
        const auto i = static_cast<std::size_t>(k);
        const int from = std::clamp(down.index[static_cast<std::size_t>(y)] + k, 0, height - 1);
        job.in[i] = reinterpret_cast<const float*>(at(v.tensor, from + v.top, v.left));
        job.row_weight[i] = down.weight[static_cast<std::size_t>(y * job.taps + k)];
      }
      job.in_plane_stride = layout(v.tensor).plane_stride;
      job.width = extent(v.tensor).width;
      job.index = across.index.data();
      job.weight = across.weight.data();
      job.out = reinterpret_cast<float*>(out_at(t, y));
      job.out_plane_stride = layout(t).plane_stride;
      job.planes = tensor(t).channels;
      job.first = first;
      job.last = last;
      job.scratch = reinterpret_cast<float*>(scratch(member));
      kernels_.resize_row(job);
    });
  }
  /// Nearest neighbour, a whole factor, on feature rows: pixels are copied.
  void enlarge_features(const Op& op, Rows rows) {
    const int t = op.output;
    const View& v = op.inputs[0];
    const int factor = static_cast<int>(op.interp.scale);
    const std::size_t pixel = static_cast<std::size_t>(layout(t).stride) * element(t);
    share(rows.last - rows.first, extent(t).width, 64, [&](int row, int first, int last, int) {
      const int y = rows.first + row;
      std::byte* to = out_at(t, y);
      for (int x = first; x < last; ++x) {
        std::memcpy(to + static_cast<std::size_t>(x) * pixel, at(v.tensor, y / factor + v.top, x / factor + v.left), pixel);
      }
    });
  }
  void concat(const Op& op, Rows rows) {
    const int t = op.output;
    const std::size_t pixel = static_cast<std::size_t>(layout(t).stride) * element(t);
    share(rows.last - rows.first, extent(t).width, 64, [&](int row, int first, int last, int) {
      const int y = rows.first + row;
      std::size_t offset = 0;
      for (const View& v : op.inputs) {
        const std::size_t bytes = static_cast<std::size_t>(tensor(v.tensor).channels) * element(t);
        for (int x = first; x < last; ++x) {
          std::memcpy(out_at(t, y) + static_cast<std::size_t>(x) * pixel + offset, at(v.tensor, y + v.top, x + v.left), bytes);
        }
        offset += bytes;
      }
    });
  }
  const Taps& taps(const Op& op, int out) {
    auto [found, fresh] = taps_.try_emplace({op.output, out});
    if (fresh) found->second = taps_of(op.interp, out);
    return found->second;
  }

  // --- the whole picture's channel means -------------------------------------------------------------------------
  // Values are multiples of 2^-24 (every half is; float32 ones are rounded to it), summed as integers: the mean does not
  // depend on the order in which rows, strips or threads come.
  static constexpr double kUnits = 16777216.0;

  void begin_statistic() {
    const Statistic& s = program_.statistics[static_cast<std::size_t>(pass_.statistic)];
    sums_.assign(static_cast<std::size_t>(team_.size()), std::vector<std::int64_t>(static_cast<std::size_t>(layout(s.source.tensor).stride), 0));
  }
  void add_to_statistic(int t, Rows rows) {
    const int stride = layout(t).stride;
    share(rows.last - rows.first, extent(t).width, 32, [&](int row, int first, int last, int member) {
      std::vector<std::int64_t>& total = sums_[static_cast<std::size_t>(member)];
      double sum[32];
      float values[32];
      for (int c = 0; c < stride; c += 32) {
        std::fill(std::begin(sum), std::end(sum), 0.0);
        for (int x = first; x < last; ++x) {
          const std::byte* pixel = at(t, rows.first + row, x) + static_cast<std::size_t>(c) * element(t);
          const float* from = reinterpret_cast<const float*>(pixel);
          if (plan_.storage == Storage::half) {
            kernels_.to_float(reinterpret_cast<const std::uint16_t*>(pixel), values, 32);
            from = values;
            for (int i = 0; i < 32; ++i) sum[i] += static_cast<double>(from[i]);
          } else {
            for (int i = 0; i < 32; ++i) sum[i] += std::nearbyint(static_cast<double>(from[i]) * kUnits) / kUnits;
          }
        }
        for (int i = 0; i < 32; ++i) total[static_cast<std::size_t>(c + i)] += static_cast<std::int64_t>(sum[i] * kUnits);
      }
    });
  }
  void finish_statistic() {
    const Statistic& s = program_.statistics[static_cast<std::size_t>(pass_.statistic)];
    const Extent e = extent(s.source.tensor);
    const double pixels = static_cast<double>(e.width) * e.height;
    std::vector<float> mean;
    for (int c = 0; c < s.channels; ++c) {
      std::int64_t total = 0;
      for (const auto& member : sums_) total += member[static_cast<std::size_t>(c)];
      mean.push_back(static_cast<float>(static_cast<double>(total) / kUnits / pixels));
    }
    vectors_.set(s.blob, std::move(mean));
  }

  struct alignas(64) Bad {
    bool seen = false;
  };

  Runner& runner_;
  const Graph& graph_;
  const Program& program_;
  const Plan& plan_;
  const compute::Kernels& kernels_;
  compute::Team& team_;
  const Packed& packed_;
  const Pass& pass_;
  Vectors& vectors_;
  InputRows& input_;
  const OutputRows& output_;
  const RunControl& control_;
  std::vector<bool> stored_;
  std::vector<Bad> bad_;
  std::map<std::pair<int, int>, Taps> taps_;
  std::vector<std::vector<std::int64_t>> sums_;  // by member of the team
  Status status_ = ok();
};

Status Runner::run(const Packed& packed, InputRows& input, const OutputRows& output, const RunControl& control) {
  Vectors vectors{*graph_, *program_};
  for (const Pass& pass : plan_->passes) {
    if (auto status = PassRun{*this, packed, pass, vectors, input, output, control}.run(); !status) return status;
  }
  return ok();
}

}  // namespace weir::nn
