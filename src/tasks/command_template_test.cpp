#include "tasks/command_template.hpp"

#include <gtest/gtest.h>

#include "tasks/command_items.hpp"
#include "tasks/command_kind.hpp"
#include "tasks/quarantine.hpp"

namespace weir::tasks {
namespace {

/// Returns the arguments with all placeholders replaced.
std::vector<std::string> fill(const CommandTemplate& made, const std::string& item,
                              const std::vector<std::filesystem::path>& files = {}) {
  std::vector<std::string> arguments;
  for (const std::string& argument : made.arguments())
    arguments.push_back(replace_placeholders(argument, made.placeholder_values(item, files)));
  return arguments;
}

TEST(CommandTemplate, ItemPlaceholdersAreReplacedAndOtherBracesStay) {
  const auto made = CommandTemplate::make({"x{}y", "{.}", "{/}", "{", "}", "{{}}", "{other}", "{}{}"}, false);
  ASSERT_TRUE(made);
  EXPECT_EQ(fill(*made, "a/b.c.py"), (std::vector<std::string>{"xa/b.c.pyy", "a/b.c", "b.c.py", "{", "}", "{a/b.c.py}",
                                                               "{other}", "a/b.c.pya/b.c.py"}));
  EXPECT_EQ(fill(*made, "dir/")[2], "dir");
  EXPECT_EQ(fill(*made, "{/}")[0], "x{/}y") << "placeholders inside an item are not replaced";
}

TEST(CommandTemplate, EachOutputHasOnePathHoweverOftenItIsNamed) {
  const auto made = CommandTemplate::make({"{out}", "--as={out}.tar.gz,{out}.json.", "{out}"}, false);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->output_paths("d", "s/a.py"),
            (std::vector<std::filesystem::path>{"d/s/a.py", "d/s/a.tar.gz", "d/s/a.json"}));
  EXPECT_EQ(fill(*made, "s/a.py", {"/1", "/2", "/3"}), (std::vector<std::string>{"/1", "--as=/2,/3.", "/1"}));
  EXPECT_FALSE(CommandTemplate::make({"{out}/x"}, false));
  EXPECT_FALSE(CommandTemplate::make({"{variant}"}, false));
  EXPECT_TRUE(CommandTemplate::make({"{variant}"}, true));
}

TEST(CommandTemplate, OutputPathsAreBelowTheFolder) {
  EXPECT_EQ(relative_output_path("a/./b/../c"), "a/c");
  EXPECT_EQ(relative_output_path("/etc/passwd"), "etc/passwd");
  EXPECT_EQ(relative_output_path("../../x"), "_up_/_up_/x");
  EXPECT_EQ(relative_output_path("/.."), "_root_");
  EXPECT_EQ(relative_output_path("."), "_root_");
  EXPECT_EQ(relative_output_path("seed=3 x"), "seed=3 x");
}

TEST(CommandItems, AreSplitFromTheTemplate) {
  const LineReader read = [](const std::string& file) -> Result<std::vector<std::string>> {
    if (file == "-") return std::vector<std::string>{"s"};
    return Error{Errc::io, "no such file"};
  };
  const auto list = split_items({"python", ":::", "a", "-x", "::"}, read);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->arguments, (std::vector<std::string>{"python", "{}"}));
  EXPECT_EQ(list->items, (std::vector<std::string>{"a", "-x", "::"}));
  EXPECT_EQ(split_items({"echo", "<{/}>", "::::", "-"}, read)->arguments, (std::vector<std::string>{"echo", "<{/}>"}));
  for (const std::vector<std::string>& bad : std::vector<std::vector<std::string>>{{":::", "a"},
                                                                                   {"echo"},
                                                                                   {"echo", ":::"},
                                                                                   {"echo", "::::"},
                                                                                   {"echo", "::::", "none"},
                                                                                   {"echo", ":::", "a", "::::"}})
    EXPECT_FALSE(split_items(bad, read)) << bad.front();
}

TEST(CommandRequest, IsUnchangedAfterConversionToJsonAndBack) {
  CommandRequest request;
  request.arguments = {"a\xff", "{}"};
  request.guard.device_request.policy = {{"*3090*"}, {"x"}, {"!y"}, {"z"}, 20_GiB};
  request.guard.device_request.slots = 3;
  request.guard.device_request.max_wait = std::chrono::seconds{7};
  request.guard.device_request.need.trust_unknown = request.guard.device_request.end_orphans = true;
  request.guard.variants = {{"large", 5_GiB}, {"small", 1_GiB}};
  request.guard.environment = {{"WEIR_SLOTS", "3"}};
  request.guard.lease_before_start = false;
  request.guard.time_limit = std::chrono::milliseconds{1500};
  request.guard.max_leak = 7_MiB;
  request.gpu_jobs = 3;
  request.retries = 2;
  request.folder = "/out";
  request.quarantine_fd = 9;
  const jobs::Json json = to_json(request);
  EXPECT_EQ(to_json(parse_command_request(*jobs::parse_object(jobs::dump(json)))), json);
  EXPECT_EQ(parse_command_request(json).arguments, request.arguments);
  EXPECT_EQ(parse_command_request(jobs::Json::object()).quarantine_fd, -1) << "0 would be standard input";
}

TEST(CommandItem, AFileAmongTheArgumentsIsAnInput) {
  CommandRequest request;
  request.arguments = {"cat", "/etc/passwd", "{}"};
  request.folder = "/out";
  const auto made = CommandTemplate::make(request.arguments, false);
  const jobs::Item item = make_command_item("/etc/group", request, *made);
  EXPECT_EQ(item.inputs, (std::vector<std::filesystem::path>{"/etc/group", "/etc/passwd"}));
  EXPECT_EQ(item.outputs.front(), "/out/etc/group.log");
  EXPECT_EQ(failed_log_path(item), "/out/etc/group.failed.log");
  EXPECT_EQ(item_text(item), "/etc/group");
  EXPECT_EQ(make_command_item("no file", request, *made).inputs.size(), 1u);
}

TEST(Quarantine, IsSharedByTheFile) {
  const auto file = Quarantine::make_file();
  ASSERT_TRUE(file);
  device::Device card;
  card.pci = device::parse_pci_address("0000:02:00.0");
  Quarantine{file->get()}.add(card, "keeps\nmemory");
  const auto entries = Quarantine{file->get()}.entries();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].pattern, "pci:0000:02:00.0");
  EXPECT_EQ(entries[0].why, "keeps memory");
  EXPECT_TRUE(Quarantine{-1}.entries().empty());
}

}  // namespace
}  // namespace weir::tasks
