// include/weir/nn.hpp over nn/train.
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
  bool takes_parameter(const std::string& name);

  TrainerOptions options;
  std::unique_ptr<inner::Device> device;
  inner::ParameterSet parameters;
  inner::Tape tape;
  std::optional<inner::Optimiser> optimiser;
  std::optional<inner::Average> average;
  bool ended = false;        // the tape is the last step's
  std::uint64_t number = 0;  // of the tape's step
  bool swapped = false;      // the running mean stands where the weights do
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
  using State = Trainer::State;
  using StatePtr = std::shared_ptr<State>;

  static Tensor outside(const StatePtr& state, const inner::Tensor& tensor) {
    Tensor made;
    const inner::Shape& s = tensor.shape();
    made.trainer_ = state;
    made.step_ = state->number;
    made.index_ = tensor.index();
    made.shape_ = {s.n, s.c, s.h, s.w};
    return made;
  }
  static inner::Tensor inside(State& state, const Tensor& tensor) {
    return inner::Tensor{&state.tape, tensor.index_, shape(tensor.shape_)};
  }
  static inner::Tensor inside(State& state, const Parameter& parameter) {
    return state.tape.parameter(state.parameters.all()[static_cast<std::size_t>(parameter.number_)]);
  }
  static Parameter parameter(const StatePtr& state, std::size_t number) {
    Parameter made;
    made.trainer_ = state;
    made.number_ = static_cast<int>(number);
    return made;
  }
  static inner::Shape shape(Shape s) { return {s.n, s.c, s.h, s.w}; }
  static inner::Window window(Window w) { return {w.kernel, w.stride, w.padding}; }
  /// The tape of the next step.
  static inner::Tape& fresh(State& state) {
    if (std::exchange(state.ended, false)) {
      state.tape.reset();
      ++state.number;
    }
    return state.tape;
  }

  template <class Handle>
  static StatePtr trainer(const Handle& handle) {
    return std::static_pointer_cast<State>(handle.trainer_.lock());
  }
  /// Why it cannot be used with this trainer; null if it can. The values of a step that has ended are there for read().
  static const char* problem(const State& state, const Tensor& tensor, bool reading = false) {
    const StatePtr its = trainer(tensor);
    if (its == nullptr) return "an empty tensor, or one whose trainer has gone";
    if (its.get() != &state) return "a tensor of another trainer";
    if (tensor.step_ != state.number || (state.ended && !reading)) return "a tensor of a step that has ended";
    // After an error of the step there are empty ones, and the step tells the error.
    if (tensor.index_ < 0 && state.tape.status()) return "an empty tensor";
    return nullptr;
  }
  static const char* problem(const State& state, const Parameter& parameter) {
    const StatePtr its = trainer(parameter);
    if (its == nullptr || parameter.number_ < 0) return "an empty parameter, or one whose trainer has gone";
    return its.get() == &state ? nullptr : "a parameter of another trainer";
  }
};

namespace {

Error unusable(std::string_view operation, const char* problem) {
  return {Errc::invalid_argument, fmt::format("{}: {}", operation, problem)};
}

/// The trainer of the first that has one.
template <class... Handles>
Access::StatePtr common_trainer(const Handles&... handles) {
  Access::StatePtr found;
  ((found = found != nullptr ? found : Access::trainer(handles)), ...);
  return found;
}

/// Does `work` with the inner tensors of what it is given, if all of it can be used together; else that is the step's error.
template <class Work, class... Handles>
Tensor operation(std::string_view name, const Work& work, const Handles&... handles) {
  const Access::StatePtr trainer = common_trainer(handles...);
  if (trainer == nullptr) return {};  // nobody to tell; the step will find an empty loss
  const char* problem = nullptr;
  ((problem = problem != nullptr ? problem : Access::problem(*trainer, handles)), ...);
  if (problem != nullptr) return Access::outside(trainer, Access::fresh(*trainer).fail(unusable(name, problem)));
  auto& tape = Access::fresh(*trainer);
  if (const Status so_far = tape.status(); !so_far) return Access::outside(trainer, tape.fail(so_far.error()));
  return Access::outside(trainer, work(Access::inside(*trainer, handles)...));
}

}  // namespace

namespace {

std::optional<Problem> problem_of(const Status& status) {
  if (status) return std::nullopt;
  return api::to_problem(status.error());
}

}  // namespace

Trainer::Trainer(std::shared_ptr<State> state) : state_{std::move(state)} {}
Trainer::~Trainer() = default;

namespace {

Status check(const TrainerOptions& options) {
  if (options.threads < 0 || options.threads > kMostThreads)
    return Error{Errc::invalid_argument,
                 fmt::format("{} threads; 0 to {} can be asked for", options.threads, kMostThreads)};
  for (const auto& [name, value] : {std::pair{"momentum", options.momentum}, std::pair{"decay", options.decay},
                                    std::pair{"clip", options.clip}, std::pair{"average", options.average}}) {
    if (!(value >= 0 && std::isfinite(value)))
      return Error{Errc::invalid_argument, fmt::format("{} of {}; it is at least 0", name, value)};
  }
  if (options.average >= 1)
    return Error{Errc::invalid_argument, fmt::format("average of {}; it is below 1", options.average)};
  return ok();
}

}  // namespace

Expected<std::unique_ptr<Trainer>> Trainer::create(const TrainerOptions& options) {
  if (auto good = check(options); !good) return api::to_problem(good.error());
  const int threads = options.threads > 0 ? options.threads : usable_threads(allowed_cpus().size(), cpu_quota());
  inner::DeviceWish wish{.threads = threads};
  if (options.ram_bytes > 0) wish.memory = Bytes{options.ram_bytes};
  const bool on_cpu = options.device.empty() || options.device == "cpu";
  if (options.ram_bytes == 0 && on_cpu) wish.memory = available_memory();
  std::shared_ptr<const nn::vulkan::Gpu> gpu;
  if (!on_cpu) {
    auto found = nn::vulkan::find_gpu(options.device);
    if (!found) return api::to_problem(found.error());
    gpu = *std::move(found);
    wish.gpu = gpu.get();
  }
  auto device = inner::open_device(wish);
  if (!device) return api::to_problem(device.error());
  return std::unique_ptr<Trainer>{new Trainer{std::make_shared<State>(options, *std::move(device))}};
}

/// The optimiser has its memory since the first step.
bool Trainer::State::takes_parameter(const std::string& name) {
  if (!optimiser) return true;
  (void)Access::fresh(*this).fail(
      {Errc::invalid_argument, fmt::format("parameter {}: added after the first step", name)});
  return false;
}

Layer Trainer::layer(const std::string& name, int in, int out, int kernel, double slope) {
  if (!state_->takes_parameter(name)) return {};
  const std::size_t number = state_->parameters.all().size();
  state_->parameters.layer(name, in, out, kernel, slope);
  return {Access::parameter(state_, number), Access::parameter(state_, number + 1)};
}

Parameter Trainer::weights(const std::string& name, int rows, int columns, int fan_in, double slope) {
  if (!state_->takes_parameter(name)) return {};
  state_->parameters.weights(name, {rows, columns}, fan_in, slope);
  return Access::parameter(state_, state_->parameters.all().size() - 1);
}

Parameter Trainer::constant(const std::string& name, int channels, float value) {
  if (!state_->takes_parameter(name)) return {};
  state_->parameters.constant(name, channels, value);
  return Access::parameter(state_, state_->parameters.all().size() - 1);
}

Tensor Trainer::input(Shape shape, std::span<const float> values) {
  return Access::outside(state_, Access::fresh(*state_).input(Access::shape(shape), values));
}

std::optional<Problem> Trainer::step(Tensor loss, double rate) {
  Status done = ok();
  if (!(rate >= 0 && std::isfinite(rate))) {
    done = Error{Errc::invalid_argument, fmt::format("step: a rate of {}", rate)};
  } else if (const char* problem = Access::problem(*state_, loss); problem != nullptr) {
    // What an operation of this step has told already is nearer to the cause.
    done = state_->ended || state_->tape.status() ? unusable("step", problem) : state_->tape.status();
  } else {
    done = state_->step(Access::inside(*state_, loss), rate);
  }
  state_->ended = true;
  return problem_of(done);
}

void Trainer::forget() { state_->ended = true; }

void Trainer::keep(Tensor tensor) {
  if (const char* problem = Access::problem(*state_, tensor); problem != nullptr) {
    (void)Access::fresh(*state_).fail(unusable("keep", problem));
  } else {
    state_->tape.keep(Access::inside(*state_, tensor));
  }
}

Expected<std::vector<float>> Trainer::read(Tensor tensor) {
  constexpr bool kReading = true;
  if (const char* problem = Access::problem(*state_, tensor, kReading); problem != nullptr)
    return api::to_problem(unusable("read", problem));
  auto values = state_->tape.read(Access::inside(*state_, tensor));
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

Tensor matmul(Tensor a, Tensor b) {
  return operation(
      "matmul", [&](inner::Tensor p, inner::Tensor q) { return inner::matmul(p, q); }, a, b);
}
Tensor mat_transpose(Tensor a) {
  return operation(
      "mat_transpose", [&](inner::Tensor p) { return inner::mat_transpose(p); }, a);
}
Tensor add_bias(Tensor x, Parameter bias) {
  return operation(
      "add_bias", [&](inner::Tensor p, inner::Tensor q) { return inner::add_bias(p, q); }, x, bias);
}
Tensor linear(Tensor x, Layer layer) {
  return operation(
      "linear", [&](inner::Tensor p, inner::Tensor q, inner::Tensor r) { return inner::linear(p, q, r); }, x,
      layer.weights, layer.bias);
}
Tensor add(Tensor a, Tensor b) {
  return operation(
      "add", [&](inner::Tensor p, inner::Tensor q) { return inner::add(p, q); }, a, b);
}
Tensor mul(Tensor a, Tensor b) {
  return operation(
      "mul", [&](inner::Tensor p, inner::Tensor q) { return inner::mul(p, q); }, a, b);
}
Tensor relu(Tensor x) {
  return operation(
      "relu", [&](inner::Tensor p) { return inner::relu(p); }, x);
}
Tensor leaky_relu(Tensor x, float slope) {
  return operation(
      "leaky_relu", [&](inner::Tensor p) { return inner::leaky_relu(p, slope); }, x);
}
Tensor prelu(Tensor x, Parameter slopes) {
  return operation(
      "prelu", [&](inner::Tensor p, inner::Tensor q) { return inner::prelu(p, q); }, x, slopes);
}
Tensor sigmoid(Tensor x) {
  return operation(
      "sigmoid", [&](inner::Tensor p) { return inner::sigmoid(p); }, x);
}
Tensor tanh(Tensor x) {
  return operation(
      "tanh", [&](inner::Tensor p) { return inner::tanh(p); }, x);
}
Tensor conv2d(Tensor x, Layer layer, Window window) {
  return operation(
      "conv2d",
      [&](inner::Tensor p, inner::Tensor q, inner::Tensor r) { return inner::conv2d(p, q, r, Access::window(window)); },
      x, layer.weights, layer.bias);
}
Tensor conv_transpose2d(Tensor x, Parameter weights, Parameter bias, Window window) {
  return operation(
      "conv_transpose2d",
      [&](inner::Tensor p, inner::Tensor q, inner::Tensor r) {
        return inner::conv_transpose2d(p, q, r, Access::window(window));
      },
      x, weights, bias);
}
Tensor max_pool(Tensor x, Window window) {
  return operation(
      "max_pool", [&](inner::Tensor p) { return inner::max_pool(p, Access::window(window)); }, x);
}
Tensor pixel_shuffle(Tensor x, int factor) {
  return operation(
      "pixel_shuffle", [&](inner::Tensor p) { return inner::pixel_shuffle(p, factor); }, x);
}
Tensor concat(std::span<const Tensor> parts) {
  if (parts.empty()) return {};
  Tensor all = parts.front();
  const auto join = [](inner::Tensor p, inner::Tensor q) { return inner::concat(std::array{p, q}); };
  for (const Tensor& part : parts.subspan(1)) all = operation("concat", join, all, part);
  return parts.size() > 1 ? all
                          : operation(
                                "concat", [](inner::Tensor p) { return p; }, all);
}
Tensor mean(Tensor x) {
  return operation(
      "mean", [&](inner::Tensor p) { return inner::mean(p); }, x);
}
Tensor mse(Tensor prediction, Tensor target) {
  return operation(
      "mse", [&](inner::Tensor p, inner::Tensor q) { return inner::mse(p, q); }, prediction, target);
}
Tensor l1(Tensor prediction, Tensor target) {
  return operation(
      "l1", [&](inner::Tensor p, inner::Tensor q) { return inner::l1(p, q); }, prediction, target);
}
Tensor charbonnier(Tensor prediction, Tensor target, float epsilon) {
  return operation(
      "charbonnier", [&](inner::Tensor p, inner::Tensor q) { return inner::charbonnier(p, q, epsilon); }, prediction,
      target);
}
Tensor cross_entropy(Tensor scores, Tensor target) {
  return operation(
      "cross_entropy", [&](inner::Tensor p, inner::Tensor q) { return inner::cross_entropy(p, q); }, scores, target);
}

}  // namespace weir::training
