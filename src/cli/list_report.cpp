#include "cli/list_report.hpp"

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "cli/report.hpp"

namespace weir::cli {
namespace {

/// Appends "1 hidden file" or "2 hidden files" to `text`, after ", " if `text` is not empty; nothing if `count` is 0.
void add_count(std::string& text, std::size_t count, std::string_view one, std::string_view several) {
  if (count == 0) return;
  text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, count == 1 ? one : several);
}

/// Returns how many entries of folders were skipped, by reason; empty if none were skipped.
std::string skipped_text(const tasks::SkippedEntries& skipped, std::string_view noun) {
  std::string text;
  add_count(text, skipped.folder_links, "link to a folder not followed", "links to folders not followed");
  add_count(text, skipped.broken_links, "link to nothing", "links to nothing");
  add_count(text, skipped.hidden_files, "hidden file", "hidden files");
  add_count(text, skipped.hidden_folders, "hidden folder", "hidden folders");
  add_count(text, skipped.other_files, fmt::format("file that is no {} by its extension", noun),
            fmt::format("files that are no {}s by their extensions", noun));
  add_count(text, skipped.special_files, "pipe, socket or device", "pipes, sockets or devices");
  add_count(text, skipped.earlier_results, "result of an earlier run", "results of an earlier run");
  return text;
}

}  // namespace

void report_list(const tasks::SkippedEntries& skipped_entries, const std::vector<tasks::RenamedOutput>& renamed,
                 std::string_view noun, observe::Log& log) {
  if (const std::string skipped = skipped_text(skipped_entries, noun); !skipped.empty())
    log.info("not taken from folders: " + skipped);
  if (renamed.empty()) return;
  const tasks::RenamedOutput& first = renamed.front();
  const std::size_t others = renamed.size() - 1;
  log.info(fmt::format("{} has a longer name, because the short one is another {}'s: {}{}", display_path(first.input),
                       noun, display_path(first.output),
                       others == 0 ? "" : fmt::format("; and {} more of this kind", others)));
}

}  // namespace weir::cli
