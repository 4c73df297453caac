// The commands for users. Help, manual page and completions are made from this table and the tables of flags.

#include <algorithm>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace weir::cli {
namespace {

Command upscale() {
  return {
      .name = "upscale",
      .operands = "INPUT... -o OUTPUT",
      .summary = "Enlarge pictures.",
      .description =
          "INPUT is a picture, a folder (taken with its subfolders, whose structure is kept), a pattern "
          "such as '*.png', or '-' for a picture on standard input. The result of a picture does not "
          "depend on memory, threads or the order of the work.",
      .usages = {},
      .examples = {{"weir upscale page.png -o page-2x.png", "Twice as large, with the network that comes with weir."},
                   {"weir upscale comics/ -o enlarged/ --scale 3 --ram 1G",
                    "A folder, within 1 GiB of memory. The same command again continues an interrupted run."},
                   {"weir upscale page.png -o page.webp --scale 1.5 --quality 90", "Another size and format."}},
      .flags = upscale_flags(),
      .reads_settings = true,
      .run = run_upscale};
}

Command film() {
  return {
      .name = "film",
      .operands = "INPUT... -o OUTPUT",
      .summary = "Enlarge films.",
      .description =
          "INPUT is a film, a folder (taken with its subfolders, whose structure is kept), a pattern such as "
          "'*.mkv', or '-' for a film on standard input, as y4m or NUT. Every frame keeps its time, and sound, "
          "subtitles, chapters, covers and tags are copied; what the result cannot keep is named. The film is done "
          "in segments of a few seconds, which are kept in the hidden folder .NAME.weir beside the output: the same "
          "command again continues an interrupted run. At the end the result is decoded and compared with the "
          "film, and only then gets its name.",
      .usages = {},
      .examples = {{"weir film tape.mp4 -o tape-2x.mkv", "Twice as large, with the network that comes with weir."},
                   {"weir film tapes/ -o enlarged/ --codec x265 --crf 20",
                    "A folder of films. The same command again continues an interrupted run."},
                   {"weir film tape.mp4 -o try.mkv --from 1:30 --to 1:40", "Ten seconds, to try a network."}},
      .flags = film_flags(),
      .reads_settings = true,
      .run = nullptr};
}

Command models() {
  return {.name = "models",
          .operands = "[DIR|FILE]",
          .summary = "List the networks that are found.",
          .description =
              "Prints family, scale, noise level, layers, parameters, multiplications per pixel and memory per "
              "megapixel of every network, and why a network cannot be read. With DIR (or FILE) only the networks "
              "there, as with --model; without it those of all search folders.",
          .usages = {},
          .examples = {{"weir models", "All of them, as a table."}, {"weir models --json", "The same for a program."}},
          .flags = models_flags(),
          .reads_settings = true,
          .run = run_models};
}

Command devices() {
  return {.name = "devices",
          .operands = "",
          .summary = "List the GPUs, and which of them the policy allows.",
          .description =
              "Every GPU that NVML, the kernel, Level Zero or Vulkan shows, with its memory, how each number "
              "was obtained, the processes on it, and the reason why it is chosen or passed over.",
          .usages = {},
          .examples = {{"weir devices", "Under the policy of weir.toml."},
                       {"weir devices --deny '*5060*' --min-memory 20G --json", "Under another one, for a program."}},
          .flags = devices_flags(),
          .reads_settings = true,
          .run = run_devices};
}

Command doctor() {
  return {.name = "doctor",
          .operands = "",
          .summary = "Report which commands work here, on which devices and how fast, and how to fix the rest.",
          .description =
              "Enlarges a small generated picture on the processors and on the GPU that the policy chooses, runs "
              "every probe, does a little work on that GPU with Vulkan and CUDA, and checks the leases. The exit "
              "status is 0 if everything works that a machine of this kind can do; without a GPU that is the CPU. It "
              "is 3 if something is broken: a driver hangs, a GPU exists and does not work, the user's policy names "
              "a device that does not exist or accepts none, no lease can be written.",
          .usages = {},
          .examples = {{"weir doctor", "As a table."}, {"weir doctor --json", "With the figures, for a program."}},
          .flags = doctor_flags(),
          .reads_settings = true,
          .run = run_doctor};
}

Command lease() {
  return {
      .name = "lease",
      .operands = "list|wait|hold [-- COMMAND...]",
      .summary = "List, await or hold the lease of a device.",
      .description =
          "A lease is the exclusive use of a device among the programs of weir. The exit status of COMMAND "
          "passes through; weir's own failures there, wrong usage too, are 125 to 127.",
      .usages = {{"list", "Lists who holds which device, and how many programs wait."},
                 {"wait", "Returns once a device of the policy is free."},
                 {"hold", "Leases a device and holds it until standard input ends or a signal arrives."},
                 {"hold -- COMMAND...", "Leases a device and runs COMMAND with its mask in the environment."}},
      .examples = {{"weir lease list", "The leases of this machine."},
                   {"weir lease wait --wait 10m", "At most ten minutes; status 3 if none is free by then."},
                   {"weir lease hold -- python3 train.py", "Runs train.py on a card that no other weir program uses."}},
      .flags = lease_flags(),
      .reads_settings = true,
      .run = run_lease,
      .external_program = ExternalProgram{.verb = "hold"}};
}

Command run() {
  return {
      .name = "run",
      .operands = "-- COMMAND... [::: ITEM...]",
      .summary =
          "Run a command, or one for each of many items, on a leased device that has enough memory for it, and prove "
          "that it ran there.",
      .description =
          "Waits for a device of the policy, chooses the first variant that fits its free memory, sets the masks of "
          "every GPU library, runs COMMAND, measures it, and ends it if it works on another device. COMMAND's exit "
          "status passes through; weir's own failures, wrong usage too, are 125 to 127. With items it runs one "
          "command per item, never through a shell. In the arguments {} is the item, {.} the item without its "
          "extension, {/} its file name, {out} and {out}.png are files that the command writes and that appear "
          "complete or not at all, {variant} and {device} are the variant and the device of the command. The exit "
          "status is then 0 if all are done, 1 if some failed, 2 for wrong usage, 3 if all were refused because no "
          "device or not enough memory was available, 4 if interrupted.",
      .usages = {{"-- COMMAND...", "Runs one command, and passes its exit status through."},
                 {"-- COMMAND... ::: ITEM...", "Runs one command for each item."},
                 {"-- COMMAND... :::: FILE...", "The same with the items in files, one a line; - is standard input."}},
      .examples = {{"weir run --need 5G -- python3 train.py", "Waits for a card on which 5 GiB are free."},
                   {"weir run -j 4 --resume -- python3 ::: tests/*.py",
                    "Each test once, and only what is not done yet."},
                   {"weir run --timeout 10m --retries 2 -- sh -c 'python3 train.py > train.log'",
                    "An attempt that takes too long is ended and repeated."}},
      .flags = run_flags(),
      .reads_settings = true,
      .run = run_run,
      .external_program = ExternalProgram{}};
}

Command leak() {
  return {
      .name = "leak",
      .operands = "-- COMMAND...",
      .summary = "Run a command several times and check whether all its memory is freed.",
      .description =
          "Runs COMMAND on a leased device of the policy (without a device if there is none and none was requested) "
          "and measures the memory of its processes and of the device before, during and after each run. The exit "
          "status is 1 if it leaked or failed, and 4 if you interrupted it; weir's own failures, wrong usage too, "
          "are 125 to 127.",
      .usages = {},
      .examples = {{"weir leak -- python3 train.py", "Three runs and the verdict."},
                   {"weir leak --runs 5 --max-leak 50M --report leak.md -- python3 train.py",
                    "A stricter limit, and the report as a page."}},
      .flags = leak_flags(),
      .reads_settings = true,
      .run = run_leak,
      .external_program = ExternalProgram{}};
}

Command config() {
  return {.name = "config",
          .operands = "",
          .summary = "Print the settings and where each comes from.",
          .description =
              "The command line overrides the environment (WEIR_*), which overrides weir.toml of the current folder, "
              "which overrides ~/.config/weir/weir.toml, which overrides the defaults.",
          .usages = {},
          .examples = {{"weir config", "The settings in this folder."},
                       {"weir config --ram 1G > all.toml", "A file that may become weir.toml."}},
          .flags = config_flags(),
          .reads_settings = true,
          .run = run_config};
}

Command audit() {
  return {
      .name = "audit",
      .operands = "PATH...",
      .summary = "Find and fix mistakes in the selection of GPUs.",
      .description =
          "Reads the code below PATH without running it. Exit status 0: clean; 1: findings, or files that could not "
          "be checked; 2: wrong usage. A campaign fixes many files in branches of git: plan, run and report.",
      .usages = {{"PATH...", "Reports the mistakes in the files and folders, or fixes them with --fix."},
                 {"--explain RULE", "Explains a rule, with a bad and a good example."},
                 {"plan PATH...", "Plans a campaign: assigns the files with mistakes to shards, and changes no file."},
                 {"run",
                  "Runs the plan: fixes each file in a branch of its shard, checks it before and after, and merges the "
                  "shards into weir/all. After an interruption the same command continues."},
                 {"report", "Reports the result of each file of the campaign, and whether the campaign is complete."}},
      .examples = {{"weir audit train.py", "The mistakes in the file, one per line."},
                   {"weir audit train.py --diff", "What --fix would change."},
                   {"weir audit plan src --jobs 4 --check 'python3 {file} --selftest'",
                    "The plan of a campaign; 'weir audit run' runs it and 'weir audit report' reports the result."}},
      .flags = audit_flags(),
      .reads_settings = true,
      .run = nullptr};
}

Command train() {
  return {
      .name = "train",
      .operands = "--recipe FILE --out DIR",
      .summary = "Train a network for enlarging, on generated pictures.",
      .description =
          "Writes the network as .param and .bin files that weir and ncnn's programs read, a model card, metrics, "
          "curves and a strip of pictures into DIR during the training. After an interruption at any moment --resume "
          "continues it.",
      .usages = {},
      .examples = {{"weir train --recipe weir-2x.toml --out training --hours 3", "As many steps as fit into the time."},
                   {"weir train --recipe weir-2x.toml --out training --resume", "Continues this training."}},
      .flags = train_flags(),
      .reads_settings = true,
      .run = run_train};
}

Command status() {
  return {.name = "status",
          .operands = "DIR",
          .summary = "Report the progress of the run in a folder, or its result.",
          .description =
              "DIR is the folder of the outputs, or the output of 'weir film'. Exit status 0 while the run is alive or "
              "if all is done, 1 if items "
              "failed, 4 if it was interrupted and can be resumed.",
          .usages = {},
          .examples = {{"weir status enlarged/", "The status of 'weir upscale comics/ -o enlarged/'."},
                       {"weir status weir-run --json", "The status of 'weir run' with items, for a program."}},
          .flags = status_flags(),
          .reads_settings = false,
          .run = run_status};
}

Command report() {
  return {.name = "report",
          .operands = "RUN",
          .summary = "Write the report of a run as one HTML file.",
          .description =
              "RUN is the folder of the outputs, the output of 'weir film', or a file written with --log. The file has "
              "the timeline of "
              "devices and items, memory curves and the failed items, and needs nothing else.",
          .usages = {},
          .examples = {{"weir report enlarged/ -o run.html", "The last run in that folder."},
                       {"weir report weir-run -o - > scripts.html", "To standard output."}},
          .flags = report_flags(),
          .reads_settings = false,
          .run = run_report};
}

Command help() {
  return {.name = "help",
          .operands = "[COMMAND]",
          .summary = "Print help, the manual page or shell completions.",
          .description = "",
          .usages = {},
          .examples = {{"weir help run", "All about 'weir run'."},
                       {"weir help --completion bash > weir.bash", "To be sourced by the shell."}},
          .flags = help_flags(),
          .reads_settings = false,
          .run = run_help};
}

Command version() {
  return {.name = "version",
          .operands = "",
          .summary = "Print the version.",
          .description = "",
          .usages = {},
          .examples = {{"weir version", "The version of this program."}},
          .flags = version_flags(),
          .reads_settings = false,
          .run = run_version};
}

}  // namespace

std::span<const Command> commands() {
  static const std::vector<Command> kCommands{upscale(), film(),   models(), devices(), doctor(),
                                              lease(),   run(),    leak(),   config(),  audit(),
                                              train(),   status(), report(), help(),    version()};
  return kCommands;
}

std::vector<std::string_view> command_names() {
  std::vector<std::string_view> names;
  for (const Command& command : commands()) names.push_back(command.name);
  return names;
}

const Command* find_command(std::string_view name) {
  static const Command kWorker{
      .name = "worker",
      .operands = "",
      .summary = "Do items for a coordinator; weir starts it by itself.",
      .description = "Not meant to be started by hand: it communicates with the process that opened its channel.",
      .usages = {},
      .examples = {},
      .flags = worker_flags(),
      .reads_settings = false,
      .run = run_worker};
  if (name == kWorker.name) return &kWorker;
  const auto all = commands();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Command& command) { return command.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::string_view> list_verbs(const Command& command) {
  std::vector<std::string_view> verbs;
  for (const UsageLine& usage_line : command.usages) {
    const std::string_view word = usage_line.text.substr(0, usage_line.text.find(' '));
    const bool is_verb = std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (is_verb && std::find(verbs.begin(), verbs.end(), word) == verbs.end()) verbs.push_back(word);
  }
  return verbs;
}

}  // namespace weir::cli
