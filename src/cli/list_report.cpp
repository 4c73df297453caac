#include "cli/list_report.hpp"

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "cli/report.hpp"

namespace weir::cli {
namespace {

/// "1 hidden file", "2 hidden files", with a comma before it if it is not the first; nothing for none.
void add(std::string& text, std::size_t count, std::string_view one, std::string_view several) {
  if (count == 0) return;
  text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, count == 1 ? one : several);
}

std::string skipped_text(const tasks::Skipped& skipped) {
  std::string text;
  add(text, skipped.folder_links, "link to a folder not followed", "links to folders not followed");
  add(text, skipped.broken_links, "link to nothing", "links to nothing");
  add(text, skipped.hidden_files, "hidden file", "hidden files");
  add(text, skipped.hidden_folders, "hidden folder", "hidden folders");
  add(text, skipped.other_files, "file that is no picture by its extension",
      "files that are no pictures by their extensions");
  add(text, skipped.special, "pipe, socket or device", "pipes, sockets or devices");
  add(text, skipped.results, "result of an earlier run", "results of an earlier run");
  return text;
}

}  // namespace

void tell_list(const tasks::PictureList& list, observe::Log& log) {
  if (const std::string skipped = skipped_text(list.skipped); !skipped.empty())
    log.info("not taken from folders: " + skipped);
  if (list.renamed.empty()) return;
  const tasks::Renamed& first = list.renamed.front();
  const std::size_t others = list.renamed.size() - 1;
  log.info(fmt::format("{} has a longer name, because the short one is another picture's: {}{}", shown(first.input),
                       shown(first.output), others == 0 ? "" : fmt::format("; and {} more of this kind", others)));
}

}  // namespace weir::cli
