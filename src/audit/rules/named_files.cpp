#include "audit/rules/named_files.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace weir::audit {
namespace {

bool is_word_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; }

std::string_view file_name(const Module& module) {
  const std::string_view path = module.source.path().native();
  return path.substr(path.rfind('/') + 1);
}

/// Returns the word by which other files name the file: "train" for train.py, "tools" for tools/__main__.py.
std::string_view name_in_commands(const Module& module) {
  const std::string_view name = file_name(module);
  const std::string_view path = module.source.path().native();
  if (!name.starts_with("__") || name.size() == path.size()) return name.substr(0, name.find('.'));
  const std::string_view folder = path.substr(0, path.size() - name.size() - 1);
  return folder.substr(folder.rfind('/') + 1);
}

}  // namespace

void NamedFiles::add_names_in(std::size_t file, const std::multimap<std::string_view, std::size_t>& by_stem) {
  const auto& modules = project_.modules();
  const std::string_view text = modules[file].source.text();
  for (std::size_t begin = 0; begin < text.size(); ++begin) {
    if (!is_word_char(text[begin])) continue;
    std::size_t end = begin;
    while (end < text.size() && is_word_char(text[end])) ++end;
    const auto [first, last] = by_stem.equal_range(text.substr(begin, end - begin));
    for (auto at = first; at != last; ++at) {
      const Module& named = modules[at->second];
      const bool whole = named.kind == FileKind::python || text.substr(begin).starts_with(file_name(named));
      if (whole && at->second != file) named_files_[file].push_back(at->second);
    }
    begin = end;
  }
  auto& all = named_files_[file];
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
}

void NamedFiles::read_names() {
  const auto& modules = project_.modules();
  std::multimap<std::string_view, std::size_t> by_stem;
  for (std::size_t i = 0; i < modules.size(); ++i) by_stem.emplace(name_in_commands(modules[i]), i);
  named_files_.resize(modules.size());
  named_by_.resize(modules.size());
  for (std::size_t i = 0; i < modules.size(); ++i) add_names_in(i, by_stem);
  for (std::size_t i = 0; i < modules.size(); ++i) {
    for (const std::size_t named : named_files_[i])
      if (is_script(i) && is_script(named)) named_by_[named].push_back(i);
  }
}

std::vector<bool> NamedFiles::reachable_files(Indices pending, const std::vector<Indices>& edges) const {
  std::vector<bool> reached(edges.size());
  for (const std::size_t file : pending) reached[file] = true;
  while (!pending.empty()) {
    const std::size_t file = pending.back();
    pending.pop_back();
    for (const std::size_t next : edges[file]) {
      if (reached[next]) continue;
      reached[next] = true;
      pending.push_back(next);
    }
  }
  return reached;
}

bool NamedFiles::related_file_contains(const Module& module, std::string_view word) {
  const auto& modules = project_.modules();
  auto& has = files_with_word_[word];
  if (has.empty())
    for (const Module& one : modules) has.push_back(one.source.text().find(word) != std::string_view::npos);
  if (std::find(has.begin(), has.end(), true) == has.end()) return false;
  if (named_files_.empty()) read_names();
  const auto namers = reachable_files({static_cast<std::size_t>(&module - modules.data())}, named_by_);
  Indices start;
  for (std::size_t i = 0; i < namers.size(); ++i)
    if (namers[i]) start.push_back(i);
  const auto reached = reachable_files(std::move(start), named_files_);
  for (std::size_t i = 0; i < reached.size(); ++i)
    if (reached[i] && has[i]) return true;
  return false;
}

}  // namespace weir::audit
