// The flags of `weir train`.

#include "cli/common_flags.hpp"
#include "cli/flag_values.hpp"
#include "cli/flags.hpp"

namespace weir::cli {
namespace {

constexpr Flag kTrainFlags[] = {
    {FlagGroup::work, "--recipe", 0, "FILE", "Describes the network and its training data; see docs/training.md.",
     "none; it must be given", "",
     [](std::string_view text, Arguments& args) { return set_path(text, args.train.recipe); }},
    {FlagGroup::output, "--out", 'o', "DIR",
     "Folder for the network, its model card, curves, a strip of pictures, and the checkpoint.",
     "none; it must be given", "",
     [](std::string_view text, Arguments& args) { return set_path(text, args.train.folder); }},
    {FlagGroup::resuming, "--resume", 0, "",
     "Continue the training in the folder; on the same device the result is the same bit for bit.", "", "",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.train.resume); }},
    {FlagGroup::work, "--hours", 0, "H",
     "As many steps as fit into H hours; the speed is measured before the first "
     "step.",
     "the recipe's steps", "",
     [](std::string_view text, Arguments& args) { return assign_parsed(parse_positive(text), args.train.hours); }},
    {FlagGroup::work, "--steps", 0, "N", "Number of steps, instead of the recipe's.", "the recipe's", "",
     [](std::string_view text, Arguments& args) {
       return assign_parsed(parse_integer(text, 1, 1'000'000'000), args.train.steps);
     }},
    {FlagGroup::work, "--threads", 0, "N", "Threads. The result does not depend on their number.",
     "the processors that the process may use", "threads",
     [](std::string_view text, Arguments& args) { return assign_parsed(parse_integer(text, 1, 1024), args.threads); }},
    {FlagGroup::device, "--device", 0, "NAME",
     "What to train on: cpu, cpu:0-3 (these cores), gpu (the best GPU), a part of a GPU's name, GPU-UUID, or "
     "pci:ADDRESS. A training can be resumed on another device; the last bits of its result then depend on that "
     "device.",
     "cpu", "", set_device},
    {FlagGroup::reports, "--quiet", 'q', "", "No progress; errors are still printed.", "", "quiet",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.quiet); }},
    kHelpFlag,
};

}  // namespace

std::span<const Flag> train_flags() { return kTrainFlags; }

}  // namespace weir::cli
