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
#include "nn/train/vulkan/open_training_device.hpp"
#include "training/metrics_log.hpp"
#include "training/model_card.hpp"
#include "training/pair_feed.hpp"
#include "training/upscaling_network.hpp"

namespace weir::training {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kProgressInterval = 50;  // number of steps from one report of the progress to the next
constexpr auto kCheckpointInterval = std::chrono::minutes{3};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// The network, its parameters and their optimiser, on one device.
class Learner {
 public:
  static Result<std::unique_ptr<Learner>> create(const Recipe& recipe, const TrainSettings& settings) {
    auto device = nn::train::open_training_device({.gpu = settings.gpu.get(), .threads = settings.threads});
    if (!device) return device.error();
    std::unique_ptr<Learner> learner{new Learner{recipe, *std::move(device)}};
    auto optimiser = nn::train::Optimiser::create(learner->parameters_, {});
    if (!optimiser) return optimiser.error();
    learner->optimiser_ = *std::move(optimiser);
    if (recipe.learning.ema_decay > 0) {
      auto ema = nn::train::WeightEma::create(learner->parameters_, recipe.learning.ema_decay);
      if (!ema) return ema.error();
      learner->ema_ = *std::move(ema);
    }
    return learner;
  }

  /// Trains on a batch. Returns the loss if `read_loss` is true, which waits for the device; else 0.
  Result<double> step(const Batch& batch, double rate, bool read_loss) {
    const int n = recipe_.data.batch_size;
    const int side = recipe_.data.patch_px;
    const int large_side = side * recipe_.structure.scale;
    nn::train::Tape tape{*device_};
    const auto detail = network_.compute_detail(tape, tape.input({n, 3, side, side}, batch.small));
    const auto loss = compute_loss(detail, tape.input({n, 3, large_side, large_side}, batch.detail));
    if (read_loss) tape.keep(loss);
    if (auto done = tape.backward(loss); !done) return done.error();
    if (auto done = optimiser_->step(rate); !done) return done.error();
    if (ema_) {
      if (auto done = ema_->update(optimiser_->steps() - 1); !done) return done.error();
    }
    if (auto done = device_->flush(); !done) return done.error();
    if (!read_loss) return 0.0;
    const auto values = tape.read(loss);
    if (!values) return values.error();
    return static_cast<double>(values->front());
  }

  /// Returns work(network, device), called while the moving average, if there is one, replaces the weights.
  template <class Work>
  auto with_ema_weights(Work&& work) {
    if (ema_) ema_->swap_parameters();
    auto result = work(network_, *device_);
    if (ema_) ema_->swap_parameters();
    return result;
  }

  nn::train::TrainingState state() { return {parameters_, *optimiser_, ema_ ? &*ema_ : nullptr}; }

 private:
  Learner(const Recipe& recipe, std::unique_ptr<nn::train::TrainingDevice> device)
      : recipe_{recipe},
        device_{std::move(device)},
        parameters_{*device_, recipe.seed},
        network_{parameters_, recipe.structure} {}

  nn::train::TapeTensor compute_loss(nn::train::TapeTensor detail, nn::train::TapeTensor target) const {
    if (recipe_.learning.loss == "l1") return l1(detail, target);
    if (recipe_.learning.loss == "mse") return mse(detail, target);
    return charbonnier(detail, target);
  }

  const Recipe& recipe_;
  std::unique_ptr<nn::train::TrainingDevice> device_;
  nn::train::ParameterSet parameters_;
  UpscalingNetwork network_;
  std::optional<nn::train::Optimiser> optimiser_;
  std::optional<nn::train::WeightEma> ema_;
};

/// The properties of a training that are fixed at its start, and the time spent: the file run.json.
struct RunRecord {
  std::string recipe;       ///< text of the recipe
  std::uint64_t steps = 0;  ///< number of all steps
  double seconds = 0;       ///< training time until the last checkpoint
};

/// One run of train().
class TrainingRun {
 public:
  TrainingRun(const Recipe& recipe, const TrainSettings& settings, std::stop_token stop,
              const std::function<void(const TrainProgress&)>& on_progress)
      : recipe_{recipe}, settings_{settings}, stop_{std::move(stop)}, on_progress_{on_progress} {}

  /// Starts or resumes the training, and runs its steps; see train().
  Result<bool> run(const std::string& recipe_text) {
    auto feed = PairFeed::open(recipe_);
    if (!feed) return feed.error();
    feed_ = *std::move(feed);
    auto lettering = synth::Lettering::open();
    if (!lettering) return lettering.error();
    auto held_out = HeldOutSet::draw(recipe_, **lettering);
    if (!held_out) return held_out.error();
    held_out_ = *std::move(held_out);
    auto learner = Learner::create(recipe_, settings_);
    if (!learner) return learner.error();
    learner_ = *std::move(learner);
    if (auto prepared = settings_.resume ? resume_run(recipe_text) : start_run(recipe_text); !prepared)
      return prepared.error();
    feed_->set_final_phase_start(recipe_.final_phase_start(record_.steps));
    auto log = MetricsLog::open(file("metrics.jsonl"), step_);
    if (!log) return log.error();
    log_ = *std::move(log);
    return run_steps();
  }

 private:
  fs::path file(const std::string& name) const { return settings_.folder / name; }

  /// Creates the folder and the state of a new training.
  Status start_run(const std::string& recipe_text) {
    if (fs::exists(file("run.json")))
      return Error{Errc::exists, fmt::format("{}: contains a training already; --resume continues it",
                                             printable(settings_.folder.native()))};
    std::error_code problem;
    fs::create_directories(settings_.folder, problem);
    if (problem) return Error{Errc::io, fmt::format("{}: {}", printable(settings_.folder.native()), problem.message())};
    record_ = {recipe_text, settings_.steps.value_or(recipe_.learning.steps), 0};
    if (settings_.hours) {
      auto steps = estimate_steps(*settings_.hours * 3600);
      if (!steps) return steps.error();
      record_.steps = *steps;
    }
    if (auto written = write_file(file("recipe.toml"), recipe_text); !written) return written;
    return save_state();
  }

  /// Reads the state of the training in the folder.
  Status resume_run(const std::string& recipe_text) {
    const auto text = read_file(file("run.json"));
    const auto json = nlohmann::json::parse(text ? *text : "", /*cb=*/nullptr, /*allow_exceptions=*/false);
    if (!json.is_object())
      return Error{Errc::invalid_argument,
                   fmt::format("{}: contains no training that could continue", printable(settings_.folder.native()))};
    record_ = {json.value("recipe", ""), json.value("steps", std::uint64_t{0}), json.value("seconds", 0.0)};
    if (record_.recipe != recipe_text)
      return Error{Errc::invalid_argument,
                   fmt::format("{}: its training has another recipe", printable(settings_.folder.native()))};
    const auto checkpoint = nn::train::load_checkpoint(file("checkpoint"));
    if (!checkpoint) return checkpoint.error();
    if (auto restored = nn::train::restore_checkpoint(*checkpoint, learner_->state()); !restored) return restored;
    step_ = checkpoint->position;
    return ok();
  }

  /// Returns the number of steps that fit into this time, at least 1. Measures the speed with a temporary learner.
  Result<std::uint64_t> estimate_steps(double seconds) {
    constexpr std::uint64_t kTestSteps = 40;  // the first quarter warms up and is not timed
    auto learner = Learner::create(recipe_, settings_);
    if (!learner) return learner.error();
    auto start = Clock::now();
    for (std::uint64_t i = 0; i < kTestSteps; ++i) {
      if (i == kTestSteps / 4) start = Clock::now();
      const auto batch = feed_->make_batch(i);
      if (!batch) return batch.error();
      // The learning rate does not affect the speed. The last step waits until the device has done all of them.
      if (const auto done = (*learner)->step(*batch, 1e-4, i + 1 == kTestSteps); !done) return done.error();
    }
    const double seconds_per_step = seconds_since(start) / (kTestSteps - kTestSteps / 4.0);
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(seconds / seconds_per_step));
  }

  /// Returns the training time so far, in all runs.
  double seconds() const { return record_.seconds + seconds_since(start_); }

  /// Returns the learning rate of the next step. The steps before the final phase have one cosine, those of the final
  /// phase another.
  double learning_rate() const {
    const std::uint64_t final_start = recipe_.final_phase_start(record_.steps);
    const bool is_final = step_ >= final_start;
    const nn::train::LearningRateSchedule schedule{.kind = nn::train::LearningRateSchedule::Kind::cosine,
                                                   .rate = is_final ? recipe_.final_phase.rate : recipe_.learning.rate,
                                                   .min_rate = recipe_.learning.min_rate,
                                                   .warm_up_steps = recipe_.learning.warm_up_steps,
                                                   .steps = is_final ? record_.steps - final_start : final_start};
    return rate_at_step(schedule, is_final ? step_ - final_start : step_);
  }

  /// Runs the steps until all are done or a stop is requested. Returns true if all are done.
  Result<bool> run_steps() {
    auto last_save = Clock::now();
    const std::uint64_t first_step = step_;
    start_ = Clock::now();
    while (step_ < record_.steps && !stop_.stop_requested()) {
      const auto batch = feed_->make_batch(step_);
      if (!batch) return batch.error();
      const bool is_progress_step = (step_ + 1) % kProgressInterval == 0 || step_ + 1 == record_.steps;
      const double rate = learning_rate();
      const auto loss = learner_->step(*batch, rate, is_progress_step);
      if (!loss) return loss.error();
      ++step_;
      if (!is_progress_step) continue;
      Metric metric{step_, *loss, rate, seconds(), std::nullopt};
      // Progress is reported at multiples of kProgressInterval; the first one at or after each multiple of the
      // validation interval is a validation step.
      const bool is_validation_step =
          step_ % recipe_.learning.validation_interval < kProgressInterval || step_ == record_.steps;
      if (is_validation_step) {
        if (auto validated = validate(metric); !validated) return validated.error();
      }
      if (auto added = log_->add(metric); !added) return added.error();
      if (is_validation_step) {
        if (auto written = write_results(); !written) return written.error();
      }
      const double seconds_per_step = seconds_since(start_) / static_cast<double>(step_ - first_step);
      on_progress_({step_, record_.steps, *loss, gain_, seconds_per_step * static_cast<double>(record_.steps - step_)});
      if (is_validation_step || Clock::now() - last_save >= kCheckpointInterval) {
        if (auto done = save_state(); !done) return done.error();
        last_save = Clock::now();
      }
    }
    if (auto done = save_state(); !done) return done.error();
    return step_ == record_.steps;
  }

  /// Measures the gain on the held-out pictures and stores it in `metric`.
  Status validate(Metric& metric) {
    auto gain = learner_->with_ema_weights([&](const UpscalingNetwork& network, nn::train::TrainingDevice& device) {
      return held_out_->measure_gain(network, device);
    });
    if (!gain) return gain.error();
    metric.gain = gain_ = *gain;
    return ok();
  }

  /// Writes the network, its model card, the curves and the strip of pictures.
  Status write_results() {
    const auto graph = learner_->with_ema_weights(
        [](const UpscalingNetwork& network, nn::train::TrainingDevice& device) { return network.build_graph(device); });
    if (!graph) return graph.error();
    const auto files = nn::write_ncnn(*graph, nn::NcnnWeightType::float16);
    if (!files) return files.error();
    if (auto done = nn::save_ncnn(*files, file(recipe_.name + ".param")); !done) return done;
    const auto card = make_model_card(recipe_, *graph, {step_, record_.steps, seconds(), gain_.value_or(PsnrGain{})});
    if (!card) return card.error();
    if (auto done = write_file(file(recipe_.name + ".md"), *card); !done) return done;
    if (auto done = write_file(file("curves.svg"), make_curves_svg(log_->metrics())); !done) return done;
    return held_out_->write_strip(file("strip.png"));
  }

  /// Writes the checkpoint and run.json. Call it after the other files are written, so that they contain everything up
  /// to the checkpoint.
  Status save_state() {
    auto checkpoint = nn::train::take_checkpoint(learner_->state(), step_);
    if (!checkpoint) return checkpoint.error();
    if (auto done = nn::train::save_checkpoint(*checkpoint, file("checkpoint")); !done) return done;
    // Before the first step there is no training time; seconds() would count the preparation.
    const nlohmann::ordered_json json{
        {"format", 1}, {"steps", record_.steps}, {"seconds", step_ == 0 ? 0.0 : seconds()}, {"recipe", record_.recipe}};
    return write_file(file("run.json"), json.dump(1) + '\n');
  }

  const Recipe& recipe_;
  const TrainSettings& settings_;
  std::stop_token stop_;
  const std::function<void(const TrainProgress&)>& on_progress_;
  std::unique_ptr<PairFeed> feed_;
  std::optional<HeldOutSet> held_out_;
  std::unique_ptr<Learner> learner_;
  std::optional<MetricsLog> log_;
  RunRecord record_;
  std::uint64_t step_ = 0;                  // number of steps done so far, in all runs
  std::optional<PsnrGain> gain_;            // last measured gain
  Clock::time_point start_ = Clock::now();  // time at which the steps of this run start
};

}  // namespace

Result<bool> train(const std::string& recipe_text, const Recipe& recipe, const TrainSettings& settings,
                   std::stop_token stop, const std::function<void(const TrainProgress&)>& on_progress) {
  return TrainingRun{recipe, settings, std::move(stop), on_progress}.run(recipe_text);
}

}  // namespace weir::training
