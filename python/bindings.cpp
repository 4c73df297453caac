// The compiled part of the Python package: the guard, devices and leases, and the engine. The rest is in weir/*.py.
// Every call that may wait releases the GIL (without_lock); callbacks acquire it again (with_lock).

#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <cxxabi.h>
#include <unistd.h>

#include "base/text.hpp"
#include "base/version.hpp"
#include "cli/command.hpp"
#include "cli/guard_arguments.hpp"
#include "cli/profile.hpp"
#include "device/device_json.hpp"
#include "device/fork_safe_file.hpp"
#include "device/inventory.hpp"
#include "device/placement_check.hpp"
#include "observe/metrics.hpp"
#include "weir/guard.hpp"
#include "weir/upscale.hpp"

#include <nlohmann/json.hpp>

namespace py = pybind11;

namespace {

[[noreturn]] void pause_until_process_ends() {
  for (;;) ::pause();
}

/// Runs `work` without the GIL. If the interpreter ends during `work`, the thread pauses until the process ends. Before
/// 3.14, CPython ends a thread that then requests the GIL by unwinding its stack (pthread_exit), and a destructor that
/// requests it, like that of gil_scoped_release, would end the whole process (std::terminate). CPython 3.14 pauses the
/// thread itself.
template <class Work>
auto without_lock(const Work& work) {
  using Result = std::invoke_result_t<Work>;
  std::exception_ptr problem;
  std::conditional_t<std::is_void_v<Result>, char, std::optional<Result>> result{};
  PyThreadState* const state = PyEval_SaveThread();
  try {
    try {
      if constexpr (std::is_void_v<Result>)
        work();
      else
        result.emplace(work());
    } catch (abi::__forced_unwind&) {
      throw;
    } catch (...) {
      problem = std::current_exception();
    }
    PyEval_RestoreThread(state);
  } catch (abi::__forced_unwind&) {
    pause_until_process_ends();
  }
  if (problem) std::rethrow_exception(problem);
  if constexpr (!std::is_void_v<Result>) return *std::move(result);
}

/// Runs `work` with the GIL, in a thread that runs inside without_lock(). If the interpreter ends, the thread pauses
/// until the process ends, as there.
template <class Work>
auto with_lock(const Work& work) {
  try {
    const py::gil_scoped_acquire acquire;
    return work();
  } catch (abi::__forced_unwind&) {
    pause_until_process_ends();
  }
}

/// Throws the error as a RuntimeError whose text starts with its kind. weir._errors chooses the exception class by this
/// prefix.
[[noreturn]] void raise(const weir::Error& error) {
  const char* kind = error.code == weir::Errc::timed_out          ? "timeout"
                     : error.code == weir::Errc::unsupported      ? "policy"
                     : error.code == weir::Errc::invalid_argument ? "argument"
                                                                  : "io";
  throw std::runtime_error(std::string{kind} + ": " + error.what);
}

py::dict to_dict(const weir::MemoryStatistics& s) {
  py::dict d;
  d["allocated"] = s.allocated_bytes;
  d["reserved"] = s.reserved_bytes;
  d["max_allocated"] = s.max_allocated_bytes;
  d["max_reserved"] = s.max_reserved_bytes;
  d["total"] = s.total_bytes;
  d["free"] = s.free_bytes;
  d["utilization_pct"] = s.utilization_pct;
  d["fragmentation"] = s.fragmentation_bytes;
  d["fragmentation_pct"] = s.fragmentation_pct;
  return d;
}

py::dict to_dict(const weir::ScopeResult& r) {
  py::dict d;
  d["name"] = r.name;
  d["run"] = r.run_number;
  d["growth"] = r.growth_bytes;
  d["confirmed"] = r.confirmed;
  d["evidence"] = r.evidence;
  d["descriptors"] = r.new_descriptors;
  d["verdict"] = r.verdict;
  d["unknown"] = r.unmeasured_reason;
  return d;
}

py::dict to_dict(const weir::GuardReport& r) {
  py::dict d;
  d["passed"] = r.passed;
  d["drift"] = r.drift_bytes;
  d["once"] = r.one_time_bytes;
  d["slope"] = r.bytes_per_scope;
  d["scopes"] = r.scopes;
  d["first_leak"] = r.first_leak;
  d["text"] = r.text;
  return d;
}

std::map<std::string, std::string> to_map(const weir::device::EnvironmentChanges& changes) {
  return {changes.begin(), changes.end()};
}

constexpr std::array kMetrics{
    weir::observe::MetricDefinition{"gpu_memory_allocated_bytes", weir::observe::MetricType::gauge,
                                    "Bytes that the allocator had handed out on the device after the last scope."},
    weir::observe::MetricDefinition{"gpu_memory_leak_bytes", weir::observe::MetricType::gauge,
                                    "Bytes that the last scope did not free."},
    weir::observe::MetricDefinition{
        "gpu_utilization_percent", weir::observe::MetricType::gauge,
        "Share of the device's memory in use by all processes after the last scope, in percent."},
    weir::observe::MetricDefinition{"gpu_fragmentation_percent", weir::observe::MetricType::gauge,
                                    "Share of the allocator's memory not handed out after the last scope, in percent."},
    weir::observe::MetricDefinition{"gpu_timestamp_seconds", weir::observe::MetricType::gauge,
                                    "Time at which the last scope ended, in seconds since 1970."}};

/// Returns the pointer to the metrics of this process. The object is never deleted.
weir::observe::Metrics*& process_metrics() {
  static auto* all = new weir::observe::Metrics;
  return all;
}

weir::observe::Metrics& metrics() { return *process_metrics(); }

/// Closes a forked child's copies of lease files and gives it its own metrics. The copy of the parent's metrics is not
/// deleted, because a thread that does not exist in the child may hold their lock.
void after_fork_in_child() {
  weir::device::after_fork_in_child();
  process_metrics() = new weir::observe::Metrics;
}

/// Deletes the object only in the process that made it. The copy in a forked child is kept: a thread that does not
/// exist in the child may hold its locks, and its open drivers belong to the parent.
struct DeleteInCreatingProcess {
  pid_t process = ::getpid();
  template <class T>
  void operator()(T* object) const {
    if (process == ::getpid()) delete object;
  }
};
template <class T>
using ProcessOwned = std::unique_ptr<T, DeleteInCreatingProcess>;

void set_metrics(const std::string& device, const std::map<std::string, double>& values) {
  for (const auto& metric : kMetrics) {
    const auto value = values.find(std::string{metric.name});
    if (value != values.end()) metrics().set(metric, value->second, {{"device", device}});
  }
}

void write_metrics(const std::string& path) {
  if (auto written = metrics().write(path); !written) raise(written.error());
}

weir::Guard::Level parse_level(const std::string& name) {
  return name == "error"     ? weir::Guard::Level::error
         : name == "warning" ? weir::Guard::Level::warning
                             : weir::Guard::Level::info;
}

/// Returns the settings of a command of weir with these arguments, including those of weir.toml and the environment.
weir::cli::Settings command_settings(std::span<const weir::cli::Flag> flags, std::vector<std::string> arguments) {
  const auto environment = weir::process_environment();
  auto command_line = weir::cli::parse_command_line(flags, std::move(arguments));
  if (!command_line) raise(command_line.error());
  auto settings =
      weir::cli::resolve_settings(flags, *command_line, environment, weir::cli::settings_files(environment));
  if (!settings) raise(settings.error());
  return *std::move(settings);
}

/// Returns the settings of scopes: {"log", "lease" (None: each scope decides), "max_fragmentation" (bytes), "wait"
/// (seconds)}.
py::dict scope_settings() {
  const weir::cli::Arguments args = command_settings(weir::cli::scope_flags(), {}).args;
  py::dict d;
  d["log"] = weir::cli::event_log_path(args, weir::process_environment());
  d["lease"] = weir::cli::selected_profile(args.guard).lease;
  d["max_fragmentation"] = weir::cli::max_fragmentation(args.guard).count();
  d["wait"] = std::chrono::duration<double>(args.guard.wait).count();
  return d;
}

/// Returns the flags of a policy that take no value.
std::vector<std::string> switch_flags() {
  std::vector<std::string> names;
  for (const weir::cli::Flag& flag : weir::cli::lease_flags())
    if (flag.is_switch()) names.emplace_back(flag.name);
  return names;
}

/// A held lease, for Python.
class Lease {
 public:
  explicit Lease(weir::device::Lease lease) : lease_{std::move(lease)} {}
  std::string key() const { return lease_.keys().empty() ? std::string{} : lease_.keys().front(); }
  std::string environment() const { return lease_.environment_value(); }
  bool joined() const { return lease_.is_joined(); }
  void release() { lease_.release(); }

 private:
  weir::device::Lease lease_;
};

/// The devices of the machine for the settings of weir.toml, the environment and the given arguments, as weir's
/// commands use them.
class Machine {
 public:
  explicit Machine(std::vector<std::string> arguments) {
    args_ = command_settings(weir::cli::lease_flags(), std::move(arguments)).args.guard;
    machine_ = weir::tasks::inspect_machine(weir::cli::make_device_request(args_));
  }

  std::string devices() const { return weir::device::devices_to_text(machine_.devices); }
  /// Returns index, acceptance and reason of each device that the policy considered.
  std::vector<std::tuple<std::size_t, bool, std::string>> assessments() const {
    std::vector<std::tuple<std::size_t, bool, std::string>> all;
    for (const auto& one : machine_.choice.assessments) all.emplace_back(one.device_index, one.accepted, one.reason);
    return all;
  }
  /// Returns the indices of the accepted devices, best first.
  std::vector<std::size_t> ranked() const { return machine_.choice.ranked; }
  std::string no_device_error() const { return weir::tasks::no_device_error(machine_).what; }

  /// Returns the environment changes that mask all other devices, and notes for the user.
  std::pair<std::map<std::string, std::string>, std::vector<std::string>> mask(std::size_t device) const {
    auto mask =
        weir::device::make_mask(machine_.devices, device, machine_.masks, weir::cli::make_device_request(args_).mask);
    if (!mask) raise(mask.error());
    weir::device::add_vulkan_index(*mask, machine_.device_at(device));
    return {to_map(mask->changes), mask->notes};
  }

  /// Leases one of the accepted devices that are in `usable_indices`. Call it without the GIL. `on_wait` is called with
  /// the holders if no lease is free at once. In the main thread (`in_main_thread`) a signal whose handler raises ends
  /// the wait with that exception. Returns the lease, the device index, the environment changes and notes for the user.
  std::tuple<std::unique_ptr<Lease>, std::size_t, std::map<std::string, std::string>, std::vector<std::string>> lease(
      const std::vector<std::size_t>& usable_indices, const std::function<void(const std::string&)>& on_wait,
      bool in_main_thread) const {
    weir::tasks::Machine machine = machine_;
    std::erase_if(machine.choice.ranked, [&](std::size_t device) {
      return std::find(usable_indices.begin(), usable_indices.end(), device) == usable_indices.end();
    });
    weir::device::WaitOptions waiting;
    waiting.on_wait = [&](const auto& busy_devices) { on_wait(weir::device::describe(busy_devices)); };
    if (in_main_thread)
      waiting.is_interrupted = [] {
        return with_lock([] {
          if (PyErr_CheckSignals() != 0) throw py::error_already_set{};
          return false;
        });
      };
    std::vector<std::string> notes;
    auto leased = weir::tasks::lease_device(machine, weir::cli::make_device_request(args_), weir::process_environment(),
                                            waiting, notes);
    if (!leased) raise(leased.error());
    return {std::make_unique<Lease>(std::move(leased->lease)), leased->device_index, to_map(leased->mask.changes),
            notes};
  }

  /// Returns the status and the text of the check whether the processes work on the device. `uuids`: the UUIDs that the
  /// process itself reports.
  std::pair<std::string, std::string> check_placement(std::size_t device, const std::vector<pid_t>& pids,
                                                      const std::vector<std::string>& uuids) const {
    const auto library = weir::device::nvml::Library::open();
    auto evidence = weir::device::collect_evidence(machine_.devices, pids, library ? &*library : nullptr);
    evidence.reported_uuids = uuids;
    const auto check = weir::device::check_placement(machine_.device_at(device), machine_.devices, evidence);
    return {std::string{weir::device::name_of(check.status)}, check.text};
  }

 private:
  weir::cli::GuardArguments args_;
  weir::tasks::Machine machine_;
};

/// Enlarges interleaved samples of 8 or 16 bits. Returns the enlarged samples as bytes, and their width and height.
std::tuple<py::bytes, int, int> upscale_samples(const std::string& network, const py::buffer& samples, int width,
                                                int height, int channels, int bits, double scale, std::uint64_t ram) {
  const py::buffer_info info = samples.request();
  const weir::PictureShape shape{width, height, channels, bits};
  const std::size_t bytes = shape.row_bytes() * static_cast<std::size_t>(height);
  if (static_cast<std::size_t>(info.size * info.itemsize) != bytes)
    throw std::invalid_argument("the array does not hold that many samples");
  struct Source : weir::RowSource {
    std::span<const std::byte> all;
    std::size_t position = 0;
    bool read(std::span<std::byte> rows) override {
      if (rows.size() > all.size() - position) return false;
      std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(position), rows.size(), rows.begin());
      position += rows.size();
      return true;
    }
    bool rewind() override {
      position = 0;
      return true;
    }
  } source;
  source.all = {static_cast<const std::byte*>(info.ptr), bytes};
  struct Sink : weir::RowSink {
    std::string all;
    bool write(std::span<const std::byte> rows) override {
      all.append(reinterpret_cast<const char*>(rows.data()), rows.size());
      return true;
    }
  } sink;
  const weir::PictureShape output = without_lock([&] {
    auto upscaler = weir::Upscaler::load(network);
    if (!upscaler) throw std::runtime_error("io: " + upscaler.problem().what);
    weir::UpscaleOptions options;
    options.scale = scale;
    options.ram_bytes = ram;
    const auto plan = upscaler->plan(shape, options);
    if (!plan) throw std::runtime_error("argument: " + plan.problem().what);
    const auto report = upscaler->run(shape, options, source, sink);
    if (!report) throw std::runtime_error("io: " + report.problem().what);
    return plan->output;
  });
  return {py::bytes(sink.all), output.width, output.height};
}

}  // namespace

PYBIND11_MODULE(_native, module) {  // NOLINT: pybind11's macro
  module.attr("version") = weir::kVersion;

  py::class_<weir::Guard, ProcessOwned<weir::Guard>>(module, "Guard")
      .def(py::init(
               [](std::uint64_t scope_bytes, std::uint64_t drift_bytes, const std::string& pci, int driver_timeout_ms) {
                 weir::GuardOptions options;
                 options.scope_limit_bytes = scope_bytes;
                 options.drift_limit_bytes = drift_bytes;
                 options.pci_address = pci;
                 options.driver_timeout_ms = driver_timeout_ms;
                 // The constructor asks drivers.
                 return without_lock([&] { return ProcessOwned<weir::Guard>{new weir::Guard{options}}; });
               }),
           py::arg("scope_bytes"), py::arg("drift_bytes"), py::arg("pci") = "",
           py::arg("driver_timeout_ms") = weir::GuardOptions{}.driver_timeout_ms)
      .def(
          "add_counter",
          [](weir::Guard& guard, const std::string& name, bool on_device, bool of_allocator, const py::function& read) {
            // The guard frees the callback, possibly without the GIL, so the deleter acquires it.
            const std::shared_ptr<py::function> kept{
                new py::function{read}, [](py::function* function) { with_lock([&] { delete function; }); }};
            const auto read_bytes = [kept]() -> std::optional<std::uint64_t> {
              return with_lock([&]() -> std::optional<std::uint64_t> {
                const py::object bytes = (*kept)();
                if (bytes.is_none()) return std::nullopt;
                return bytes.cast<std::uint64_t>();
              });
            };
            without_lock([&] {
              guard.add_counter(
                  name, on_device ? weir::Guard::Memory::device : weir::Guard::Memory::host,
                  of_allocator ? weir::Guard::CounterSource::allocator : weir::Guard::CounterSource::system,
                  read_bytes);
            });
          })
      .def("set_baseline", [](weir::Guard& guard) { without_lock([&] { guard.set_baseline(); }); })
      .def("validate", [](const weir::Guard& guard) { return to_dict(without_lock([&] { return guard.validate(); })); })
      .def("statistics", [](const weir::Guard& guard) { return to_dict(guard.statistics()); })
      .def("log_to",
           [](weir::Guard& guard, const std::string& path) {
             if (const auto problem = guard.log_to(path)) throw std::runtime_error("io: " + problem->what);
           })
      .def("log_problem",
           [](const weir::Guard& guard) {
             const auto problem = guard.log_problem();
             return problem ? std::optional{problem->what} : std::nullopt;
           })
      .def("log_event", [](weir::Guard& guard, const std::string& level, const std::string& event,
                           const weir::Guard::Fields& fields) { guard.log_event(parse_level(level), event, fields); });

  py::class_<weir::GuardScope, ProcessOwned<weir::GuardScope>>(module, "GuardScope")
      .def(py::init([](std::string name, weir::Guard& guard) {
             return without_lock([&] {
               return ProcessOwned<weir::GuardScope>{new weir::GuardScope{std::move(name), guard}};
             });
           }),
           py::keep_alive<1, 3>())
      .def(
          "finish",
          [](weir::GuardScope& scope, bool failed, const std::string& why) {
            return to_dict(without_lock([&] { return scope.finish(failed, why); }));
          },
          py::arg("failed"), py::arg("why") = "")
      .def("abandon", &weir::GuardScope::abandon);

  py::class_<Lease>(module, "Lease")
      .def_property_readonly("key", &Lease::key)
      .def_property_readonly("environment", &Lease::environment)
      .def_property_readonly("joined", &Lease::joined)
      .def("release", &Lease::release);

  py::class_<Machine>(module, "Machine")
      .def(py::init([](std::vector<std::string> arguments) {
        return without_lock([&] { return std::make_unique<Machine>(std::move(arguments)); });
      }))
      .def("devices", &Machine::devices)
      .def("assessments", &Machine::assessments)
      .def("ranked", &Machine::ranked)
      .def("no_device_error", &Machine::no_device_error)
      .def("mask", [](const Machine& machine,
                      std::size_t device) { return without_lock([&] { return machine.mask(device); }); })
      .def("lease",
           [](const Machine& machine, const std::vector<std::size_t>& usable_indices,
              const std::function<void(const std::string&)>& on_wait, bool in_main_thread) {
             return without_lock([&] { return machine.lease(usable_indices, on_wait, in_main_thread); });
           })
      .def("check_placement", [](const Machine& machine, std::size_t device, const std::vector<pid_t>& pids,
                                 const std::vector<std::string>& uuids) {
        return without_lock([&] { return machine.check_placement(device, pids, uuids); });
      });

  module.def("scope_settings", scope_settings);
  module.def("switch_flags", switch_flags);
  module.def("check_policy", [](std::vector<std::string> arguments) {
    command_settings(weir::cli::lease_flags(), std::move(arguments));
  });
  module.def("in_main_interpreter", [] { return PyThreadState_Get()->interp == PyInterpreterState_Main(); });
  module.def("before_fork", weir::device::before_fork);
  module.def("after_fork_in_parent", weir::device::after_fork_in_parent);
  module.def("after_fork_in_child", after_fork_in_child);
  module.def("parse_size", [](const std::string& text) {
    const auto size = weir::parse_bytes(text);
    if (!size) raise(size.error());
    return size->count();
  });
  module.def("set_metrics", set_metrics);
  module.def("metrics_text", [] { return metrics().text(); });
  module.def("write_metrics", write_metrics);
  module.def("upscale_samples", upscale_samples);
  module.def("run_command_line", [](const std::vector<std::string>& arguments) {
    const weir::cli::ExitResult result = without_lock([&] { return weir::cli::run_command_line(arguments); });
    return std::make_tuple(static_cast<int>(result.status), result.message, result.item_failures);
  });
}
