#include "nn/train/vulkan/vulkan_device.hpp"

#include <cassert>
#include <utility>
#include <variant>

#include "nn/train/vulkan/vulkan_work.hpp"

namespace weir::nn::train {

using compute::vulkan::Place;

namespace {

float as(double value) { return static_cast<float>(value); }
std::uint32_t flag(bool value) { return value ? 1 : 0; }

/// As in pointwise.comp.
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

struct PointwisePush {
  std::size_t count = 0, channels = 1;
  bool accumulate = false;
  double alpha = 1, beta = 1;
};

/// As in rearrange.comp.
enum class Rearrange : std::uint32_t { transpose, to_large, to_small, channels };

/// Each command as runs of kernels.
struct Execute {
  VulkanWork& work;
  using Dispatch = compute::vulkan::Dispatch;
  using Slice = compute::vulkan::Slice;
  static Slice at(Operand operand) { return VulkanWork::slice(operand); }
  static void to_target(Dispatch& dispatch, Operand out, bool accumulate) {
    if (accumulate)
      dispatch.change(Place::target, at(out));
    else
      dispatch.write(Place::target, at(out));
  }
  /// Sources that are empty are left out.
  static Dispatch kernel(std::string_view name, std::vector<std::uint32_t> constants,
                         std::initializer_list<Operand> sources) {
    Dispatch dispatch;
    dispatch.kernel = {name, std::move(constants)};
    std::uint32_t index = 0;
    for (const Operand& source : sources) {
      if (source) dispatch.source(index++, at(source));
    }
    return dispatch;
  }
  template <class Kind = compute::Curve>
  Status pointwise(Pointwise operation, std::initializer_list<Operand> sources, Operand out, const PointwisePush& p,
                   Kind kind = Kind{}) const {
    const struct {
      std::uint32_t count, channels, accumulate;
      float alpha, beta;
    } push{word(p.count), word(p.channels), flag(p.accumulate), as(p.alpha), as(p.beta)};
    Dispatch dispatch =
        kernel("pointwise", {static_cast<std::uint32_t>(operation), static_cast<std::uint32_t>(kind)}, sources);
    to_target(dispatch, out, p.accumulate);
    return work.run_over(dispatch.constants(push), p.count);
  }
  struct RearrangePush {
    std::uint32_t count = 0, accumulate = 0, a = 1, b = 1, c = 1, d = 1, e = 0;
  };
  Status rearrange(Rearrange kind, Operand in, Operand out, const RearrangePush& push) const {
    Dispatch dispatch = kernel("rearrange", {static_cast<std::uint32_t>(kind)}, {in});
    // Of some channels alone are written: the others stay.
    to_target(dispatch, out, push.accumulate != 0 || kind == Rearrange::channels);
    return work.run_over(dispatch.constants(push), push.count);
  }

  Status operator()(const Fill& c) const { return work.fill(c); }
  Status operator()(const Product& c) const { return work.product(c); }
  Status operator()(const Convolve& c) const { return work.convolve(c); }
  Status operator()(const ConvolveBack& c) const { return work.convolve_back(c); }
  Status operator()(const ConvolveWeights& c) const { return work.convolve_weights(c); }

  Status operator()(const Transpose& c) const {
    return rearrange(Rearrange::transpose, c.in, c.out,
                     {word(c.in.count), flag(c.accumulate), word(c.rows), word(c.columns)});
  }
  Status operator()(const PixelShuffle& c) const {
    return rearrange(c.inverse ? Rearrange::to_small : Rearrange::to_large, c.in, c.out,
                     {word(c.in.count), flag(c.accumulate), word(c.h), word(c.w), word(c.channels), word(c.factor)});
  }
  Status operator()(const CopyChannels& c) const {
    return rearrange(Rearrange::channels, c.in, c.out,
                     {word(c.rows) * word(c.count), flag(c.accumulate), word(c.in_channels), word(c.out_channels),
                      word(c.count), word(c.in_first), word(c.out_first)});
  }

  Status operator()(const AddBias& c) const {
    return pointwise(Pointwise::add_bias, {c.in, c.bias}, c.out, {.count = c.out.count, .channels = c.channels});
  }
  Status operator()(const SumRows& c) const {
    return work.sum_rows(
        {.a = at(c.in), .out = at(c.out), .rows = c.rows, .channels = c.channels, .accumulate = c.accumulate});
  }
  Status operator()(const Combine& c) const {
    return pointwise(c.b ? Pointwise::combine : Pointwise::scale, {c.a, c.b}, c.out,
                     {.count = c.out.count, .accumulate = c.accumulate, .alpha = c.alpha, .beta = c.beta});
  }
  Status operator()(const Multiply& c) const {
    return pointwise(Pointwise::multiply, {c.a, c.b}, c.out,
                     {.count = c.out.count, .accumulate = c.accumulate, .alpha = c.scale});
  }
  Status operator()(const Activate& c) const {
    return pointwise(Pointwise::activate, {c.in}, c.out, {.count = c.out.count, .alpha = c.slope}, c.curve);
  }
  Status operator()(const ActivateBack& c) const {
    return pointwise(Pointwise::activate_back, {c.in, c.out, c.out_gradient}, c.in_gradient,
                     {.count = c.in_gradient.count, .accumulate = c.accumulate, .alpha = c.slope}, c.curve);
  }
  Status operator()(const PRelu& c) const {
    return pointwise(Pointwise::prelu, {c.in, c.slopes}, c.out, {.count = c.out.count, .channels = c.channels});
  }
  Status operator()(const PReluBack& c) const {
    if (c.slope_gradient) {
      auto done = work.sum_rows({.term = 1,
                                 .a = at(c.in),
                                 .b = at(c.out_gradient),
                                 .out = at(c.slope_gradient),
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
    return {word(count),   flag(accumulate), word(s.in_h),          word(s.in_w),         word(s.out_h),
            word(s.out_w), word(s.in_c),     word(s.window.kernel), word(s.window.stride)};
  }
  Status operator()(const MaxPool& c) const {
    Dispatch dispatch = kernel("max_pool", {0}, {c.in});
    to_target(dispatch, c.out, false);
    return work.run_over(dispatch.constants(pool_push(c.shape, c.out.count, false)), c.out.count);
  }
  Status operator()(const MaxPoolBack& c) const {
    Dispatch dispatch = kernel("max_pool", {1}, {c.in, c.out_gradient});
    to_target(dispatch, c.in_gradient, c.accumulate);
    return work.run_over(dispatch.constants(pool_push(c.shape, c.in.count, c.accumulate)), c.in.count);
  }

  Status operator()(const Loss& c) const {
    return work.sum({.term = static_cast<std::uint32_t>(c.distance),
                     .a = at(c.prediction),
                     .b = at(c.target),
                     .out = at(c.out),
                     .count = c.prediction.count,
                     .epsilon = as(c.epsilon),
                     .factor = as(1 / static_cast<double>(c.prediction.count))});
  }
  Status operator()(const LossBack& c) const {
    return pointwise(Pointwise::loss_back, {c.prediction, c.target, c.out_gradient}, c.in_gradient,
                     {.count = c.prediction.count, .accumulate = c.accumulate, .alpha = c.epsilon}, c.distance);
  }
  struct SoftmaxPush {
    std::uint32_t rows = 0, channels = 0, accumulate = 0;
  };
  Status operator()(const CrossEntropy& c) const {
    auto memory = work.take(c.rows);
    if (!memory) return memory.error();
    const VulkanWork::Between losses{work, *std::move(memory)};
    Dispatch dispatch = kernel("softmax", {0}, {c.prediction, c.target});
    dispatch.write(Place::target, losses.slice(c.rows)).constants(SoftmaxPush{word(c.rows), word(c.channels), 0});
    if (auto done = work.run_over(dispatch, c.rows); !done) return done;
    return work.sum(
        {.a = losses.slice(c.rows), .out = at(c.out), .count = c.rows, .factor = as(1 / static_cast<double>(c.rows))});
  }
  Status operator()(const CrossEntropyBack& c) const {
    Dispatch dispatch = kernel("softmax", {1}, {c.prediction, c.target, c.out_gradient});
    to_target(dispatch, c.in_gradient, c.accumulate);
    return work.run_over(dispatch.constants(SoftmaxPush{word(c.rows), word(c.channels), flag(c.accumulate)}), c.rows);
  }
  Status operator()(const SumSquares& c) const {
    return work.sum({.term = 4, .a = at(c.in), .out = at(c.out), .count = c.in.count, .accumulate = c.accumulate});
  }

  struct OptimiserPush {
    std::uint32_t count = 0, clips = 0;
    float most = 0, rate = 0, decay = 0, beta1 = 0, beta2 = 0, epsilon = 0, correct1 = 1, correct2 = 1;
  };
  Status operator()(const Adam& c) const {
    Dispatch dispatch = kernel("optimiser", {1}, {c.gradient, c.clip.squares});
    dispatch.change(Place::target, at(c.weights)).change(Place::residual, at(c.mean));
    dispatch.change(Place::gate, at(c.square));
    dispatch.constants(OptimiserPush{word(c.weights.count), flag(static_cast<bool>(c.clip.squares)), as(c.clip.most),
                                     as(c.rate), as(c.decay), as(c.beta1), as(c.beta2), as(c.epsilon), as(c.correct1),
                                     as(c.correct2)});
    return work.run_over(dispatch, c.weights.count);
  }
  Status operator()(const Sgd& c) const {
    Dispatch dispatch = kernel("optimiser", {0}, {c.gradient, c.clip.squares});
    dispatch.change(Place::target, at(c.weights)).change(Place::residual, at(c.velocity));
    dispatch.constants(OptimiserPush{word(c.weights.count), flag(static_cast<bool>(c.clip.squares)), as(c.clip.most),
                                     as(c.rate), as(c.decay), as(c.momentum)});
    return work.run_over(dispatch, c.weights.count);
  }
};

}  // namespace

VulkanDevice::VulkanDevice(std::unique_ptr<VulkanWork> work) : work_{std::move(work)} {}
VulkanDevice::~VulkanDevice() = default;

Result<std::unique_ptr<VulkanDevice>> VulkanDevice::open(std::shared_ptr<compute::vulkan::Instance> instance,
                                                         const compute::vulkan::DeviceInfo& info,
                                                         VulkanSettings settings) {
  auto work = VulkanWork::open(std::move(instance), info, settings);
  if (!work) return work.error();
  return std::unique_ptr<VulkanDevice>{new VulkanDevice{*std::move(work)}};
}

Status VulkanDevice::record(const Command& command) { return std::visit(Execute{*work_}, command); }
Status VulkanDevice::flush() { return work_->flush(); }
Status VulkanDevice::sync() { return work_->sync(); }

Status VulkanDevice::write(Operand to, std::span<const float> from) {
  assert(from.size() <= to.count);
  return work_->write(VulkanWork::slice(to), from);
}

Status VulkanDevice::read(Operand from, std::span<float> to) {
  assert(to.size() <= from.count);
  return work_->read(VulkanWork::slice(from), to);
}

void VulkanDevice::cleanup() { work_->cleanup(); }
DeviceStatistics VulkanDevice::statistics() const { return work_->statistics(); }

Result<Device::Block> VulkanDevice::allocate(std::size_t count) {
  auto buffer = work_->take(count);
  if (!buffer) return buffer.error();
  const Bytes size = buffer->size();
  return Block{new VulkanWork::Buffer{*std::move(buffer)}, size};
}

void VulkanDevice::give_back(Block block) {
  const std::unique_ptr<VulkanWork::Buffer> buffer{static_cast<VulkanWork::Buffer*>(block.memory)};
  work_->retire(std::move(*buffer));
}

}  // namespace weir::nn::train
