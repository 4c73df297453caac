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

/// A position in a file, as editors show it.
struct TextPosition {
  std::uint32_t line = 1;    ///< from 1
  std::uint32_t column = 1;  ///< from 1, in characters (Unicode code points); a byte-order mark does not count
};

/// A notebook: a JSON file with code in several cells. The code of all code cells, one after the other, is a
/// SourceFile's text(). All offsets are in bytes.
struct NotebookSource {
  std::string text;                         ///< text of the whole file
  std::vector<std::uint32_t> file_offsets;  ///< for each byte of the code: its offset in the file
  std::vector<std::uint32_t> cell_starts;   ///< for each cell: the offset in the code where it begins
  std::vector<Range> magic_lines{};  ///< ranges in the code of lines with IPython commands ("%env", "!ls"), except in
                                     ///< cells of other languages; in the code such a line begins with '#'
};

/// The code of one file. Lines end with "\n", "\r\n" or "\r". The code is the text of the whole file, except for
/// notebooks. Findings and edits store byte offsets in the code; reports show positions in the file.
class SourceFile {
 public:
  /// The size limit of a file. Larger files are not read, because they are rarely code.
  static constexpr std::uint64_t kMaxBytes = 4U << 20U;

  /// Reads a file; `name` identifies it in messages and results. The code of a notebook is not extracted yet. Errors:
  /// io, unsupported (larger than kMaxBytes, not a regular file, binary, UTF-16).
  static Result<SourceFile> read(const std::filesystem::path& path, std::string name);
  SourceFile(std::filesystem::path path, std::string name, std::string text);
  SourceFile(std::filesystem::path path, std::string name, std::string code, NotebookSource source);

  const std::filesystem::path& path() const { return path_; }
  const std::string& name() const { return name_; }
  /// Returns the whole code.
  std::string_view text() const { return text_; }
  /// Returns a part of the code; empty if the range is not within the code.
  std::string_view text(Range range) const;
  /// Returns the notebook that contains the code; null if the code is the whole file.
  const NotebookSource* notebook() const { return notebook_ ? &*notebook_ : nullptr; }
  /// Returns the text of the whole file.
  std::string_view file_text() const { return notebook_ ? std::string_view{notebook_->text} : text(); }
  TextPosition position(std::uint32_t byte) const;       ///< position in the file; `byte` is an offset in the code
  TextPosition file_position(std::uint32_t byte) const;  ///< position in the file; `byte` is an offset in the file
  std::uint32_t line_start(std::uint32_t byte) const;    ///< offset in the code where the line of this byte of the code
                                                         ///< begins
  std::uint32_t line_end(std::uint32_t byte) const;      ///< offset in the code after the line break of this line
  std::string_view line(std::uint32_t number) const;     ///< line of the file, counted from 1, without its line break;
                                                         ///< empty if there is no such line
  /// Returns the number of lines of the file.
  std::uint32_t line_count() const { return static_cast<std::uint32_t>(file_line_starts().size()); }
  bool has_bom() const { return text_.starts_with("\xEF\xBB\xBF"); }
  std::string_view line_break() const;  ///< line break of the first line of the code; "\n" if there is none

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
