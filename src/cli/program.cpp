#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/standard_streams.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/help_text.hpp"
#include "cli/near_word.hpp"

namespace weir::cli {
namespace {

std::vector<Command> make_commands() {
  return {
      {"upscale", "INPUT... -o OUTPUT", "Enlarge pictures.",
       "INPUT is a picture, a folder (taken with its subfolders, whose structure is kept), a pattern such as '*.png', "
       "or '-' for a picture on "
       "standard input. The result of a picture does not depend on memory, threads or the order of the work.",
       upscale_flags(), true, run_upscale},
      {"models", "[DIR|FILE]", "List the networks that are found.",
       "Prints family, scale, noise level, layers, parameters, multiplications per pixel and memory per megapixel of "
       "every network, and why one cannot be read. With DIR (or FILE) those of this folder alone, as --model does; "
       "without, those of all folders that are searched.",
       models_flags(), true, run_models},
      {"devices", "", "List the GPUs, and which of them the policy allows.",
       "Every GPU that NVML, the kernel, Level Zero or Vulkan shows, with its memory, how each number was obtained, "
       "the "
       "processes on it, and the reason why it is chosen or passed over.",
       devices_flags(), true, run_devices},
      {"doctor", "", "Say what can be measured here, what is wrong, and the command that mends it.",
       "Asks every probe, applies the policy, does a little work on the chosen device with Vulkan and CUDA, and looks "
       "at "
       "the leases. The exit status is 0 only if the policy leaves a device and that device works.",
       doctor_flags(), true, run_doctor},
      {"lease", "list|wait|hold [-- COMMAND...]", "List, await or hold the lease of a device.",
       "list: who holds which device and how many wait. wait: returns once a device of the policy is free. hold: takes "
       "one and runs COMMAND with its mask in the environment, passing its exit status through (125 to 127 are "
       "weir's own failures); without COMMAND it holds the device until standard input ends or a signal comes.",
       lease_flags(), true, run_lease},
      {"run", "-- COMMAND... [::: ITEM...]",
       "Run a command, or one for each of many items, on a leased device that has room for it, and prove that it ran "
       "there.",
       "Waits for a device of the policy, takes the first rung of the ladder that fits its free memory, sets the masks "
       "of "
       "every GPU library, runs COMMAND, measures it, and ends it if it works on another device. COMMAND's exit status "
       "passes through; weir's own failures are 125 to 127. With items (::: ITEM..., or :::: FILE... with one a line, "
       "- "
       "for standard input) one command for each is run, as arguments and never through a shell: {} is the item, {.} "
       "the item without its extension, {/} its file name, {out} and {out}.png files that the command makes and that "
       "appear whole or not at all, {rung} and {device} what was given to it. The exit status is then that of a run of "
       "many: 0 all done, 1 some failed, 3 all refused for want of a device or memory, 4 interrupted.",
       run_flags(), true, run_run},
      {"leak", "-- COMMAND...", "Run a command several times and judge what memory does not come back.",
       "Runs COMMAND on a leased device of the policy (on none if there is none and none was asked for) and measures "
       "the "
       "memory of its processes and of the device before, while and after. The exit status is 1 if it leaked or "
       "failed.",
       leak_flags(), true, run_leak},
      {"config", "", "Print the settings and where each comes from.",
       "The command line goes over the environment (WEIR_*), that over weir.toml of the current folder, that over "
       "~/.config/weir/weir.toml, that over the defaults.",
       config_flags(), true, run_config},
      {"audit", "PATH...", "Find and mend mistakes in the selection of GPUs.",
       "Reads the code below PATH without running it. Exit status 0: clean; 1: findings, or files that could not be "
       "judged; 2: wrong usage.",
       audit_flags(), true, run_audit},
      {"train", "--recipe FILE --out DIR", "Train a network that enlarges, from pictures that are drawn.",
       "Writes the network as .param and .bin files that weir and ncnn's programs read, a model card, metrics, curves "
       "and "
       "a "
       "strip of pictures into DIR as it goes. Killed at any moment it goes on with --resume.",
       train_flags(), true, run_train},
      {"status", "DIR", "Tell how far the run in a folder is, or where it ended.",
       "DIR is the folder of the outputs. Exit status 0 while the run lives or when all is done, 1 if items failed, 4 "
       "if it "
       "was interrupted and can be resumed.",
       status_flags(), false, run_status},
      {"report", "RUN", "Write the story of a run as one HTML file.",
       "RUN is the folder of the outputs, or a file written with --log. The file has the timeline of devices and "
       "items, "
       "memory curves and the failed items, and needs nothing else.",
       report_flags(), false, run_report},
      {"help", "[COMMAND]", "Print help, the manual page or shell completions.", "", help_flags(), false, run_help},
      {"version", "", "Print the version.", "", version_flags(), false, run_version},
  };
}

std::vector<std::string_view> command_names() {
  std::vector<std::string_view> names;
  for (const Command& command : commands()) names.push_back(command.name);
  return names;
}

Ending wrong_usage(std::string what) { return {Exit::wrong_usage, std::move(what)}; }

Ending run_command(const Command& command, const std::vector<std::string>& words) {
  const auto line = parse_command_line(command.flags, words);
  if (!line) return wrong_usage(fmt::format("{}; see 'weir help {}'", line.error().what, command.name));
  if (line->has("--help")) return print(command_help(command));
  if (command.operands.empty() && !line->operands.empty())
    return wrong_usage(
        fmt::format("'{}' is not expected here; see 'weir help {}'", printable(line->operands.front()), command.name));
  const Environment environment =
      command.reads_settings ? process_environment() : [](const char*) { return std::nullopt; };
  const auto files = command.reads_settings ? settings_files(environment) : std::vector<std::filesystem::path>{};
  const auto settings = resolve_settings(command.flags, *line, environment, files);
  if (!settings) return wrong_usage(settings.error().what);
  return command.run({*line, *settings, environment});
}

}  // namespace

std::span<const Command> commands() {
  static const std::vector<Command> kCommands = make_commands();
  return kCommands;
}

const Command* find_command(std::string_view name) {
  static const Command kWorker{"worker",
                               "",
                               "Do items for a coordinator; weir starts it by itself.",
                               "Not meant to be started by hand: it speaks to the process that opened its channel.",
                               worker_flags(),
                               false,
                               run_worker};
  if (name == kWorker.name) return &kWorker;
  const auto all = commands();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Command& command) { return command.name == name; });
  return found == all.end() ? nullptr : &*found;
}

Ending run_program(const std::vector<std::string>& words) {
  if (words.empty()) return wrong_usage("no command given; see 'weir help'");
  std::string_view name = words.front();
  if (name == "--help" || name == "-h") name = "help";
  if (name == "--version" || name == "-V") name = "version";
  const Command* command = find_command(name);
  if (command == nullptr)
    return wrong_usage(fmt::format("'{}' is not a command of weir{}; see 'weir help'", printable(words.front()),
                                   near_word_hint(words.front(), command_names())));
  return run_command(*command, {words.begin() + 1, words.end()});
}

Ending print(std::string_view text) {
  auto written = write_standard_output(text);
  return written ? Ending{} : Ending{Exit::some_failed, written.error().what};
}

}  // namespace weir::cli
