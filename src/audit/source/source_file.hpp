#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "audit/syntax/tree.hpp"
#include "base/result.hpp"

namespace weir::audit {

struct Place {
  std::uint32_t line = 1;    ///< from 1
  std::uint32_t column = 1;  ///< from 1, in characters
};

/// A text file as it is: the bytes are never changed. Line ends are "\n", "\r\n" or "\r".
class SourceFile {
 public:
  /// The most that is read of one file. Larger ones are data, not code.
  static constexpr std::uint64_t kMostBytes = 4U << 20U;

  /// `name` is what messages and results call it. Errors: io; unsupported (too large, not a regular file, binary, UTF-16).
  static Result<SourceFile> read(const std::filesystem::path& path, std::string name);
  SourceFile(std::filesystem::path path, std::string name, std::string text);

  const std::filesystem::path& path() const { return path_; }
  const std::string& name() const { return name_; }
  std::string_view text() const { return text_; }
  std::string_view text(Range range) const;
  Place place(std::uint32_t byte) const;
  std::uint32_t line_start(std::uint32_t byte) const;  ///< of the line that holds the byte
  std::uint32_t line_end(std::uint32_t byte) const;    ///< behind its line end
  std::string_view line(std::uint32_t number) const;   ///< from 1, without its line end
  std::uint32_t lines() const { return static_cast<std::uint32_t>(starts_.size()); }
  bool has_bom() const { return text_.starts_with("\xEF\xBB\xBF"); }
  std::string_view line_break() const;  ///< that of the first line; "\n" if there is none

 private:
  std::filesystem::path path_;
  std::string name_;
  std::string text_;
  std::vector<std::uint32_t> starts_;
};

}  // namespace weir::audit
