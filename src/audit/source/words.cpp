#include "audit/source/words.hpp"

#include <cctype>

namespace weir::audit {
namespace {

bool is_part_of_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

std::size_t find_word(std::string_view text, std::string_view word, std::size_t from) {
  for (std::size_t at = text.find(word, from); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool continues_before = at > 0 && is_part_of_word(text[at - 1]);
    const bool continues_after = end < text.size() && is_part_of_word(text[end]);
    if (!continues_before && !continues_after) return at;
  }
  return std::string_view::npos;
}

bool contains_word(std::string_view text, std::string_view word) {
  return find_word(text, word) != std::string_view::npos;
}

}  // namespace weir::audit
