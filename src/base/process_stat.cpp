#include "base/process_stat.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/small_file.hpp"

namespace weir {
namespace {

/// Removes the next word from the text and returns it.
std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(" \n"));
  text.remove_prefix(word.size());
  return word;
}

template <class T>
bool parse(std::string_view word, T& value) {
  return std::from_chars(word.data(), word.data() + word.size(), value).ec == std::errc{};
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  const std::size_t name_end = text.rfind(')');  // field 2, the name, may contain ')' itself
  if (name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 1);
  ProcessStat stat;
  const std::string_view state = next_word(text);
  if (state.size() != 1 || !parse(next_word(text), stat.parent)) return std::nullopt;
  stat.state = state.front();
  for (int field = 5; field < 22; ++field) next_word(text);  // skips fields 5 to 21
  if (!parse(next_word(text), stat.start_ticks)) return std::nullopt;
  return stat;
}

std::optional<ProcessStat> read_process_stat(pid_t pid, const std::filesystem::path& root) {
  return parse_process_stat(read_small_file(root / "proc" / std::to_string(pid) / "stat"));
}

}  // namespace weir
