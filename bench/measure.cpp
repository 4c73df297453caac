// Measures whole programs, from start to end: wall time, CPU time, peak memory (VmHWM), size of the result, and the
// peak that weir planned. If peer programs are given, they run alternately in the same run. Prints tables in Markdown.
//
// usage: weir_measure --weir PROGRAM --inputs DIR --models DIR --work DIR [--runs N] [--rows TEXT]
//                     [--peer-ncnn PROGRAM] [--peer-realcugan PROGRAM]
//   --inputs          folder with page.png, crop.png and 4k.png (bench/run writes them)
//   --models          folder with realesrgan/ and realcugan/
//   --rows            only rows whose name contains TEXT
//   --peer-ncnn       weir_peer_ncnn
//   --peer-realcugan  realcugan-ncnn-vulkan, run on the CPU (-g -1)
//
// A run during which other programs used more than a tenth of the processors is repeated; N runs (default 3) become at
// most 3 N. The figures are medians. This program uses little memory, because the reported peak of a child is never
// less than the memory that its parent used before exec.
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

extern char** environ;

namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

// A program to measure: the command, and the picture that it writes.
struct Contender {
  std::string name;
  Arguments command;
  fs::path output;
  bool is_weir = false;
};

// A task, and the programs that are compared on it.
struct Row {
  std::string name;
  std::vector<Contender> contenders;
};

// The measurement of one run of a program. `other_cpu_s` is the CPU time that all other processes used during the run.
struct Run {
  int status = 0;  // exit status; 128 + number of the signal that ended the program
  double wall_s = 0, cpu_s = 0, other_cpu_s = 0, peak_mib = 0;
  double size_mb = 0;            // size of the result
  std::string first_error_line;  // first line on standard error
  nlohmann::json report;         // what --json printed; null for peers
};

// Returns the CPU time that the machine has spent since boot, without idle and I/O wait time, in seconds.
double machine_cpu_seconds() {
  std::ifstream stat{"/proc/stat"};
  std::string label;
  double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0;
  stat >> label >> user >> nice >> system >> idle >> wait >> irq >> soft >> steal;
  return (user + nice + system + irq + soft + steal) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; }

std::string read_text(const fs::path& path) {
  std::ifstream file{path};
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Runs the command with its output redirected to files, and waits until it ends.
Run run_once(const Contender& contender, const fs::path& work) {
  std::error_code ignored;
  fs::remove(contender.output, ignored);
  const fs::path out = work / "stdout", err = work / "stderr";
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_addopen(&files, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  std::vector<char*> arguments;
  arguments.reserve(contender.command.size() + 1);
  for (const std::string& argument : contender.command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  Run run;
  const double machine_cpu_s_before = machine_cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  pid_t child = 0;
  const int failed = posix_spawn(&child, arguments[0], &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) {
    run.status = 127;
    run.first_error_line = "cannot be started";
    return run;
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  run.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  run.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  run.other_cpu_s = std::max(0.0, machine_cpu_seconds() - machine_cpu_s_before - run.cpu_s);
  run.peak_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  const auto size = fs::file_size(contender.output, ignored);
  run.size_mb = ignored ? 0 : static_cast<double>(size) / 1e6;
  const std::string error_text = read_text(err);
  run.first_error_line = error_text.substr(0, error_text.find('\n'));
  if (contender.is_weir) run.report = nlohmann::json::parse(read_text(out), nullptr, false);
  return run;
}

// Returns true if other programs used less than a tenth of the processors during the run.
bool is_undisturbed(const Run& run) {
  return run.other_cpu_s < 0.1 * run.wall_s * std::max(1U, std::thread::hardware_concurrency());
}

// Returns the median of field(run) over the runs; 0 if there are none.
template <class Field>
double median(const std::vector<Run>& runs, Field field) {
  std::vector<double> values;
  values.reserve(runs.size());
  for (const Run& run : runs) values.push_back(field(run));
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  if (n == 0) return 0;
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// The runs of a program that count for the tables.
struct Figures {
  std::vector<Run> runs;   // the undisturbed runs; all runs if none is undisturbed
  bool disturbed = false;  // true if none is undisturbed
  double wall_s = 0;       // median
};

Figures summarize(const std::vector<Run>& all) {
  Figures figures;
  std::copy_if(all.begin(), all.end(), std::back_inserter(figures.runs), is_undisturbed);
  figures.disturbed = figures.runs.empty();
  if (figures.disturbed) figures.runs = all;
  figures.wall_s = median(figures.runs, [](const Run& r) { return r.wall_s; });
  return figures;
}

// Returns the memory that weir planned, in MiB; 0 for peers.
double planned_mib(const Run& run) {
  if (!run.report.is_object()) return 0;
  const auto plan = run.report.find("plan");
  if (plan == run.report.end()) return 0;
  return plan->value("ram_bytes", 0.0) / (1 << 20);
}

// Prints the row of a program in the table.
void print_line(const Contender& contender, const Figures& figures) {
  const Run& last = figures.runs.back();
  if (last.status != 0) {
    std::printf("| %s | exit %d: %s |\n", contender.name.c_str(), last.status, last.first_error_line.c_str());
    return;
  }
  const auto [low, high] = std::minmax_element(figures.runs.begin(), figures.runs.end(),
                                               [](const Run& a, const Run& b) { return a.wall_s < b.wall_s; });
  double peak = 0;
  for (const Run& run : figures.runs) peak = std::max(peak, run.peak_mib);
  std::printf("| %s | %.2f (%.2f-%.2f) | %.2f | %.1f | ", contender.name.c_str(), figures.wall_s, low->wall_s,
              high->wall_s, median(figures.runs, [](const Run& r) { return r.cpu_s; }), peak);
  if (const double planned = planned_mib(last); planned > 0) {
    std::printf("%.1f | %.2f | ", planned, peak / planned);
  } else {
    std::printf("- | - | ");
  }
  std::printf("%.2f | %zu%s |\n", last.size_mb, figures.runs.size(), figures.disturbed ? " (disturbed)" : "");
  std::fflush(stdout);
}

// Prints how many times as fast weir is as each peer.
void print_ratios(const Row& row, const std::vector<Figures>& figures) {
  for (std::size_t i = 0; i < row.contenders.size(); ++i) {
    if (!row.contenders[i].is_weir || figures[i].runs.back().status != 0) continue;
    for (std::size_t k = 0; k < row.contenders.size(); ++k) {
      if (row.contenders[k].is_weir || figures[k].runs.back().status != 0) continue;
      std::printf("%s is %.2f times as fast as %s\n\n", row.contenders[i].name.c_str(),
                  figures[k].wall_s / figures[i].wall_s, row.contenders[k].name.c_str());
    }
  }
}

// Measures the programs of a row and prints their table. Each program runs until `runs` of its runs were undisturbed,
// at most 3 * runs times. The programs run in turn, so that a slow phase of the machine affects all of them.
void measure(const Row& row, int runs, const fs::path& work) {
  std::printf("\n### %s\n\n", row.name.c_str());
  std::printf(
      "| program | wall s: median (range) | CPU s | peak MiB | planned MiB | peak / planned | result MB | runs |\n");
  std::printf("|---|---|---|---|---|---|---|---|\n");
  std::vector<std::vector<Run>> done(row.contenders.size());
  for (int round = 0; round < 3 * runs; ++round) {
    for (std::size_t i = 0; i < row.contenders.size(); ++i) {
      const auto undisturbed_runs = std::count_if(done[i].begin(), done[i].end(), is_undisturbed);
      const bool has_failed = !done[i].empty() && done[i].back().status != 0;
      if (undisturbed_runs < runs && !has_failed) done[i].push_back(run_once(row.contenders[i], work));
    }
  }
  std::vector<Figures> figures;
  for (std::size_t i = 0; i < row.contenders.size(); ++i) {
    figures.push_back(summarize(done[i]));
    print_line(row.contenders[i], figures.back());
  }
  std::printf("\n");
  print_ratios(row, figures);
  std::fflush(stdout);
}

// The arguments of this program.
struct Setup {
  fs::path weir, inputs, models, work, peer_ncnn, peer_realcugan;
  std::string rows;
  int runs = 3;
};

// Builds a row: each function adds a program, unless the program was not given. `ram` is the argument of --ram; `tile`
// and `sync` are TILE and SYNC of bench/peer/peer.cpp, or -c of realcugan-ncnn-vulkan.
class RowBuilder {
 public:
  RowBuilder(const Setup& setup, std::string name, std::string input, std::string network)
      : setup_{setup},
        input_{setup.inputs / input},
        param_{setup.models / (network + ".param")},
        row_{std::move(name), {}} {}

  RowBuilder& weir(const std::string& ram, const Arguments& more = {}) {
    const fs::path output = setup_.work / "weir.png";
    Arguments command{setup_.weir, "upscale",     input_,   "-o",    output, "--model",
                      param_,      "--overwrite", "--json", "--ram", ram};
    command.insert(command.end(), more.begin(), more.end());
    std::string name = "weir --ram " + ram;
    for (const std::string& argument : more) name += " " + argument;
    row_.contenders.push_back({name, command, output, true});
    return *this;
  }
  RowBuilder& ncnn(int tile, int sync = 0) {
    if (setup_.peer_ncnn.empty()) return *this;
    const fs::path output = setup_.work / "ncnn.png";
    const std::string mode = "ncnn, tile " + std::to_string(tile) + (sync > 0 ? ", sync " + std::to_string(sync) : "");
    row_.contenders.push_back(
        {mode, {setup_.peer_ncnn, input_, output, param_, std::to_string(tile), std::to_string(sync)}, output, false});
    return *this;
  }
  RowBuilder& realcugan(int sync) {
    if (setup_.peer_realcugan.empty()) return *this;
    const fs::path output = setup_.work / "realcugan.png";
    const Arguments command{setup_.peer_realcugan,
                            "-i",
                            input_,
                            "-o",
                            output,
                            "-m",
                            param_.parent_path(),
                            "-n",
                            "-1",
                            "-s",
                            "2",
                            "-g",
                            "-1",
                            "-c",
                            std::to_string(sync)};
    row_.contenders.push_back({"realcugan-ncnn-vulkan -c " + std::to_string(sync), command, output, false});
    return *this;
  }
  operator Row() const { return row_; }  // NOLINT(google-explicit-constructor)

 private:
  const Setup& setup_;
  fs::path input_, param_;
  Row row_;
};

// Returns all tasks and the programs for each.
std::vector<Row> list_rows(const Setup& s) {
  const std::string anime2 = "realesrgan/realesr-animevideov3-x2", anime4 = "realesrgan/realesr-animevideov3-x4";
  const std::string cugan = "realcugan/models-se/up2x-conservative";
  return {
      RowBuilder(s, "page 1200x1800, animevideov3-x2", "page.png", anime2).weir("120M").weir("70M").ncnn(100).ncnn(200),
      RowBuilder(s, "page 1200x1800, RealCUGAN se 2x, whole-picture statistics", "page.png", cugan)
          .weir("640M")
          .weir("256M")
          .ncnn(400, 1)
          .ncnn(400, 3)
          .realcugan(1)
          .realcugan(3),
      RowBuilder(s, "3840x2160, animevideov3-x4", "4k.png", anime4).weir("250M").weir("150M").ncnn(200),
      RowBuilder(s, "crop 256x256, animevideov3-x2, start to finish", "crop.png", anime2)
          .weir("64M")
          .weir("56M")
          .ncnn(64)
          .ncnn(256),
  };
}

// Returns nothing if the arguments are wrong.
std::optional<Setup> parse(const Arguments& arguments) {
  Setup setup;
  std::map<std::string, fs::path*> paths{
      {"--weir", &setup.weir}, {"--inputs", &setup.inputs},       {"--models", &setup.models},
      {"--work", &setup.work}, {"--peer-ncnn", &setup.peer_ncnn}, {"--peer-realcugan", &setup.peer_realcugan}};
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    if (arguments[i] == "--runs") {
      setup.runs = std::max(1, static_cast<int>(std::strtol(arguments[i + 1].c_str(), nullptr, 10)));
    } else if (arguments[i] == "--rows") {
      setup.rows = arguments[i + 1];
    } else if (paths.contains(arguments[i])) {
      *paths[arguments[i]] = arguments[i + 1];
    } else {
      return std::nullopt;
    }
  }
  const bool complete = arguments.size() % 2 == 0 && !setup.weir.empty() && !setup.inputs.empty() &&
                        !setup.models.empty() && !setup.work.empty();
  return complete ? std::optional{setup} : std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Setup> setup = parse({argv + 1, argv + argc});
  if (!setup) {
    std::fputs(
        "usage: weir_measure --weir PROGRAM --inputs DIR --models DIR --work DIR [--runs N] [--rows TEXT]\n"
        "                    [--peer-ncnn PROGRAM] [--peer-realcugan PROGRAM]\n",
        stderr);
    return 2;
  }
  fs::create_directories(setup->work);
  for (const Row& row : list_rows(*setup)) {
    if (row.name.find(setup->rows) != std::string::npos) measure(row, setup->runs, setup->work);
  }
  if (setup->peer_ncnn.empty() && setup->peer_realcugan.empty()) {
    std::puts("no peer was given or found: no ratio is printed");
  }
  return 0;
}
