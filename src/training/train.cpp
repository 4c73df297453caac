#include "training/train.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/atomic_file.hpp"
#include "base/text.hpp"
#include "nn/formats/ncnn/ncnn_writer.hpp"
#include "nn/train/checkpoint.hpp"
#include "nn/train/ops.hpp"
#include "nn/train/vulkan/open_device.hpp"
#include "training/metrics_log.hpp"
#include "training/model_card.hpp"
#include "training/network.hpp"
#include "training/pairs.hpp"

namespace weir::training {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kTellEvery = 50;              // steps
constexpr auto kSaveEvery = std::chrono::minutes{3};  // of checkpoints

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Everything that learns, on one device.
class Learner {
 public:
  static Result<std::unique_ptr<Learner>> create(const Recipe& recipe, const TrainSettings& settings) {
    auto device = nn::train::open_device({.gpu = settings.gpu.get(), .threads = settings.threads});
    if (!device) return device.error();
    std::unique_ptr<Learner> learner{new Learner{recipe, *std::move(device)}};
    auto optimiser = nn::train::Optimiser::create(learner->parameters_, {});
    if (!optimiser) return optimiser.error();
    learner->optimiser_ = *std::move(optimiser);
    if (recipe.learning.average > 0) {
      auto average = nn::train::Average::create(learner->parameters_, recipe.learning.average);
      if (!average) return average.error();
      learner->average_ = *std::move(average);
    }
    return learner;
  }

  /// Learns from a batch. The loss is read, and the device waited for, only where it is wanted.
  Result<double> step(const Batch& batch, double rate, bool read_loss) {
    const int n = recipe_.data.batch;
    const int patch = recipe_.data.patch;
    const int large = patch * recipe_.structure.scale;
    nn::train::Tape tape{*device_};
    const auto made = network_.detail(tape, tape.input({n, 3, patch, patch}, batch.small));
    const auto loss = loss_of(made, tape.input({n, 3, large, large}, batch.detail));
    if (read_loss) tape.keep(loss);
    if (auto done = tape.backward(loss); !done) return done.error();
    if (auto done = optimiser_->step(rate); !done) return done.error();
    if (average_) {
      if (auto done = average_->update(optimiser_->steps() - 1); !done) return done.error();
    }
    if (auto done = device_->flush(); !done) return done.error();
    if (!read_loss) return 0.0;
    const auto values = tape.read(loss);
    if (!values) return values.error();
    return static_cast<double>(values->front());
  }

  /// With the running mean of the weights in their place.
  template <class Work>
  auto with_average(Work&& work) {
    if (average_) average_->swap();
    auto result = work(network_, *device_);
    if (average_) average_->swap();
    return result;
  }

  nn::train::Progress progress() { return {parameters_, *optimiser_, average_ ? &*average_ : nullptr}; }

 private:
  Learner(const Recipe& recipe, std::unique_ptr<nn::train::Device> device)
      : recipe_{recipe},
        device_{std::move(device)},
        parameters_{*device_, recipe.seed},
        network_{parameters_, recipe.structure} {}

  nn::train::Tensor loss_of(nn::train::Tensor made, nn::train::Tensor wanted) const {
    if (recipe_.learning.loss == "l1") return l1(made, wanted);
    if (recipe_.learning.loss == "mse") return mse(made, wanted);
    return charbonnier(made, wanted);
  }

  const Recipe& recipe_;
  std::unique_ptr<nn::train::Device> device_;
  nn::train::ParameterSet parameters_;
  Network network_;
  std::optional<nn::train::Optimiser> optimiser_;
  std::optional<nn::train::Average> average_;
};

/// What a training decided when it began; run.json.
struct Begun {
  std::string recipe;  ///< the text
  std::uint64_t steps = 0;
  double seconds = 0;  ///< spent until the last checkpoint
};

class Training {
 public:
  Training(const Recipe& recipe, const TrainSettings& settings, std::stop_token stop,
           const std::function<void(const TrainProgress&)>& tell)
      : recipe_{recipe}, settings_{settings}, stop_{std::move(stop)}, tell_{tell} {}

  Result<bool> run(const std::string& recipe_text) {
    auto feed = PairFeed::open(recipe_);
    if (!feed) return feed.error();
    feed_ = *std::move(feed);
    auto lettering = synth::Lettering::open();
    if (!lettering) return lettering.error();
    auto held_out = HeldOut::draw(recipe_, **lettering);
    if (!held_out) return held_out.error();
    held_out_ = *std::move(held_out);
    auto learner = Learner::create(recipe_, settings_);
    if (!learner) return learner.error();
    learner_ = *std::move(learner);
    if (auto begun = settings_.resume ? go_on(recipe_text) : begin(recipe_text); !begun) return begun.error();
    feed_->end_from(recipe_.ending_from(begun_.steps));
    auto log = MetricsLog::open(file("metrics.jsonl"), step_);
    if (!log) return log.error();
    log_ = *std::move(log);
    return learn();
  }

 private:
  fs::path file(const std::string& name) const { return settings_.folder / name; }

  Status begin(const std::string& recipe_text) {
    if (fs::exists(file("run.json")))
      return Error{Errc::exists, fmt::format("{}: a training is there already; --resume goes on with it",
                                             printable(settings_.folder.native()))};
    std::error_code problem;
    fs::create_directories(settings_.folder, problem);
    if (problem) return Error{Errc::io, fmt::format("{}: {}", printable(settings_.folder.native()), problem.message())};
    begun_ = {recipe_text, settings_.steps.value_or(recipe_.learning.steps), 0};
    if (settings_.hours) {
      auto steps = steps_within(*settings_.hours * 3600);
      if (!steps) return steps.error();
      begun_.steps = *steps;
    }
    if (auto written = write_file(file("recipe.toml"), recipe_text); !written) return written;
    return save();
  }

  Status go_on(const std::string& recipe_text) {
    const auto text = read_file(file("run.json"));
    const auto json = nlohmann::json::parse(text ? *text : "", nullptr, false);
    if (!json.is_object())
      return Error{Errc::invalid_argument,
                   fmt::format("{}: no training to go on with is there", printable(settings_.folder.native()))};
    begun_ = {json.value("recipe", ""), json.value("steps", std::uint64_t{0}), json.value("seconds", 0.0)};
    if (begun_.recipe != recipe_text)
      return Error{Errc::invalid_argument,
                   fmt::format("{}: its training has another recipe", printable(settings_.folder.native()))};
    const auto checkpoint = nn::train::load_checkpoint(file("checkpoint"));
    if (!checkpoint) return checkpoint.error();
    if (auto restored = nn::train::restore(*checkpoint, learner_->progress()); !restored) return restored;
    step_ = checkpoint->position;
    return ok();
  }

  /// Steps of a learner that is thrown away say how long one takes.
  Result<std::uint64_t> steps_within(double seconds) {
    constexpr std::uint64_t kTried = 40;
    auto tried = Learner::create(recipe_, settings_);
    if (!tried) return tried.error();
    auto start = Clock::now();
    for (std::uint64_t i = 0; i < kTried; ++i) {
      if (i == kTried / 4) start = Clock::now();
      const auto batch = feed_->batch(i);
      if (!batch) return batch.error();
      if (const auto done = (*tried)->step(*batch, 1e-4, i + 1 == kTried); !done) return done.error();
    }
    const double each = seconds_since(start) / (kTried - kTried / 4.0);
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(seconds / each));
  }

  double seconds() const { return begun_.seconds + seconds_since(start_); }

  double rate() const {
    const std::uint64_t ending = recipe_.ending_from(begun_.steps);
    const bool ends = step_ >= ending;
    const nn::train::Schedule schedule{.kind = nn::train::Schedule::Kind::cosine,
                                       .rate = ends ? recipe_.ending.rate : recipe_.learning.rate,
                                       .floor = recipe_.learning.floor,
                                       .warm_up = recipe_.learning.warm_up,
                                       .steps = ends ? begun_.steps - ending : ending};
    return rate_at(schedule, ends ? step_ - ending : step_);
  }

  Result<bool> learn() {
    auto saved = Clock::now();
    const std::uint64_t first = step_;
    start_ = Clock::now();
    while (step_ < begun_.steps && !stop_.stop_requested()) {
      const auto batch = feed_->batch(step_);
      if (!batch) return batch.error();
      const bool tells = (step_ + 1) % kTellEvery == 0 || step_ + 1 == begun_.steps;
      const double now = rate();
      const auto loss = learner_->step(*batch, now, tells);
      if (!loss) return loss.error();
      ++step_;
      if (!tells) continue;
      Metric metric{step_, *loss, now, seconds(), std::nullopt};
      const bool looks = step_ % recipe_.learning.look_every < kTellEvery || step_ == begun_.steps;
      if (looks) {
        if (auto looked = look(metric); !looked) return looked.error();
      }
      if (auto added = log_->add(metric); !added) return added.error();
      if (looks) {
        if (auto shown = show(); !shown) return shown.error();
      }
      const double each = seconds_since(start_) / static_cast<double>(step_ - first);
      tell_({step_, begun_.steps, *loss, gain_, each * static_cast<double>(begun_.steps - step_)});
      if (looks || Clock::now() - saved >= kSaveEvery) {
        if (auto done = save(); !done) return done.error();
        saved = Clock::now();
      }
    }
    if (auto done = save(); !done) return done.error();
    return step_ == begun_.steps;
  }

  Status look(Metric& metric) {
    auto gain = learner_->with_average(
        [&](const Network& network, nn::train::Device& device) { return held_out_->look(network, device); });
    if (!gain) return gain.error();
    metric.gain = gain_ = *gain;
    return ok();
  }

  /// The network and what shows how it does.
  Status show() {
    const auto graph =
        learner_->with_average([](const Network& network, nn::train::Device& device) { return network.graph(device); });
    if (!graph) return graph.error();
    const auto files = nn::write_ncnn(*graph, nn::NcnnStorage::float16);
    if (!files) return files.error();
    if (auto done = nn::save_ncnn(*files, file(recipe_.name + ".param")); !done) return done;
    const auto card = model_card(recipe_, *graph, {step_, begun_.steps, seconds(), gain_.value_or(Gain{})});
    if (!card) return card.error();
    if (auto done = write_file(file(recipe_.name + ".md"), *card); !done) return done;
    if (auto done = write_file(file("curves.svg"), curves_svg(log_->all())); !done) return done;
    return held_out_->write_strip(file("strip.png"));
  }

  /// The checkpoint last: what it says is true of everything else by then.
  Status save() {
    auto checkpoint = nn::train::take_checkpoint(learner_->progress(), step_);
    if (!checkpoint) return checkpoint.error();
    if (auto done = nn::train::save_checkpoint(*checkpoint, file("checkpoint")); !done) return done;
    const nlohmann::ordered_json json{
        {"format", 1}, {"steps", begun_.steps}, {"seconds", step_ == 0 ? 0.0 : seconds()}, {"recipe", begun_.recipe}};
    return write_file(file("run.json"), json.dump(1) + '\n');
  }

  const Recipe& recipe_;
  const TrainSettings& settings_;
  std::stop_token stop_;
  const std::function<void(const TrainProgress&)>& tell_;
  std::unique_ptr<PairFeed> feed_;
  std::optional<HeldOut> held_out_;
  std::unique_ptr<Learner> learner_;
  std::optional<MetricsLog> log_;
  Begun begun_;
  std::uint64_t step_ = 0;
  std::optional<Gain> gain_;
  Clock::time_point start_ = Clock::now();
};

}  // namespace

Result<bool> train(const std::string& recipe_text, const Recipe& recipe, const TrainSettings& settings,
                   std::stop_token stop, const std::function<void(const TrainProgress&)>& tell) {
  return Training{recipe, settings, std::move(stop), tell}.run(recipe_text);
}

}  // namespace weir::training
