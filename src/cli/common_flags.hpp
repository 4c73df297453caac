#pragma once

#include "cli/flag_values.hpp"
#include "cli/flags.hpp"

namespace weir::cli {

// Flags that several commands share.

inline constexpr Flag kJsonFlag{FlagGroup::reports,
                                "--json",
                                0,
                                "",
                                "Print one JSON object per line on standard output.",
                                "",
                                "",
                                [](std::string_view text, Arguments& args) { return set_switch(text, args.json); }};
inline constexpr Flag kHelpFlag{FlagGroup::help,
                                "--help",
                                'h',
                                "",
                                "Print this help.",
                                "",
                                "",
                                [](std::string_view text, Arguments& args) { return set_switch(text, args.help); }};

}  // namespace weir::cli
