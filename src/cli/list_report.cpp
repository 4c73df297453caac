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
std::string skipped_text(const tasks::SkippedEntries& skipped) {
  std::string text;
  add_count(text, skipped.folder_links, "link to a folder not followed", "links to folders not followed");
  add_count(text, skipped.broken_links, "link to nothing", "links to nothing");
  add_count(text, skipped.hidden_files, "hidden file", "hidden files");
  add_count(text, skipped.hidden_folders, "hidden folder", "hidden folders");
  add_count(text, skipped.other_files, "file that is no picture by its extension",
            "files that are no pictures by their extensions");
  add_count(text, skipped.special_files, "pipe, socket or device", "pipes, sockets or devices");
  add_count(text, skipped.earlier_results, "result of an earlier run", "results of an earlier run");
  return text;
}

}  // namespace

void report_list(const tasks::PictureList& list, observe::Log& log) {
  if (const std::string skipped = skipped_text(list.skipped); !skipped.empty())
    log.info("not taken from folders: " + skipped);
  if (list.renamed.empty()) return;
  const tasks::RenamedOutput& first = list.renamed.front();
  const std::size_t others = list.renamed.size() - 1;
  log.info(fmt::format("{} has a longer name, because the short one is another picture's: {}{}",
                       display_path(first.input), display_path(first.output),
                       others == 0 ? "" : fmt::format("; and {} more of this kind", others)));
}

}  // namespace weir::cli
