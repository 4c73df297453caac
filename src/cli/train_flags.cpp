#include "cli/common_flags.hpp"
#include "cli/flag_values.hpp"
#include "cli/flags.hpp"

namespace weir::cli {
namespace {

constexpr Flag kTrainFlags[] = {
    {FlagGroup::work, "--recipe", 0, "FILE", "What the network is and what it learns from; see docs/training.md.",
     "none; it must be given", "",
     [](std::string_view text, Arguments& args) { return set_path(text, args.train.recipe); }},
    {FlagGroup::output, "--out", 'o', "DIR",
     "Folder for the network, its card, curves, a strip of pictures, and the checkpoint.", "none; it must be given", "",
     [](std::string_view text, Arguments& args) { return set_path(text, args.train.folder); }},
    {FlagGroup::resuming, "--resume", 0, "",
     "Go on with the training that is in the folder; on the same device it ends with the same bits.", "", "",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.train.resume); }},
    {FlagGroup::work, "--hours", 0, "H", "As many steps as fit into so many hours, measured before the first.",
     "the recipe's steps", "",
     [](std::string_view text, Arguments& args) { return assign_parsed(parse_positive(text), args.train.hours); }},
    {FlagGroup::work, "--steps", 0, "N", "So many steps instead of the recipe's.", "the recipe's", "",
     [](std::string_view text, Arguments& args) {
       return assign_parsed(parse_integer(text, 1, 1'000'000'000), args.train.steps);
     }},
    {FlagGroup::work, "--threads", 0, "N", "Threads. The bits do not depend on it.",
     "the processors that the process may use", "threads",
     [](std::string_view text, Arguments& args) { return assign_parsed(parse_integer(text, 1, 1024), args.threads); }},
    {FlagGroup::device, "--device", 0, "NAME",
     "What to train on: cpu, cpu:0-3 (these cores), gpu (the best GPU), a part of a GPU's name, GPU-UUID, or "
     "pci:ADDRESS. A training may be resumed on another device; its last bits are then that one's.",
     "cpu", "", set_device},
    {FlagGroup::reports, "--quiet", 'q', "", "No progress; errors are still told.", "", "quiet",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.quiet); }},
    kHelpFlag,
};

}  // namespace

std::span<const Flag> train_flags() { return kTrainFlags; }

}  // namespace weir::cli
