#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/syntax/tree.hpp"
#include "base/result.hpp"

namespace weir::audit {

struct TextPosition {
  std::uint32_t line = 1;    ///< from 1
  std::uint32_t column = 1;  ///< from 1, in characters
};

/// A file that holds code among other things: a notebook.
struct NotebookSource {
  std::string text;                         ///< the whole file
  std::vector<std::uint32_t> file_offsets;  ///< in it, of every byte of the code
  std::vector<std::uint32_t> cell_starts;   ///< in the code: where each begins
  std::vector<Range>
      magic_lines{};  ///< in the code: lines that IPython takes for itself, which are comments there; not those of other languages
};

/// The code of a text file as it is: the bytes are never changed. Line ends are "\n", "\r\n" or "\r". Code and file are the same
/// but for notebooks; places are given in the code and told in the file.
class SourceFile {
 public:
  /// The most that is read of one file. Larger ones are data, not code.
  static constexpr std::uint64_t kMaxBytes = 4U << 20U;

  /// `name` is what messages and results call it. Errors: io; unsupported (too large, not a regular file, binary, UTF-16).
  static Result<SourceFile> read(const std::filesystem::path& path, std::string name);
  SourceFile(std::filesystem::path path, std::string name, std::string text);
  SourceFile(std::filesystem::path path, std::string name, std::string code, NotebookSource source);

  const std::filesystem::path& path() const { return path_; }
  const std::string& name() const { return name_; }
  std::string_view text() const { return text_; }
  std::string_view text(Range range) const;
  const NotebookSource* notebook() const { return notebook_ ? &*notebook_ : nullptr; }  ///< null: the code is the file
  std::string_view file_text() const { return notebook_ ? std::string_view{notebook_->text} : text(); }
  TextPosition position(std::uint32_t byte) const;       ///< of a byte of the code
  TextPosition file_position(std::uint32_t byte) const;  ///< of a byte of the file
  std::uint32_t line_start(std::uint32_t byte) const;    ///< of the line that holds the byte
  std::uint32_t line_end(std::uint32_t byte) const;      ///< behind its line end
  std::string_view line(std::uint32_t number) const;     ///< of the file, from 1, without its line end
  std::uint32_t line_count() const { return static_cast<std::uint32_t>(file_line_starts().size()); }
  bool has_bom() const { return text_.starts_with("\xEF\xBB\xBF"); }
  std::string_view line_break() const;  ///< that of the first line; "\n" if there is none

 private:
  const std::vector<std::uint32_t>& file_line_starts() const { return notebook_ ? file_line_starts_ : line_starts_; }

  std::filesystem::path path_;
  std::string name_;
  std::string text_;
  std::vector<std::uint32_t> line_starts_;
  std::optional<NotebookSource> notebook_;
  std::vector<std::uint32_t> file_line_starts_;
};

}  // namespace weir::audit
