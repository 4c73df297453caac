// Implements include/weir/nn.hpp with nn/train.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "api/problem.hpp"
#include "base/system_cpus.hpp"
#include "base/system_memory.hpp"
#include "nn/train/checkpoint.hpp"
#include "nn/train/ops.hpp"
#include "nn/train/vulkan/open_training_device.hpp"
#include "weir/nn.hpp"

namespace weir::training {

namespace internal = nn::train;

/// Everything that a Trainer owns. Handles (Tensor, Parameter) have weak pointers to it.
struct Trainer::State {
  State(const TrainerOptions& requested, std::unique_ptr<internal::TrainingDevice> opened)
      : options{requested}, device{std::move(opened)}, parameters{*device, requested.seed}, tape{*device} {}
  /// Creates the optimiser and, if ema_decay is above 0, the moving average. Does nothing if they exist. Parameters
  /// that are added later are refused (check_can_add_parameter).
  Status prepare() {
    if (optimiser) return ok();
    const auto kind =
        options.use_sgd ? internal::OptimiserSettings::Kind::sgd : internal::OptimiserSettings::Kind::adam;
    auto made = internal::Optimiser::create(parameters, {.kind = kind,
                                                         .momentum = options.momentum,
                                                         .weight_decay = options.weight_decay,
                                                         .max_gradient_norm = options.max_gradient_norm});
    if (!made) return made.error();
    if (options.ema_decay > 0) {
      auto made_ema = internal::WeightEma::create(parameters, options.ema_decay);
      if (!made_ema) return made_ema.error();
      ema = *std::move(made_ema);
    }
    optimiser = *std::move(made);
    return ok();
  }
  internal::TrainingState state() { return {parameters, *optimiser, ema ? &*ema : nullptr}; }
  Status step(internal::TapeTensor loss, double rate);
  bool check_can_add_parameter(const std::string& parameter_name);

  TrainerOptions options;
  std::unique_ptr<internal::TrainingDevice> device;
  internal::ParameterSet parameters;
  internal::Tape tape;
  std::optional<internal::Optimiser> optimiser;
  std::optional<internal::WeightEma> ema;
  bool step_ended = false;        // the step on the tape has ended; the next tensor starts a new step
  std::uint64_t step_number = 0;  // index of the step on the tape, from 0
  bool ema_swapped = false;       // true: the parameters have the values of the moving average
};

Status Trainer::State::step(internal::TapeTensor loss, double rate) {
  if (auto done = prepare(); !done) return done;
  if (auto done = tape.backward(loss); !done) return done;
  if (auto done = optimiser->step(rate); !done) return done;
  if (ema) {
    if (auto done = ema->update(optimiser->steps() - 1); !done) return done;
  }
  return device->flush();
}

/// Converts between the public handles and the internal tensors, parameters and shapes. The handles declare it a
/// friend.
struct Access {
  using State = Trainer::State;
  using StatePtr = std::shared_ptr<State>;

  static Tensor to_public(const StatePtr& state, const internal::TapeTensor& tensor) {
    Tensor made;
    const internal::Shape& s = tensor.shape();
    made.trainer_ = state;
    made.step_ = state->step_number;
    made.index_ = tensor.index();
    made.shape_ = {s.n, s.c, s.h, s.w};
    return made;
  }
  static internal::TapeTensor to_internal(State& state, const Tensor& tensor) {
    return internal::TapeTensor{&state.tape, tensor.index_, shape(tensor.shape_)};
  }
  static internal::TapeTensor to_internal(State& state, const Parameter& parameter) {
    return state.tape.parameter(state.parameters.parameters()[static_cast<std::size_t>(parameter.number_)]);
  }
  static Parameter parameter(const StatePtr& state, std::size_t number) {
    Parameter made;
    made.trainer_ = state;
    made.number_ = static_cast<int>(number);
    return made;
  }
  static internal::Shape shape(Shape s) { return {s.n, s.c, s.h, s.w}; }
  static internal::Window window(Window w) { return {w.kernel, w.stride, w.padding}; }
  /// Returns the tape of the current step. Starts a new step if the last one has ended.
  static internal::Tape& current_tape(State& state) {
    if (std::exchange(state.step_ended, false)) {
      state.tape.reset();
      ++state.step_number;
    }
    return state.tape;
  }

  /// Returns the trainer of a tensor or parameter; null if it has none or the trainer was destroyed.
  template <class Handle>
  static StatePtr trainer(const Handle& handle) {
    return std::static_pointer_cast<State>(handle.trainer_.lock());
  }
  /// Returns the reason why a handle cannot be used with this trainer; null if it can be used. `reading`: read() is
  /// called, the only function that may use tensors of a step that has ended.
  static const char* problem(const State& state, const Tensor& tensor, bool reading = false) {
    const StatePtr owner = trainer(tensor);
    if (owner == nullptr) return "an empty tensor, or a tensor of a destroyed trainer";
    if (owner.get() != &state) return "a tensor of another trainer";
    if (tensor.step_ != state.step_number || (state.step_ended && !reading)) return "a tensor of a step that has ended";
    // After an error of the step, tensors are empty, and step() returns that error.
    if (tensor.index_ < 0 && state.tape.status()) return "an empty tensor";
    return nullptr;
  }
  static const char* problem(const State& state, const Parameter& parameter) {
    const StatePtr owner = trainer(parameter);
    if (owner == nullptr || parameter.number_ < 0) return "an empty parameter, or a parameter of a destroyed trainer";
    return owner.get() == &state ? nullptr : "a parameter of another trainer";
  }
};

namespace {

Error unusable_handle_error(std::string_view operation, const char* problem) {
  return {Errc::invalid_argument, fmt::format("{}: {}", operation, problem)};
}

/// Returns the trainer of the first handle that has one.
template <class... Handles>
Access::StatePtr common_trainer(const Handles&... handles) {
  Access::StatePtr found;  // stays as it is once it is not null
  ((found = found != nullptr ? found : Access::trainer(handles)), ...);
  return found;
}

/// The common part of all operations: calls `work` with the internal tensors of the handles, and returns its result. If
/// the handles cannot be used together, records an error of the step and returns an empty tensor; after an earlier
/// error of the step it returns an empty tensor at once. `name` is the operation's name for error messages.
template <class Work, class... Handles>
Tensor operation(std::string_view name, const Work& work, const Handles&... handles) {
  const Access::StatePtr trainer = common_trainer(handles...);
  if (trainer == nullptr) return {};  // there is no trainer to keep the error; step() will fail with an empty loss
  const char* problem = nullptr;      // that of the first handle that cannot be used
  ((problem = problem != nullptr ? problem : Access::problem(*trainer, handles)), ...);
  if (problem != nullptr)
    return Access::to_public(trainer, Access::current_tape(*trainer).fail(unusable_handle_error(name, problem)));
  auto& tape = Access::current_tape(*trainer);
  if (const Status so_far = tape.status(); !so_far) return Access::to_public(trainer, tape.fail(so_far.error()));
  return Access::to_public(trainer, work(Access::to_internal(*trainer, handles)...));
}

/// Returns the problem of a failed status; nothing on success.
std::optional<Problem> problem_of(const Status& status) {
  if (status) return std::nullopt;
  return api::to_problem(status.error());
}

}  // namespace

Trainer::Trainer(std::shared_ptr<State> state) : state_{std::move(state)} {}
Trainer::~Trainer() = default;

namespace {

Status check(const TrainerOptions& options) {
  if (options.threads < 0 || options.threads > kMaxThreads)
    return Error{Errc::invalid_argument,
                 fmt::format("threads is {}; it must be from 0 to {}", options.threads, kMaxThreads)};
  for (const auto& [name, value] :
       {std::pair{"momentum", options.momentum}, std::pair{"weight_decay", options.weight_decay},
        std::pair{"max_gradient_norm", options.max_gradient_norm}, std::pair{"ema_decay", options.ema_decay}}) {
    if (!(value >= 0 && std::isfinite(value)))
      return Error{Errc::invalid_argument, fmt::format("{} is {}; it must be at least 0 and finite", name, value)};
  }
  if (options.ema_decay >= 1)
    return Error{Errc::invalid_argument, fmt::format("ema_decay is {}; it must be below 1", options.ema_decay)};
  return ok();
}

}  // namespace

Expected<std::unique_ptr<Trainer>> Trainer::create(const TrainerOptions& options) {
  if (auto good = check(options); !good) return api::to_problem(good.error());
  const int threads = options.threads > 0 ? options.threads : usable_threads(allowed_cpus().size(), cpu_quota());
  internal::TrainingDeviceRequest request{.threads = threads};
  if (options.memory_limit_bytes > 0) request.memory_limit = Bytes{options.memory_limit_bytes};
  const bool on_cpu = options.device.empty() || options.device == "cpu";
  if (options.memory_limit_bytes == 0 && on_cpu) request.memory_limit = available_memory();
  std::shared_ptr<const nn::vulkan::Gpu> gpu;
  if (!on_cpu) {
    auto found = nn::vulkan::find_gpu(options.device);
    if (!found) return api::to_problem(found.error());
    gpu = *std::move(found);
    request.gpu = gpu.get();
  }
  auto device = internal::open_training_device(request);
  if (!device) return api::to_problem(device.error());
  return std::unique_ptr<Trainer>{new Trainer{std::make_shared<State>(options, *std::move(device))}};
}

/// Returns true as long as the optimiser does not exist, which step(), save() and restore() create for the parameters
/// added so far. After that returns false, and the next step() returns an error.
bool Trainer::State::check_can_add_parameter(const std::string& parameter_name) {
  if (!optimiser) return true;
  (void)Access::current_tape(*this).fail(
      {Errc::invalid_argument, fmt::format("parameter {}: added after the first step", parameter_name)});
  return false;
}

Layer Trainer::add_layer(const std::string& name, int in, int out, int kernel, double slope) {
  if (!state_->check_can_add_parameter(name)) return {};
  const std::size_t number = state_->parameters.parameters().size();
  state_->parameters.add_layer(name, in, out, kernel, slope);
  return {Access::parameter(state_, number), Access::parameter(state_, number + 1)};
}

Parameter Trainer::add_weights(const std::string& name, int rows, int columns, int fan_in, double slope) {
  if (!state_->check_can_add_parameter(name)) return {};
  state_->parameters.add_weights(name, {rows, columns}, fan_in, slope);
  return Access::parameter(state_, state_->parameters.parameters().size() - 1);
}

Parameter Trainer::add_filled_parameter(const std::string& name, int channels, float value) {
  if (!state_->check_can_add_parameter(name)) return {};
  state_->parameters.add_filled_parameter(name, channels, value);
  return Access::parameter(state_, state_->parameters.parameters().size() - 1);
}

Tensor Trainer::input(Shape shape, std::span<const float> values) {
  return Access::to_public(state_, Access::current_tape(*state_).input(Access::shape(shape), values));
}

std::optional<Problem> Trainer::step(Tensor loss, double rate) {
  Status done = ok();
  if (!(rate >= 0 && std::isfinite(rate))) {
    done = Error{Errc::invalid_argument, fmt::format("step: the rate is {}; it must be at least 0 and finite", rate)};
  } else if (const char* problem = Access::problem(*state_, loss); problem != nullptr) {
    // An earlier error of this step is closer to the cause.
    done = state_->step_ended || state_->tape.status() ? unusable_handle_error("step", problem) : state_->tape.status();
  } else {
    done = state_->step(Access::to_internal(*state_, loss), rate);
  }
  state_->step_ended = true;
  return problem_of(done);
}

void Trainer::discard_step() { state_->step_ended = true; }

void Trainer::keep(Tensor tensor) {
  if (const char* problem = Access::problem(*state_, tensor); problem != nullptr) {
    (void)Access::current_tape(*state_).fail(unusable_handle_error("keep", problem));
  } else {
    state_->tape.keep(Access::to_internal(*state_, tensor));
  }
}

Expected<std::vector<float>> Trainer::read(Tensor tensor) {
  constexpr bool kReading = true;
  if (const char* problem = Access::problem(*state_, tensor, kReading); problem != nullptr)
    return api::to_problem(unusable_handle_error("read", problem));
  auto values = state_->tape.read(Access::to_internal(*state_, tensor));
  if (!values) return api::to_problem(values.error());
  return *std::move(values);
}

void Trainer::swap_ema_parameters() {
  if (!state_->ema) return;
  state_->ema->swap_parameters();
  state_->ema_swapped = !state_->ema_swapped;
}

std::optional<Problem> Trainer::sync() { return problem_of(state_->device->sync()); }
void Trainer::cleanup() { state_->device->cleanup(); }

TrainerStatistics Trainer::statistics() const {
  const internal::TrainingDeviceStatistics s = state_->device->statistics();
  return {s.allocated.count(), s.in_use.count(), s.peak.count(), s.max_idle_blocks, s.max_submission_commands};
}

std::optional<Problem> Trainer::save(const std::string& path, std::uint64_t position) {
  if (auto done = state_->prepare(); !done) return problem_of(done);
  // The checkpoint must store the parameters, not their moving average, as parameters.
  const bool swapped = state_->ema_swapped;
  if (swapped) swap_ema_parameters();
  auto taken = internal::take_checkpoint(state_->state(), position);
  if (swapped) swap_ema_parameters();
  if (!taken) return api::to_problem(taken.error());
  return problem_of(internal::save_checkpoint(*taken, path));
}

Expected<std::uint64_t> Trainer::restore(const std::string& path) {
  auto loaded = internal::load_checkpoint(path);
  if (!loaded) return api::to_problem(loaded.error());
  Status done = state_->prepare();
  if (done) done = internal::restore_checkpoint(*loaded, state_->state());
  if (!done) return api::to_problem(done.error());
  return loaded->position;
}

Tensor matmul(Tensor a, Tensor b) {
  return operation(
      "matmul", [&](internal::TapeTensor p, internal::TapeTensor q) { return internal::matmul(p, q); }, a, b);
}
Tensor mat_transpose(Tensor a) {
  return operation(
      "mat_transpose", [&](internal::TapeTensor p) { return internal::mat_transpose(p); }, a);
}
Tensor add_bias(Tensor x, Parameter bias) {
  return operation(
      "add_bias", [&](internal::TapeTensor p, internal::TapeTensor q) { return internal::add_bias(p, q); }, x, bias);
}
Tensor linear(Tensor x, Layer layer) {
  return operation(
      "linear",
      [&](internal::TapeTensor p, internal::TapeTensor q, internal::TapeTensor r) { return internal::linear(p, q, r); },
      x, layer.weights, layer.bias);
}
Tensor add(Tensor a, Tensor b) {
  return operation(
      "add", [&](internal::TapeTensor p, internal::TapeTensor q) { return internal::add(p, q); }, a, b);
}
Tensor mul(Tensor a, Tensor b) {
  return operation(
      "mul", [&](internal::TapeTensor p, internal::TapeTensor q) { return internal::mul(p, q); }, a, b);
}
Tensor relu(Tensor x) {
  return operation(
      "relu", [&](internal::TapeTensor p) { return internal::relu(p); }, x);
}
Tensor leaky_relu(Tensor x, float slope) {
  return operation(
      "leaky_relu", [&](internal::TapeTensor p) { return internal::leaky_relu(p, slope); }, x);
}
Tensor prelu(Tensor x, Parameter slopes) {
  return operation(
      "prelu", [&](internal::TapeTensor p, internal::TapeTensor q) { return internal::prelu(p, q); }, x, slopes);
}
Tensor sigmoid(Tensor x) {
  return operation(
      "sigmoid", [&](internal::TapeTensor p) { return internal::sigmoid(p); }, x);
}
Tensor tanh(Tensor x) {
  return operation(
      "tanh", [&](internal::TapeTensor p) { return internal::tanh(p); }, x);
}
Tensor conv2d(Tensor x, Layer layer, Window window) {
  return operation(
      "conv2d",
      [&](internal::TapeTensor p, internal::TapeTensor q, internal::TapeTensor r) {
        return internal::conv2d(p, q, r, Access::window(window));
      },
      x, layer.weights, layer.bias);
}
Tensor conv_transpose2d(Tensor x, Parameter weights, Parameter bias, Window window) {
  return operation(
      "conv_transpose2d",
      [&](internal::TapeTensor p, internal::TapeTensor q, internal::TapeTensor r) {
        return internal::conv_transpose2d(p, q, r, Access::window(window));
      },
      x, weights, bias);
}
Tensor max_pool(Tensor x, Window window) {
  return operation(
      "max_pool", [&](internal::TapeTensor p) { return internal::max_pool(p, Access::window(window)); }, x);
}
Tensor pixel_shuffle(Tensor x, int factor) {
  return operation(
      "pixel_shuffle", [&](internal::TapeTensor p) { return internal::pixel_shuffle(p, factor); }, x);
}
Tensor concat(std::span<const Tensor> parts) {
  if (parts.empty()) return {};
  Tensor joined = parts.front();
  const auto join = [](internal::TapeTensor p, internal::TapeTensor q) { return internal::concat(std::array{p, q}); };
  for (const Tensor& part : parts.subspan(1)) joined = operation("concat", join, joined, part);
  return parts.size() > 1 ? joined
                          : operation(
                                "concat", [](internal::TapeTensor p) { return p; }, joined);
}
Tensor mean(Tensor x) {
  return operation(
      "mean", [&](internal::TapeTensor p) { return internal::mean(p); }, x);
}
Tensor mse(Tensor prediction, Tensor target) {
  return operation(
      "mse", [&](internal::TapeTensor p, internal::TapeTensor q) { return internal::mse(p, q); }, prediction, target);
}
Tensor l1(Tensor prediction, Tensor target) {
  return operation(
      "l1", [&](internal::TapeTensor p, internal::TapeTensor q) { return internal::l1(p, q); }, prediction, target);
}
Tensor charbonnier(Tensor prediction, Tensor target, float epsilon) {
  return operation(
      "charbonnier",
      [&](internal::TapeTensor p, internal::TapeTensor q) { return internal::charbonnier(p, q, epsilon); }, prediction,
      target);
}
Tensor cross_entropy(Tensor scores, Tensor target) {
  return operation(
      "cross_entropy", [&](internal::TapeTensor p, internal::TapeTensor q) { return internal::cross_entropy(p, q); },
      scores, target);
}

}  // namespace weir::training
