// include/weir/nn.hpp over nn/train.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "api/problem.hpp"
#include "base/system_cpus.hpp"
#include "nn/train/checkpoint.hpp"
#include "nn/train/ops.hpp"
#include "nn/train/vulkan/open_device.hpp"
#include "weir/nn.hpp"

namespace weir::training {

namespace inner = nn::train;

struct Trainer::State {
  State(const TrainerOptions& wanted, std::unique_ptr<inner::Device> opened)
      : options{wanted}, device{std::move(opened)}, parameters{*device, wanted.seed}, tape{*device} {}
  /// Made at the first step, when all parameters are known.
  Status prepare() {
    if (optimiser) return ok();
    const auto kind = options.sgd ? inner::OptimiserSettings::Kind::sgd : inner::OptimiserSettings::Kind::adam;
    auto made = inner::Optimiser::create(
        parameters, {.kind = kind, .momentum = options.momentum, .decay = options.decay, .clip = options.clip});
    if (!made) return made.error();
    if (options.average > 0) {
      auto mean = inner::Average::create(parameters, options.average);
      if (!mean) return mean.error();
      average = *std::move(mean);
    }
    optimiser = *std::move(made);
    return ok();
  }
  inner::Progress progress() { return {parameters, *optimiser, average ? &*average : nullptr}; }
  Status step(inner::Tensor loss, double rate);

  TrainerOptions options;
  std::unique_ptr<inner::Device> device;
  inner::ParameterSet parameters;
  inner::Tape tape;
  std::optional<inner::Optimiser> optimiser;
  std::optional<inner::Average> average;
  bool ended = false;    // the tape is the last step's
  bool swapped = false;  // the running mean stands where the weights do
};

Status Trainer::State::step(inner::Tensor loss, double rate) {
  if (auto done = prepare(); !done) return done;
  if (auto done = tape.backward(loss); !done) return done;
  if (auto done = optimiser->step(rate); !done) return done;
  if (average) {
    if (auto done = average->update(optimiser->steps() - 1); !done) return done;
  }
  return device->flush();
}

/// Between the tensors outside and inside.
struct Access {
  static Tensor outside(const inner::Tensor& tensor) {
    Tensor made;
    const inner::Shape& s = tensor.shape();
    made.tape_ = tensor.tape();
    made.index_ = tensor.index();
    made.shape_ = {s.n, s.c, s.h, s.w};
    return made;
  }
  static inner::Tensor inside(const Tensor& tensor) {
    return inner::Tensor{static_cast<inner::Tape*>(tensor.tape_), tensor.index_, shape(tensor.shape_)};
  }
  static inner::Shape shape(Shape s) { return {s.n, s.c, s.h, s.w}; }
  static inner::Window window(Window w) { return {w.kernel, w.stride, w.padding}; }
  static inner::Tensor inside(Parameter parameter) {
    Trainer::State& state = *parameter.trainer->state_;
    return state.tape.parameter(state.parameters.all()[static_cast<std::size_t>(parameter.number)]);
  }
  /// The tape of the next step.
  static inner::Tape& fresh(Trainer::State& state) {
    if (std::exchange(state.ended, false)) state.tape.reset();
    return state.tape;
  }
};

namespace {

std::optional<Problem> problem_of(const Status& status) {
  if (status) return std::nullopt;
  return api::to_problem(status.error());
}

}  // namespace

Trainer::Trainer(std::unique_ptr<State> state) : state_{std::move(state)} {}
Trainer::~Trainer() = default;

Expected<std::unique_ptr<Trainer>> Trainer::create(const TrainerOptions& options) {
  if (options.threads < 0 || options.threads > 1024) {
    return Problem{Problem::Code::invalid_argument, fmt::format("{} threads", options.threads)};
  }
  const int threads = options.threads > 0 ? options.threads : usable_threads(allowed_cpus().size(), cpu_quota());
  inner::DeviceWish wish{.threads = threads};
  if (options.ram_bytes > 0) wish.memory = Bytes{options.ram_bytes};
  std::shared_ptr<const nn::vulkan::Gpu> gpu;
  if (!options.device.empty() && options.device != "cpu") {
    auto found = nn::vulkan::find_gpu(options.device);
    if (!found) return api::to_problem(found.error());
    gpu = *std::move(found);
    wish.gpu = gpu.get();
  }
  auto device = inner::open_device(wish);
  if (!device) return api::to_problem(device.error());
  return std::unique_ptr<Trainer>{new Trainer{std::make_unique<State>(options, *std::move(device))}};
}

Layer Trainer::layer(const std::string& name, int in, int out, int kernel, double slope) {
  const int number = static_cast<int>(state_->parameters.all().size());
  state_->parameters.layer(name, in, out, kernel, slope);
  return {{this, number}, {this, number + 1}};
}

Parameter Trainer::weights(const std::string& name, int rows, int columns, int fan_in, double slope) {
  state_->parameters.weights(name, {rows, columns}, fan_in, slope);
  return {this, static_cast<int>(state_->parameters.all().size()) - 1};
}

Parameter Trainer::constant(const std::string& name, int channels, float value) {
  state_->parameters.constant(name, channels, value);
  return {this, static_cast<int>(state_->parameters.all().size()) - 1};
}

Tensor Trainer::input(Shape shape, std::span<const float> values) {
  return Access::outside(Access::fresh(*state_).input(Access::shape(shape), values));
}

std::optional<Problem> Trainer::step(Tensor loss, double rate) {
  const Status done = state_->step(Access::inside(loss), rate);
  state_->ended = true;
  return problem_of(done);
}

void Trainer::forget() { state_->ended = true; }

void Trainer::keep(Tensor tensor) { state_->tape.keep(Access::inside(tensor)); }

Expected<std::vector<float>> Trainer::read(Tensor tensor) {
  auto values = state_->tape.read(Access::inside(tensor));
  if (!values) return api::to_problem(values.error());
  return *std::move(values);
}

void Trainer::swap_average() {
  if (!state_->average) return;
  state_->average->swap();
  state_->swapped = !state_->swapped;
}

std::optional<Problem> Trainer::sync() { return problem_of(state_->device->sync()); }
void Trainer::cleanup() { state_->device->cleanup(); }

TrainerStatistics Trainer::statistics() const {
  const inner::DeviceStatistics s = state_->device->statistics();
  return {s.allocated.count(), s.in_use.count(), s.peak.count(), s.most_idle, s.most_commands};
}

std::optional<Problem> Trainer::save(const std::string& path, std::uint64_t position) {
  if (auto done = state_->prepare(); !done) return problem_of(done);
  const bool swapped = state_->swapped;  // a checkpoint has the weights where they belong
  if (swapped) swap_average();
  auto taken = inner::take_checkpoint(state_->progress(), position);
  if (swapped) swap_average();
  if (!taken) return api::to_problem(taken.error());
  return problem_of(inner::save_checkpoint(*taken, path));
}

Expected<std::uint64_t> Trainer::restore(const std::string& path) {
  auto loaded = inner::load_checkpoint(path);
  if (!loaded) return api::to_problem(loaded.error());
  Status done = state_->prepare();
  if (done) done = inner::restore(*loaded, state_->progress());
  if (!done) return api::to_problem(done.error());
  return loaded->position;
}

namespace {
inner::Tensor in(const Tensor& tensor) { return Access::inside(tensor); }
inner::Tensor in(Parameter parameter) { return Access::inside(parameter); }
Tensor out(const inner::Tensor& tensor) { return Access::outside(tensor); }
}  // namespace

Tensor matmul(Tensor a, Tensor b) { return out(inner::matmul(in(a), in(b))); }
Tensor mat_transpose(Tensor a) { return out(inner::mat_transpose(in(a))); }
Tensor add_bias(Tensor x, Parameter bias) { return out(inner::add_bias(in(x), in(bias))); }
Tensor linear(Tensor x, Layer layer) { return out(inner::linear(in(x), in(layer.weights), in(layer.bias))); }
Tensor add(Tensor a, Tensor b) { return out(inner::add(in(a), in(b))); }
Tensor mul(Tensor a, Tensor b) { return out(inner::mul(in(a), in(b))); }
Tensor relu(Tensor x) { return out(inner::relu(in(x))); }
Tensor leaky_relu(Tensor x, float slope) { return out(inner::leaky_relu(in(x), slope)); }
Tensor prelu(Tensor x, Parameter slopes) { return out(inner::prelu(in(x), in(slopes))); }
Tensor sigmoid(Tensor x) { return out(inner::sigmoid(in(x))); }
Tensor tanh(Tensor x) { return out(inner::tanh(in(x))); }
Tensor conv2d(Tensor x, Layer layer, Window window) {
  return out(inner::conv2d(in(x), in(layer.weights), in(layer.bias), Access::window(window)));
}
Tensor conv_transpose2d(Tensor x, Parameter weights, Parameter bias, Window window) {
  return out(inner::conv_transpose2d(in(x), in(weights), in(bias), Access::window(window)));
}
Tensor max_pool(Tensor x, Window window) { return out(inner::max_pool(in(x), Access::window(window))); }
Tensor pixel_shuffle(Tensor x, int factor) { return out(inner::pixel_shuffle(in(x), factor)); }
Tensor concat(std::span<const Tensor> parts) {
  std::vector<inner::Tensor> all;
  all.reserve(parts.size());
  for (const Tensor& part : parts) all.push_back(in(part));
  return out(inner::concat(all));
}
Tensor mean(Tensor x) { return out(inner::mean(in(x))); }
Tensor mse(Tensor prediction, Tensor target) { return out(inner::mse(in(prediction), in(target))); }
Tensor l1(Tensor prediction, Tensor target) { return out(inner::l1(in(prediction), in(target))); }
Tensor charbonnier(Tensor prediction, Tensor target, float epsilon) {
  return out(inner::charbonnier(in(prediction), in(target), epsilon));
}
Tensor cross_entropy(Tensor scores, Tensor target) { return out(inner::cross_entropy(in(scores), in(target))); }

}  // namespace weir::training
