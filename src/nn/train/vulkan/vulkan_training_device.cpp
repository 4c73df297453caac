#include "nn/train/vulkan/vulkan_training_device.hpp"

#include <cassert>
#include <utility>
#include <variant>

#include "nn/train/vulkan/vulkan_executor.hpp"

namespace weir::nn::train {

using compute::vulkan::BindingSlot;

namespace {

float to_float(double value) { return static_cast<float>(value); }
std::uint32_t flag(bool value) { return value ? 1 : 0; }

/// The operations of pointwise.comp, which uses the same numbers for them.
enum class Pointwise : std::uint32_t {
  scale,
  combine,
  multiply,
  activate,
  activate_back,
  add_bias,
  prelu,
  prelu_back,
  loss_back
};

/// Arguments of a pointwise operation: `count` is the number of values, `alpha` the factor, slope or epsilon, `beta`
/// the factor of the second source.
struct PointwisePush {
  std::size_t count = 0, channels = 1;
  bool accumulate = false;
  double alpha = 1, beta = 1;
};

/// The operations of rearrange.comp, which uses the same numbers for them. to_large and to_small are the two directions
/// of a pixel shuffle; `channels` copies channels.
enum class Rearrange : std::uint32_t { transpose, to_large, to_small, channels };

/// Records one command of the variant Command as kernel runs.
struct VulkanCommandVisitor {
  VulkanExecutor& executor;
  using Dispatch = compute::vulkan::Dispatch;
  using Slice = compute::vulkan::Slice;
  static Slice slice(Operand operand) { return VulkanExecutor::slice(operand); }
  /// Binds `out` as the target of the kernel run; if it is added to, the kernel also reads it.
  static void write_target(Dispatch& dispatch, Operand out, bool accumulate) {
    if (accumulate)
      dispatch.read_write(BindingSlot::target, slice(out));
    else
      dispatch.write(BindingSlot::target, slice(out));
  }
  /// Returns a run of the kernel with the sources that are not empty. `constants` are its specialization constants.
  static Dispatch make_dispatch(std::string_view name, std::vector<std::uint32_t> constants,
                                std::initializer_list<Operand> sources) {
    Dispatch dispatch;
    dispatch.kernel = {name, std::move(constants)};
    std::uint32_t index = 0;
    for (const Operand& source : sources) {
      if (source) dispatch.source(index++, slice(source));
    }
    return dispatch;
  }
  /// Records a run of pointwise.comp. `kind` is the activation function or, for loss_back, the kind of loss.
  template <class Kind = compute::ActivationKind>
  Status pointwise(Pointwise operation, std::initializer_list<Operand> sources, Operand out, const PointwisePush& p,
                   Kind kind = Kind{}) const {
    const struct {
      std::uint32_t count, channels, accumulate;
      float alpha, beta;
    } push{to_u32(p.count), to_u32(p.channels), flag(p.accumulate), to_float(p.alpha), to_float(p.beta)};
    Dispatch dispatch =
        make_dispatch("pointwise", {static_cast<std::uint32_t>(operation), static_cast<std::uint32_t>(kind)}, sources);
    write_target(dispatch, out, p.accumulate);
    return executor.run_per_element(dispatch.push_constants(push), p.count);
  }
  /// rearrange.comp lists what `a` to `e` mean for each operation.
  struct RearrangePush {
    std::uint32_t count = 0, accumulate = 0, a = 1, b = 1, c = 1, d = 1, e = 0;
  };
  Status rearrange(Rearrange kind, Operand in, Operand out, const RearrangePush& push) const {
    Dispatch dispatch = make_dispatch("rearrange", {static_cast<std::uint32_t>(kind)}, {in});
    // CopyChannelsCommand writes only some channels of a row; the other channels must not change.
    write_target(dispatch, out, push.accumulate != 0 || kind == Rearrange::channels);
    return executor.run_per_element(dispatch.push_constants(push), push.count);
  }

  Status operator()(const FillCommand& c) const { return executor.fill(c); }
  Status operator()(const MatrixProductCommand& c) const { return executor.product(c); }
  Status operator()(const ConvolveCommand& c) const { return executor.convolve(c); }
  Status operator()(const ConvolveBackCommand& c) const { return executor.convolve_back(c); }
  Status operator()(const ConvolveWeightsBackCommand& c) const { return executor.convolve_weights_back(c); }

  Status operator()(const TransposeCommand& c) const {
    return rearrange(Rearrange::transpose, c.in, c.out,
                     {to_u32(c.in.count), flag(c.accumulate), to_u32(c.rows), to_u32(c.columns)});
  }
  Status operator()(const PixelShuffleCommand& c) const {
    return rearrange(
        c.inverse ? Rearrange::to_small : Rearrange::to_large, c.in, c.out,
        {to_u32(c.in.count), flag(c.accumulate), to_u32(c.h), to_u32(c.w), to_u32(c.channels), to_u32(c.factor)});
  }
  Status operator()(const CopyChannelsCommand& c) const {
    return rearrange(Rearrange::channels, c.in, c.out,
                     {to_u32(c.rows) * to_u32(c.count), flag(c.accumulate), to_u32(c.in_channels),
                      to_u32(c.out_channels), to_u32(c.count), to_u32(c.in_first), to_u32(c.out_first)});
  }

  Status operator()(const AddBiasCommand& c) const {
    return pointwise(Pointwise::add_bias, {c.in, c.bias}, c.out, {.count = c.out.count, .channels = c.channels});
  }
  Status operator()(const SumRowsCommand& c) const {
    return executor.sum_rows(
        {.a = slice(c.in), .out = slice(c.out), .rows = c.rows, .channels = c.channels, .accumulate = c.accumulate});
  }
  Status operator()(const CombineCommand& c) const {
    return pointwise(c.b ? Pointwise::combine : Pointwise::scale, {c.a, c.b}, c.out,
                     {.count = c.out.count, .accumulate = c.accumulate, .alpha = c.alpha, .beta = c.beta});
  }
  Status operator()(const MultiplyCommand& c) const {
    return pointwise(Pointwise::multiply, {c.a, c.b}, c.out,
                     {.count = c.out.count, .accumulate = c.accumulate, .alpha = c.scale});
  }
  Status operator()(const ActivateCommand& c) const {
    return pointwise(Pointwise::activate, {c.in}, c.out, {.count = c.out.count, .alpha = c.slope}, c.kind);
  }
  Status operator()(const ActivateBackCommand& c) const {
    return pointwise(Pointwise::activate_back, {c.in, c.out, c.out_gradient}, c.in_gradient,
                     {.count = c.in_gradient.count, .accumulate = c.accumulate, .alpha = c.slope}, c.kind);
  }
  Status operator()(const PReluCommand& c) const {
    return pointwise(Pointwise::prelu, {c.in, c.slopes}, c.out, {.count = c.out.count, .channels = c.channels});
  }
  Status operator()(const PReluBackCommand& c) const {
    if (c.slope_gradient) {
      auto done = executor.sum_rows({.term = 1,  // in sum_rows.comp: the gradient of a slope
                                     .a = slice(c.in),
                                     .b = slice(c.out_gradient),
                                     .out = slice(c.slope_gradient),
                                     .rows = c.rows,
                                     .channels = c.channels,
                                     .accumulate = c.accumulate_slopes});
      if (!done) return done;
    }
    if (!c.in_gradient) return ok();
    return pointwise(Pointwise::prelu_back, {c.in, c.slopes, c.out_gradient}, c.in_gradient,
                     {.count = c.in_gradient.count, .channels = c.channels, .accumulate = c.accumulate_in});
  }

  struct PoolPush {
    std::uint32_t count = 0, accumulate = 0, in_h = 0, in_w = 0, out_h = 0, out_w = 0, channels = 0, kernel = 1,
                  stride = 1;
  };
  static PoolPush pool_push(const WindowShape& s, std::size_t count, bool accumulate) {
    return {to_u32(count),   flag(accumulate), to_u32(s.in_h),          to_u32(s.in_w),         to_u32(s.out_h),
            to_u32(s.out_w), to_u32(s.in_c),   to_u32(s.window.kernel), to_u32(s.window.stride)};
  }
  // The constant of max_pool.comp and softmax.comp is 1 for the backward pass.
  Status operator()(const MaxPoolCommand& c) const {
    Dispatch dispatch = make_dispatch("max_pool", {0}, {c.in});
    write_target(dispatch, c.out, /*accumulate=*/false);
    return executor.run_per_element(dispatch.push_constants(pool_push(c.shape, c.out.count, /*accumulate=*/false)),
                                    c.out.count);
  }
  Status operator()(const MaxPoolBackCommand& c) const {
    Dispatch dispatch = make_dispatch("max_pool", {1}, {c.in, c.out_gradient});
    write_target(dispatch, c.in_gradient, c.accumulate);
    return executor.run_per_element(dispatch.push_constants(pool_push(c.shape, c.in.count, c.accumulate)), c.in.count);
  }

  Status operator()(const LossCommand& c) const {
    // The first terms of sum_values.comp have the numbers of LossKind.
    return executor.sum({.term = static_cast<std::uint32_t>(c.kind),
                         .a = slice(c.prediction),
                         .b = slice(c.target),
                         .out = slice(c.out),
                         .count = c.prediction.count,
                         .epsilon = to_float(c.epsilon),
                         .factor = to_float(1 / static_cast<double>(c.prediction.count))});
  }
  Status operator()(const LossBackCommand& c) const {
    return pointwise(Pointwise::loss_back, {c.prediction, c.target, c.out_gradient}, c.in_gradient,
                     {.count = c.prediction.count, .accumulate = c.accumulate, .alpha = c.epsilon}, c.kind);
  }
  struct SoftmaxPush {
    std::uint32_t rows = 0, channels = 0, accumulate = 0;
  };
  Status operator()(const CrossEntropyCommand& c) const {
    auto memory = executor.acquire(c.rows);
    if (!memory) return memory.error();
    const VulkanExecutor::ScratchBuffer losses{executor, *std::move(memory)};
    Dispatch dispatch = make_dispatch("softmax", {0}, {c.prediction, c.target});
    dispatch.write(BindingSlot::target, losses.slice(c.rows))
        .push_constants(SoftmaxPush{to_u32(c.rows), to_u32(c.channels), 0});
    if (auto done = executor.run_per_element(dispatch, c.rows); !done) return done;
    return executor.sum({.a = losses.slice(c.rows),
                         .out = slice(c.out),
                         .count = c.rows,
                         .factor = to_float(1 / static_cast<double>(c.rows))});
  }
  Status operator()(const CrossEntropyBackCommand& c) const {
    Dispatch dispatch = make_dispatch("softmax", {1}, {c.prediction, c.target, c.out_gradient});
    write_target(dispatch, c.in_gradient, c.accumulate);
    return executor.run_per_element(
        dispatch.push_constants(SoftmaxPush{to_u32(c.rows), to_u32(c.channels), flag(c.accumulate)}), c.rows);
  }
  Status operator()(const SumSquaresCommand& c) const {
    return executor.sum(  // term 4 of sum_values.comp is the square
        {.term = 4, .a = slice(c.in), .out = slice(c.out), .count = c.in.count, .accumulate = c.accumulate});
  }

  /// `beta1` is also the momentum of SGD. The binding slots of the state arrays, `residual` and `gate`, are named for
  /// their use in other kernels. The constant of optimiser.comp is 1 for Adam and 0 for SGD.
  struct OptimiserPush {
    std::uint32_t count = 0, clips = 0;
    float max_norm = 0, rate = 0, decay = 0, beta1 = 0, beta2 = 0, epsilon = 0, correct1 = 1, correct2 = 1;
  };
  Status operator()(const AdamCommand& c) const {
    Dispatch dispatch = make_dispatch("optimiser", {1}, {c.gradient, c.clip.squared_norm});
    dispatch.read_write(BindingSlot::target, slice(c.weights)).read_write(BindingSlot::residual, slice(c.mean));
    dispatch.read_write(BindingSlot::gate, slice(c.square));
    dispatch.push_constants(OptimiserPush{to_u32(c.weights.count), flag(static_cast<bool>(c.clip.squared_norm)),
                                          to_float(c.clip.max_norm), to_float(c.rate), to_float(c.weight_decay),
                                          to_float(c.beta1), to_float(c.beta2), to_float(c.epsilon),
                                          to_float(c.correct1), to_float(c.correct2)});
    return executor.run_per_element(dispatch, c.weights.count);
  }
  Status operator()(const SgdCommand& c) const {
    Dispatch dispatch = make_dispatch("optimiser", {0}, {c.gradient, c.clip.squared_norm});
    dispatch.read_write(BindingSlot::target, slice(c.weights)).read_write(BindingSlot::residual, slice(c.velocity));
    dispatch.push_constants(OptimiserPush{to_u32(c.weights.count), flag(static_cast<bool>(c.clip.squared_norm)),
                                          to_float(c.clip.max_norm), to_float(c.rate), to_float(c.weight_decay),
                                          to_float(c.momentum)});
    return executor.run_per_element(dispatch, c.weights.count);
  }
};

}  // namespace

VulkanTrainingDevice::VulkanTrainingDevice(std::unique_ptr<VulkanExecutor> executor) : executor_{std::move(executor)} {}
VulkanTrainingDevice::~VulkanTrainingDevice() = default;

Result<std::unique_ptr<VulkanTrainingDevice>> VulkanTrainingDevice::open(
    std::shared_ptr<compute::vulkan::Instance> instance, const compute::vulkan::DeviceInfo& info,
    VulkanTrainingSettings settings) {
  auto executor = VulkanExecutor::open(std::move(instance), info, settings);
  if (!executor) return executor.error();
  return std::unique_ptr<VulkanTrainingDevice>{new VulkanTrainingDevice{*std::move(executor)}};
}

Status VulkanTrainingDevice::record(const Command& command) {
  return std::visit(VulkanCommandVisitor{*executor_}, command);
}
Status VulkanTrainingDevice::flush() { return executor_->flush(); }
Status VulkanTrainingDevice::sync() { return executor_->sync(); }

Status VulkanTrainingDevice::write(Operand to, std::span<const float> from) {
  assert(from.size() <= to.count);
  return executor_->write(VulkanExecutor::slice(to), from);
}

Status VulkanTrainingDevice::read(Operand from, std::span<float> to) {
  assert(to.size() <= from.count);
  return executor_->read(VulkanExecutor::slice(from), to);
}

void VulkanTrainingDevice::cleanup() { executor_->cleanup(); }
TrainingDeviceStatistics VulkanTrainingDevice::statistics() const { return executor_->statistics(); }

Result<TrainingDevice::Block> VulkanTrainingDevice::allocate(std::size_t count) {
  auto buffer = executor_->acquire(count);
  if (!buffer) return buffer.error();
  const Bytes size = buffer->size();
  return Block{new VulkanExecutor::Buffer{*std::move(buffer)}, size};
}

void VulkanTrainingDevice::give_back(Block block) {
  const std::unique_ptr<VulkanExecutor::Buffer> buffer{static_cast<VulkanExecutor::Buffer*>(block.memory)};
  executor_->release(std::move(*buffer));
}

}  // namespace weir::nn::train
