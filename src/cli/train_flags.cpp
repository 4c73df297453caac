#include "cli/flag_values.hpp"
#include "cli/flags.hpp"

namespace weir::cli {
namespace {

constexpr Flag kTrainFlags[] = {
    {"--recipe", 0, "FILE", "What the network is and what it learns from; see docs/training.md.", "",
     [](std::string_view text, Arguments& args) { return set_path(text, args.train.recipe); }},
    {"--out", 'o', "DIR", "Folder for the network, its card, curves, a strip of pictures, and the checkpoint.", "",
     [](std::string_view text, Arguments& args) { return set_path(text, args.train.folder); }},
    {"--resume", 0, "", "Go on with the training that is in the folder; on the same device it ends with the same bits.",
     "", [](std::string_view text, Arguments& args) { return set_switch(text, args.train.resume); }},
    {"--hours", 0, "H",
     "As many steps as fit into so many hours, measured before the first. Default: the recipe's steps.", "",
     [](std::string_view text, Arguments& args) { return set_to(parse_positive(text), args.train.hours); }},
    {"--steps", 0, "N", "So many steps instead of the recipe's.", "",
     [](std::string_view text, Arguments& args) {
       return set_to(parse_whole(text, 1, 1'000'000'000), args.train.steps);
     }},
    {"--threads", 0, "N", "Threads. Default: the processors that the process may use. The bits do not depend on it.",
     "threads",
     [](std::string_view text, Arguments& args) { return set_to(parse_whole(text, 1, 1024), args.threads); }},
    {"--device", 0, "NAME",
     "What to train on: cpu, cpu:0-3 (these cores), gpu (the best GPU), a part of a GPU's name, GPU-UUID, or "
     "pci:ADDRESS. Default: cpu. A training may be resumed on another device; its last bits are then that one's.",
     "", set_device},
    {"--quiet", 'q', "", "No progress; errors are still told.", "quiet",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.quiet); }},
    {"--help", 'h', "", "Print this help.", "",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.help); }},
};

}  // namespace

std::span<const Flag> train_flags() { return kTrainFlags; }

}  // namespace weir::cli
